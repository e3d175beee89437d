/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that take something away from themselves and go on: no more processes, no queued signals, no
 * file size, no dumps, no readable files, a directory that is gone, little address space. Calls that carry
 * numbers must go on working and fail as they would without subpid, and a fork that fails takes no number.
 */
#include "probe.h"
#include <sys/mman.h>
#include <sys/personality.h>

static char self[512];

static void limit(int what, rlim_t soft)
{
	struct rlimit r;

	if (getrlimit(what, &r))
		die("getrlimit");
	r.rlim_cur = soft;
	if (setrlimit(what, &r))
		say("setrlimit %s", err(errno));
}

static void proc_texts(void)
{
	static const char *const paths[] = {"/proc/self/stat", "/proc/self/status", "/proc/1/stat",
					    "/proc/self/task/1/stat", "/proc/thread-self/comm"};

	for (size_t i = 0; i < COUNT(paths); i++) {
		char buf[8192];
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

		if (n > 0) {
			buf[n] = 0;
			say("%s read, starts with %ld", paths[i], strtol(buf, NULL, 10));
		} else {
			say("%s %s", paths[i], fd < 0 ? err(errno) : "is empty");
		}
		if (fd >= 0)
			close(fd);
	}
}

static void *nothing(void *p)
{
	return NULL;
}

static void works(const char *name)
{
	char *argv[] = {(char *)"x", (char *)"execed", NULL};
	pthread_t t;
	pid_t pid;
	int r;

	say("%s: %s of %s", name, rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
	pid = fork();
	if (!pid)
		_exit(3);
	say("fork %s", pid < 0 ? err(errno) : reap(pid));
	pid = vfork();
	if (!pid) {
		SC(SYS_execve, self, argv, NULL);
		_exit(127);
	}
	say("vfork and exec %s", pid < 0 ? err(errno) : reap(pid));
	r = pthread_create(&t, NULL, nothing, NULL);
	say("thread %s", r ? err(r) : "made");
	if (!r)
		pthread_join(t, NULL);
	say("kill %s, self %s", rc(SC(SYS_kill, 1, 0)), rc(SC(SYS_kill, SC(SYS_getpid), 0)));
	proc_texts();
}

static void processes(void)
{
	struct probe_clone_args a = {.exit_signal = SIGCHLD};
	struct rlimit old;
	pid_t pid;

	getrlimit(RLIMIT_NPROC, &old);
	limit(RLIMIT_NPROC, 0);
	for (int i = 0; i < 3; i++)
		say("fork %s vfork %s clone %s clone3 %s", rc(SC(SYS_fork)), rc(SC(SYS_vfork)),
		    rc(SC(SYS_clone, SIGCHLD)), rc(SC(SYS_clone3, &a, sizeof(a))));
	works("no processes");
	limit(RLIMIT_NPROC, old.rlim_cur);
	pid = fork_or_die();
	if (!pid)
		_exit(2);
	say("then %s", reap(pid));
	works("again");
}

static volatile int hits, from, code;

static void hit(int sig, siginfo_t *si, void *uc)
{
	hits++;
	from = si->si_pid;
	code = si->si_code;
}

/* A signal that finds no room in the queue is delivered without its origin. */
static void queue(void)
{
	struct sigaction sa = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO};
	int me = getpid();
	pid_t pid;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(40, &sa, NULL);
	limit(RLIMIT_SIGPENDING, 0);
	say("sigqueue USR1 %s, 40 %s", lrc(sigqueue(me, SIGUSR1, (union sigval){0})),
	    lrc(sigqueue(me, 40, (union sigval){0})));
	say("  %d hits from %d code %d", hits, from, code);
	hits = from = code = 0;
	say("kill USR1 %s, 40 %s", rc(SC(SYS_kill, me, SIGUSR1)), rc(SC(SYS_kill, me, 40)));
	say("  %d hits from %d code %d", hits, from, code);
	hits = from = code = 0;
	pid = fork_or_die();
	if (!pid) {
		SC(SYS_kill, me, SIGUSR1);
		_exit(0);
	}
	say("%s", reap(pid));
	say("  %d hits from %d code %d", hits, from, code);
	works("no queue");
}

static void file_size(void)
{
	limit(RLIMIT_FSIZE, 0);
	works("no file size");
	say("listing %d", access("/proc/1", F_OK));
}

static void dumps(void)
{
	say("dumpable %d", prctl(PR_SET_DUMPABLE, 0));
	works("not dumpable");
	say("dumpable %d", prctl(PR_GET_DUMPABLE));
}

static void memory(void)
{
	say("no locked memory");
	limit(RLIMIT_MEMLOCK, 0);
	works("no locked memory");
	limit(RLIMIT_DATA, 64 << 20);
	works("little data");
	limit(RLIMIT_AS, 512 << 20);
	works("little address space");
	limit(RLIMIT_STACK, 256 << 10);
	works("little stack");
}

static void directory(void)
{
	if (mkdir("gone", 0700) || chdir("gone") || rmdir("../gone"))
		die("directory");
	works("directory gone");
	umask(0777);
	works("umask 777");
}

static void persona(void)
{
	say("personality %s", rc(SC(SYS_personality, ADDR_NO_RANDOMIZE)));
	works("no randomisation");
	SC(SYS_personality, ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC);
	works("readable is executable");
}

static void niceness(void)
{
	say("nice %d", nice(5));
	works("nice");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	works("no new privileges");
	prctl(PR_SET_TIMERSLACK, 1);
	prctl(PR_SET_TSC, PR_TSC_ENABLE);
	prctl(PR_SET_KEEPCAPS, 1);
	works("attributes");
}

int main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 1) {
		pid_t pid;

		say("execed: %s of %s", rc(SC(SYS_getpid)), rc(SC(SYS_getppid)));
		pid = fork();
		if (!pid)
			_exit(5);
		say("execed: fork %s", pid < 0 ? err(errno) : reap(pid));
		return 4;
	}
	if (n <= 0)
		die("no /proc/self/exe");
	in_child("processes", processes);
	in_child("queue", queue);
	in_child("file size", file_size);
	in_child("dumps", dumps);
	in_child("memory", memory);
	in_child("directory", directory);
	in_child("personality", persona);
	in_child("niceness", niceness);
	/* And process 1 itself. */
	processes();
	queue();
	dumps();
	file_size();
	return 0;
}
