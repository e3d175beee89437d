/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: numbers in descriptors, sockets, files, /proc and System V objects. */
#include "random.h"
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

static void op_owner(int slot)
{
	PICK(who, any_number(slot));
	struct {
		int type, pid;
	} owner = {(int)any(4), (int)who};
	int fd = SOCKET_FD + (int)any(2), number = (int)who;
	char path[32];

	/* A number whose task has left is found as an owner until the kernel gets round to giving it back. */
	if (number < 0 && number != INT_MIN)
		number = -number;
	snprintf(path, sizeof(path), "/proc/%d/stat", number);
	if (remembered(number) && stat_state(path) == '-') {
		tell("%s is gone", who_text);
		return;
	}
	number = (int)who;
	switch (any(4)) {
	case 0:
		tell("set %s = %s, ", who_text, rc(SC(SYS_fcntl, junk(fd), junk(F_SETOWN), who)));
		break;
	case 1:
		tell("set type %d %s = %s, ", owner.type, who_text,
		     rc(SC(SYS_fcntl, fd, F_SETOWN_EX, &owner)));
		break;
	case 2:
		tell("ioctl %s = %s, ", who_text,
		     rc(SC(SYS_ioctl, fd, junk(0x8901 + (int)any(2)), &number)));
		break;
	default:
		break;
	}
	memset(&owner, 0, sizeof(owner));
	number = -7;
	tell("get %s", rc(SC(SYS_fcntl, fd, F_GETOWN, junk(0))));
	tell(" %s", rc(SC(SYS_fcntl, fd, F_GETOWN_EX, &owner)));
	tell(" type %d %d", owner.type, owner.pid);
	tell(" ioctl %s %d", rc(SC(SYS_ioctl, fd, 0x8903 + (long)any(2), &number)), number);
}

static void op_lock(int slot)
{
	static const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
	struct flock l = {
		.l_type = types[any(3)], .l_start = (off_t)any(4), .l_len = 1 + (off_t)any(3)};
	int ofd = chance(15), get = chance(50);
	long r;

	l.l_pid = ofd || chance(70) ? 0 : any_number(slot);
	tell("%s %s %d %ld+%ld", get ? "get" : "set", ofd ? "ofd" : "", l.l_type, (long)l.l_start,
	     (long)l.l_len);
	if (get)
		r = SC(SYS_fcntl, LOCK_FD, junk(ofd ? 36 : F_GETLK), &l);
	else
		r = SC(SYS_fcntl, LOCK_FD, junk(ofd ? 37 : F_SETLK), &l);
	tell(" = %s", rc(r));
	if (get && !r)
		tell(" type %d by %d at %ld+%ld", l.l_type, l.l_type == F_UNLCK ? 0 : l.l_pid,
		     (long)l.l_start, (long)l.l_len);
}

/* A message with credentials of its sender's choice, which whoever comes first receives. */
static void op_send(int slot)
{
	struct ucred cred = {(int)any_number(slot), getuid(), getgid()};
	char control[CMSG_SPACE(sizeof(cred))] = {0}, byte = 'm';
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (chance(70)) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_CREDENTIALS;
		c->cmsg_len = CMSG_LEN(sizeof(cred));
		memcpy(CMSG_DATA(c), &cred, sizeof(cred));
		tell("as %d ", cred.pid);
	}
	tell("= %s", rc(SC(SYS_sendmsg, junk(SOCKET_FD), &m, junk(MSG_DONTWAIT))));
}

static const char *alive_behind(int pidfd)
{
	const char *text = rc(SC(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));

	if (pidfd >= 0)
		SC(SYS_close, pidfd);
	return text;
}

static void op_receive(int slot)
{
	char control[256] = {0}, byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int on = chance(80), pidfd = chance(40);
	long r;

	(void)slot;
	tell("passcred %d %s", on,
	     rc(SC(SYS_setsockopt, SOCKET_FD + 1, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on))));
	tell(" passpidfd %d %s", pidfd,
	     rc(SC(SYS_setsockopt, SOCKET_FD + 1, SOL_SOCKET, 76, &pidfd, sizeof(pidfd))));
	r = SC(SYS_recvmsg, SOCKET_FD + 1, &m, MSG_DONTWAIT);
	tell(" = %s flags %x", rc(r), r < 0 ? 0 : (unsigned int)m.msg_flags);
	for (struct cmsghdr *c = r < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct ucred cred;

		/* SCM_PIDFD: a descriptor, whose process may have ended. */
		if (c->cmsg_type == 4) {
			memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
			tell(" pidfd %s", alive_behind(pidfd));
			continue;
		}
		memcpy(&cred, CMSG_DATA(c), sizeof(cred));
		tell(" type %d from %d", c->cmsg_type, cred.pid);
	}
}

/* One connects, another accepts what has been connected, and each asks who the other is, or was. */
static void op_connect(int slot)
{
	struct sockaddr_un to = {AF_UNIX, "listener"};
	struct ucred cred = {-7, 0, 0};
	socklen_t len = sizeof(cred), four = 4;
	int pidfd = -7;
	long fd, r;

	(void)slot;
	if (chance(25))
		tell("listen %s ", rc(SC(SYS_listen, LISTEN_FD, 8)));
	if (chance(50)) {
		fd = SC(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		tell("connect %s", rc(SC(SYS_connect, fd, &to, sizeof(to))));
	} else {
		fd = SC(SYS_accept4, LISTEN_FD, NULL, NULL, 0);
		tell("accept %s", rc(fd < 0 ? fd : 0));
	}
	r = SC(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	tell(" peer %s %d", rc(r), cred.pid);
	r = SC(SYS_getsockopt, fd, SOL_SOCKET, 77, &pidfd, &four);
	tell(" pidfd %s", r ? rc(r) : alive_behind(pidfd));
	if (fd >= 0)
		SC(SYS_close, fd);
}

static void op_peer(int slot)
{
	struct ucred cred = {0, 0, 0};
	socklen_t len = sizeof(cred);
	int fds[2], fd = SOCKET_FD + (int)any(2), own = chance(50);
	long r;

	(void)slot;
	if (own && SC(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fds))
		return;
	r = SC(SYS_getsockopt, own ? fds[0] : fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	tell("%s = %s: %d", own ? "own" : "first", rc(r), cred.pid);
	if (own) {
		SC(SYS_close, fds[0]);
		SC(SYS_close, fds[1]);
	}
}

/* The numbers in a text of /proc, those that do not depend on time. */
static void show_stat(char *text)
{
	static const int shown[] = {4, 5, 6, 7, 8, 20, 38};
	char *p = strrchr(text, ')');
	int field = 2;
	size_t next = 0;

	if (!p)
		return;
	tell(" %d", atoi(text));
	for (p = strtok(p + 1, " "); p && next < COUNT(shown); p = strtok(NULL, " "))
		if (++field == shown[next]) {
			tell(" %s", p);
			next++;
		}
}

static void show_status(char *text)
{
	static const char *const shown[] = {
		"Tgid:",  "Pid:",     "PPid:",	 "TracerPid:", "NStgid:", "NSpid:",  "NSpgid:",
		"NSsid:", "Threads:", "SigPnd:", "ShdPnd:",    "SigBlk:", "SigIgn:", "SigCgt:"};

	/* What was pending when it ended depends on what ended it. */
	int zombie = strstr(text, "State:\tZ") != NULL;

	for (char *p = strtok(text, "\n"); p; p = strtok(NULL, "\n")) {
		size_t i = 0;

		while (i < COUNT(shown) && strncmp(p, shown[i], strlen(shown[i])))
			i++;
		if (i == COUNT(shown))
			continue;
		if (strncmp(p, "Sig", 3) && strncmp(p, "Shd", 3)) {
			p[strcspn(p, "\t")] = ' ';
			tell(" %s", p);
		} else if (!zombie) {
			/* Whether somebody else catches or blocks SIGSYS cannot be known: documented. */
			tell(" %.7s %016llx", p, strtoull(p + 7, NULL, 16) & ~BIT(SIGSYS));
		}
	}
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void show_children(char *text)
{
	int numbers[64], count = 0;

	for (char *p = strtok(text, " "); p && count < 64; p = strtok(NULL, " "))
		numbers[count++] = atoi(p);
	if (ends_crowds())
		qsort(numbers, (size_t)count, sizeof(int), ascending);
	for (int i = 0; i < count; i++)
		tell(" %d", numbers[i]);
}

static void op_proc_text(int slot)
{
	static char text[8192];
	static const char *const names[] = {"stat", "status", "children", "comm", "fdinfo"};
	int of = any_number(slot), task = any_number(slot), kind = (int)any(4);
	char path[80];
	long fd, n;

	if (chance(25))
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", of, task, names[kind]);
	else if (chance(10))
		snprintf(path, sizeof(path), "/proc/%s/%s", chance(50) ? "self" : "thread-self",
			 names[kind]);
	else if (kind == 2)
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", of, of);
	else
		snprintf(path, sizeof(path), "/proc/%d/%s", of, names[kind]);
	tell("%s", path);
	fd = SC(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		tell(" %s", rc(fd));
		return;
	}
	n = SC(SYS_read, fd, text, sizeof(text) - 1);
	SC(SYS_close, fd);
	text[n > 0 ? n : 0] = 0;
	if (n < 0)
		tell(" %s", rc(n));
	else if (kind == 0)
		show_stat(text);
	else if (kind == 1)
		show_status(text);
	else if (kind == 2)
		show_children(text);
	else
		tell(" %.*s", (int)strcspn(text, "\n"), text);
}

static void op_proc_list(int slot)
{
	char path[64] = "/proc";
	int numbers[64], count = 0;
	struct dirent *e;
	DIR *d;

	if (chance(50))
		snprintf(path, sizeof(path), "/proc/%d/task", any_number(slot));
	tell("%s:", path);
	d = opendir(path);
	if (!d) {
		tell(" %s", err(errno));
		return;
	}
	while ((e = readdir(d)) && count < 64)
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			numbers[count++] = atoi(e->d_name);
	closedir(d);
	/* Numbers come in order below /proc, threads in the order of their creation. */
	qsort(numbers, path[5] ? (size_t)count : 0, sizeof(int), ascending);
	for (int i = 0; i < count; i++)
		tell(" %d", numbers[i]);
}

static void op_proc_link(int slot)
{
	char path[64], text[256];
	struct stat st;
	int of = any_number(slot);
	long n;

	n = SC(SYS_readlink, "/proc/self", text, sizeof(text));
	tell("self %.*s", n > 0 ? (int)n : 0, text);
	n = SC(SYS_readlinkat, AT_FDCWD, "/proc/thread-self", text, sizeof(text));
	tell(" thread %.*s", n > 0 ? (int)n : 0, text);
	snprintf(path, sizeof(path), "/proc/%d", of);
	tell(" %s stat %s", path, rc(SC(SYS_stat, path, &st)));
	tell(" access %s", rc(SC(SYS_access, path, R_OK)));
	snprintf(path, sizeof(path), "/proc/%d/exe", of);
	n = SC(SYS_readlink, path, text, sizeof(text));
	tell(" exe %s", n < 0 ? rc(n) : !strncmp(text, ALL->self, (size_t)n) ? "mine" : "other");
}

static void op_sysv(int slot)
{
	struct {
		long type;
		char text[8];
	} m = {1, "x"};
	struct sembuf up = {0, 1, 0};
	struct shmid_ds sd;
	struct msqid_ds md;
	void *p;

	(void)slot;
	switch (any(6)) {
	case 0:
		p = (void *)SC(SYS_shmat, ALL->shm, NULL, 0);
		tell("attach %d detach %s", (long)p > 0, rc(SC(SYS_shmdt, p)));
		break;
	case 1:
		tell("send %s", rc(SC(SYS_msgsnd, ALL->msg, &m, 1, IPC_NOWAIT)));
		break;
	case 2:
		tell("receive %s", rc(SC(SYS_msgrcv, ALL->msg, &m, 8, 0, IPC_NOWAIT)));
		break;
	case 3:
		tell("up %s", rc(SC(SYS_semop, ALL->sem, &up, 1)));
		break;
	default:
		break;
	}
	memset(&sd, 0, sizeof(sd));
	memset(&md, 0, sizeof(md));
	tell(" shm %s", rc(SC(SYS_shmctl, ALL->shm, IPC_STAT, &sd)));
	tell(" by %d last %d, msg %s", sd.shm_cpid, sd.shm_lpid,
	     rc(SC(SYS_msgctl, ALL->msg, IPC_STAT, &md)));
	tell(" sent %d received %d, sem %s", md.msg_lspid, md.msg_lrpid,
	     rc(SC(SYS_semctl, ALL->sem, 0, GETPID)));
}

static void op_terminal(int slot)
{
	int n = any_number(slot);

	tell("get %s", rc(SC(SYS_ioctl, SOCKET_FD, 0x540f, &n)));
	tell(" set %s", rc(SC(SYS_ioctl, SOCKET_FD, 0x5410, &n)));
	tell(" session %s", rc(SC(SYS_ioctl, SOCKET_FD, 0x5429, &n)));
	tell(" open %s", rc(SC(SYS_open, "/dev/tty", O_RDWR)));
}

/* One may ask for a signal when a message comes to the empty queue. */
static void op_queue(int slot)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = chance(50) ? SIG_Q1 : SIG_Q2};
	char text[8192];

	(void)slot;
	ev.sigev_value.sival_int = (int)any(1000);
	switch (any(4)) {
	case 0:
	case 1:
		tell("ask for %d %s", ev.sigev_signo, rc(SC(SYS_mq_notify, QUEUE_FD, &ev)));
		break;
	case 2:
		tell("send %s", rc(SC(SYS_mq_timedsend, QUEUE_FD, "x", 1, 0, NULL)));
		tell(" receive %s",
		     rc(SC(SYS_mq_timedreceive, QUEUE_FD, text, sizeof(text), NULL, NULL)));
		break;
	default:
		tell("ask no more %s", rc(SC(SYS_mq_notify, QUEUE_FD, NULL)));
	}
}

static void op_directory(int slot)
{
	char path[64], text[256] = "";
	struct stat st;
	int of = any_number(slot);
	long back = SC(SYS_open, ".", O_RDONLY | O_DIRECTORY), n;

	snprintf(path, sizeof(path), chance(70) ? "/proc/%d" : "/proc/%d/task", of);
	tell("%s %s", path, rc(SC(SYS_chdir, path)));
	n = SC(SYS_getcwd, text, sizeof(text));
	tell(" at %s", n < 0 ? rc(n) : strncmp(text, "/proc", 5) ? "home" : text);
	snprintf(path, sizeof(path), "%d/stat", of);
	tell(" %s %s", path, rc(SC(SYS_newfstatat, AT_FDCWD, path, &st, 0)));
	tell(" ../1 %s", rc(SC(SYS_newfstatat, AT_FDCWD, "../1", &st, 0)));
	SC(SYS_fchdir, back);
	SC(SYS_close, back);
}

/* A position in a listing, and what comes from there on. */
static void op_seek(int slot)
{
	char text[1024];
	long fd = SC(SYS_openat, AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY), n, at;
	int last = 0;

	(void)slot;
	/* Where numbers are one position each: fs/proc/base.c:proc_pid_readdir. */
	at = SC(SYS_lseek, fd, 257 + (long)any_member(slot), SEEK_SET);
	n = SC(SYS_getdents64, fd, text, sizeof(text));
	tell("%s:", rc(at));
	for (long i = 0; i < n;) {
		char *e = text + i;

		if (e[19] >= '0' && e[19] <= '9')
			tell(" %s", e + 19);
		last = atoi(e + 19);
		i += *(unsigned short *)(e + 16);
	}
	tell(" then %s", last ? rc(SC(SYS_lseek, fd, 0, SEEK_CUR)) : "-");
	SC(SYS_close, fd);
}

const struct op ops_file[] = {
	{"owner", 9, op_owner},
	{"lock", 8, op_lock},
	{"send", 7, op_send},
	{"receive", 7, op_receive},
	{"peer", 4, op_peer},
	{"connect", 8, op_connect},
	{"proc_text", 16, op_proc_text},
	{"proc_list", 6, op_proc_list},
	{"proc_link", 5, op_proc_link},
	{"sysv", 6, op_sysv},
	{"terminal", 2, op_terminal},
	{"queue", 5, op_queue},
	{"directory", 5, op_directory},
	{"seek", 3, op_seek},
	{0},
};
