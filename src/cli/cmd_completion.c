/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid completion SHELL: what the tables say, in the words of a shell, in front of or inside of a text
 * that is the same for all tables (completion_text.c). Names of namespaces are asked of subpid when the key is pressed.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/completion.h"

static const char *const shells[] = {"bash", "zsh", "fish"};

#define SHELLS (sizeof(shells) / sizeof(shells[0]))

/* Words by which the texts of the shells know the kinds. */
static const char *kind_word(enum cli_word kind)
{
	switch (kind) {
	case CLI_W_CONTAINER:
		return "container";
	case CLI_W_RECORD:
		return "record";
	case CLI_W_FILE:
		return "file";
	case CLI_W_DIR:
		return "dir";
	case CLI_W_VARIABLE:
		return "variable";
	case CLI_W_SIGNAL:
		return "signal";
	case CLI_W_PROGRAM:
		return "program";
	case CLI_W_INSIDE:
		return "inside";
	case CLI_W_COMMAND:
		return "command";
	case CLI_W_SHELL:
		return "shell";
	case CLI_W_NONE:
	case CLI_W_ANY:
	case CLI_W_COLUMNS:
		break;
	}
	return "any";
}

/* Calls each for every option that is there: of a command, or with NULL of all. */
static void options(const struct cli_command *c,
		    void (*each)(const struct cli_command *, const struct cli_option *))
{
	const struct cli_option *tables[] = {c ? c->options : NULL, cli_common_options,
					     cli_global_options};

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct cli_option *o = tables[t]; o && o->id; o++) {
			/* A command's own option of this name or letter hides the one of all. */
			bool hidden = t > 0 && c && o->name &&
				      cli_option_find(c, o->name, strlen(o->name)) != o;

			if (!o->later && !hidden && !(c && o->id == CLI_O_VERSION))
				each(c, o);
		}
}

/* Whether a command's own options use the letter that one of all has. */
static char letter_of(const struct cli_command *c, const struct cli_option *o)
{
	for (const struct cli_option *own = c ? c->options : NULL; own && own->id; own++)
		if (own != o && own->letter == o->letter)
			return 0;
	return o->letter;
}

/* ---- bash ---- */

static void bash_word(const struct cli_command *c, const struct cli_option *o)
{
	if (letter_of(c, o))
		printf(" -%c", o->letter);
	printf(" --%s", o->name);
}

static void bash_kind(const struct cli_command *c, const struct cli_option *o)
{
	if (!o->value)
		return;
	printf("\t%s:--%s", c ? c->name : "", o->name);
	if (letter_of(c, o))
		printf(" | %s:-%c", c ? c->name : "", o->letter);
	printf(") echo %s ;;\n", o->id == CLI_O_FORMAT ? "format" : kind_word(o->kind));
}

static void print_commands(const char *separator, const char *format)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run)
			printf(format, c->name, separator);
}

static void print_signals(void)
{
	for (int sig = 1; sig <= 64; sig++)
		if (cli_signal_name(sig))
			printf(" %s", cli_signal_name(sig));
}

static void bash(void)
{
	puts("# bash completion for subpid");
	printf("_subpid_signals='");
	print_signals();
	puts("'");
	printf("_subpid_commands='");
	print_commands(" ", "%s%s");
	puts("'\n");
	puts("# What the value of COMMAND:OPTION is; nothing if it takes "
	     "none.\n_subpid_value()\n{\n"
	     "\tcase $1 in");
	options(NULL, bash_kind);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run)
			options(c, bash_kind);
	puts("\tesac\n}\n");
	puts("_subpid_options()\n{\n\tcase $1 in");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!c->run)
			continue;
		printf("\t%s%s%s) echo '", c->name, c->alias ? " | " : "", c->alias ? c->alias : "");
		options(c, bash_word);
		puts("' ;;");
	}
	printf("\t*) echo '");
	options(NULL, bash_word);
	puts("' ;;\n\tesac\n}\n");
	puts("_subpid_operands()\n{\n\tcase $1 in");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run && c->kind != CLI_W_NONE)
			printf("\t%s) echo %s ;;\n", c->name, kind_word(c->kind));
	puts("\tesac\n}\n");
	fputs(cli_completion_bash, stdout);
}

/* ---- zsh ---- */

/* Help in brackets: without what _arguments would take for its own. */
static void zsh_help(const char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
}

static void zsh_option(const struct cli_command *c, const struct cli_option *o)
{
	char letter = letter_of(c, o);
	const char *many = o->id == CLI_O_ENV ? "*" : "";

	printf("\t\t");
	if (letter && *many)
		printf("'*'{-%c+,--%s=}'[", letter, o->name);
	else if (letter)
		printf("'(-%c --%s)'{-%c%s,--%s%s}'[", letter, o->name, letter, o->value ? "+" : "",
		       o->name, o->value ? "=" : "");
	else
		printf("'--%s%s[", o->name, o->value ? "=" : "");
	zsh_help(o->help);
	putchar(']');
	if (o->value)
		printf(":%s:_subpid_%s", o->value,
		       o->id == CLI_O_FORMAT ? "format" : kind_word(o->kind));
	puts("' \\");
}

static void zsh(void)
{
	puts("#compdef subpid\n# zsh completion for subpid");
	printf("_subpid_signal() { compadd -a _subpid_signals }\n_subpid_signals=(");
	print_signals();
	puts(")\n_subpid_commands=(");
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run) {
			printf("\t'%s:", c->name);
			zsh_help(c->summary);
			puts("'");
		}
	puts(")");
	fputs(cli_completion_zsh, stdout);
	puts("_subpid_options()\n{\n\tcase $1 in");
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!c->run)
			continue;
		printf("\t%s%s%s)\n\t\t_arguments -s -S \\\n", c->name, c->alias ? " | " : "",
		       c->alias ? c->alias : "");
		options(c, zsh_option);
		switch (c->kind) {
		case CLI_W_PROGRAM:
			puts("\t\t'(-):command: _command_names -e' '*::arguments: _normal'");
			break;
		case CLI_W_INSIDE:
			puts("\t\t'(-):namespace:_subpid_container' '(-):command: _command_names "
			     "-e' "
			     "'*::arguments: _normal'");
			break;
		case CLI_W_NONE:
			puts("\t\t&& return");
			break;
		case CLI_W_ANY:
		case CLI_W_CONTAINER:
		case CLI_W_RECORD:
		case CLI_W_FILE:
		case CLI_W_DIR:
		case CLI_W_VARIABLE:
		case CLI_W_SIGNAL:
		case CLI_W_COLUMNS:
		case CLI_W_COMMAND:
		case CLI_W_SHELL:
			printf("\t\t'*:%s:_subpid_%s'\n", kind_word(c->kind), kind_word(c->kind));
			break;
		}
		puts("\t\t;;");
	}
	/* What _arguments does to $words lasts until the end of the function. */
	puts("\tesac\n}\n\n_subpid()\n{\n\tlocal curcontext=$curcontext state line ret=1\n"
	     "\t_arguments -C -s -S \\");
	options(NULL, zsh_option);
	puts("\t\t'1:command:_subpid_command' '*::words:->words' && ret=0\n"
	     "\tif [[ $state = words ]]; then\n"
	     "\t\tcurcontext=\"${curcontext%:*:*}:subpid-$words[1]:\"\n"
	     "\t\t_subpid_options $words[1] && ret=0\n"
	     "\tfi\n"
	     "\treturn ret\n"
	     "}\n\n_subpid \"$@\"");
}

/* ---- fish ---- */

static void fish_text(const char *text)
{
	putchar('\'');
	for (; *text; text++)
		printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
	putchar('\'');
}

static void fish_option(const struct cli_command *c, const struct cli_option *o)
{
	char letter = letter_of(c, o);

	printf("complete -c subpid -n '__subpid_at %s' -l %s", c ? c->name : "''", o->name);
	if (letter)
		printf(" -s %c", letter);
	if (o->value)
		printf(" -x -a '(__subpid_%s)'", o->id == CLI_O_FORMAT ? "format" : kind_word(o->kind));
	printf(" -d ");
	fish_text(o->help);
	putchar('\n');
}

static void fish_value(const struct cli_command *c, const struct cli_option *o)
{
	if (!o->value)
		return;
	printf(" %s:--%s", c ? c->name : "", o->name);
	if (letter_of(c, o))
		printf(" %s:-%c", c ? c->name : "", o->letter);
}

static void fish(void)
{
	puts("# fish completion for subpid");
	printf("set -g __subpid_values");
	options(NULL, fish_value);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (c->run)
			options(c, fish_value);
	printf("\nset -g __subpid_signals");
	print_signals();
	putchar('\n');
	fputs(cli_completion_fish, stdout);
	options(NULL, fish_option);
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!c->run)
			continue;
		printf("complete -c subpid -n '__subpid_at \"\"' -a %s -d ", c->name);
		fish_text(c->summary);
		putchar('\n');
		options(c, fish_option);
		if (c->kind != CLI_W_NONE)
			printf("complete -c subpid -n '__subpid_in %s' -a '(__subpid_%s)'\n",
			       c->name, kind_word(c->kind));
	}
}

int cli_completion(struct cli_args *args)
{
	static void (*const print[SHELLS])(void) = {bash, zsh, fish};
	const char *meant;

	if (cli_args_next(args) < 0)
		return args->status;
	if (args->n != 1)
		return cli_usage_error(args->command, "for which shell? bash, zsh or fish");
	for (size_t i = 0; i < SHELLS; i++)
		if (strcmp(args->operand[0], shells[i]) == 0) {
			print[i]();
			return CLI_OK;
		}
	meant = cli_similar(args->operand[0], shells, SHELLS);
	if (meant)
		return cli_usage_error(args->command, "unknown shell '%s'; did you mean %s?",
				       args->operand[0], meant);
	return cli_usage_error(args->command, "unknown shell '%s'; there are bash, zsh and fish",
			       args->operand[0]);
}
