/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe MECHANISM: tries one kernel mechanism and prints `works` or the errno's name. The suite
 * asks it in every environment whether the refusal the environment is named after really is there:
 * an environment that refuses nothing would prove nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long rc)
{
	return rc < 0 ? errno : 0;
}

static int try_unshare_user(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int try_unshare_pid(void)
{
	return result(unshare(CLONE_NEWPID));
}

static int try_mmap_wx(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	return p == MAP_FAILED ? errno : 0;
}

static int try_mprotect_rx(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return errno;
	return result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int copy_self(int out)
{
	char buf[65536];
	ssize_t n;
	int in = open("/reach/probe", O_RDONLY | O_CLOEXEC);

	if (in < 0)
		return errno;
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, n) != n)
			return EIO;
	}
	close(in);
	return 0;
}

/* What a spawned copy exits with when it got as far as main(). */
enum { RAN = 42 };

static int exec_result(int fd, const char *path)
{
	int pipefd[2];
	int error = 0;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return errno;
	pid_t child = fork();
	if (child == 0) {
		char *argv[] = {"probe", "ran", NULL};
		if (path)
			execve(path, argv, environ);
		else
			syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		error = errno;
		_exit(write(pipefd[1], &error, sizeof(error)) < 0 ? 1 : 2);
	}
	close(pipefd[1]);
	int status = 0;
	ssize_t n = read(pipefd[0], &error, sizeof(error));
	waitpid(child, &status, 0);
	if (n == sizeof(error))
		return error;
	return WIFEXITED(status) && WEXITSTATUS(status) == RAN ? 0 : ECHILD;
}

static int try_memfd_exec(void)
{
	int fd = (int)syscall(SYS_memfd_create, "probe", 1U);
	if (fd < 0)
		return errno;
	int error = copy_self(fd);
	return error ? error : exec_result(fd, NULL);
}

static int exec_in(const char *dir)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/probe-XXXXXX", dir);
	int fd = mkstemp(path);
	if (fd < 0)
		return errno;
	int error = copy_self(fd);
	if (!error && fchmod(fd, 0755) < 0)
		error = errno;
	close(fd);
	if (!error)
		error = exec_result(-1, path);
	unlink(path);
	return error;
}

static int try_exec_tmp(void)
{
	return exec_in("/tmp");
}

static int try_exec_shm(void)
{
	return exec_in("/dev/shm");
}

static int try_write_root(void)
{
	struct stat st;
	/* A root that takes no file from us for lack of permission is not a read-only one. */
	if (stat("/", &st) < 0)
		return errno;
	return result(utimensat(AT_FDCWD, "/", NULL, 0)) == EROFS ? EROFS : 0;
}

static struct sock_filter allow_all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

static int try_seccomp(void)
{
	struct sock_fprog fprog = {.len = 1, .filter = allow_all};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog));
}

static int try_prctl_seccomp(void)
{
	struct sock_fprog fprog = {.len = 1, .filter = allow_all};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return result(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog));
}

static int try_landlock(void)
{
	return result(syscall(444, NULL, 0, 1));
}

static int try_pidfd_open(void)
{
	return result(syscall(434, getpid(), 0));
}

static int try_pidfd_inode(void)
{
	struct stat one;
	struct stat two;
	int a = (int)syscall(434, getpid(), 0);
	int b = (int)syscall(434, getppid(), 0);
	if (a < 0 || b < 0 || fstat(a, &one) < 0 || fstat(b, &two) < 0)
		return errno;
	return one.st_ino == two.st_ino ? EEXIST : 0;
}

static int try_clone3(void)
{
	/* A size below the first version's is EINVAL where there is the call. */
	long rc = syscall(435, NULL, 0);
	return rc < 0 && errno == EINVAL ? 0 : result(rc);
}

static int try_close_range(void)
{
	return result(syscall(436, 1000, 1001, 0));
}

static int try_close_range_cloexec(void)
{
	return result(syscall(436, 1000, 1001, 4));
}

static int try_faccessat2(void)
{
	return result(syscall(439, AT_FDCWD, "/", R_OK, AT_EACCESS));
}

static int try_statx(void)
{
	char buf[256];
	return result(syscall(SYS_statx, AT_FDCWD, "/", 0, 0x7ff, buf));
}

static int try_set_mm(void)
{
	/* The size query is the part of PR_SET_MM_MAP that needs no map at hand. */
	unsigned size = 0;
	return result(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
}

static int try_process_vm(void)
{
	char from = 1;
	char to = 0;
	struct iovec a = {&to, 1};
	struct iovec b = {&from, 1};
	return result(process_vm_readv(getpid(), &a, 1, &b, 1, 0));
}

static int try_fd_100(void)
{
	return result(dup2(1, 100));
}

static int try_map_300m(void)
{
	void *p = mmap(NULL, 300UL << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? errno : 0;
}

static int try_forks_70(void)
{
	int error = 0;
	int made = 0;
	pid_t children[70];

	for (; made < 70; made++) {
		children[made] = fork();
		if (children[made] == 0) {
			pause();
			_exit(0);
		}
		if (children[made] < 0) {
			error = errno;
			break;
		}
	}
	while (made-- > 0) {
		kill(children[made], SIGKILL);
		waitpid(children[made], NULL, 0);
	}
	return error;
}

static int try_proc_self(void)
{
	return result(access("/proc/self/stat", R_OK));
}

static int try_proc_1(void)
{
	return result(access("/proc/1/stat", F_OK));
}

static int try_mem_force(void)
{
	static const char text[] = "read-only text";
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	return result(pwrite(fd, text, 1, (off_t)(unsigned long)text));
}

static int try_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

static int try_io_uring(void)
{
	/* Stands for all calls a profile does not know. */
	return result(syscall(425, 0, NULL));
}

/* More than the machine can back, but only promised. */
static int try_overcommit(void)
{
	void *p = mmap(NULL, 8UL << 30, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? errno : 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} tries[] = {
	{"unshare-user", try_unshare_user},
	{"unshare-pid", try_unshare_pid},
	{"mmap-wx", try_mmap_wx},
	{"mprotect-rx", try_mprotect_rx},
	{"memfd-exec", try_memfd_exec},
	{"exec-tmp", try_exec_tmp},
	{"exec-shm", try_exec_shm},
	{"write-root", try_write_root},
	{"seccomp", try_seccomp},
	{"prctl-seccomp", try_prctl_seccomp},
	{"landlock", try_landlock},
	{"pidfd_open", try_pidfd_open},
	{"pidfd-inode", try_pidfd_inode},
	{"clone3", try_clone3},
	{"close_range", try_close_range},
	{"close_range-cloexec", try_close_range_cloexec},
	{"faccessat2", try_faccessat2},
	{"statx", try_statx},
	{"set-mm", try_set_mm},
	{"process_vm", try_process_vm},
	{"fd-100", try_fd_100},
	{"map-300m", try_map_300m},
	{"forks-70", try_forks_70},
	{"proc-self", try_proc_self},
	{"proc-1", try_proc_1},
	{"mem-force", try_mem_force},
	{"io_uring", try_io_uring},
	{"overcommit", try_overcommit},
	{"new-privs", try_no_new_privs},
};

/* Where the kernel puts mappings: at random below the stack, always at the same place, or upwards. */
static const char *layout(void)
{
	unsigned long addr =
		(unsigned long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (addr < 0x400000000000)
		return "bottom-up";
	return personality(0xffffffff) & ADDR_NO_RANDOMIZE ? "fixed" : "random";
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "layout") == 0) {
		puts(layout());
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "ran") == 0)
		return RAN;
	for (size_t i = 0; argc == 2 && i < sizeof(tries) / sizeof(tries[0]); i++) {
		if (strcmp(argv[1], tries[i].name) == 0) {
			int error = tries[i].run();
			puts(error ? strerrorname_np(error) : "works");
			return 0;
		}
	}
	fputs("usage: probe MECHANISM\n", stderr);
	return 2;
}
