/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What run is asked for, between its options and the supervisor's job.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <sys/stat.h>
#include <sys/types.h>

#include "cli/cli.h"
#include "supervisor/record.h"
#include "supervisor/supervisor.h"

struct cli_plan {
	struct sv_job job;
	char **argv; /* the command, as it was written */
	bool init;   /* a small init of our own is number 1 */
	bool die_with_parent;
	bool detach, forget;
	struct sv_listing listing;
	pid_t parent; /* the caller's parent when it began */
	const char *workdir;
	const char *pidfile;
	char *pidfile_path; /* malloc, or NULL */
	struct stat pidfile_st;
	int status_fd; /* as it was given, -1: not */
	const char **env;
	size_t n_env;
};

#define CLI_PLAN_DONE (-1) /* nothing more to do: help was printed */

/* 0, CLI_PLAN_DONE or the status to end with. */
int cli_plan_parse(struct cli_plan *p, struct cli_args *args);

/* What can be refused before anything is started: 0 or the status. */
int cli_plan_prepare(struct cli_plan *p);

/* At the end, whatever came of it. */
void cli_plan_finish(const struct cli_plan *p, int status);

/* Starts the job in the background and says its name as soon as its program runs. The status. */
int cli_detach(struct cli_plan *p);

/* Runs the job in this process; *ret_why is empty, or says why the status is subpid's own. */
int cli_start(const struct cli_plan *p, char ret_why[300], int *ret_sig);

/* A minimal number 1: argv[1] is the file of the program, argv[2] and so on its arguments. Its status. */
int cli_init(int argc, char **argv);
#define CLI_INIT_NAME "subpid-init"

/* What doctor runs in a namespace. */
int cli_trial(void);
#define CLI_TRIAL_NAME "subpid-trial"

/* This very program, to be executed once more inside; NULL: not to be found. */
const char *cli_own_file(void);

#endif
