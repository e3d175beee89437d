/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: a table of commands, one cmd_<name>.c each. This layer is the only one that
 * speaks to the user: data on stdout, one line `subpid: ...` on stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/table.h"

/* Exit statuses of subpid's own, as env(1), timeout(1) and docker have them. */
enum cli_status {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,	     /* of commands that run nothing */
	CLI_TIMED_OUT = 124, /* run --timeout */
	CLI_OWN = 125,	     /* run, exec: subpid itself failed */
	CLI_NOT_RUNNABLE = 126,
	CLI_NOT_FOUND = 127,
	CLI_SIGNAL = 128,
};

#ifndef SUBPID_VERSION
#define SUBPID_VERSION "unknown" /* meson.build says it */
#endif

int cli_completion(struct cli_args *args);
int cli_doctor(struct cli_args *args);
int cli_run(struct cli_args *args);
int cli_exec(struct cli_args *args);
int cli_ls(struct cli_args *args);
int cli_ps(struct cli_args *args);
int cli_tree(struct cli_args *args);
int cli_map(struct cli_args *args);
int cli_kill(struct cli_args *args);
int cli_stop(struct cli_args *args);
int cli_wait(struct cli_args *args);
int cli_logs(struct cli_args *args);
int cli_rm(struct cli_args *args);
int cli_inspect(struct cli_args *args);
int cli_rename(struct cli_args *args);
int cli_help(struct cli_args *args);
int cli_version(struct cli_args *args);

void cli_print_usage(void);
void cli_print_command(const struct cli_command *command);
void cli_print_version(void);

/* One line on stderr: "subpid: " and the text. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says that words[0] is no command, and what may have been meant; returns the status. */
int cli_unknown_command(const struct cli_command *asked_by, char **words);

/* The most similar of n words, if one is similar enough to be meant; otherwise NULL. */
const char *cli_similar(const char *word, const char *const *words, size_t n);

/*
 * Finds the file that execvp(3) would execute. 0 and *ret_path (malloc), or a positive errno and, in
 * *ret_why, what to tell the user.
 */
int cli_find_program(const char *name, char **ret_path, const char **ret_why);

/* In double quotes, escaped; null for NULL. */
void cli_json_string(FILE *out, const char *text);

/* What is to be executed for a command. */
struct cli_program {
	char *file; /* that was found */
	char *path; /* that is executed: the file, or a shell for it */
	char **argv;
};

/* 0, or the status after having said why not. */
int cli_program(char **argv, struct cli_program *ret);

/* argv with n words in place of argv[0]; NULL: no memory. */
char **cli_words(char *const *words, size_t n_words, char **argv);

/* Values of options. A signal's number or 0; the name of one, without SIG, or NULL. */
bool cli_parse_duration(const char *text, long long *ret_msec);
bool cli_parse_number(const char *text, long long min, long long max, long long *ret);
int cli_parse_signal(const char *text);
const char *cli_signal_name(int sig);

#endif
