/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of /proc that a program holds without having opened them itself: inherited over exec and
 * fork, taken over from a vfork child or another thread, duplicated, received, got with pidfd_getfd; and a
 * working directory there, inherited.
 */
#include "probe.h"
#include <sys/socket.h>

static const char *number(int dirfd, const char *name)
{
	char *s = scratch();
	int fd = (int)SC(SYS_openat, dirfd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return rc(fd);
	n = read(fd, s, 100);
	close(fd);
	s[n < 0 ? 0 : n] = 0;
	s[strcspn(s, " \n")] = 0;
	return s;
}

/* The numbers below 50 in a listing, and how many others there are above. */
static const char *listed(int dirfd)
{
	static char buf[32768];
	char *s = scratch();
	size_t at = 0;
	long n, large = 0;

	SC(SYS_lseek, dirfd, 0, SEEK_SET);
	*s = 0;
	while ((n = SC(SYS_getdents64, dirfd, buf, sizeof(buf))) > 0)
		for (long pos = 0; pos < n; pos += *(uint16_t *)(buf + pos + 16)) {
			int v = atoi(buf + pos + 19);

			if (v > 50)
				large++;
			else if (v)
				at += (size_t)snprintf(s + at, 100 - at, " %d", v);
		}
	snprintf(s + at, 100 - at, " large %ld end %s", large, rc(n));
	return s;
}

static void use(const char *what, int fd, pid_t pid)
{
	char name[32], up[32], link[64], text[200] = "";
	struct stat st;
	long r, old, n;

	snprintf(name, sizeof(name), "%d/stat", pid);
	snprintf(up, sizeof(up), "self/../%d/task", pid);
	r = SC(SYS_newfstatat, fd, up, &st, 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	say("%s: %s, %s nobody %s, stat %s, access %s, link %s, list%s", what, number(fd, name),
	    number(fd, "self/stat"), number(fd, "999/stat"), rc(r),
	    rc(SC(SYS_faccessat, fd, up, 0)), text, listed(fd));
	old = SC(SYS_open, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = SC(SYS_fchdir, fd);
	say("  as working directory %s: %s %s", rc(r), number(AT_FDCWD, name),
	    number(AT_FDCWD, "999/stat"));
	SC(SYS_fchdir, old);
	close((int)old);
}

static int again(int argc, char **argv)
{
	pid_t pid = atoi(argv[2]);
	int fd = atoi(argv[3]);
	char name[32];

	if (fd >= 0) {
		use(argv[1], fd, pid);
	} else {
		char cwd[64];

		snprintf(name, sizeof(name), "%d/stat", pid);
		say("%s: %s %s, in %s", argv[1], number(AT_FDCWD, name),
		    number(AT_FDCWD, "999/stat"), getcwd(cwd, sizeof(cwd)) ? cwd : err(errno));
	}
	return 0;
}

static char self[400];
static pid_t pid;

static void execute(const char *what, int fd)
{
	char number_[16], fd_[16];
	char *argv[] = {self, (char *)what, number_, fd_, NULL};

	snprintf(number_, sizeof(number_), "%d", pid);
	snprintf(fd_, sizeof(fd_), "%d", fd);
	execv(self, argv);
	say("exec %s", err(errno));
	_exit(1);
}

static void *opens(void *arg)
{
	*(int *)arg = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return NULL;
}

static void receive(void)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} c;
	char byte = 'x';
	struct iovec v = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c)};
	int ends[2], fd;
	pid_t p;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		die("socketpair");
	p = fork_or_die();
	if (!p) {
		fd = open("/proc", O_RDONLY | O_DIRECTORY);
		c.h.cmsg_level = SOL_SOCKET;
		c.h.cmsg_type = SCM_RIGHTS;
		c.h.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
		_exit(sendmsg(ends[0], &m, 0) < 0);
	}
	if (recvmsg(ends[1], &m, 0) < 0)
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(&c.h), sizeof(fd));
	reap(p);
	use("received", fd, pid);
}

static void get(void)
{
	struct gate g = gate_new(), up = gate_new();
	pid_t p = fork_or_die();
	int pidfd, fd;

	if (!p) {
		dup2(open("/proc", O_RDONLY | O_DIRECTORY), 40);
		gate_open(up);
		gate_pass(g);
		_exit(0);
	}
	gate_pass(up);
	/* By now it is known that nothing is held. */
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	number(fd, "none/such");
	close(fd);
	pidfd = (int)SC(SYS_pidfd_open, p, 0);
	fd = (int)SC(438, pidfd, 40, 0);
	if (fd < 0)
		say("pidfd_getfd %s", rc(fd));
	else
		use("got", fd, pid);
	gate_open(g);
	reap(p);
}

static void in_process(const char *what, void (*fn)(void))
{
	pid_t p = fork_or_die();

	if (!p) {
		fn();
		_exit(0);
	}
	say("%s: %s", what, reap(p));
}

static void kept_descriptor(void)
{
	execute("over exec", open("/proc", O_RDONLY | O_DIRECTORY));
}

static void kept_directory(void)
{
	if (chdir("/proc"))
		die("chdir");
	execute("working directory over exec", -1);
}

static void from_fork(void)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t p = fork_or_die();

	if (!p) {
		say("over fork: %s", number(fd, "self/../1/stat"));
		_exit(0);
	}
	reap(p);
}

static void from_vfork(void)
{
	static volatile int fd;
	pid_t p = vfork();

	if (!p) {
		SC(SYS_chdir, "/proc");
		fd = (int)SC(SYS_open, "/proc", O_RDONLY | O_DIRECTORY);
		execute("vfork", fd);
		_exit(1);
	}
	reap(p);
	say("the parent's: %s %s", number(AT_FDCWD, "1/stat"), number(fd, "1/stat"));
	p = vfork();
	if (!p) {
		SC(SYS_chdir, "/proc");
		execute("vfork and chdir", -1);
		_exit(1);
	}
	reap(p);
}

static int enters(void *arg)
{
	SC(SYS_chdir, "/proc");
	return *(int *)arg = (int)SC(SYS_open, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Processes that share only a part: what one does is not what the other remembers. */
static void from_parts(void)
{
	static const unsigned long parts[] = {
		0x200 /* FS */, 0x400 /* FILES */, 0x600, 0x100 /* VM */, 0x300, 0x500};
	static char stack[65536];
	static int fd;

	for (size_t i = 0; i < COUNT(parts); i++) {
		int st = 0;
		long p;

		SC(SYS_chdir, "/");
		number(AT_FDCWD, "none");
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		number(fd, "none");
		close(fd);
		fd = -1;
		p = clone_on(parts[i] | SIGCHLD, stack + sizeof(stack), NULL, NULL, enters, &fd);
		while (SC(SYS_wait4, p, &st, 0, NULL) == -EINTR)
			;
		say("parts %lx: exited %d", parts[i], WIFEXITED(st));
		/* Which number it is says nothing where two share a table. */
		if (!(parts[i] & 0x100))
			fd = parts[i] & 0x400 ? WEXITSTATUS(st) : -1;
		say("  %s %s", number(AT_FDCWD, "2/stat"), number(fd, "2/stat"));
		for (int k = 3; k < 10; k++)
			close(k);
	}
}

static void from_thread(void)
{
	pthread_t t;
	int fd = -1;

	number(AT_FDCWD, "file");
	pthread_create(&t, NULL, opens, &fd);
	pthread_join(t, NULL);
	use("a thread's", fd, pid);
	use("duplicated", dup(fd), pid);
	use("duplicated", fcntl(fd, F_DUPFD_CLOEXEC, 20), pid);
}

int main(int argc, char **argv)
{
	ssize_t n;

	if (argc > 3)
		return again(argc, argv);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		die("exe");
	pid = sleeper();
	in_process("kept", kept_descriptor);
	in_process("kept", kept_directory);
	in_process("fork", from_fork);
	in_process("vfork", from_vfork);
	in_process("parts", from_parts);
	in_process("thread", from_thread);
	in_process("received", receive);
	in_process("got", get);
	end(pid);
	return 0;
}
