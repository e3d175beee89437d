/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line consists of: commands, their options and operands, with the words that explain
 * them. One table for the parser, for help, for the shells' completions and for the test that
 * compares the manual pages with it.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct cli_args;

/* What a word stands for, so that a shell can complete it. */
enum cli_word {
	CLI_W_NONE,	 /* there is none */
	CLI_W_ANY,	 /* free text, a number, a duration */
	CLI_W_CONTAINER, /* name of a running namespace */
	CLI_W_RECORD,	 /* name of a namespace that runs or has ended */
	CLI_W_FILE,
	CLI_W_DIR,
	CLI_W_VARIABLE, /* of the environment */
	CLI_W_SIGNAL,
	CLI_W_COLUMNS,
	CLI_W_PROGRAM, /* a program and its arguments */
	CLI_W_INSIDE,  /* a namespace, then a program and its arguments */
	CLI_W_COMMAND, /* a command of subpid's */
	CLI_W_SHELL,
};

/* One number for options of one meaning, whichever command has them. */
enum cli_opt {
	CLI_O_HELP = 1,
	CLI_O_VERSION,
	/* before or behind any command */
	CLI_O_ROOT,
	CLI_O_QUIET,
	CLI_O_VERBOSE,
	CLI_O_JSON,
	CLI_O_FORMAT,
	/* run, exec */
	CLI_O_NAME,
	CLI_O_DETACH,
	CLI_O_RM,
	CLI_O_TTY,
	CLI_O_INTERACTIVE,
	CLI_O_INIT,
	CLI_O_ENV,
	CLI_O_WORKDIR,
	CLI_O_PIDS_LIMIT,
	CLI_O_FIRST_PID,
	CLI_O_PID_MAX,
	CLI_O_TIMEOUT,
	CLI_O_STOP_SIGNAL,
	CLI_O_STOP_TIMEOUT,
	CLI_O_DIE_WITH_PARENT,
	CLI_O_PIDFILE,
	CLI_O_JSON_STATUS_FD,
	CLI_O_STRICT,
	/* the others */
	CLI_O_ALL,
	CLI_O_NAMES_ONLY,
	CLI_O_NO_HEADINGS,
	CLI_O_COLUMNS,
	CLI_O_SHOW_CONTAINER,
	CLI_O_FOREST,
	CLI_O_NO_PROCESSES,
	CLI_O_ASCII,
	CLI_O_SIGNAL,
	CLI_O_LIST,
	CLI_O_TIME,
	CLI_O_FOLLOW,
	CLI_O_FORCE,
	CLI_O_DELAY,
};

struct cli_option {
	enum cli_opt id;    /* 0: the end of a table */
	char letter;	    /* 0: none */
	const char *name;   /* without the dashes */
	const char *value;  /* what help calls its value; NULL: it takes none */
	enum cli_word kind; /* of the value */
	const char *help;
	bool later; /* not in this version */
};

struct cli_command {
	const char *name; /* NULL: the end of the table */
	const char *alias;
	const char *operands; /* as in a usage line */
	enum cli_word kind;   /* of the operands */
	const char *summary;  /* "subpid NAME will ..." */
	const char *about;    /* a few sentences more, or NULL */
	const struct cli_option *options;
	bool stops;  /* the first operand ends the options: what follows is somebody else's */
	int failure; /* status of a usage error */
	int (*run)(struct cli_args *args); /* NULL: not in this version */
};

extern const struct cli_command cli_commands[];
extern const struct cli_option cli_global_options[];
extern const struct cli_option cli_common_options[]; /* every command has these: --help */

const struct cli_command *cli_command_find(const char *name);

/* What options in front of the command, or among its own, have said for all of subpid. */
struct cli_global {
	const char *root; /* NULL: not given */
	bool quiet, verbose, json;
};
extern struct cli_global cli_global;

/*
 * Going through a command's words:
 *
 *	while ((o = cli_args_next(args)) > 0)
 *		switch (o) { case CLI_O_NAME: name = args->value; ... }
 *	if (o < 0)
 *		return args->status;
 *	... args->operand[0 .. args->n - 1]
 *
 * Options of all commands (--help, --json) are dealt with on the way. Where the command does not say
 * `stops`, options may follow operands.
 */
struct cli_args {
	const struct cli_command *command;
	const char *value; /* of the option that was returned last */
	int status;	   /* what to end with when cli_args_next said -1 */
	char **operand;	   /* when it said 0; NULL at the end */
	int n;
	/* private */
	char **word;
	const char *letters;
	bool ended;
};
void cli_args_begin(struct cli_args *args, const struct cli_command *command, char **words);
int cli_args_next(struct cli_args *args); /* enum cli_opt; 0: no more; -1: end with args->status */

/* A usage error: says it, with the command's name in front; the command's status for that. */
int cli_usage_error(const struct cli_command *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The option of this name (n letters, without dashes) that the command understands, or NULL. */
const struct cli_option *cli_option_find(const struct cli_command *command, const char *name, size_t n);

#endif
