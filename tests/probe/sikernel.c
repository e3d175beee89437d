/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals that the kernel itself raises: what it says about them, byte for byte where a sender would be named.
 */
#include "probe.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

static volatile int hits, sig_of, code;
static volatile unsigned int words[4];
static sigjmp_buf back;
static volatile int jump;

static void hit(int sig, siginfo_t *si, void *uc)
{
	/* Behind si_signo, si_errno and si_code: si_pid and si_uid, an address, a band, a timer. */
	sig_of = sig;
	code = si->si_code;
	for (int i = 0; i < 4; i++)
		words[i] = ((unsigned int *)si)[4 + i];
	hits++;
	if (jump)
		siglongjmp(back, 1);
}

static void told(const char *what)
{
	for (int i = 0; i < 3000 && !hits; i++)
		usleep(1000);
	say("%s: %d hits, signal %d code %d: %x %x %x %x", what, hits, sig_of, code, words[0],
	    words[1], words[2], words[3]);
	hits = sig_of = code = 0;
}

static void handle(int sig)
{
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER};

	sigaction(sig, &sa, NULL);
}

static struct gate up, down;

static int pty(char *name, size_t room)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), lock = 0, n = -1;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &lock) || ioctl(master, TIOCGPTN, &n))
		die("no pseudo terminal: %s", err(errno));
	snprintf(name, room, "/dev/pts/%d", n);
	return master;
}

static void terminal(void)
{
	static const int sigs[] = {SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGHUP, SIGTTIN, SIGTTOU};
	struct winsize w = {7, 8, 9, 10};
	char name[64], c;
	int master = pty(name, sizeof(name)), slave, group;
	pid_t pid;

	setsid();
	slave = open(name, O_RDWR);
	for (size_t i = 0; i < COUNT(sigs); i++)
		handle(sigs[i]);
	SC(SYS_write, master, "\003", 1);
	told("^C");
	SC(SYS_write, master, "\034", 1);
	told("^\\");
	SC(SYS_write, master, "\032", 1);
	told("^Z");
	ioctl(master, TIOCSWINSZ, &w);
	told("size");
	/* A group in the background that handles what it gets. */
	pid = fork_or_die();
	if (!pid) {
		setpgid(0, 0);
		gate_open(up);
		gate_pass(down);
		jump = 1;
		if (!sigsetjmp(back, 1))
			SC(SYS_read, slave, &c, 1);
		told("background reads");
		group = getpgrp();
		if (!sigsetjmp(back, 1))
			SC(SYS_ioctl, slave, TIOCSPGRP, &group);
		told("background takes the terminal");
		_exit(0);
	}
	setpgid(pid, pid);
	gate_pass(up);
	gate_open(down);
	say("%s", reap(pid));
	close(master);
	told("hang-up");
}

/* A stopped group that loses its last tie. */
static void orphaned(void)
{
	pid_t leader = fork_or_die(), pid;

	if (!leader) {
		setsid();
		pid = fork_or_die();
		if (!pid) {
			setpgid(0, 0);
			handle(SIGHUP);
			SC(SYS_tgkill, SC(SYS_getpid), SC(SYS_gettid), SIGSTOP);
			told("orphaned and stopped");
			gate_open(up);
			_exit(0);
		}
		setpgid(pid, pid);
		SC(SYS_wait4, pid, NULL, WUNTRACED, NULL);
		_exit(0);
	}
	reap(leader);
	gate_pass(up);
}

static void timers(void)
{
	static const int kinds[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
	static const int sigs[] = {SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGUSR1};
	struct itimerval it = {{0, 0}, {0, 2000}};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec soon = {{0, 0}, {0, 1000000}};
	struct rlimit rl = {1, 60};
	timer_t timer;

	for (size_t i = 0; i < COUNT(sigs); i++)
		handle(sigs[i]);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		setitimer(kinds[i], &it, NULL);
		while (!hits)
			;
		told("interval timer");
	}
	ev.sigev_value.sival_int = 77;
	timer_create(CLOCK_MONOTONIC, &ev, &timer);
	timer_settime(timer, 0, &soon, NULL);
	while (!hits)
		;
	/* The first word is the timer's own number, of which a process may have had others. */
	words[0] = 0;
	told("timer");
	setrlimit(RLIMIT_CPU, &rl);
	while (!hits)
		;
	told("CPU limit");
}

static void faults(void)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int zero = 0;
	volatile int got;
	int broken[2];

	handle(SIGSEGV);
	handle(SIGFPE);
	handle(SIGILL);
	handle(SIGTRAP);
	handle(SIGPIPE);
	jump = 1;
	if (!sigsetjmp(back, 1))
		*(volatile char *)16 = 1;
	told("null");
	if (!sigsetjmp(back, 1))
		page[0] = 1;
	say("protected: code %d, its address %d", code, *(void *volatile *)words == page);
	hits = 0;
	if (!sigsetjmp(back, 1))
		*(volatile char *)0x8000000000000000ul = 1;
	told("not canonical");
	if (!sigsetjmp(back, 1)) {
		got = 5 / zero;
		(void)got;
	}
	say("divided by zero: %d hits, signal %d code %d, an address %d", hits, sig_of, code,
	    words[0] != 0);
	hits = 0;
	if (!sigsetjmp(back, 1))
		__asm__ volatile("ud2");
	say("no instruction: %d hits, signal %d code %d, an address %d", hits, sig_of, code,
	    words[0] != 0);
	hits = jump = 0;
	__asm__ volatile("int3");
	told("breakpoint");
	if (pipe(broken))
		die("pipe");
	close(broken[0]);
	SC(SYS_write, broken[1], "x", 1);
	say("broken pipe: %d hits, signal %d code %d from me %d", hits, sig_of, code,
	    (int)words[0] == (int)SC(SYS_getpid));
}

static void descriptors(void)
{
	int pair[2], in[2];

	handle(SIGIO);
	handle(SIGURG);
	handle(SIGUSR2);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || pipe(in))
		die("socketpair");
	SC(SYS_fcntl, pair[0], F_SETOWN, getpid());
	SC(SYS_fcntl, pair[0], F_SETFL, O_ASYNC);
	SC(SYS_write, pair[1], "x", 1);
	told("input");
	SC(SYS_fcntl, pair[0], 10, SIGIO);
	SC(SYS_write, pair[1], "x", 1);
	words[2] = 0;
	told("input, told by band");
	SC(SYS_fcntl, pair[0], 10, SIGUSR2);
	SC(SYS_write, pair[1], "x", 1);
	told("input, by another signal");
	close(pair[1]);
	told("hang-up of the other end");
}

int main(void)
{
	up = gate_new();
	down = gate_new();
	in_child("terminal", terminal);
	orphaned();
	in_child("timers", timers);
	in_child("descriptors", descriptors);
	in_child("faults", faults);
	return 0;
}
