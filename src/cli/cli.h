/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: a table of commands, one cmd_<name>.c each. This layer is the only one that
 * speaks to the user: data on stdout, one line `subpid: ...` on stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of subpid's own, as env(1), timeout(1) and docker have them. */
enum cli_status {
	CLI_OK = 0,
	CLI_USAGE = 2, /* of commands that run nothing */
	CLI_OWN = 125, /* run, exec: subpid itself failed */
	CLI_NOT_RUNNABLE = 126,
	CLI_NOT_FOUND = 127,
	CLI_SIGNAL = 128,
};

struct cli_command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the name; NULL: not in this version */
	int failure;			   /* status of a usage error */
};

extern const struct cli_command cli_commands[]; /* ends with a NULL name */

int cli_run(int argc, char **argv);
int cli_help(int argc, char **argv);

void cli_print_usage(void);
void cli_print_run_usage(void);

/* One line on stderr: "subpid: " and the text. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The most similar of n words, if one is similar enough to be meant; otherwise NULL. */
const char *cli_similar(const char *word, const char *const *words, size_t n);

/*
 * Finds the file that execvp(3) would execute. 0 and *ret_path (malloc), or a positive errno and, in
 * *ret_why, what to tell the user.
 */
int cli_find_program(const char *name, char **ret_path, const char **ret_why);

#endif
