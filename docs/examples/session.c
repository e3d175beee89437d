/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsubpid in a page: a container with a long-lived program, a command run in it, its processes with both kinds of
 * number, and the end of all of it.
 *
 *	cc -o session session.c $(pkg-config --cflags --libs libsubpid)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <subpid.h>
#include <sys/wait.h>

extern char **environ;

static int failed(const subpid *s)
{
	fprintf(stderr, "session: %s\n", subpid_why(s));
	return 1;
}

int main(void)
{
	const char *const server[] = {"sleep", "1000", NULL};
	const char *const check[] = {"sh", "-c", "kill -0 1 && echo number 1 is there, I am $$", NULL};
	struct subpid_command run = {.argv = server, .envp = (const char *const *)environ};
	struct subpid_command enter = {.path = "/bin/sh",
				       .argv = check,
				       .envp = (const char *const *)environ,
				       .fd = {0, 1, 2}};
	struct subpid_process **list;
	char *name;
	subpid *s;
	int fd, status, n;

	if (subpid_open(&s, NULL) < 0 || subpid_run(s, NULL, &run, &name) < 0)
		return failed(s);
	fd = subpid_enter(s, name, &enter, NULL);
	if (fd < 0 || subpid_enter_wait(fd, &status) < 0)
		return failed(s);
	printf("the command ended with %d\n", WEXITSTATUS(status));
	n = subpid_processes(s, name, &list);
	if (n < 0)
		return failed(s);
	for (int i = 0; i < n; i++)
		printf("%d inside, %s outside: %s\n", list[i]->pid,
		       subpid_to_host(s, name, list[i]->pid) == list[i]->host_pid ? "another" : "?",
		       list[i]->args[0]);
	subpid_processes_free(list);
	if (subpid_signal(s, name, 0, SIGKILL) < 0 || subpid_wait(s, name, -1, &status) < 0 ||
	    subpid_remove(s, name) < 0)
		return failed(s);
	printf("ended by signal %d\n", WTERMSIG(status));
	free(name);
	subpid_close(s);
	return 0;
}
