/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid: finds the command and explains itself when there is none.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#ifndef SUBPID_VERSION
#define SUBPID_VERSION "0.1.0"
#endif

#define LATER(name, summary)                   \
	{                                      \
		name, summary, NULL, CLI_USAGE \
	}

const struct cli_command cli_commands[] = {
	{"run", "run a command as PID 1 of a PID namespace of its own", cli_run, CLI_OWN},
	{"help", "explain a command", cli_help, CLI_USAGE},
	{"exec", "run a command in a running namespace", NULL, CLI_OWN},
	LATER("ls", "list namespaces"),
	LATER("list", "list namespaces"),
	LATER("ps", "list processes with their numbers"),
	LATER("tree", "show the tree of namespaces"),
	LATER("map", "show one process' number at every level"),
	LATER("kill", "signal a namespace or its processes"),
	LATER("stop", "end a namespace gently"),
	LATER("wait", "wait for the end of a namespace"),
	LATER("logs", "show the output of a detached namespace"),
	LATER("rm", "forget an ended namespace"),
	LATER("inspect", "show all about a namespace"),
	LATER("rename", "rename a namespace"),
	LATER("checkpoint", "save a namespace to a file"),
	LATER("restore", "bring a saved namespace back"),
	LATER("migrate", "move a namespace to another machine"),
	LATER("doctor", "say what works here"),
	LATER("completion", "print shell completions"),
	{NULL, NULL, NULL, 0},
};

#define COMMANDS (sizeof(cli_commands) / sizeof(cli_commands[0]) - 1)

/* Options in front of the command that a later version will have. */
static const char *const later_options[] = {"--root", "-q", "--quiet", "-v", "--verbose", "--json"};

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

void cli_print_usage(void)
{
	fputs("usage: subpid run [--] COMMAND [ARG...]\n"
	      "       subpid help [COMMAND]\n"
	      "       subpid --version\n"
	      "\n"
	      "Gives a program a PID namespace of its own, without privileges: it is PID 1 there, "
	      "sees\n"
	      "and signals only what it started, and when it ends nothing of that is left.\n"
	      "\n",
	      stdout);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run)
			printf("  %-6s %s\n", c->name, c->summary);
	fputs("\n"
	      "  subpid run bash                a shell: try ps, pkill sleep, kill -9 -1\n"
	      "  subpid run -- make -j8 test    nothing survives it\n",
	      stdout);
}

static int unknown_option(const char *option)
{
	static const char *const known[] = {"--help", "--version"};
	const char *meant;

	for (size_t i = 0; i < sizeof(later_options) / sizeof(later_options[0]); i++)
		if (strcmp(option, later_options[i]) == 0) {
			cli_say("option '%s' is not in this version", option);
			return CLI_OWN;
		}
	meant = cli_similar(option, known, sizeof(known) / sizeof(known[0]));
	if (meant)
		cli_say("unknown option '%s'; did you mean %s?", option, meant);
	else
		cli_say("unknown option '%s'; see subpid --help", option);
	return CLI_OWN;
}

static int unknown_command(int argc, char **argv)
{
	const char *names[COMMANDS], *meant, *why;
	char *path = NULL;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = cli_commands[i].name;
	if (cli_find_program(argv[0], &path, &why) == 0) {
		free(path);
		cli_say("unknown command '%s'; did you mean: subpid run %s%s", argv[0], argv[0],
			argc > 1 ? " ..." : "");
		return CLI_OWN;
	}
	meant = cli_similar(argv[0], names, COMMANDS);
	if (meant)
		cli_say("unknown command '%s'; did you mean: subpid %s", argv[0], meant);
	else
		cli_say("unknown command '%s'; see subpid --help", argv[0]);
	return CLI_OWN;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "--help";

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		cli_print_usage();
		return CLI_OK;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		puts("subpid " SUBPID_VERSION);
		return CLI_OK;
	}
	if (word[0] == '-')
		return unknown_option(word);
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (strcmp(word, c->name) != 0)
			continue;
		if (c->run)
			return c->run(argc - 1, argv + 1);
		cli_say("'%s' is not in this version", word);
		return c->failure;
	}
	return unknown_command(argc - 1, argv + 1);
}
