/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid run [--] COMMAND [ARG...]: what the options ask for, the search for the program, and the
 * translation of what came of it into an exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/run.h"

extern char **environ;

int cli_start(const struct cli_plan *p, char ret_why[300], int *ret_sig)
{
	struct sv_outcome outcome = {0};
	struct sv_fail fail = {.text = ""};

	ret_why[0] = '\0';
	*ret_sig = 0;
	if (sv_run(&p->job, &outcome, &fail) < 0) {
		snprintf(ret_why, 300, "%s%s", fail.text, fail.wish ? "" : "; see subpid doctor");
		return CLI_OWN;
	}
	if (outcome.exec_errno) {
		snprintf(ret_why, 300, "%.100s: %s", p->argv[0], strerror(outcome.exec_errno));
		return outcome.exec_errno == ENOENT ? CLI_NOT_FOUND : CLI_NOT_RUNNABLE;
	}
	if (outcome.timed_out)
		return CLI_TIMED_OUT;
	*ret_sig = outcome.sig;
	return outcome.sig ? CLI_SIGNAL + outcome.sig : outcome.code;
}

static int start(const struct cli_plan *p)
{
	char why[300];
	int sig, status = cli_start(p, why, &sig);

	if (why[0])
		cli_say("%s", why);
	cli_plan_finish(p, status);
	if (sig)
		sv_die_of(sig);
	return status;
}

const char *cli_own_file(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n > 0) {
		path[n] = '\0';
		return path;
	}
	/* Without /proc: as it was named. AT_EXECFN is an address. */
	return realpath((const char *)getauxval(AT_EXECFN), path); /* NOLINT */
}

/* What is to be executed. */
static int fill_job(struct cli_plan *p, const struct cli_program *program)
{
	static char init[] = CLI_INIT_NAME;

	p->job.path = program->path;
	p->job.argv = program->argv;
	p->job.envp = environ;
	if (p->init) {
		/* A file, then all of argv. */
		p->job.argv = cli_words((char *[]){init, program->path, program->argv[0]}, 3,
					program->argv);
		p->job.path = cli_own_file();
	}
	if (p->job.argv && p->job.path)
		return 0;
	cli_say("%s", p->job.argv ? "--init: subpid cannot find its own file" : "no memory");
	return CLI_OWN;
}

static bool strict_refuses(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	return ((st.st_mode & S_ISUID) && st.st_uid != geteuid()) ||
	       ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getegid()) ||
	       (geteuid() && getxattr(path, "security.capability", NULL, 0) > 0);
}

static int find(struct cli_plan *p)
{
	struct cli_program program;
	int status = cli_program(p->argv, &program);

	if (status)
		return status;
	if (p->job.strict && strict_refuses(program.file)) {
		cli_say("%s: would run without the privileges of its file, which --strict refuses",
			p->argv[0]);
		return CLI_NOT_RUNNABLE;
	}
	return fill_job(p, &program);
}

int cli_run(struct cli_args *args)
{
	struct cli_plan plan;
	int r = cli_plan_parse(&plan, args);

	if (r)
		return r == CLI_PLAN_DONE ? CLI_OK : r;
	r = cli_plan_prepare(&plan);
	if (r == 0)
		r = find(&plan);
	if (r == 0)
		return plan.detach ? cli_detach(&plan) : start(&plan);
	cli_plan_finish(&plan, r);
	return r;
}
