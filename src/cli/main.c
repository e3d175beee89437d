/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid: finds the command and explains itself when there is none.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/run.h"

#define NAMES_MAX 64

void cli_say(const char *fmt, ...)
{
	va_list ap;
	char line[1024];

	/* In one write, so that lines of several processes do not mix. */
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "subpid: %s\n", line);
}

int cli_unknown_command(const struct cli_command *asked_by, char **words)
{
	const char *names[NAMES_MAX], *meant, *why;
	char *path = NULL;
	size_t n = 0;

	for (const struct cli_command *c = cli_commands; c->name && n + 1 < NAMES_MAX; c++) {
		names[n++] = c->name;
		if (c->alias)
			names[n++] = c->alias;
	}
	if (!asked_by && cli_find_program(words[0], &path, &why) == 0) {
		free(path);
		return cli_usage_error(NULL, "unknown command '%s'; did you mean: subpid run %s%s",
				       words[0], words[0], words[1] ? " ..." : "");
	}
	meant = cli_similar(words[0], names, n);
	if (meant)
		return cli_usage_error(asked_by, "unknown command '%s'; did you mean: subpid %s%s%s",
				       words[0], asked_by ? asked_by->name : "",
				       asked_by ? " " : "", meant);
	return cli_usage_error(asked_by, "unknown command '%s'; see subpid --help", words[0]);
}

/* Data that could not be written is a failure: a full disk, a closed pipe. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	cli_say("cannot write to standard output");
	return status ? status : CLI_FAILED;
}

int main(int argc, char **argv)
{
	const struct cli_command *c;
	struct cli_args args;

	if (argc < 1)
		return CLI_OWN;
	if (strcmp(argv[0], CLI_INIT_NAME) == 0)
		return cli_init(argc, argv);
	if (strcmp(argv[0], CLI_TRIAL_NAME) == 0)
		return cli_trial();
	cli_args_begin(&args, NULL, argv + 1);
	if (cli_args_next(&args) < 0)
		return finish(args.status);
	if (args.n == 0) {
		cli_print_usage();
		return finish(CLI_OK);
	}
	c = cli_command_find(args.operand[0]);
	if (!c)
		return cli_unknown_command(NULL, args.operand);
	if (!c->run) {
		cli_say("'%s' is not in this version", c->name);
		return c->failure;
	}
	cli_args_begin(&args, c, args.operand + 1);
	return finish(c->run(&args));
}
