/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts in which a number appears after they were opened: a lock, a timer, a shared memory segment, a process that
 * joins. Nobody reads a number there that the namespace does not have; back at the start it is the right one.
 *
 * cgroup: yes
 */
#include "probe.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <time.h>

static char text[32768];

static const char *word_behind(const char *key, int nth)
{
	char *s = scratch(), *at = strstr(text, key);

	if (!at)
		return "none";
	at += strlen(key);
	while (nth--) {
		at += strspn(at, " \t");
		snprintf(s, 40, "%.*s", (int)strcspn(at, " \n"), at);
		at += strcspn(at, " \n");
	}
	return s;
}

static void take(int fd, long at)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, at);

	text[n < 0 ? 0 : n] = 0;
}

/* Whether a word of the text is a number of ours that getpid does not say. */
static int foreign(void)
{
	/* What the kernel calls us, where that is another number. */
	long own = SC(SYS_set_tid_address, NULL);
	char copy[sizeof(text)];

	if (own == getpid())
		return 0;
	memcpy(copy, text, sizeof(copy));
	for (char *save, *w = strtok_r(copy, " \t\n.:", &save); w; w = strtok_r(NULL, " \t\n.:", &save))
		if (strtol(w, NULL, 10) == own || strtol(w, NULL, 16) == own)
			return 1;
	return 0;
}

static void look(const char *what, int fd, const char *key, int nth)
{
	take(fd, 0);
	say("%s: foreign %d", what, foreign());
	SC(SYS_lseek, fd, 0, SEEK_SET);
	take(fd, 0);
	say("%s, from the start: foreign %d, %s", what, foreign(), word_behind(key, nth));
	close(fd);
}

static void of_files(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 5};
	int file = open("file", O_RDWR | O_CREAT, 0600), info, locks = open("/proc/locks", O_RDONLY);
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", file);
	info = open(name, O_RDONLY);
	fcntl(file, F_SETLK, &lock);
	look("a lock", info, "WRITE", 1);
	take(locks, 0);
	say("all locks: foreign %d", foreign());
	close(locks);
	close(file);
}

static void of_timers(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	int timers = open("/proc/self/timers", O_RDONLY), id;

	SC(SYS_timer_create, CLOCK_MONOTONIC, &e, &id);
	look("a timer", timers, "notify: ", 1);
	SC(SYS_timer_delete, id);
}

static void of_memory(void)
{
	int list = open("/proc/sysvipc/shm", O_RDONLY), id = shmget(IPC_PRIVATE, 4096, 0600);
	char key[40];
	void *at = shmat(id, NULL, 0);

	snprintf(key, sizeof(key), " %d ", id);
	look("shared memory", list, key, 3);
	shmdt(at);
	shmctl(id, IPC_RMID, NULL);
}

/* Whom a socket that nobody has bound is made to belong to. */
static void of_sockets(void)
{
	static const unsigned int nothing[4] = {16, 1 /* NLMSG_NOOP */};
	int s = socket(AF_NETLINK, SOCK_RAW, 0), list;

	send(s, nothing, sizeof(nothing), 0);
	list = open("/proc/net/netlink", O_RDONLY);
	take(list, 0);
	say("a socket: foreign %d", foreign());
	close(list);
	close(s);
}

/* A list of members that was empty. */
static void of_groups(void)
{
	const char *groups = getenv("PROBE_CGROUPS");
	char name[300], number[16];
	int list, join;

	if (!groups)
		return;
	snprintf(name, sizeof(name), "%.*s/a/cgroup.procs", (int)strcspn(groups, ":"), groups);
	list = open(name, O_RDONLY);
	join = open(name, O_WRONLY);
	snprintf(number, sizeof(number), "%d", getpid());
	say("joins: %zd", write(join, number, strlen(number)));
	close(join);
	take(list, 0);
	say("a group: foreign %d", foreign());
	close(list);
}

int main(void)
{
	of_files();
	of_timers();
	of_memory();
	of_sockets();
	of_groups();
	return 0;
}
