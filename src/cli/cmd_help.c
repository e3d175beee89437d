/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid help [COMMAND], subpid version: the tables in the words of a terminal.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define WIDTH 80
#define OPTION_COLUMN 30

/* Words of text from column `at` on, further lines indented by `indent`. */
static void wrap(const char *text, size_t at, size_t indent)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (!first && at + 1 + len > WIDTH) {
			printf("\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		printf("%s%.*s", first ? "" : " ", (int)len, text);
		at += len + !first;
		first = false;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_option(const struct cli_option *o)
{
	char text[64];
	int n;

	if (o->later)
		return;
	n = snprintf(text, sizeof(text), o->letter ? "  -%c, " : "      ", o->letter);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "--%s%s%s", o->name, o->value ? " " : "",
		      o->value ? o->value : "");
	if (n > OPTION_COLUMN - 2)
		printf("%s\n%*s", text, OPTION_COLUMN, "");
	else
		printf("%-*s", OPTION_COLUMN, text);
	wrap(o->help, OPTION_COLUMN, OPTION_COLUMN);
}

void cli_print_command(const struct cli_command *c)
{
	char text[128];

	printf("usage: subpid %s [OPTION...]%s%s\n\n", c->name, *c->operands ? " " : "", c->operands);
	snprintf(text, sizeof(text), "%c%s.", c->summary[0] - 'a' + 'A', c->summary + 1);
	wrap(text, 0, 0);
	if (c->about) {
		putchar('\n');
		wrap(c->about, 0, 0);
	}
	putchar('\n');
	for (const struct cli_option *o = c->options; o && o->id; o++)
		print_option(o);
	for (const struct cli_option *o = cli_common_options; o->id; o++)
		print_option(o);
}

void cli_print_usage(void)
{
	fputs("usage: subpid [OPTION...] COMMAND ...\n\n", stdout);
	wrap("Gives a program a PID namespace of its own, without privileges: it is PID 1 there, "
	     "sees "
	     "and signals only what it started, and when it ends nothing of that is left.",
	     0, 0);
	putchar('\n');
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run)
			printf("  %-12s%s\n", c->name, c->summary);
	putchar('\n');
	for (const struct cli_option *o = cli_common_options; o->id; o++)
		print_option(o);
	for (const struct cli_option *o = cli_global_options; o->id; o++)
		print_option(o);
	fputs("\n"
	      "  subpid run bash                a shell: try ps, pkill sleep, kill -9 -1\n"
	      "  subpid run -- make -j8 test    nothing survives it\n"
	      "\n"
	      "subpid help COMMAND says more.\n",
	      stdout);
}

void cli_print_version(void)
{
	puts("subpid " SUBPID_VERSION);
}

int cli_version(struct cli_args *args)
{
	int o = cli_args_next(args);

	if (o < 0)
		return args->status;
	if (args->n)
		return cli_usage_error(args->command, "takes no operand");
	cli_print_version();
	return CLI_OK;
}

int cli_help(struct cli_args *args)
{
	const struct cli_command *c;

	if (cli_args_next(args) < 0)
		return args->status;
	if (args->n == 0) {
		cli_print_usage();
		return CLI_OK;
	}
	if (args->n > 1)
		return cli_usage_error(args->command, "one command at a time");
	c = cli_command_find(args->operand[0]);
	if (!c)
		return cli_unknown_command(args->command, args->operand);
	if (!c->run) {
		cli_say("'%s' is not in this version", c->name);
		return CLI_USAGE;
	}
	cli_print_command(c);
	return CLI_OK;
}
