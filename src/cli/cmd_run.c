/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid run [--] COMMAND [ARG...]: options, the search for the program, and the translation of what came
 * of it into an exit status.
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

/* value: the option takes one; later: it belongs to a version to come. */
static const struct option {
	const char *name;
	char letter;
	bool later;
} options[] = {
	{"--tty", 't', false}, /* the program has the caller's terminal anyway */
	{"--interactive", 'i', false},
	{"--rm", 0, false}, /* nothing is kept of a foreground run */
	{"--help", 'h', false},
	{"--name", 'n', true},
	{"--detach", 'd', true},
	{"--init", 0, true},
	{"--env", 'e', true},
	{"--workdir", 'w', true},
	{"--pids-limit", 0, true},
	{"--first-pid", 0, true},
	{"--pid-max", 0, true},
	{"--timeout", 0, true},
	{"--stop-signal", 0, true},
	{"--stop-timeout", 0, true},
	{"--die-with-parent", 0, true},
	{"--pidfile", 0, true},
	{"--json-status-fd", 0, true},
	{"--strict", 0, true},
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

void cli_print_run_usage(void)
{
	fputs("usage: subpid run [--] COMMAND [ARG...]\n"
	      "\n"
	      "Runs COMMAND as PID 1 of a PID namespace of its own and ends with its status. When "
	      "it\n"
	      "ends, or subpid is killed, everything it started ends too.\n"
	      "\n"
	      "  -t, --tty, -i, --interactive, --rm\n"
	      "                  accepted and without effect: COMMAND always has the caller's "
	      "terminal,\n"
	      "                  and nothing is kept after its end\n"
	      "  -h, --help      this text\n"
	      "\n"
	      "Status: COMMAND's own; 128+n if signal n ended it; 127 COMMAND not found; 126 "
	      "COMMAND\n"
	      "cannot be executed; 125 subpid itself failed, nothing was run.\n",
	      stdout);
}

static int bad_option(const char *word)
{
	const char *names[OPTIONS], *meant;

	for (size_t i = 0; i < OPTIONS; i++)
		names[i] = options[i].name;
	meant = cli_similar(word, names, OPTIONS);
	if (meant)
		cli_say("run: unknown option '%s'; did you mean %s?", word, meant);
	else
		cli_say("run: unknown option '%s'; see subpid run --help", word);
	return CLI_OWN;
}

static int later_option(const char *word)
{
	cli_say("run: option '%s' is not in this version", word);
	return CLI_OWN;
}

/* A word of single letters as in -it. -1: go on. */
static int letters(const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		size_t i = 0;
		char text[] = {'-', *c, '\0'};

		while (i < OPTIONS && options[i].letter != *c)
			i++;
		if (i == OPTIONS)
			return bad_option(text);
		if (options[i].later)
			return later_option(text);
		if (*c == 'h') {
			cli_print_run_usage();
			return CLI_OK;
		}
	}
	return -1;
}

static int long_word(const char *word)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < OPTIONS; i++) {
		if (strlen(options[i].name) != len || strncmp(word, options[i].name, len) != 0)
			continue;
		if (options[i].later)
			return later_option(options[i].name);
		if (word[len] == '=') {
			cli_say("run: option '%s' takes no value", options[i].name);
			return CLI_OWN;
		}
		if (options[i].letter == 'h') {
			cli_print_run_usage();
			return CLI_OK;
		}
		return -1;
	}
	return bad_option(word);
}

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

int cli_run(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		int r;

		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		r = argv[i][1] == '-' ? long_word(argv[i]) : letters(argv[i]);
		if (r >= 0)
			return r;
	}
	if (i >= argc) {
		cli_say("run: no command given; usage: subpid run [--] COMMAND [ARG...]");
		return CLI_OWN;
	}
	return run_program(argv + i);
}
