/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server whose unprivileged child speaks with strangers, sandboxed as OpenSSH's is: limits of 0, a filter that
 * refuses to open files, looks at arguments, and kills for all it does not know. The parent asks it for
 * things over a socket and says how it ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define DENY(name, e)                                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (e))
#define ALLOW(name)                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* The argument's lower half must be the value. */
#define ALLOW_ARG(name, n, value)                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[n]), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), LOAD(nr)

static void sandbox(void)
{
	const struct rlimit none = {0, 0};
	struct sock_filter code[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
		LOAD(nr),
		DENY(open, EACCES),
		DENY(openat, EACCES),
		DENY(newfstatat, EACCES),
		ALLOW(brk),
		ALLOW(clock_gettime),
		ALLOW(close),
		ALLOW(exit_group),
		ALLOW(getpid),
		ALLOW(getrandom),
		ALLOW(madvise),
		ALLOW(mmap),
		ALLOW(mprotect),
		ALLOW(mremap),
		ALLOW(munmap),
		ALLOW(poll),
		ALLOW(ppoll),
		ALLOW(read),
		ALLOW(rt_sigprocmask),
		ALLOW(rt_sigreturn),
		ALLOW(write),
		ALLOW_ARG(kill, 0, getpid()),
		ALLOW_ARG(tgkill, 0, getpid()),
		ALLOW_ARG(fcntl, 1, F_GETFL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	if (setrlimit(RLIMIT_FSIZE, &none) || setrlimit(RLIMIT_NOFILE, &none) ||
	    setrlimit(RLIMIT_NPROC, &none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(77);
}

static volatile int alarms;

static void count(int sig)
{
	(void)sig;
	alarms++;
}

static int serve(int fd, char what)
{
	struct pollfd p = {fd, POLLOUT, 0};
	char *block;

	switch (what) {
	case 'p':
		return getpid();
	case 'm':
		block = malloc(3 << 20);
		memset(block, 1, 3 << 20);
		free(block);
		return 1;
	case 'o':
		return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
	case 's':
		kill(getpid(), SIGUSR1);
		return alarms;
	case 'w':
		return poll(&p, 1, -1);
	case 'f':
		return fcntl(fd, F_GETFL) & O_ACCMODE;
	case 'i':
		return kill(1, 0); /* not its own number */
	case 'k':
		return socket(AF_INET, SOCK_STREAM, 0);
	case 'c':
		return fork();
	case 'F':
		return fcntl(fd, F_GETFD);
	default:
		_exit(5);
	}
}

static void session(const char *requests)
{
	int sv[2], answer, st;
	pid_t pid;
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		exit(1);
	pid = fork();
	if (!pid) {
		close(sv[0]);
		signal(SIGUSR1, count);
		sandbox();
		while (read(sv[1], &c, 1) == 1) {
			answer = serve(sv[1], c);
			if (write(sv[1], &answer, sizeof(answer)) != sizeof(answer))
				_exit(6);
		}
		_exit(0);
	}
	close(sv[1]);
	printf("%s:", requests);
	for (const char *r = requests; *r; r++) {
		if (write(sv[0], r, 1) != 1 || read(sv[0], &answer, sizeof(answer)) != sizeof(answer))
			break;
		printf(" %c=%d", *r, *r == 'p' ? answer == pid : answer);
		fflush(stdout);
	}
	close(sv[0]);
	waitpid(pid, &st, 0);
	printf("; child %d ended %x\n", pid, st & ~0x80);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	session("pmoswfpo");
	session("pi");
	session("pk");
	session("mc");
	session("fF");
	session("ox");
	return 0;
}
