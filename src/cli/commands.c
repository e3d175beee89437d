/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of table.h. What an option does is said once, here, in a line or two.
 */
#include <string.h>

#include "cli/cli.h"

#define OPTION(...)                \
	{                          \
		__VA_ARGS__, false \
	}
/* Not in this version. */
#define LATER(...)                \
	{                         \
		__VA_ARGS__, true \
	}
#define END OPTION(0, 0, NULL, NULL, 0, NULL)

const struct cli_option cli_common_options[] = {
	OPTION(CLI_O_HELP, 'h', "help", NULL, 0, "explain the command"),
	END,
};

const struct cli_option cli_global_options[] = {
	OPTION(CLI_O_VERSION, 'V', "version", NULL, 0, "print the version"),
	OPTION(CLI_O_ROOT, 0, "root", "DIR", CLI_W_DIR,
	       "where subpid keeps what it knows of running namespaces (default: $SUBPID_ROOT, "
	       "$XDG_RUNTIME_DIR/subpid or /tmp/subpid-UID)"),
	OPTION(CLI_O_QUIET, 'q', "quiet", NULL, 0, "no warnings and hints"),
	LATER(CLI_O_VERBOSE, 'v', "verbose", NULL, 0, "say more about what is done"),
	OPTION(CLI_O_JSON, 0, "json", NULL, 0, "print JSON instead of a table"),
	OPTION(CLI_O_FORMAT, 0, "format", "FORMAT", CLI_W_ANY, "print this: table or json"),
	END,
};

static const struct cli_option run_options[] = {
	OPTION(CLI_O_NAME, 'n', "name", "NAME", CLI_W_ANY, "give the namespace a name"),
	OPTION(CLI_O_DETACH, 'd', "detach", NULL, 0,
	       "return when COMMAND runs and print the name; its output goes to a log"),
	OPTION(CLI_O_RM, 0, "rm", NULL, 0, "keep no record of its end (always so in the foreground)"),
	OPTION(CLI_O_TTY, 't', "tty", NULL, 0,
	       "accepted and without effect: COMMAND has the caller's terminal anyway"),
	OPTION(CLI_O_INTERACTIVE, 'i', "interactive", NULL, 0,
	       "accepted and without effect: COMMAND has the caller's standard input anyway"),
	OPTION(CLI_O_INIT, 0, "init", NULL, 0,
	       "PID 1 is a small init that reaps orphans and passes signals on; COMMAND is PID 2"),
	OPTION(CLI_O_ENV, 'e', "env", "KEY=VALUE", CLI_W_VARIABLE,
	       "set a variable of COMMAND's environment; may be given more than once"),
	OPTION(CLI_O_WORKDIR, 'w', "workdir", "DIR", CLI_W_DIR, "run COMMAND in this directory"),
	OPTION(CLI_O_PIDS_LIMIT, 0, "pids-limit", "N", CLI_W_ANY,
	       "at most N processes and threads at once; more fail with EAGAIN"),
	OPTION(CLI_O_FIRST_PID, 0, "first-pid", "N", CLI_W_ANY,
	       "what PID 1 starts gets numbers from N on (default 2)"),
	OPTION(CLI_O_PID_MAX, 0, "pid-max", "N", CLI_W_ANY,
	       "all numbers are below N (301 to 4194304, the default)"),
	OPTION(CLI_O_TIMEOUT, 0, "timeout", "DURATION", CLI_W_ANY,
	       "end the namespace after this time, as with stop; the status is 124"),
	OPTION(CLI_O_STOP_SIGNAL, 0, "stop-signal", "SIGNAL", CLI_W_SIGNAL,
	       "what stop and --timeout send to PID 1 (default TERM)"),
	OPTION(CLI_O_STOP_TIMEOUT, 0, "stop-timeout", "DURATION", CLI_W_ANY,
	       "how long they wait until they kill what is left (default 10s)"),
	OPTION(CLI_O_DIE_WITH_PARENT, 0, "die-with-parent", NULL, 0,
	       "end the namespace when the process that started subpid ends"),
	OPTION(CLI_O_PIDFILE, 0, "pidfile", "FILE", CLI_W_FILE,
	       "write PID 1's number outside to FILE, and remove it in the end"),
	OPTION(CLI_O_JSON_STATUS_FD, 0, "json-status-fd", "FD", CLI_W_ANY,
	       "write child-pid and exit-code to this descriptor, a JSON object a line"),
	OPTION(CLI_O_STRICT, 0, "strict", NULL, 0,
	       "refuse to execute what would not work as outside, such as set-user-ID programs, "
	       "instead "
	       "of "
	       "warning"),
	END,
};

static const struct cli_option exec_options[] = {
	OPTION(CLI_O_DETACH, 'd', "detach", NULL, 0, "do not wait for COMMAND"),
	OPTION(CLI_O_TTY, 't', "tty", NULL, 0, "give COMMAND a terminal of its own"),
	OPTION(CLI_O_INTERACTIVE, 'i', "interactive", NULL, 0,
	       "accepted and without effect: COMMAND has the caller's standard input anyway"),
	OPTION(CLI_O_ENV, 'e', "env", "KEY=VALUE", CLI_W_VARIABLE,
	       "set a variable of COMMAND's environment; may be given more than once"),
	OPTION(CLI_O_WORKDIR, 'w', "workdir", "DIR", CLI_W_DIR, "run COMMAND in this directory"),
	END,
};

#define NO_HEADINGS \
	OPTION(CLI_O_NO_HEADINGS, 0, "no-headings", NULL, 0, "print no line of headings")
#define COLUMNS                                                        \
	OPTION(CLI_O_COLUMNS, 'o', "output", "COLUMNS", CLI_W_COLUMNS, \
	       "print these columns, separated by commas")

static const struct cli_option ls_options[] = {
	OPTION(CLI_O_ALL, 'a', "all", NULL, 0, "also those that have ended"),
	OPTION(CLI_O_NAMES_ONLY, 'q', "quiet", NULL, 0, "print names only"),
	NO_HEADINGS,
	COLUMNS,
	END,
};

static const struct cli_option ps_options[] = {
	OPTION(CLI_O_SHOW_CONTAINER, 0, "show-container", "NAME",
	       CLI_W_CONTAINER, "the processes of NAME with the numbers they have inside; HPID is the caller's number"),
	OPTION(CLI_O_ALL, 'a', "all", NULL, 0, "processes of all levels below as well"),
	OPTION(CLI_O_FOREST, 0, "forest", NULL, 0, "show who started whom"),
	NO_HEADINGS,
	COLUMNS,
	END,
};

static const struct cli_option tree_options[] = {
	OPTION(CLI_O_NO_PROCESSES, 'p', "hide-processes", NULL, 0, "show the namespaces only"),
	OPTION(CLI_O_ASCII, 0, "ascii", NULL, 0, "draw with ASCII characters"),
	END,
};

static const struct cli_option kill_options[] = {
	OPTION(CLI_O_SIGNAL, 's', "signal", "SIGNAL", CLI_W_SIGNAL,
	       "send this (default: KILL to a namespace, TERM to a PID)"),
	OPTION(CLI_O_LIST, 'l', "list", NULL, 0, "list the names of signals"),
	END,
};

static const struct cli_option stop_options[] = {
	OPTION(CLI_O_TIME, 't', "time", "SECONDS", CLI_W_ANY,
	       "how long to wait until what is left is killed (default: as run was told, 10)"),
	END,
};

static const struct cli_option logs_options[] = {
	OPTION(CLI_O_FOLLOW, 'f', "follow", NULL, 0, "go on with what is written later"),
	END,
};

static const struct cli_option rm_options[] = {
	OPTION(CLI_O_FORCE, 'f', "force", NULL, 0, "kill those that still run"),
	END,
};

static const struct cli_option top_options[] = {
	OPTION(CLI_O_DELAY, 'd', "delay", "SECONDS", CLI_W_ANY, "time between two looks (default 1)"),
	END,
};

const struct cli_command cli_commands[] = {
	{"run", NULL, "[--] COMMAND [ARG...]", CLI_W_PROGRAM,
	 "run a command as PID 1 of a PID namespace of its own",
	 "COMMAND is PID 1, sees and signals only what it started, and when it ends, or subpid is "
	 "killed, everything it started ends too. The status is COMMAND's own; 128+n if signal n "
	 "ended "
	 "it; 124 after --timeout; 127 if COMMAND was not found, 126 if it cannot be executed; 125 "
	 "if "
	 "subpid itself failed: then nothing was run.",
	 run_options, true, CLI_OWN, cli_run},
	{"exec", NULL, "NAME [--] COMMAND [ARG...]", CLI_W_INSIDE, "run a command in a running namespace",
	 "COMMAND gets the next free number there, and 0 as its parent's.", exec_options, true,
	 CLI_OWN, cli_exec},
	{"ls", "list", "", CLI_W_NONE, "list namespaces", NULL, ls_options, false, CLI_USAGE, cli_ls},
	{"ps", NULL, "[NAME]", CLI_W_CONTAINER, "list processes with their numbers",
	 "PID and PPID are the caller's numbers, CPID is the number inside.", ps_options, false,
	 CLI_USAGE, cli_ps},
	{"top", NULL, "[NAME]", CLI_W_CONTAINER, "watch namespaces and their processes", NULL,
	 top_options, false, CLI_USAGE, NULL},
	{"tree", NULL, "[NAME]", CLI_W_CONTAINER, "show the tree of namespaces", NULL, tree_options,
	 false, CLI_USAGE, cli_tree},
	{"map", NULL, "PID | NAME:PID", CLI_W_CONTAINER, "show one process' number at every level",
	 NULL, NULL, false, CLI_USAGE, cli_map},
	{"kill", NULL, "NAME... | NAME PID...", CLI_W_CONTAINER, "signal a namespace or processes in it",
	 "With names only the whole of each namespace is signalled. With numbers, those of the "
	 "namespace, only these processes are.",
	 kill_options, false, CLI_USAGE, cli_kill},
	{"stop", NULL, "NAME...", CLI_W_CONTAINER, "end namespaces gently",
	 "PID 1 is sent the stop signal; what is left after a while is killed.", stop_options,
	 false, CLI_USAGE, cli_stop},
	{"wait", NULL, "NAME...", CLI_W_RECORD, "wait for the end of namespaces, print their statuses",
	 NULL, NULL, false, CLI_USAGE, cli_wait},
	{"logs", NULL, "NAME", CLI_W_RECORD, "show the output of a detached namespace", NULL,
	 logs_options, false, CLI_USAGE, cli_logs},
	{"rm", NULL, "NAME...", CLI_W_RECORD, "forget namespaces that have ended", NULL, rm_options,
	 false, CLI_USAGE, cli_rm},
	{"inspect", NULL, "NAME", CLI_W_RECORD, "show all that is known about a namespace", NULL,
	 NULL, false, CLI_USAGE, cli_inspect},
	{"rename", NULL, "OLD NEW", CLI_W_RECORD, "give a namespace another name", NULL, NULL,
	 false, CLI_USAGE, cli_rename},
	{"checkpoint", NULL, "NAME", CLI_W_CONTAINER, "save a namespace to a file", NULL, NULL,
	 false, CLI_USAGE, NULL},
	{"restore", NULL, "", CLI_W_NONE, "bring a saved namespace back", NULL, NULL, false,
	 CLI_USAGE, NULL},
	{"migrate", NULL, "NAME [USER@]HOST[:NEWNAME]", CLI_W_CONTAINER,
	 "move a namespace to another machine", NULL, NULL, false, CLI_USAGE, NULL},
	{"doctor", NULL, "", CLI_W_NONE, "say what works here, and how to get what does not",
	 "A line for each thing that subpid needs (no: it does not work without) or profits from "
	 "(less: "
	 "it works, with the consequence that the line tells), and what would fix it. The last "
	 "line is "
	 "a trial; the status is 0 if run works here, otherwise 1.",
	 NULL, false, CLI_USAGE, cli_doctor},
	{"completion", NULL, "bash | zsh | fish", CLI_W_SHELL, "print completions for a shell",
	 "For bash: eval \"$(subpid completion bash)\"; for zsh: the output in a file _subpid of "
	 "$fpath; for "
	 "fish: subpid completion fish | source.",
	 NULL, false, CLI_USAGE, cli_completion},
	{"help", NULL, "[COMMAND]", CLI_W_COMMAND, "explain a command", NULL, NULL, false,
	 CLI_USAGE, cli_help},
	{"version", NULL, "", CLI_W_NONE, "print the version", NULL, NULL, false, CLI_USAGE, cli_version},
	{NULL, NULL, NULL, CLI_W_NONE, NULL, NULL, NULL, false, 0, NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
	for (const struct cli_command *c = cli_commands; c->name; c++)
		if (strcmp(name, c->name) == 0 || (c->alias && strcmp(name, c->alias) == 0))
			return c;
	return NULL;
}
