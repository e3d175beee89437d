/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From words to options, by the tables of table.h: letters alone and together (-it), values in the same
 * word or the next (-nx, -n x, --name=x, --name x), `--`.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define NAMES_MAX 64

struct cli_global cli_global;

int cli_usage_error(const struct cli_command *command, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (command)
		cli_say("%s: %s", command->name, text);
	else
		cli_say("%s", text);
	return command ? command->failure : CLI_OWN;
}

/* The tables in which a command's options are looked up, its own first. */
static size_t tables_of(const struct cli_command *c, const struct cli_option *ret[3])
{
	size_t n = 0;

	if (c && c->options)
		ret[n++] = c->options;
	ret[n++] = cli_common_options;
	ret[n++] = cli_global_options;
	return n;
}

const struct cli_option *cli_option_find(const struct cli_command *command, const char *name, size_t n)
{
	const struct cli_option *tables[3];
	size_t count = tables_of(command, tables);

	for (size_t t = 0; t < count; t++)
		for (const struct cli_option *o = tables[t]; o->id; o++)
			if (o->name && strlen(o->name) == n && memcmp(o->name, name, n) == 0)
				return o;
	return NULL;
}

static const struct cli_option *find_letter(const struct cli_command *command, char letter)
{
	const struct cli_option *tables[3];
	size_t count = tables_of(command, tables);

	for (size_t t = 0; t < count; t++)
		for (const struct cli_option *o = tables[t]; o->id; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static int unknown(struct cli_args *a, const char *word)
{
	const struct cli_option *tables[3];
	size_t count = tables_of(a->command, tables), n = 0;
	const char *names[NAMES_MAX], *meant = NULL;
	char name[64];
	size_t len = strcspn(word, "=");

	for (size_t t = 0; t < count; t++)
		for (const struct cli_option *o = tables[t]; o->id && n < NAMES_MAX; o++)
			if (o->name && !o->later)
				names[n++] = o->name;
	if (word[1] == '-' && len - 2 < sizeof(name)) {
		memcpy(name, word + 2, len - 2);
		name[len - 2] = '\0';
		meant = cli_similar(name, names, n);
	}
	if (meant)
		a->status = cli_usage_error(a->command, "unknown option '%.*s'; did you mean --%s?",
					    (int)len, word, meant);
	else
		a->status = cli_usage_error(a->command, "unknown option '%.*s'; see subpid %s%s--help",
					    (int)len, word, a->command ? a->command->name : "",
					    a->command ? " " : "");
	return -1;
}

static int global(struct cli_args *a, const struct cli_option *o)
{
	switch ((unsigned int)o->id) {
	case CLI_O_HELP:
		a->status = CLI_OK;
		if (a->command)
			cli_print_command(a->command);
		else
			cli_print_usage();
		return -1;
	case CLI_O_VERSION:
		cli_print_version();
		a->status = CLI_OK;
		return -1;
	case CLI_O_ROOT:
		cli_global.root = a->value;
		return 0;
	case CLI_O_QUIET:
		cli_global.quiet = true;
		return 0;
	case CLI_O_VERBOSE:
		cli_global.verbose = true;
		return 0;
	case CLI_O_JSON:
		cli_global.json = true;
		return 0;
	case CLI_O_FORMAT:
		if (strcmp(a->value, "json") != 0 && strcmp(a->value, "table") != 0) {
			a->status = cli_usage_error(a->command,
						    "unknown format '%s'; there are json and table",
						    a->value);
			return -1;
		}
		cli_global.json = a->value[0] == 'j';
		return 0;
	}
	return o->id;
}

/* 0: it was one for all of subpid, go on. inline_value: what followed in the same word. */
static int take(struct cli_args *a, const struct cli_option *o, const char *shown,
		const char *inline_value)
{
	if (o->later) {
		a->status = cli_usage_error(a->command, "option '%s' is not in this version", shown);
		return -1;
	}
	a->value = inline_value;
	if (o->value && !a->value) {
		if (!*a->word) {
			a->status = cli_usage_error(a->command, "option '%s' needs a value: %s",
						    shown, o->value);
			return -1;
		}
		a->value = *a->word++;
	}
	return global(a, o);
}

static int letter(struct cli_args *a)
{
	char shown[] = {'-', *a->letters++, '\0'};
	const struct cli_option *o = find_letter(a->command, shown[1]);
	const char *rest = NULL;

	if (!o)
		return unknown(a, shown);
	if (o->value && *a->letters) {
		rest = a->letters + (*a->letters == '=');
		a->letters = "";
	}
	return take(a, o, shown, rest);
}

static int long_word(struct cli_args *a, const char *word)
{
	size_t len = strcspn(word, "=");
	const struct cli_option *o = cli_option_find(a->command, word + 2, len - 2);
	char shown[64];

	if (!o)
		return unknown(a, word);
	snprintf(shown, sizeof(shown), "--%s", o->name);
	if (word[len] == '=' && !o->value && !o->later) {
		a->status = cli_usage_error(a->command, "option '%s' takes no value", shown);
		return -1;
	}
	return take(a, o, shown, word[len] ? word + len + 1 : NULL);
}

void cli_args_begin(struct cli_args *args, const struct cli_command *command, char **words)
{
	*args = (struct cli_args){
		.command = command, .word = words, .operand = words, .letters = "", .status = CLI_OK};
}

/* Operands move to the front of the vector, where room becomes free as words are consumed. */
int cli_args_next(struct cli_args *args)
{
	for (;;) {
		char *word;
		int r = 0;

		if (*args->letters) {
			r = letter(args);
			if (r)
				return r;
			continue;
		}
		word = *args->word;
		if (!word)
			break;
		if (args->ended || word[0] != '-' || !word[1]) {
			if (!args->command || args->command->stops) {
				/* All that follows, as it stands. */
				while (*args->word)
					args->operand[args->n++] = *args->word++;
				break;
			}
			args->operand[args->n++] = word;
			args->word++;
			continue;
		}
		args->word++;
		if (strcmp(word, "--") == 0)
			args->ended = true;
		else if (word[1] == '-')
			r = long_word(args, word);
		else
			args->letters = word + 1;
		if (r)
			return r;
	}
	args->operand[args->n] = NULL;
	return 0;
}
