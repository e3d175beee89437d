/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Job control on a pseudo terminal, by a shell-like program: the terminal's session and foreground group from both
 * ends, who may change them, who is stopped or hung up, and what is left when the leader has gone.
 */
#include "probe.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

#ifndef TIOCGSID
#define TIOCGSID 0x5429
#endif
#define JUNK 0xdeadbeef00000000ul

static int master, slave;
static struct gate up, down;

static const char *get(int fd, unsigned long request)
{
	int n = -77;
	long r = SC(SYS_ioctl, fd, request | JUNK, &n);

	return r ? rc(r) : rc(n);
}

static long set(int fd, int group)
{
	return SC(SYS_ioctl, fd, TIOCSPGRP, &group);
}

static void show(const char *what)
{
	const char *ms = get(master, TIOCGSID), *mg = get(master, TIOCGPGRP);

	say("%s: slave sid %s group %s, master sid %s group %s", what, get(slave, TIOCGSID),
	    get(slave, TIOCGPGRP), ms, mg);
}

static void open_pty(void)
{
	char name[64];
	int lock = 0, n = -1;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &lock) || ioctl(master, TIOCGPTN, &n))
		die("no pseudo terminal: %s", err(errno));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	slave = open(name, O_RDWR | O_NOCTTY);
	if (slave < 0)
		die("no slave: %s", err(errno));
}

static const char *wait_for(pid_t pid, int options)
{
	char *s = scratch();
	int st = 0;
	long r;

	do
		r = SC(SYS_wait4, pid, &st, options, NULL);
	while (r == -EINTR);
	snprintf(s, 160, "%s: %s", rc(r), r > 0 ? status_text(st) : "-");
	return s;
}

/* A job: a child in a group of its own, which waits and then does something with the terminal. */
static pid_t job(void (*fn)(void))
{
	pid_t pid = fork_or_die();

	if (!pid) {
		SC(SYS_setpgid, 0, 0);
		signal(SIGHUP, SIG_DFL);
		gate_open(up);
		gate_pass(down);
		fn();
		_exit(0);
	}
	SC(SYS_setpgid, pid, pid);
	gate_pass(up);
	return pid;
}

static void reads(void)
{
	char c;

	read(slave, &c, 1);
}

static void writes(void)
{
	if (write(slave, "x", 1) != 1)
		_exit(errno);
}

static void takes(void)
{
	_exit(set(slave, getpgrp()) ? 1 : 0);
}

static void takes_blocked(void)
{
	long r;

	set_raw_mask(BIT(SIGTTOU));
	r = set(slave, getpgrp());
	_exit(r ? (int)-r : 42);
}

static void pauses(void)
{
	for (;;)
		pause();
}

static void stopped_job(const char *what, void (*fn)(void))
{
	pid_t pid = job(fn);

	gate_open(down);
	say("%s: %s", what, wait_for(pid, WUNTRACED));
	show("  then");
	end(pid);
}

static void typed(const char *what, const char *key)
{
	pid_t pid = job(pauses);
	long r = set(slave, pid);
	int st = 0;

	say("%s: %d in the foreground %s", what, pid, rc(r));
	show("  while");
	gate_open(down);
	r = write(master, key, 1);
	say("  %s", wait_for(pid, WUNTRACED));
	if (SC(SYS_wait4, pid, &st, WNOHANG, NULL) == 0)
		end(pid);
	set_raw_mask(BIT(SIGTTOU));
	say("  back %s", rc(set(slave, getpgrp())));
	set_raw_mask(0);
}

static void refused(void)
{
	static const int odd[] = {0, -1, 999, 1, INT_MIN, INT_MAX};
	int n = 0, pipefd = up.r;
	pid_t in_group = sleeper(), away = fork_or_die();
	void *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!away) {
		setsid();
		gate_open(up);
		pauses();
	}
	gate_pass(up);
	for (size_t i = 0; i < COUNT(odd); i++)
		say("foreground %d: %s", odd[i], rc(set(slave, odd[i])));
	say("no leader %s", rc(set(slave, in_group)));
	show("  then");
	set_raw_mask(BIT(SIGTTOU));
	say("other session %s", rc(set(slave, away)));
	say("mine %s", rc(set(slave, getpgrp())));
	set_raw_mask(0);
	say("by the master %s", rc(set(master, getpgrp())));
	say("bad pointers: %s %s %s %s", rc(SC(SYS_ioctl, slave, TIOCSPGRP, NULL)),
	    rc(SC(SYS_ioctl, slave, TIOCGPGRP, WILD)), rc(SC(SYS_ioctl, slave, TIOCGSID, ro)),
	    rc(SC(SYS_ioctl, slave, TIOCGPGRP, ro)));
	say("no terminal: %s %s %s %s", get(pipefd, TIOCGPGRP), get(pipefd, TIOCGSID),
	    rc(set(pipefd, 1)), rc(SC(SYS_ioctl, 999, TIOCGSID, &n)));
	end(in_group);
	end(away);
}

static void no_ctty(void)
{
	setsid();
	show("another session");
	say("its set %s, steal %s, notty %s", rc(set(slave, getpgrp())),
	    rc(SC(SYS_ioctl, slave, TIOCSCTTY, 0)), rc(SC(SYS_ioctl, slave, TIOCNOTTY)));
	say("steal by force %s, /dev/tty %s", rc(SC(SYS_ioctl, slave, TIOCSCTTY, 1)),
	    lrc(open("/dev/tty", O_RDWR)));
}

static void session(void)
{
	struct termios t;
	int fd;

	show("before");
	say("not a leader: %s", rc(SC(SYS_ioctl, slave, TIOCSCTTY, 0)));
	say("setsid %s", rc(SC(SYS_setsid)));
	say("TIOCSCTTY %s", rc(SC(SYS_ioctl, slave, TIOCSCTTY, 0)));
	say("again %s", rc(SC(SYS_ioctl, slave, TIOCSCTTY, 0)));
	show("mine");
	fd = open("/dev/tty", O_RDWR);
	say("/dev/tty: sid %s group %s", get(fd, TIOCGSID), get(fd, TIOCGPGRP));
	refused();
	in_child("no terminal", no_ctty);
	stopped_job("background reads", reads);
	stopped_job("background writes", writes);
	tcgetattr(slave, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(slave, TCSANOW, &t);
	stopped_job("background writes with tostop", writes);
	stopped_job("background takes it", takes);
	stopped_job("background takes it with the signal blocked", takes_blocked);
	set_raw_mask(BIT(SIGTTOU));
	say("mine again %s", rc(set(slave, getpgrp())));
	set_raw_mask(0);
	typed("interrupt", "\003");
	typed("quit", "\034");
	typed("stop", "\032");
	close(fd);
}

static volatile int hups;

static void count_hup(int sig)
{
	hups++;
}

/* Stays in the foreground while the leader ends. */
static void survivor(void)
{
	signal(SIGHUP, count_hup);
	gate_open(up);
	for (int i = 0; i < 5000 && !hups; i++)
		usleep(1000);
	gate_pass(down);
	show("  the leader has gone");
	say("  %d hangups, sid %s, group %s", hups, rc(SC(SYS_getsid, 0)), rc(SC(SYS_getpgrp)));
	gate_open(up);
}

static void leader_ends(void)
{
	pid_t pid;

	SC(SYS_setsid);
	SC(SYS_ioctl, slave, TIOCSCTTY, 0);
	pid = job(survivor);
	say("  foreground %s", rc(set(slave, pid)));
	show("  before the end");
	gate_open(down);
	gate_pass(up);
}

static void pauses_apart(void)
{
	close(master);
	pauses();
}

static void hung_up(void)
{
	pid_t pid;

	open_pty();
	SC(SYS_setsid);
	SC(SYS_ioctl, slave, TIOCSCTTY, 0);
	signal(SIGHUP, count_hup);
	pid = job(pauses_apart);
	say("  foreground %s", rc(set(slave, pid)));
	gate_open(down);
	close(master);
	for (int i = 0; i < 2000 && !hups; i++)
		usleep(1000);
	end(pid);
	say("  %d hangups, sid %s group %s", hups, get(slave, TIOCGSID), get(slave, TIOCGPGRP));
}

static void given_up(void)
{
	pid_t pid;

	SC(SYS_setsid);
	SC(SYS_ioctl, slave, TIOCSCTTY, 0);
	signal(SIGHUP, SIG_IGN);
	pid = job(pauses);
	say("  foreground %s", rc(set(slave, pid)));
	gate_open(down);
	say("  TIOCNOTTY %s", rc(SC(SYS_ioctl, slave, TIOCNOTTY)));
	say("  again %s", rc(SC(SYS_ioctl, slave, TIOCNOTTY)));
	say("  job %s", wait_for(pid, WUNTRACED));
	show("  then");
}

int main(void)
{
	up = gate_new();
	down = gate_new();
	signal(SIGTTOU, SIG_DFL);
	signal(SIGTTIN, SIG_DFL);
	open_pty();
	in_child("session", session);
	show("after the session");
	close(master);
	close(slave);
	open_pty();
	/* A job that was ended before it began has left its permission in the old one. */
	up = gate_new();
	down = gate_new();
	say("leader ends:");
	in_child("leader", leader_ends);
	gate_open(down);
	gate_pass(up);
	reap(-1);
	show("after that");
	close(master);
	close(slave);
	open_pty();
	up = gate_new();
	down = gate_new();
	in_child("given up", given_up);
	in_child("hung up", hung_up);
	return 0;
}
