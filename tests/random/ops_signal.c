/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: signals, sent in every way, and masks, dispositions and queues of them. */
#include "random.h"

/* These can be sent to whom they like: handled or ignored by everybody. */
static int gentle(void)
{
	static const int signals[] = {0,      0,       SIGUSR1,	 SIGUSR2, SIG_Q1, SIG_Q2,
				      SIGURG, SIGCONT, SIGWINCH, SIGCHLD, SIGSYS};

	if (chance(4))
		return chance(50) ? 65 : -1;
	return signals[any(COUNT(signals))];
}

/* To a single process it may also be its end. */
static int signal_for(long to)
{
	static const int ends[] = {SIGTERM, SIGKILL, SIGHUP, SIGALRM};

	return (int)to > 0 && chance(8) && (ends_crowds() || threads_of((int)to) <= 1)
		       ? ends[any(COUNT(ends))]
		       : gentle();
}

static void op_kill(int slot)
{
	PICK(to, any_number(slot));
	int sig = signal_for(to);

	tell("(%s, %d)", to_text, sig);
	tell(" = %s", rc(SC(SYS_kill, to, junk(sig), junk(0), junk(0))));
}

static void op_tkill(int slot)
{
	PICK(to, any_number(slot));
	int sig = signal_for(to);

	tell("(%s, %d)", to_text, sig);
	tell(" = %s", rc(SC(SYS_tkill, to, junk(sig), junk(0))));
}

static void op_tgkill(int slot)
{
	PICK(group, any_number(slot));
	PICK(to, chance(40) ? group : any_number(slot));
	int sig = signal_for(to);

	tell("(%s, %s, %d)", group_text, to_text, sig);
	tell(" = %s", rc(SC(SYS_tgkill, group, to, junk(sig), junk(0))));
}

static siginfo_t written(int slot)
{
	static const int codes[] = {SI_QUEUE,	SI_QUEUE, SI_QUEUE, SI_MESGQ, SI_TIMER,
				    SI_ASYNCIO, SI_USER,  SI_TKILL, -60};
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_code = codes[any(COUNT(codes))];
	/* A number that cannot exist loses a bit. */
	si.si_pid = any_number(slot);
	if (si.si_pid > 0)
		si.si_pid &= 0x3fffffff;
	si.si_value.sival_ptr = (void *)(long)any(1000);
	tell("code %d from %d ", si.si_code, si.si_pid);
	return si;
}

static void op_rt_sigqueueinfo(int slot)
{
	PICK(to, any_number(slot));
	int sig = signal_for(to);
	siginfo_t si = written(slot);

	tell("(%s, %d)", to_text, sig);
	tell(" = %s", rc(SC(SYS_rt_sigqueueinfo, to, junk(sig), &si, junk(0))));
}

static void op_rt_tgsigqueueinfo(int slot)
{
	PICK(group, any_number(slot));
	PICK(to, chance(40) ? group : any_number(slot));
	int sig = signal_for(to);
	siginfo_t si = written(slot);

	tell("(%s, %s, %d)", group_text, to_text, sig);
	tell(" = %s", rc(SC(SYS_rt_tgsigqueueinfo, group, to, junk(sig), &si)));
}

static void op_pidfd_send_signal(int slot)
{
	PICK(of, any_number(slot));
	int flags = chance(25) ? 1 << any(4) : 0, open_flags = chance(30) ? O_EXCL : 0;
	long fd = SC(SYS_pidfd_open, of, open_flags);
	int sig = flags & 4 ? gentle() : signal_for(of);
	siginfo_t si;

	tell("%s, %d: ", of_text, open_flags);
	if (fd < 0) {
		tell("%s", rc(fd));
		return;
	}
	if (chance(50))
		si = written(slot);
	else
		memset(&si, 0, sizeof(si));
	si.si_signo = sig;
	tell("(%d, %d)", sig, flags);
	tell(" = %s",
	     rc(SC(SYS_pidfd_send_signal, junk(fd), junk(sig), si.si_code ? &si : NULL, junk(flags))));
	SC(SYS_close, fd);
}

/*
 * Never what ends a process. SIGSYS is not blocked here: while it is, one of a process's threads holds it for
 * itself, which is documented.
 */
static uint64_t gentle_mask(void)
{
	static const int signals[] = {SIGUSR1, SIGUSR2,	 SIG_Q1,  SIG_Q2,
				      SIGURG,  SIGWINCH, SIGCHLD, SIGCONT};
	uint64_t mask = 0;

	for (size_t i = 0; i < COUNT(signals); i++)
		if (chance(35))
			mask |= BIT(signals[i]);
	return mask;
}

static void op_rt_sigprocmask(int slot)
{
	uint64_t mask = gentle_mask(), old = 0;
	int how = (int)any(3);

	(void)slot;
	tell("(%d, %s)", how, mask_text(mask));
	tell(" = %s", rc(SC(SYS_rt_sigprocmask, how, &mask, &old, 8)));
	tell(" was %s", mask_text(old));
}

static void op_rt_sigpending(int slot)
{
	(void)slot;
	tell("%s, mask %s", mask_text(raw_pending()), mask_text(raw_mask()));
}

static void op_rt_sigtimedwait(int slot)
{
	uint64_t mask = gentle_mask();
	struct timespec now = {0, 0};
	siginfo_t si;
	long r;

	(void)slot;
	memset(&si, 0, sizeof(si));
	r = SC(SYS_rt_sigtimedwait, &mask, &si, &now, 8);
	tell("(%s) = %s", mask_text(mask), rc(r));
	/* Whose end was the first that told of itself: as with children, of whom a crowd's are in any order. */
	if (r == SIGCHLD && ends_crowds())
		return;
	if (r > 0)
		tell(" code %d from %d", si.si_code, si.si_pid);
	if (r > 0 && si.si_code < 0)
		tell(" value %ld", (long)si.si_value.sival_ptr);
	else if (r == SIGCHLD)
		tell(" status %d", si.si_status);
}

static void op_rt_sigaction(int slot)
{
	static const int signals[] = {SIGUSR1, SIGUSR2, SIG_Q1, SIG_Q2};
	static const int flags[] = {SA_RESTART, SA_NODEFER, 0x800 /* SA_EXPOSE_TAGBITS */, 0};
	int sig = signals[any(COUNT(signals))];
	struct sigaction sa, old;

	(void)slot;
	install_handlers();
	sigaction(sig, NULL, &sa);
	sa.sa_flags |= flags[any(COUNT(flags))];
	if (chance(30))
		sa.sa_handler = SIG_IGN;
	if (chance(30))
		sigaddset(&sa.sa_mask, SIGUSR1);
	tell("(%d, %s)", sig, sa.sa_handler == SIG_IGN ? "ignore" : "handle");
	tell(" = %s", lrc(sigaction(sig, &sa, &old)));
	sigaction(sig, NULL, &old);
	tell(" flags %x", (unsigned int)old.sa_flags & ~0x04000000u);
}

static void op_sigchld(int slot)
{
	struct sigaction sa = {.sa_handler = SIG_DFL}, old;

	(void)slot;
	if (chance(25))
		sa.sa_handler = SIG_IGN;
	if (chance(25))
		sa.sa_flags = chance(50) ? SA_NOCLDWAIT : SA_NOCLDSTOP;
	tell("%s %x", sa.sa_handler == SIG_IGN ? "ignore" : "default", (unsigned int)sa.sa_flags);
	tell(" = %s", lrc(sigaction(SIGCHLD, &sa, &old)));
	tell(" was %s %x", old.sa_handler == SIG_IGN ? "ignore" : "default",
	     (unsigned int)old.sa_flags & ~0x04000000u);
}

static void op_signalfd(int slot)
{
	uint64_t mask = gentle_mask();
	struct {
		uint32_t signo;
		int32_t errnum, code;
		uint32_t pid, rest[28];
	} si;
	long fd = SC(SYS_signalfd4, -1, &mask, 8, O_NONBLOCK), r;

	(void)slot;
	r = SC(SYS_read, fd, &si, sizeof(si));
	tell("(%s) = %s", mask_text(mask), rc(r));
	if (r > 0 && !(si.signo == SIGCHLD && ends_crowds()))
		tell(" signal %u code %d from %u", si.signo, si.code, si.pid);
	SC(SYS_close, fd);
}

static void op_pdeathsig(int slot)
{
	static const int signals[] = {0, SIG_Q1, SIG_Q2, SIG_Q1, 65, -1};
	int sig = signals[any(COUNT(signals))], got = -7;

	(void)slot;
	if (ends_crowds())
		sig = sig == 65 ? 65 : 0;
	tell("(%d)", sig);
	tell(" = %s", rc(SC(SYS_prctl, junk(PR_SET_PDEATHSIG), (long)sig, junk(0))));
	tell(" get %s", rc(SC(SYS_prctl, PR_GET_PDEATHSIG, &got)));
	tell(" %d", got);
}

const struct op ops_signal[] = {
	{"kill", 24, op_kill},
	{"tkill", 8, op_tkill},
	{"tgkill", 8, op_tgkill},
	{"rt_sigqueueinfo", 8, op_rt_sigqueueinfo},
	{"rt_tgsigqueueinfo", 8, op_rt_tgsigqueueinfo},
	{"pidfd_send_signal", 8, op_pidfd_send_signal},
	{"rt_sigprocmask", 8, op_rt_sigprocmask},
	{"rt_sigpending", 6, op_rt_sigpending},
	{"rt_sigtimedwait", 8, op_rt_sigtimedwait},
	{"rt_sigaction", 4, op_rt_sigaction},
	{"sigchld", 3, op_sigchld},
	{"signalfd", 3, op_signalfd},
	{"pdeathsig", 4, op_pdeathsig},
	{0},
};
