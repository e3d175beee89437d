/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run --detach: the front moves to the background, into a session of its own. The caller waits until the
 * program runs, or learns why it does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"

static _Noreturn void background(struct cli_plan *p, int told)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), sig, status;
	char why[300];

	setsid();
	if (null >= 0)
		dup2(null, 0);
	else
		close(0);
	p->job.started_fd = told;
	status = cli_start(p, why, &sig);
	if (why[0] && write(told, why, strlen(why)) < 0)
		status = CLI_OWN;
	cli_plan_finish(p, status);
	_exit(status);
}

int cli_detach(struct cli_plan *p)
{
	char text[512];
	size_t got = 0;
	int link[2], w;
	ssize_t n;
	pid_t pid;

	if (pipe2(link, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		cli_say("run: cannot start in the background: %s", strerror(errno));
		return CLI_OWN;
	}
	if (pid == 0) {
		close(link[0]);
		/* Nobody's standard descriptor, whatever was closed. */
		background(p, fcntl(link[1], F_DUPFD_CLOEXEC, 3));
	}
	close(link[1]);
	while (got < sizeof(text) - 1 && (n = read(link[0], text + got, sizeof(text) - 1 - got)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			got += (size_t)n;
		if (got && !text[got - 1])
			break;
	}
	close(link[0]);
	if (got && !text[got - 1]) {
		puts(text);
		return CLI_OK;
	}
	text[got] = '\0';
	cli_say("%s", got ? text : "run: ended before its program was started");
	while (waitpid(pid, &w, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(w) ? WEXITSTATUS(w) : CLI_OWN;
}
