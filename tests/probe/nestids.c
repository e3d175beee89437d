/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle: root
 *
 * Numbers of tasks in a namespace inside, where they come up outside of texts: credentials, locks, owners, signals,
 * priorities, groups, kill of everybody.
 */
#include "nest.h"
#include <sys/socket.h>

static int pair[2];
static int locked, queue;

struct ucred_ {
	int pid;
	unsigned int uid, gid;
};

/* Sends a byte with its own credentials, which the kernel adds. */
static void speak(char c)
{
	if (write(pair[1], &c, 1) != 1)
		die("write");
}

static int heard(char *ret_byte)
{
	char control[64] = "";
	struct iovec iov = {ret_byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	if (recvmsg(pair[0], &msg, 0) != 1)
		die("recvmsg");
	c = CMSG_FIRSTHDR(&msg);
	return c && c->cmsg_type == 2 ? ((struct ucred_ *)CMSG_DATA(c))->pid : -1;
}

static int init(void *arg)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 10};
	sigset_t set;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("inside: number %d, kill of 3 %s", getpid(), rc(SC(SYS_kill, 3, 0)));
	child = fork_or_die();
	if (!child) {
		siginfo_t si;

		if (fcntl(locked, F_SETLK, &lock))
			die("lock");
		speak('c');
		sigwaitinfo(&set, &si);
		say("inside: signal %d from %d code %d, parent %d", si.si_signo, si.si_pid,
		    si.si_code, getppid());
		speak('d');
		SC(SYS_mq_timedsend, queue, "x", 1, 0, NULL);
		for (;;)
			pause();
	}
	signal(SIGUSR2, SIG_IGN);
	while (wait(NULL) > 0)
		;
	return 7;
}

int main(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 10};
	int yes = 1, c;
	char byte;
	long sent;
	pid_t n;
	struct ucred_ peer;
	struct sigevent notify = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	siginfo_t si;
	char state[32];
	socklen_t len = sizeof(peer);
	sigset_t usr2;

	locked = open("lock", O_RDWR | O_CREAT, 0600);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)))
		die("socketpair");
	setpgid(0, 0);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	sigprocmask(SIG_BLOCK, &usr2, NULL);
	queue = (int)SC(SYS_mq_open, "nestids", O_RDWR | O_CREAT, 0600, NULL);
	SC(SYS_mq_unlink, "nestids");
	say("notify %s", rc(SC(SYS_mq_notify, queue, &notify)));
	n = nest(0, init, NULL);
	c = heard(&byte);
	snprintf(state, sizeof(state), "/proc/%d/stat", c);
	say("%c: credentials of %s", byte,
	    c == first_child(n) ? "the child"
	    : c			? "another"
				: "nobody");
	fcntl(locked, F_GETLK, &lock);
	say("lock of %s", lock.l_pid == c ? "the child" : lock.l_pid ? "another" : "nobody");
	say("own it %s", lrc(fcntl(pair[0], F_SETOWN, c)));
	say("owner %d", fcntl(pair[0], F_GETOWN) == c);
	say("group %d, session %d", SC(SYS_getpgid, c) == SC(SYS_getpgid, 0),
	    SC(SYS_getsid, c) == SC(SYS_getsid, 0));
	say("nice %s, of group %s, of user %s", rc(SC(SYS_setpriority, 0, c, 5)),
	    rc(SC(SYS_getpriority, 1, SC(SYS_getpgid, c))), rc(SC(SYS_getpriority, 2, 0)));
	say("nice of it %s, of init %s", rc(SC(SYS_getpriority, 0, c)), rc(SC(SYS_getpriority, 0, n)));
	say("scheduler %s, affinity %d", rc(SC(SYS_sched_getscheduler, c)),
	    SC(SYS_sched_getaffinity, c, 128, scratch()) > 0);
	sent = SC(SYS_kill, c, SIGUSR1);
	yes = heard(&byte);
	say("signal it %s", rc(sent));
	say("%c: credentials of %s", byte, yes == c ? "the child" : yes ? "another" : "nobody");
	sigwaitinfo(&usr2, &si);
	say("signal %d code %d from %s", si.si_signo, si.si_code,
	    si.si_pid == c ? "the child"
	    : si.si_pid	   ? "another"
			   : "nobody");
	await_state(state, 'S');
	getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &len);
	say("peer %d", peer.pid == getpid());
	say("wait for the grandchild %s", rc(SC(SYS_wait4, c, NULL, WNOHANG, NULL)));
	say("kill everybody %s", rc(SC(SYS_kill, -1, SIGKILL)));
	say("%s", reap(n));
	say("kill everybody %s", rc(SC(SYS_kill, -1, SIGKILL)));
	return 0;
}
