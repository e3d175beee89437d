/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sent what is read from a signalfd: every kind of sender, records that are split over buffers, and
 * descriptors that are duplicated, replaced, inherited and read by other threads.
 */
#include "probe.h"

#include <sys/uio.h>

#ifndef SYS_signalfd4
#define SYS_signalfd4 289
#endif

struct ssi {
	uint32_t signo;
	int32_t err, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trapno;
	int32_t status, value;
	uint8_t rest[128 - 48];
};

static uint64_t bits = BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGCHLD) | BIT(SIGALRM) | BIT(40) |
		       BIT(SIGIO) | BIT(SIGTERM);

static int make(int flags)
{
	long fd = SC(SYS_signalfd4, -1, &bits, 8, flags);

	if (fd < 0)
		die("signalfd4: %s", rc(fd));
	return (int)fd;
}

static void show(const char *what, long r, const struct ssi *s)
{
	say("%s = %s", what, rc(r));
	for (long i = 0; i < r / 128; i++)
		say("  signal %u code %d pid %u value %d status %d band %d", s[i].signo, s[i].code,
		    s[i].pid, s[i].code == -1 ? s[i].value : 0, s[i].signo == SIGCHLD ? s[i].status : 0,
		    s[i].signo != SIGCHLD && s[i].code > 0 && s[i].code < 7 ? (int)s[i].band : 0);
}

static void take(const char *what, int fd)
{
	struct ssi s[8];

	memset(s, 0xee, sizeof(s));
	show(what, SC(SYS_read, fd, s, sizeof(s)), s);
}

static void queue_to(pid_t to, int sig, int code, int pid)
{
	struct {
		int signo, err, code, pad, pid, uid, value, rest[25];
	} si = {sig, 0, code, 0, pid, 0, 42};

	say("queue code %d = %s", code, rc(SC(SYS_rt_sigqueueinfo, to, sig, &si)));
}

static void senders(int fd)
{
	pid_t me = getpid(), child;
	timer_t t;
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec soon = {{0, 0}, {0, 1}};

	kill(me, SIGUSR1);
	take("kill by myself", fd);
	SC(SYS_tgkill, me, SC(SYS_gettid), SIGUSR2);
	take("tgkill by myself", fd);
	sigqueue(me, 40, (union sigval){.sival_int = 7});
	take("sigqueue", fd);
	queue_to(me, 40, -1, 12345);
	queue_to(me, 40, -6, 12345);
	queue_to(me, 40, 0, 12345);
	queue_to(me, 40, -60, me);
	take("forged numbers", fd);
	child = fork_or_die();
	if (!child) {
		kill(getppid(), SIGUSR1);
		sigqueue(getppid(), SIGUSR2, (union sigval){.sival_int = 9});
		_exit(3);
	}
	await_zombie(child);
	take("child's", fd);
	say("reap %s", reap(child));
	child = sleeper();
	kill(child, SIGSTOP);
	take("stopped", fd);
	end(child);
	take("killed", fd);
	timer_create(CLOCK_MONOTONIC, &ev, &t);
	timer_settime(t, 0, &soon, NULL);
	take("timer", fd);
	timer_delete(t);
	child = (pid_t)SC(SYS_clone, SIGUSR1, 0, 0, 0, 0);
	if (!child)
		SC(SYS_exit_group, 5);
	take("exit signal of one's own", fd);
	say("wait %s", rc(SC(SYS_wait4, child, NULL, 0x80000000u, NULL) == child));
}

static void buffers(int fd)
{
	struct ssi s[3];
	struct iovec v[6] = {{s, 10},
			     {(char *)s + 10, 3},
			     {(char *)s + 13, 0},
			     {(char *)s + 13, 100},
			     {(char *)s + 113, 30},
			     {(char *)s + 143, sizeof(s) - 143}};
	pid_t me = getpid();

	kill(me, SIGUSR1);
	kill(me, SIGUSR2);
	memset(s, 0xee, sizeof(s));
	show("readv", SC(SYS_readv, fd, v, 6), s);
	kill(me, SIGUSR1);
	memset(s, 0xee, sizeof(s));
	show("preadv2", SC(SYS_preadv2, fd, v, 6, -1, -1, 0), s);
	kill(me, SIGUSR1);
	say("short %s", rc(SC(SYS_read, fd, s, 127)));
	say("nothing %s", rc(SC(SYS_read, fd, s, 0)));
	say("wild %s", rc(SC(SYS_read, fd, WILD, 128)));
	say("wild vector %s", rc(SC(SYS_readv, fd, WILD, 1)));
	say("many %s", rc(SC(SYS_readv, fd, v, 1025)));
	say("pread %s", rc(SC(SYS_pread64, fd, s, 128, 0)));
	say("preadv %s", rc(SC(SYS_preadv, fd, v, 6, 0, 0)));
	say("write %s", rc(SC(SYS_write, fd, s, 128)));
	kill(me, SIGUSR1);
	SC(SYS_fcntl, fd, F_SETFL, O_NONBLOCK);
	take("left", fd);
	take("none", fd);
	SC(SYS_fcntl, fd, F_SETFL, 0);
}

static void copies(int fd)
{
	int other, p[2];
	pid_t me = getpid();

	other = (int)SC(SYS_dup, fd);
	kill(me, SIGUSR1);
	take("dup", other);
	say("dup2 %s", rc(SC(SYS_dup2, fd, 40) == 40));
	kill(me, SIGUSR1);
	take("dup2", 40);
	say("dup3 %s", rc(SC(SYS_dup3, fd, 41, O_CLOEXEC) == 41));
	kill(me, SIGUSR1);
	take("dup3", 41);
	say("dup2 to itself %s", rc(SC(SYS_dup2, 41, 41) == 41));
	say("dup2 far %s", rc(SC(SYS_dup2, fd, 0x7fffffff)));
	say("dup3 itself %s", rc(SC(SYS_dup3, 41, 41, 0)));
	say("F_DUPFD %s", rc(SC(SYS_fcntl, fd, F_DUPFD, 50) == 50));
	kill(me, SIGUSR1);
	take("F_DUPFD", 50);
	say("F_DUPFD_CLOEXEC %s", rc(SC(SYS_fcntl, fd, 1030, 51) == 51));
	say("flags %s", rc(SC(SYS_fcntl, 51, F_GETFD)));
	kill(me, SIGUSR1);
	take("F_DUPFD_CLOEXEC", 51);
	/* A number that once was a signalfd is like any other. */
	if (pipe(p))
		die("pipe");
	SC(SYS_dup2, p[0], 40);
	SC(SYS_write, p[1], "0123456789", 10);
	{
		char c[16] = {0};
		struct iovec v[2] = {{c, 2}, {c + 2, 3}};

		say("pipe %s %.10s", rc(SC(SYS_read, 40, c, 4)), c);
		say("pipe vector %s %.10s", rc(SC(SYS_readv, 40, v, 2)), c);
	}
	say("closed %s", rc(SC(SYS_close, 41)));
	say("read %s", rc(SC(SYS_read, 41, &fd, 4)));
	SC(SYS_dup2, fd, 0);
	kill(me, SIGUSR1);
	take("as standard input", 0);
	SC(SYS_close, 40);
	SC(SYS_close, 50);
	SC(SYS_close, 51);
	SC(SYS_close, other);
	SC(SYS_close, p[0]);
	SC(SYS_close, p[1]);
}

static void *thread_reads(void *arg)
{
	take("in a thread", *(int *)arg);
	return NULL;
}

static struct gate ready;

static void *thread_waits(void *arg)
{
	struct ssi s;

	gate_pass(ready);
	/* Made by another thread after this one had begun. */
	show("made later", SC(SYS_read, *(int *)arg, &s, sizeof(s)), &s);
	return NULL;
}

static void threads(int fd)
{
	pthread_t t;
	int later = -1;

	pthread_create(&t, NULL, thread_reads, &fd);
	usleep(20000);
	kill(getpid(), SIGUSR1);
	pthread_join(t, NULL);
	ready = gate_new();
	pthread_create(&t, NULL, thread_waits, &later);
	later = (int)SC(SYS_fcntl, fd, F_DUPFD, 70);
	kill(getpid(), SIGUSR2);
	gate_open(ready);
	pthread_join(t, NULL);
}

static int cleaned;

static void cleanup(void *arg)
{
	(void)arg;
	cleaned++;
}

static void *thread_cancelled(void *arg)
{
	struct ssi s;

	pthread_cleanup_push(cleanup, NULL);
	if (read(*(int *)arg, &s, sizeof(s)) > 0)
		say("read something");
	pthread_cleanup_pop(0);
	return NULL;
}

/* A wait in read is a cancellation point, and nothing is lost by it. */
static void cancelled(int fd)
{
	pthread_t t;
	void *ret = NULL;

	pthread_create(&t, NULL, thread_cancelled, &fd);
	usleep(20000);
	pthread_cancel(t);
	pthread_join(t, &ret);
	say("cancelled %d cleaned %d", ret == PTHREAD_CANCELED, cleaned);
	kill(getpid(), SIGUSR1);
	take("after it", fd);
}

static volatile sig_atomic_t handled;

static void on_term(int sig)
{
	(void)sig;
	handled++;
}

/* A handler that comes while a read waits; with SA_RESTART it goes on waiting. */
static void interrupted(int flags)
{
	struct sigaction sa = {.sa_handler = on_term, .sa_flags = flags};
	uint64_t usr1 = BIT(SIGUSR1);
	int fd = (int)SC(SYS_signalfd4, -1, &usr1, 8, 0);
	pid_t me = getpid(), child;
	struct ssi s;
	long r;

	sigaction(SIGTERM, &sa, NULL);
	set_raw_mask(raw_mask() & ~BIT(SIGTERM));
	child = fork_or_die();
	if (!child) {
		for (int i = 0; i < 3; i++) {
			usleep(20000);
			kill(me, SIGTERM);
		}
		usleep(20000);
		kill(me, SIGUSR1);
		_exit(0);
	}
	r = SC(SYS_read, fd, &s, sizeof(s));
	if (r == -EINTR) {
		say("interrupted");
		do
			r = SC(SYS_read, fd, &s, sizeof(s));
		while (r == -EINTR);
	}
	say("%s signal %u from child %d", rc(r), s.signo, s.pid == (uint32_t)child);
	say("handled %d", handled == 3);
	handled = 0;
	say("reap %s", reap(child));
	set_raw_mask(raw_mask() | BIT(SIGTERM));
	SC(SYS_close, fd);
}

static void inherited(char **argv, int fd)
{
	char number[16];
	pid_t child;

	snprintf(number, sizeof(number), "%d", fd);
	child = vfork();
	if (!child) {
		execl("/proc/self/exe", argv[0], number, (char *)NULL);
		_exit(127);
	}
	say("child %s", reap(child));
	take("its end", fd);
}

/* The signal that a program has seldom business with. */
static void sigsys(void)
{
	uint64_t old = raw_mask(), sys = BIT(SIGSYS), both = sys | BIT(SIGUSR1);
	int fd = (int)SC(SYS_signalfd4, -1, &sys, 8, O_NONBLOCK), other;
	pid_t child;

	set_raw_mask(old | both);
	take("no SIGSYS", fd);
	kill(getpid(), SIGSYS);
	take("kill", fd);
	take("nothing left", fd);
	SC(SYS_tgkill, getpid(), SC(SYS_gettid), SIGSYS);
	take("tgkill", fd);
	sigqueue(getpid(), SIGSYS, (union sigval){.sival_int = 7});
	say("short %s", rc(SC(SYS_read, fd, &sys, 8)));
	say("wild %s", rc(SC(SYS_read, fd, WILD, 128)));
	take("sigqueue", fd);
	child = fork_or_die();
	if (!child) {
		kill(getppid(), SIGSYS);
		_exit(0);
	}
	say("reap %s", reap(child));
	take("child's", fd);
	other = (int)SC(SYS_signalfd4, -1, &both, 8, 0);
	kill(getpid(), SIGUSR1);
	take("another one", other);
	kill(getpid(), SIGSYS);
	say("pending %s", mask_text(raw_pending() & both));
	take("waits", other);
	SC(SYS_close, fd);
	SC(SYS_close, other);
	set_raw_mask(old);
}

static void bad(void)
{
	say("no size %s", rc(SC(SYS_signalfd4, -1, &bits, 0, 0)));
	say("size 9 %s", rc(SC(SYS_signalfd4, -1, &bits, 9, 0)));
	say("flags %s", rc(SC(SYS_signalfd4, -1, &bits, 8, 1)));
	say("wild %s", rc(SC(SYS_signalfd4, -1, WILD, 8, 0)));
	say("other %s", rc(SC(SYS_signalfd4, 1, &bits, 8, 0)));
	say("closed %s", rc(SC(SYS_signalfd4, 999, &bits, 8, 0)));
	say("old call %s", rc(SC(SYS_signalfd, -1, &bits, 8) > 2));
	say("junk above %s", rc(SC(SYS_signalfd4, 0xdeadbeefffffffff, &bits, 8, 0) > 2));
}

int main(int argc, char **argv)
{
	int fd, again;

	set_raw_mask(bits);
	if (argc > 1) {
		fd = atoi(argv[1]);
		kill(getpid(), SIGUSR1);
		kill(getppid(), SIGUSR2);
		take("after exec", fd);
		return 0;
	}
	fd = make(0);
	senders(fd);
	buffers(fd);
	copies(fd);
	sigsys();
	threads(fd);
	cancelled(fd);
	interrupted(0);
	interrupted(SA_RESTART);
	SC(SYS_fcntl, fd, F_SETFL, O_NONBLOCK);
	take("rest", fd);
	inherited(argv, fd);
	bad();
	/* The set of an existing one is replaced. */
	bits = BIT(SIGUSR2);
	again = (int)SC(SYS_signalfd4, fd, &bits, 8, 0);
	say("same %d", again == fd);
	kill(getpid(), SIGUSR2);
	take("new set", fd);
	return 0;
}
