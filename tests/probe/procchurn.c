/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of processes that come and go, read in pieces, held and read again, by several threads; and descriptors that
 * another thread closes meanwhile. A text is about whom it was opened for, or there is an error of the kernel's; no file
 * but the text's own is replaced.
 */
#include "probe.h"

static _Atomic int stop, wrong, errors, looked;
static _Atomic pid_t current;

static void failed(const char *what, int error)
{
	if (!errors++)
		say("%s: %s", what, err(error));
}

/* The number a text starts with; 0: there is none. */
static long first(int fd, size_t piece)
{
	char text[64];
	size_t n = 0;
	ssize_t r;

	while (n < 20 && (r = read(fd, text + n, piece)) > 0)
		n += (size_t)r;
	if (!n && r < 0 && errno != ESRCH && errno != EBADF)
		failed("read", errno);
	text[n] = 0;
	return strtol(text, NULL, 10);
}

static void *reads(void *arg)
{
	size_t piece = (size_t)arg;
	char name[40];

	while (!stop) {
		pid_t pid = current;
		int fd;

		snprintf(name, sizeof(name), piece > 5 ? "/proc/%d/task/%d/stat" : "/proc/%d/stat",
			 pid, pid);
		fd = open(name, O_RDONLY);
		if (fd < 0) {
			/* fs/proc/base.c:proc_pid_permission */
			if (errno != ENOENT && errno != ESRCH)
				failed("open", errno);
			continue;
		}
		for (int i = 0; i < 4; i++) {
			long n = first(fd, piece);

			wrong += n && n != pid;
			looked += n == pid;
			if (SC(SYS_lseek, fd, 0, SEEK_SET) == -EBADF)
				failed("lseek", EBADF);
			sched_yield();
		}
		close(fd);
	}
	return NULL;
}

static _Atomic int victim = -1;

/* Goes back to the start of a descriptor that somebody else closes. */
static void *rewinds(void *arg)
{
	(void)arg;
	while (!stop) {
		int fd = victim;
		long r = fd < 0 ? 0 : SC(SYS_lseek, fd, 0, SEEK_SET);

		if (r && r != -EBADF && r != -ESRCH) /* it may be somebody else's by now */
			failed("rewind", (int)-r);
	}
	return NULL;
}

static void *closes(void *arg)
{
	(void)arg;
	while (!stop) {
		int fd = open("/proc/self/stat", O_RDONLY);
		long n;

		victim = fd;
		n = first(fd, 30);
		wrong += n && n != getpid();
		victim = -1;
		close(fd);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[5];
	char name[40];

	current = getpid();
	pthread_create(&t[0], NULL, reads, (void *)1);
	pthread_create(&t[1], NULL, reads, (void *)5);
	pthread_create(&t[2], NULL, reads, (void *)20);
	pthread_create(&t[3], NULL, rewinds, NULL);
	pthread_create(&t[4], NULL, closes, NULL);
	for (int i = 0; i < 100; i++) {
		pid_t kid = fork_or_die();
		int fd, st;

		if (!kid) {
			usleep(i % 7 * 100);
			_exit(0);
		}
		current = kid;
		snprintf(name, sizeof(name), "/proc/%d/stat", kid);
		fd = open(name, O_RDONLY);
		wrong += first(fd, 3) != kid;
		waitpid(kid, &st, 0);
		if (SC(SYS_lseek, fd, 0, SEEK_SET) != -ESRCH && SC(SYS_read, fd, name, 5) != -ESRCH)
			wrong++;
		close(fd);
	}
	current = getpid();
	while (looked < 10)
		sched_yield();
	stop = 1;
	for (size_t i = 0; i < COUNT(t); i++)
		pthread_join(t[i], NULL);
	say("looked %d, wrong %d, errors %d", looked > 9, wrong, errors);
	return 0;
}
