/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How process 1 may end and what is reported outside: exit codes, its last thread, exit from a thread,
 * a fault; and that nothing that is left inside, whatever it blocks or ignores, holds up the end.
 *
 * args: zero code big thread last group exec-missing left-overs forker stopped
 */
#include "probe.h"

static void *exits_process(void *p)
{
	exit(12);
}

static void *exits_last(void *p)
{
	await_state("/proc/self/task/1/stat", 'Z');
	SC(SYS_exit, 13);
	return NULL;
}

static void *exits_group(void *p)
{
	SC(SYS_exit_group, 14);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	pthread_t t;

	say("start %d", getpid());
	if (!strcmp(what, "zero"))
		return 0;
	if (!strcmp(what, "code"))
		return 77;
	if (!strcmp(what, "big"))
		_exit(0x1ff03);
	if (!strcmp(what, "thread")) {
		pthread_create(&t, NULL, exits_process, NULL);
		for (;;)
			pause();
	}
	if (!strcmp(what, "last")) {
		pthread_create(&t, NULL, exits_last, NULL);
		SC(SYS_exit, 9);
	}
	if (!strcmp(what, "group")) {
		pthread_create(&t, NULL, exits_group, NULL);
		pthread_join(t, NULL);
	}
	if (!strcmp(what, "exec-missing")) {
		execl("/nonexistent", "x", (char *)NULL);
		say("exec %s", err(errno));
		return 15;
	}
	if (!strcmp(what, "left-overs")) {
		struct gate g = gate_new();

		for (int i = 0; i < 20; i++) {
			if (fork_or_die())
				continue;
			set_raw_mask(~0ull);
			for (int s = 1; s < 65; s++)
				signal(s, SIG_IGN);
			if (i % 3 == 0)
				setsid();
			if (i % 3 == 1)
				setpgid(0, 0);
			if (i % 2 && fork())
				_exit(0);
			gate_open(g);
			for (;;)
				pause();
		}
		for (int i = 0; i < 20; i++)
			gate_pass(g);
		return 16;
	}
	if (!strcmp(what, "forker")) {
		struct gate g = gate_new();

		for (int i = 0; i < 4; i++) {
			if (fork_or_die())
				continue;
			setsid();
			gate_open(g);
			for (;;) {
				pid_t pid = fork();

				if (pid > 0)
					_exit(0);
				usleep(200);
			}
		}
		for (int i = 0; i < 4; i++)
			gate_pass(g);
		return 17;
	}
	if (!strcmp(what, "stopped")) {
		pid_t pid = sleeper();

		kill(pid, SIGSTOP);
		SC(SYS_wait4, pid, NULL, WUNTRACED, NULL);
		return 18;
	}
	return 1;
}
