/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid run [--] COMMAND [ARG...]: what the options ask for, the search for the program, and the
 * translation of what came of it into an exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "supervisor/supervisor.h"

extern char **environ;

/* What a file is, as far as run wants to know before it starts it. */
enum kind { KIND_LOADABLE, KIND_TEXT, KIND_32BIT, KIND_FOREIGN, KIND_UNREADABLE };

static enum kind kind_of(const char *path)
{
	unsigned char head[20] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return errno == EACCES ? KIND_UNREADABLE : KIND_LOADABLE;
	n = read(fd, head, sizeof(head));
	close(fd);
	if (n >= 2 && head[0] == '#' && head[1] == '!')
		return KIND_LOADABLE;
	if (n < (ssize_t)sizeof(head) || memcmp(head, "\177ELF", 4) != 0)
		return n < 4 || memcmp(head, "\177ELF", 4) != 0 ? KIND_TEXT : KIND_FOREIGN;
	if (head[4] == 1)
		return KIND_32BIT;
	return head[18] == 62 && head[19] == 0 ? KIND_LOADABLE : KIND_FOREIGN; /* EM_X86_64 */
}

static int status_of_exec(const char *name, int err)
{
	cli_say("%s: %s", name, strerror(err));
	return err == ENOENT ? CLI_NOT_FOUND : CLI_NOT_RUNNABLE;
}

static int start(const char *name, struct sv_job *job)
{
	struct sv_outcome outcome = {0};
	struct sv_fail fail = {{0}};

	if (sv_run(job, &outcome, &fail) < 0) {
		cli_say("%s", fail.text);
		return CLI_OWN;
	}
	if (outcome.exec_errno)
		return status_of_exec(name, outcome.exec_errno);
	if (outcome.sig)
		sv_die_of(outcome.sig);
	return outcome.code;
}

/* The kernel refuses a text without #!; execvp(3) and every shell give it to /bin/sh. */
static int start_text(char **argv, const char *path)
{
	struct sv_job job = {.path = "/bin/sh", .envp = environ};
	size_t n = 0;
	char **args;

	while (argv[n])
		n++;
	args = calloc(n + 2, sizeof(*args));
	if (!args) {
		cli_say("no memory");
		return CLI_OWN;
	}
	args[0] = strdup("/bin/sh");
	args[1] = strdup(path);
	if (!args[0] || !args[1]) {
		cli_say("no memory");
		return CLI_OWN;
	}
	memcpy(args + 2, argv + 1, n * sizeof(*args));
	job.argv = args;
	return start("/bin/sh", &job);
}

static int run_program(char **argv)
{
	struct sv_job job = {.argv = argv, .envp = environ};
	const char *why;
	char *path;
	int err = cli_find_program(argv[0], &path, &why);

	if (err) {
		cli_say("%s: %s", argv[0], why);
		return err == ENOENT ? CLI_NOT_FOUND : CLI_NOT_RUNNABLE;
	}
	job.path = path;
	switch (kind_of(path)) {
	case KIND_TEXT:
		return start_text(argv, path);
	case KIND_32BIT:
		cli_say("%s: 32-bit programs are not supported", argv[0]);
		return CLI_NOT_RUNNABLE;
	case KIND_FOREIGN:
		cli_say("%s: not a program for this machine: %s", argv[0], strerror(ENOEXEC));
		return CLI_NOT_RUNNABLE;
	case KIND_UNREADABLE:
		cli_say("%s: cannot be read, and so not be executed: %s", argv[0], strerror(EACCES));
		return CLI_NOT_RUNNABLE;
	case KIND_LOADABLE:
		break;
	}
	return start(argv[0], &job);
}

int cli_run(struct cli_args *args)
{
	int o;

	while ((o = cli_args_next(args)) > 0)
		switch (o) {
		case CLI_O_TTY: /* the program has the caller's terminal anyway */
		case CLI_O_INTERACTIVE:
		case CLI_O_RM: /* nothing is kept of a foreground run */
		default:
			break;
		}
	if (o < 0)
		return args->status;
	if (args->n == 0)
		return cli_usage_error(args->command,
				       "no command given; usage: subpid run [--] COMMAND [ARG...]");
	return run_program(args->operand);
}
