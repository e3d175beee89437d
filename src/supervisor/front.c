/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front: the process the user started. It stays in the shell's job and stands for the program
 * there: it stops after the program stopped, continues with it, ends with its status, and ends the
 * tree itself when the supervisor is killed. It never stops by its own copy of Ctrl-Z, because then
 * the shell would have the terminal before the program has put it in order.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "supervisor/boot.h"
#include "supervisor/inside.h"
#include "supervisor/landlock.h"
#include "supervisor/loop.h"
#include "supervisor/tty.h"
#include "supervisor/util.h"

/* How often, and for how long, to look at what number 1 makes of a signal that it blocks. */
#define HELD_MSEC 10
#define HELD_SLOW_MSEC 100
#define HELD_OFTEN_MSEC 1000
#define HELD_MAX_MSEC 60000

struct front {
	struct sv_boot *b;
	sp_hpid super;
	struct sv_exit super_exit;
	int sigfd;
	uint32_t stops_seen;
	bool started;
	bool told;	/* who asked that it runs */
	bool continued; /* somebody continued us since the last look */
	uint64_t held;	/* signals that init blocked when they came */
	long long held_since;
	int end_by; /* the signal by which the supervisor was told to end the namespace */
};

static uint32_t ended(const struct front *f)
{
	return atomic_load_explicit(&f->b->shared->ended, memory_order_acquire);
}

static void tell(struct front *f, enum sv_order order, int arg)
{
	struct sv_tell t = {order, arg};

	send(f->b->ctl_front, &t, sizeof(t), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void end_by(struct front *f, int sig)
{
	f->end_by = sig;
	tell(f, SV_ORDER_END, sig);
}

/*
 * A signal that would have ended or informed the program if it had been started without us. What the
 * terminal sent has reached the program already: it is in the same group. One that the program blocks
 * may be waited for (sigwait, signalfd) or be held off for a moment (a shell around its fork): then
 * number 1's immunity drops it in the end, and we look again whether that is what happened.
 */
static void on_signal(struct front *f, int sig, bool from_kernel)
{
	struct sv_dispositions d = sv_dispositions_of_init(f->b);
	uint64_t bit = sv_sig_bit(sig);
	bool from_terminal = from_kernel &&
			     (sig == SIGINT || sig == SIGQUIT || sig == SIGHUP || sig == SIGWINCH);

	if (sig == SIGTSTP) {
		/* From the terminal the program has its own. */
		if (!from_kernel)
			tell(f, SV_ORDER_STOP, 0);
		return;
	}
	if (((d.handled | d.blocked) & bit) && !from_terminal)
		tell(f, SV_ORDER_FORWARD, sig);
	if (((d.handled | d.ignored) & bit) || !sv_sig_ends(sig))
		return;
	if (d.blocked & bit) {
		f->held |= bit;
		f->held_since = sv_now_msec();
		return;
	}
	end_by(f, sig);
}

/* -1: there is nothing to look at. */
static int held_pause(const struct front *f)
{
	if (!f->held)
		return -1;
	return sv_now_msec() - f->held_since < HELD_OFTEN_MSEC ? HELD_MSEC : HELD_SLOW_MSEC;
}

static void follow_held(struct front *f)
{
	struct sv_dispositions d = sv_dispositions_of_init(f->b);
	uint64_t dropped = f->held & ~(d.handled | d.ignored | d.blocked);

	for (int sig = 1; sig < NSIG; sig++)
		if (dropped & sv_sig_bit(sig))
			end_by(f, sig);
	f->held &= d.blocked & ~dropped;
	/* Blocked at every look: the program takes it in its own way. */
	if (f->held && sv_now_msec() - f->held_since > HELD_MAX_MSEC)
		f->held = 0;
}

static void reap(struct front *f)
{
	for (;;) {
		siginfo_t si = {0};

		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | __WALL) < 0 || si.si_pid == 0)
			return;
		if (si.si_pid == f->super.n)
			f->super_exit = (struct sv_exit){true, si.si_code, si.si_status};
		else
			sv_strangers_forget(&f->b->strangers, sp_hpid_of(si.si_pid));
	}
}

static void on_signals(struct front *f)
{
	struct signalfd_siginfo si;

	while (read(f->sigfd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(f);
		else if (si.ssi_signo != SIGCONT)
			on_signal(f, (int)si.ssi_signo, si.ssi_code == SI_KERNEL);
		else if (si.ssi_code <= 0 || si.ssi_code == SI_KERNEL)
			f->continued = true; /* otherwise it is the supervisor's wake */
	}
}

static void drain(struct front *f)
{
	char c[sizeof(struct sv_tell)];

	while (recv(f->b->ctl_front, c, sizeof(c), MSG_DONTWAIT) > 0)
		;
	while (read(f->b->wake_r, c, sizeof(c)) > 0)
		;
}

static bool stop_wanted(void *arg)
{
	const struct front *f = arg;
	struct pollfd p = {.fd = f->b->wake_r, .events = 0};

	/* A hang-up: the supervisor is dead, its last wake has been, and who would wake us then? */
	return !ended(f) && atomic_load(&f->b->shared->stopped) && poll(&p, 1, 0) == 0;
}

/* What somebody outside sent number 1: as if we had been sent it. */
static void on_asked(struct front *f)
{
	uint64_t asked = atomic_exchange(&f->b->shared->asked, 0);

	for (int sig = 1; asked && sig < NSIG; sig++)
		if (asked & sv_sig_bit(sig))
			on_signal(f, sig, false);
}

/* In this order: continued, then stopped. A stop from before a SIGCONT is history. */
static void follow_init(struct front *f)
{
	uint32_t stops = atomic_load(&f->b->shared->stops);
	int sig = (int)atomic_load(&f->b->shared->stopped);
	bool news = stops != f->stops_seen;

	f->stops_seen = stops;
	if (f->continued) {
		f->continued = false;
		tell(f, SV_ORDER_CONT, 0);
	} else if (news && sig) {
		sv_stop_self(sig, stop_wanted, f);
	}
}

static void tell_started(struct front *f)
{
	const char *name = f->b->record.name;
	ssize_t n;

	if (f->told || f->b->job->started_fd <= 0)
		return;
	f->told = true;
	n = write(f->b->job->started_fd, name, strlen(name) + 1);
	(void)n; /* who asked is gone */
}

/* The program runs: no message of ours can follow, and its descriptors are its own. */
static void follow_start(struct front *f)
{
	if (f->started || !atomic_load(&f->b->shared->started))
		return;
	f->started = true;
	tell_started(f);
	sv_fd_blank(2);
	if (chdir("/") < 0)
		return;
}

static void watch(struct front *f)
{
	while (!ended(f) && !f->super_exit.known) {
		struct pollfd p[] = {
			{.fd = f->sigfd, .events = POLLIN},
			{.fd = f->b->ctl_front, .events = POLLIN},
			{.fd = f->b->wake_r, .events = POLLIN},
		};

		/* After a hang-up the supervisor's zombie is a matter of moments: no need to spin. */
		if (poll(p, 3, held_pause(f)) > 0 && ((p[1].revents | p[2].revents) & POLLHUP) &&
		    !p[0].revents && !ended(f))
			poll(p, 1, 10);
		drain(f);
		on_signals(f);
		if (ended(f) || f->super_exit.known)
			break;
		follow_start(f);
		on_asked(f);
		follow_init(f);
		follow_held(f);
	}
}

/* TSTP is read with the others, so it must not be ignored. */
static void ignore_stops(void)
{
	static const int sigs[] = {SIGTTIN, SIGTTOU, SIGPIPE};

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		signal(sigs[i], SIG_IGN);
	signal(SIGTSTP, SIG_DFL);
}

static int open_signals(struct front *f)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	for (int sig = 1; sig < NSIG; sig++)
		if (sv_sig_ends(sig) && sig != SIGKILL && sig != SIGPIPE)
			sigaddset(&set, sig);
	f->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->sigfd < 0 ? sv_errno() : 0;
}

static int fork_supervisor(struct front *f, struct sv_fail *fail)
{
	struct sv_boot *b = f->b;
	int keep[10], r;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return sv_failed(fail, sv_errno(), "cannot become subreaper");
	r = b->inside ? 0 : sv_scope_enter_alone();
	(void)r; /* without a scope the tree is ended by other means */
	r = open_signals(f);
	if (r < 0)
		return sv_failed(fail, r, "cannot create a signalfd");
	f->super = sp_hpid_of(fork());
	if (f->super.n < 0)
		return sv_failed(fail, sv_errno(), "cannot fork");
	if (f->super.n == 0) {
		sv_fd_done(&f->sigfd);
		if (b->inside)
			sv_inside(b);
		sv_supervise(b);
	}
	ignore_stops();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	keep[0] = f->sigfd;
	keep[1] = b->ctl_front;
	keep[2] = b->wake_r;
	keep[3] = b->job->status_fd > 0 ? b->job->status_fd : -1;
	keep[4] = b->job->pidfile_fd > 0 ? b->job->pidfile_fd : -1;
	keep[5] = b->record.root;
	keep[6] = b->record.dir;
	keep[7] = b->record.lock;
	keep[8] = b->job->started_fd;
	sv_fd_done(&b->record.ctl);
	keep[9] = b->inside ? b->link_r : -1;
	sv_close_others(keep, 10);
	sv_fd_blank(0);
	sv_fd_blank(1);
	return 0;
}

static void wait_for_supervisor(struct front *f)
{
	siginfo_t si;

	while (!f->super_exit.known)
		if (waitid(P_PID, (id_t)f->super.n, &si, WEXITED) == 0 || errno != EINTR)
			f->super_exit.known = true;
}

int sv_run(const struct sv_job *job, struct sv_outcome *ret, struct sv_fail *fail)
{
	struct sv_boot b;
	struct front f = {.b = &b, .sigfd = -1};
	int r = sv_boot(&b, job, fail);

	if (r == 0)
		r = fork_supervisor(&f, fail);
	if (r < 0) {
		sv_record_end(&b.record, NULL, false);
		return r;
	}
	watch(&f);
	switch ((enum sv_ended)ended(&f)) {
	case SV_DONE:
		wait_for_supervisor(&f);
		*ret = b.shared->outcome;
		if (!ret->exec_errno)
			tell_started(&f);
		/*
		 * A Ctrl-C ends all of a pipeline at once. If the program lived on for a moment, saw
		 * the end of its input and left, then that is not how it ended.
		 */
		on_signals(&f);
		if (f.end_by && !ret->exec_errno)
			*ret = (struct sv_outcome){.sig = f.end_by};
		return 0;
	case SV_FAILED:
		wait_for_supervisor(&f);
		*fail = b.shared->fail;
		return b.shared->err < 0 ? b.shared->err : -EIO;
	case SV_GOING_ON:
		break;
	}
	/* The supervisor was killed; whatever it had is ours now. */
	if (b.inside)
		sv_inside_end(&b);
	else
		sv_end(b.seg, SP_HPID_NONE, NULL, &b.strangers);
	*ret = (struct sv_outcome){.sig = SIGKILL};
	if (b.shared->name[0])
		memcpy(b.record.name, b.shared->name, sizeof(b.record.name));
	sv_record_end(&b.record, ret, true);
	return 0;
}
