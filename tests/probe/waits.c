/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait4 and waitid in every mode: which children a selector finds, in which order, what is reported
 * for exited, killed, stopped and continued ones, what WNOWAIT leaves behind, what is refused, and
 * what happens when nobody wants to know.
 */
#include "probe.h"

#define U_NEVER 0x10000000

static struct gate stay;

/* exit CODE, or end by a signal, or stop, or live; the parent knows when it is so. */
static pid_t make(char how, int n)
{
	pid_t pid = fork_or_die();

	if (!pid) {
		switch (how) {
		case 'e':
			_exit(n);
		case 'k':
			SC(SYS_kill, SC(SYS_getpid), n);
			_exit(100);
		case 's':
			SC(SYS_kill, SC(SYS_getpid), n);
			__attribute__((fallthrough));
		default:
			for (;;)
				pause();
		}
	}
	if (how == 'e' || how == 'k')
		await_zombie(pid);
	if (how == 's') {
		siginfo_t si;

		SC(SYS_waitid, P_PID, pid, &si, WSTOPPED | WNOWAIT, NULL);
	}
	return pid;
}

static void w4(const char *name, long pid, int options)
{
	int st = 0;
	struct rusage ru;
	long r;

	memset(&ru, 0x5a, sizeof(ru));
	r = SC(SYS_wait4, pid, &st, options, &ru);
	say("wait4 %s (%ld, %x) %s %s%s", name, pid, (unsigned int)options, rc(r),
	    r > 0 ? status_text(st) : "",
	    r > 0 && (unsigned long)ru.ru_maxrss == 0x5a5a5a5a5a5a5a5aul ? " no rusage" : "");
}

static void wid(const char *name, int type, long id, int options)
{
	siginfo_t si;
	long r;

	memset(&si, 0x5a, sizeof(si));
	r = SC(SYS_waitid, type, id, &si, options, NULL);
	if (r || !si.si_signo)
		say("waitid %s (%d, %ld, %x) %s signo %x pid %x", name, type, id,
		    (unsigned int)options, rc(r), (unsigned int)si.si_signo, (unsigned int)si.si_pid);
	else
		say("waitid %s (%d, %ld, %x) %s signo %d code %d pid %d status %d", name, type, id,
		    (unsigned int)options, rc(r), si.si_signo, si.si_code, si.si_pid, si.si_status);
}

static void none(void)
{
	static const long ids[] = {-1, 0, 1, 2, 999, -999, -2, INT_MIN, INT_MAX, 4194304};
	static const int types[] = {P_ALL, P_PID, P_PGID, P_PIDFD, 4, -1};

	for (size_t i = 0; i < COUNT(ids); i++) {
		w4("none", ids[i], 0);
		w4("none", ids[i], WNOHANG);
		for (size_t k = 0; k < COUNT(types); k++) {
			wid("none", types[k], ids[i], WEXITED);
			wid("none", types[k], ids[i], WEXITED | WNOHANG);
		}
	}
	w4("bad option", -1, U_NEVER);
	w4("WEXITED is no option", -1, WEXITED);
	w4("WNOWAIT is no option", -1, WNOWAIT);
	wid("no option", P_ALL, 0, 0);
	wid("WNOHANG alone", P_ALL, 0, WNOHANG);
	wid("bad option", P_ALL, 0, WEXITED | U_NEVER);
}

static void zombies(void)
{
	pid_t a = make('e', 3), b = make('k', SIGKILL), c = make('k', SIGUSR1), d = make('l', 0);
	int i;

	w4("alive", d, WNOHANG);
	wid("alive", P_PID, d, WEXITED | WNOHANG);
	wid("look", P_ALL, 0, WEXITED | WNOWAIT);
	wid("look again", P_ALL, 0, WEXITED | WNOWAIT);
	wid("look at b", P_PID, b, WEXITED | WNOWAIT);
	wid("look at c nohang", P_PID, c, WEXITED | WNOWAIT | WNOHANG);
	wid("only stopped", P_ALL, 0, WSTOPPED | WNOHANG);
	wid("only continued", P_ALL, 0, WCONTINUED | WNOHANG);
	wid("grandparent", P_PID, getppid(), WEXITED | WNOHANG);
	w4("parent", getppid() ? getppid() : 1, WNOHANG);
	w4("self", getpid(), WNOHANG);
	w4("b", b, 0);
	w4("b again", b, 0);
	for (i = 0; i < 3; i++)
		w4("any", -1, i == 2 ? WNOHANG : 0);
	end(d);
	w4("left", -1, 0);
	/* Without status and rusage. */
	a = make('e', 4);
	say("bare %s", rc(SC(SYS_wait4, a, NULL, 0, NULL)));
	a = make('e', 5);
	say("bare waitid %s", rc(SC(SYS_waitid, P_PID, a, NULL, WEXITED, NULL)));
	say("and now %s", rc(SC(SYS_waitid, P_PID, a, NULL, WEXITED, NULL)));
}

static void groups(void)
{
	pid_t a = make('e', 1), b = make('l', 0), c = make('l', 0), d = make('e', 2);
	siginfo_t si;

	setpgid(b, b);
	setpgid(c, b);
	say("group of a %s, of b %s", rc(SC(SYS_getpgid, a)), rc(SC(SYS_getpgid, b)));
	w4("own group", 0, WNOHANG);
	wid("own group", P_PGID, 0, WEXITED | WNOHANG | WNOWAIT);
	w4("group b", -b, WNOHANG);
	w4("group c", -c, WNOHANG);
	wid("group b", P_PGID, b, WEXITED | WNOHANG);
	wid("group 1", P_PGID, 1, WEXITED | WNOHANG);
	kill(c, SIGTERM);
	SC(SYS_waitid, P_PID, c, &si, WEXITED | WNOWAIT, NULL);
	w4("own group", 0, WNOHANG);
	w4("own group", 0, WNOHANG);
	wid("group b look", P_PGID, b, WEXITED | WNOWAIT);
	w4("group b", -b, 0);
	w4("group b", -b, WNOHANG);
	kill(b, SIGTERM);
	w4("group b", -b, 0);
	w4("group b", -b, 0);
	w4("d", d, 0);
}

static void stops(void)
{
	pid_t a = make('s', SIGSTOP), b = make('s', SIGTSTP), c = make('l', 0);

	w4("no WUNTRACED", a, WNOHANG);
	wid("look", P_PID, a, WSTOPPED | WNOWAIT);
	wid("look any", P_ALL, 0, WSTOPPED | WNOWAIT | WNOHANG);
	w4("a", a, WUNTRACED);
	w4("a once", a, WUNTRACED | WNOHANG);
	w4("any", -1, WUNTRACED | WNOHANG);
	w4("any", -1, WUNTRACED | WNOHANG);
	kill(a, SIGCONT);
	wid("continued look", P_PID, a, WCONTINUED | WNOWAIT);
	wid("continued", P_PID, a, WCONTINUED);
	wid("continued once", P_PID, a, WCONTINUED | WNOHANG);
	kill(b, SIGCONT);
	w4("b continued", b, WCONTINUED);
	kill(a, SIGTERM);
	kill(b, SIGKILL);
	w4("a ends", a, 0);
	w4("b ends", b, 0);
	kill(c, SIGSTOP);
	w4("stopped", c, WUNTRACED);
	kill(c, SIGCONT);
	w4("continued", c, WCONTINUED);
	w4("continued once", c, WCONTINUED | WNOHANG);
	kill(c, SIGSTOP);
	wid("stopped", P_PID, c, WSTOPPED);
	kill(c, SIGKILL);
	w4("killed while stopped", c, WUNTRACED | WCONTINUED);
	w4("left", -1, WNOHANG | WUNTRACED | WCONTINUED);
}

static void pidfds(void)
{
	pid_t a = make('l', 0), b = make('e', 6);
	int fa = (int)SC(SYS_pidfd_open, a, 0), fb = (int)SC(SYS_pidfd_open, b, 0);
	int nonblock = (int)SC(SYS_pidfd_open, a, O_NONBLOCK), other = (int)SC(SYS_pidfd_open, 1, 0);
	siginfo_t si;
	struct {
		const char *name;
		int fd;
	} rows[] = {
		{"alive", fa},	    {"zombie", fb}, {"not a child", other},
		{"not a pidfd", 1}, {"bad", 999},   {"negative", -1},
	};
	long r;

	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(&si, 0, sizeof(si));
		r = SC(SYS_waitid, P_PIDFD, rows[i].fd, &si, WEXITED | WNOHANG | WNOWAIT, NULL);
		say("pidfd %s: %s pid %d status %d", rows[i].name, rc(r), si.si_pid, si.si_status);
	}
	say("nonblocking %s", rc(SC(SYS_waitid, P_PIDFD, nonblock, &si, WEXITED, NULL)));
	kill(a, SIGSTOP);
	r = SC(SYS_waitid, P_PIDFD, fa, &si, WSTOPPED, NULL);
	say("stopped %s pid %d status %d", rc(r), si.si_pid, si.si_status);
	kill(a, SIGKILL);
	r = SC(SYS_waitid, P_PIDFD, fa, &si, WEXITED, NULL);
	say("killed %s pid %d code %d status %d", rc(r), si.si_pid, si.si_code, si.si_status);
	say("reaped %s", rc(SC(SYS_waitid, P_PIDFD, fa, &si, WEXITED, NULL)));
	r = SC(SYS_waitid, P_PIDFD, fb, &si, WEXITED, NULL);
	say("exited %s pid %d", rc(r), si.si_pid);
	close(fa);
	close(fb);
	close(nonblock);
	close(other);
}

static volatile int chld;

static void count(int sig)
{
	chld++;
}

/* Ignored or not waited for: the children vanish, and a wait sleeps until the last one has. */
static void unwanted(void)
{
	struct sigaction nocld = {.sa_handler = count, .sa_flags = SA_NOCLDWAIT | SA_RESTART};
	struct sigaction dfl = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
	struct gate g;
	pid_t pid;

	for (int round = 0; round < 3; round++) {
		g = gate_new();
		chld = 0;
		if (round == 0)
			signal(SIGCHLD, SIG_IGN);
		else
			sigaction(SIGCHLD, round == 1 ? &nocld : &dfl, NULL);
		for (int i = 0; i < 3; i++) {
			pid = fork_or_die();
			if (!pid) {
				gate_pass(g);
				_exit(i);
			}
		}
		say("round %d last %d", round, pid);
		w4("alive", -1, WNOHANG);
		w4("alive", pid, WNOHANG);
		for (int i = 0; i < 3; i++)
			gate_open(g);
		w4("until all are gone", -1, 0);
		w4("gone", pid, 0);
		wid("gone", P_ALL, 0, WEXITED);
		/* The number is given back a moment after the last wait has been told. */
		for (int i = 0; i < 1000 && !SC(SYS_kill, pid, 0); i++)
			usleep(1000);
		say("kill gone %s", rc(SC(SYS_kill, pid, 0)));
		say("SIGCHLD came: %s", chld ? "yes" : "no");
		close(g.r);
		close(g.w);
	}
	/* A zombie that is there before the disposition changes stays. */
	signal(SIGCHLD, SIG_DFL);
	pid = make('e', 9);
	signal(SIGCHLD, SIG_IGN);
	w4("older zombie", -1, WNOHANG);
	signal(SIGCHLD, SIG_DFL);
}

/* Another thread's children are found, except with __WNOTHREAD. */
static pid_t theirs;
static volatile int their_tid;

static void *waits(void *p)
{
	w4("other thread's NOTHREAD", theirs, __WNOTHREAD | WNOHANG);
	w4("other thread's any NOTHREAD", -1, __WNOTHREAD | WNOHANG);
	w4("other thread's", theirs, 0);
	theirs = make('e', 8);
	their_tid = (int)SC(SYS_gettid);
	return NULL;
}

static void by_threads(void)
{
	pthread_t t;

	theirs = make('e', 7);
	pthread_create(&t, NULL, waits, NULL);
	pthread_join(t, NULL);
	/* Its maker is gone (a join is too early to say so): the child belongs to a thread that is left. */
	for (int i = 0; i < 5000 && SC(SYS_tkill, their_tid, 0) != -ESRCH; i++)
		usleep(1000);
	w4("thread is gone", theirs, __WNOTHREAD);
	w4("thread is gone", theirs, 0);
}

/* A group that changes while a wait for it sleeps, and one waited for before its member joins. */
static void sleeping(void)
{
	struct gate g = gate_new();
	pid_t a = fork_or_die(), b;

	if (!a) {
		gate_pass(g);
		_exit(11);
	}
	b = fork_or_die();
	if (!b) {
		gate_open(g);
		_exit(12);
	}
	w4("sleeps for a", a, 0);
	w4("sleeps for b", b, 0);
	a = fork_or_die();
	if (!a) {
		b = fork_or_die();
		if (!b) {
			gate_pass(g);
			_exit(13);
		}
		gate_open(g);
		w4("any in a child", -1, 0);
		_exit(14);
	}
	w4("any", -1, 0);
}

int main(void)
{
	stay = gate_new();
	none();
	zombies();
	groups();
	stops();
	pidfds();
	unwanted();
	by_threads();
	sleeping();
	in_child("none", none);
	in_child("zombies", zombies);
	in_child("groups", groups);
	in_child("stops", stops);
	in_child("pidfds", pidfds);
	in_child("unwanted", unwanted);
	in_child("by threads", by_threads);
	in_child("sleeping", sleeping);
	return 0;
}
