/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that lead into /proc by links, looked up while signals rain, whose handler does the same; and
 * while another thread rewrites the path. Only right numbers, no error, no descriptor left.
 */
#include "probe.h"

static char stat_name[64], through[64], path[64];
static volatile int handled, stop;

static int number(const char *name)
{
	char text[64] = "";
	int fd = (int)SC(SYS_open, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (SC(SYS_read, fd, text, 60) < 0)
		text[0] = 0;
	SC(SYS_close, fd);
	return atoi(text);
}

static void handler(int sig)
{
	struct stat st;

	(void)sig;
	handled++;
	SC(SYS_stat, "file", &st);
	number("file");
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void storm(pid_t pid)
{
	const char *const names[] = {"file", through, "/proc/self/root/proc/self/../2/stat"};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval it = {{0, 400}, {0, 400}};
	double end = now() + 0.5;
	int wrong = 0, before = descriptors(), good = 0;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	for (int i = 0; now() < end; i++) {
		char link[64] = "", cwd[64];
		struct stat st;

		wrong += number(names[i % 3]) != pid;
		wrong += SC(SYS_stat, names[i % 3], &st) != 0;
		wrong += SC(SYS_access, names[i % 3], R_OK) != 0;
		wrong += SC(SYS_access, "none/such", R_OK) != -ENOENT;
		wrong += SC(SYS_open, "none", O_RDONLY) != -ENOENT;
		wrong += SC(SYS_readlink, "proc/self", link, sizeof(link)) != 1 || strcmp(link, "1");
		wrong += SC(SYS_chmod, "file", 0) != -EPERM;
		snprintf(cwd, sizeof(cwd), "/proc/%d/cwd/../proc", pid);
		wrong += number(cwd) != -1;
		good++;
	}
	it.it_value.tv_usec = it.it_interval.tv_usec = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	say("enough %d handled %d wrong %d left %d", good > 20, handled > 20, wrong,
	    descriptors() - before);
}

static void *rewrite(void *arg)
{
	while (!stop) {
		strcpy(path, stat_name);
		strcpy(path, "file");
		strcpy(path, "/proc/self/root/proc/2/stat");
		strcpy(path, "/proc/2/task/2/stat");
	}
	return arg;
}

static void race(pid_t pid)
{
	double end = now() + 0.3;
	int wrong = 0;
	pthread_t t;

	strcpy(path, stat_name);
	pthread_create(&t, NULL, rewrite, NULL);
	while (now() < end) {
		int n = number(path);

		wrong += n != -1 && n != pid && n != 0;
	}
	stop = 1;
	pthread_join(t, NULL);
	say("wrong %d", wrong);
}

int main(void)
{
	pid_t pid = sleeper();

	snprintf(stat_name, sizeof(stat_name), "/proc/%d/stat", pid);
	snprintf(through, sizeof(through), "proc/%d/stat", pid);
	symlink(stat_name, "file");
	symlink("/proc", "proc");
	storm(pid);
	race(pid);
	end(pid);
	return 0;
}
