/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of run: from words to a struct cli_plan, and what of it has to be there before anything is
 * started (a directory, a file, a descriptor).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/names.h"
#include "cli/run.h"
#include "core/layout.h"

#define STOP_PATIENCE_MSEC 10000
#define TASKS_MAX SP_CAPACITY

static int bad(const struct cli_args *a, const char *option, const char *wanted)
{
	return cli_usage_error(a->command, "%s: '%s' is not %s", option, a->value, wanted);
}

static int take_number(const struct cli_args *a, const char *option, long long min, long long max,
		       long long *ret)
{
	char wanted[80];

	if (cli_parse_number(a->value, min, max, ret))
		return 0;
	snprintf(wanted, sizeof(wanted), "a number from %lld to %lld", min, max);
	return bad(a, option, wanted);
}

static int take_variable(struct cli_plan *p, const struct cli_args *a)
{
	const char **more;

	if (!*a->value || *a->value == '=')
		return bad(a, "--env", "KEY=VALUE");
	more = reallocarray(p->env, p->n_env + 1, sizeof(*p->env));
	if (!more)
		return cli_usage_error(a->command, "no memory");
	p->env = more;
	p->env[p->n_env++] = a->value;
	return 0;
}

static int take(struct cli_plan *p, const struct cli_args *a, int option)
{
	struct sv_job *job = &p->job;
	long long n = 0;
	int r = 0;

	switch (option) {
	case CLI_O_TTY: /* the program has the caller's terminal anyway */
	case CLI_O_INTERACTIVE:
		return 0;
	case CLI_O_RM:
		p->forget = true;
		return 0;
	case CLI_O_NAME:
		p->listing.name = a->value;
		return 0;
	case CLI_O_DETACH:
		p->detach = true;
		return 0;
	case CLI_O_INIT:
		p->init = true;
		return 0;
	case CLI_O_ENV:
		return take_variable(p, a);
	case CLI_O_WORKDIR:
		p->workdir = a->value;
		return 0;
	case CLI_O_PIDS_LIMIT:
		r = take_number(a, "--pids-limit", 1, TASKS_MAX, &n);
		job->pids_limit = (uint32_t)n;
		return r;
	case CLI_O_FIRST_PID:
		r = take_number(a, "--first-pid", 1, SP_PID_MAX_DEFAULT - 1, &n);
		job->first_pid = (int32_t)n;
		return r;
	case CLI_O_PID_MAX:
		r = take_number(a, "--pid-max", SP_PID_MAX_MIN, SP_PID_MAX_DEFAULT, &n);
		job->pid_max = (int32_t)n;
		return r;
	case CLI_O_TIMEOUT:
		if (!cli_parse_duration(a->value, &job->timeout_msec))
			return bad(a, "--timeout", "a duration such as 1.5, 90s, 10m or 1h30m");
		return 0;
	case CLI_O_STOP_TIMEOUT:
		if (!cli_parse_duration(a->value, &job->stop_patience_msec))
			return bad(a, "--stop-timeout", "a duration such as 0, 1.5, 90s or 10m");
		return 0;
	case CLI_O_STOP_SIGNAL:
		job->stop_signal = cli_parse_signal(a->value);
		return job->stop_signal ? 0 : bad(a, "--stop-signal", "a signal; see kill -l");
	case CLI_O_DIE_WITH_PARENT:
		p->die_with_parent = true;
		return 0;
	case CLI_O_PIDFILE:
		p->pidfile = a->value;
		return 0;
	case CLI_O_JSON_STATUS_FD:
		r = take_number(a, "--json-status-fd", 0, INT_MAX, &n);
		p->status_fd = (int)n;
		return r;
	case CLI_O_STRICT:
		job->strict = true;
		return 0;
	}
	return cli_usage_error(a->command, "option %d is not understood", option);
}

int cli_plan_parse(struct cli_plan *p, struct cli_args *a)
{
	int o, r = 0, half;

	*p = (struct cli_plan){.status_fd = -1, .parent = getppid()};
	p->job.stop_signal = SIGTERM;
	p->job.stop_patience_msec = STOP_PATIENCE_MSEC;
	while (!r && (o = cli_args_next(a)) > 0)
		r = take(p, a, o);
	if (r || o < 0)
		return r ? r : a->status ? a->status : CLI_PLAN_DONE;
	if (a->n == 0)
		return cli_usage_error(a->command,
				       "no command given; usage: subpid run [--] COMMAND [ARG...]");
	p->argv = a->operand;
	half = (p->job.pid_max ? p->job.pid_max : SP_PID_MAX_DEFAULT) / 2;
	half = half > SP_PID_MAX_MIN ? half : SP_PID_MAX_MIN;
	if (p->job.first_pid >= half)
		return cli_usage_error(
			a->command,
			"--first-pid: must be below %d: the upper half of the numbers is "
			"for what is seen of namespaces below",
			half);
	if (p->detach && p->die_with_parent)
		return cli_usage_error(a->command,
				       "--detach and --die-with-parent exclude each other");
	p->listing.root = cli_global.root;
	p->listing.command = p->argv;
	p->listing.required = p->detach || p->listing.name;
	p->listing.detached = p->job.new_session = p->detach;
	/* Of a foreground run nothing is kept: its caller knows how it ended. */
	p->listing.keep = p->detach && !p->forget;
	p->job.listing = &p->listing;
	if (p->listing.required)
		cli_warn_root();
	return 0;
}

static int failed(const char *what)
{
	cli_say("%s: %s", what, strerror(errno));
	return CLI_OWN;
}

/* The file's name is kept without the working directory that --workdir changes. */
static int open_pidfile(struct cli_plan *p)
{
	char cwd[PATH_MAX];

	p->job.pidfile_fd =
		open(p->pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	if (p->job.pidfile_fd < 0)
		return failed(p->pidfile);
	fstat(p->job.pidfile_fd, &p->pidfile_st);
	if (p->pidfile[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return 0;
	if (asprintf(&p->pidfile_path, "%s/%s", cwd, p->pidfile) < 0)
		return failed(p->pidfile);
	p->pidfile = p->pidfile_path;
	return 0;
}

int cli_plan_prepare(struct cli_plan *p)
{
	int r;

	if (p->die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
			return failed("--die-with-parent");
		/* It may have ended before that took effect. */
		if (getppid() != p->parent) {
			cli_say("--die-with-parent: the parent has ended already");
			return CLI_OWN;
		}
	}
	if (p->status_fd >= 0) {
		char what[64];

		/* A number that is nobody's, and that the program does not inherit. */
		p->job.status_fd = fcntl(p->status_fd, F_DUPFD_CLOEXEC, 3);
		snprintf(what, sizeof(what), "--json-status-fd: descriptor %d", p->status_fd);
		if (p->job.status_fd < 0)
			return failed(what);
		if (p->status_fd > 2)
			fcntl(p->status_fd, F_SETFD, FD_CLOEXEC);
	}
	r = p->pidfile ? open_pidfile(p) : 0;
	if (r)
		return r;
	if (p->workdir && chdir(p->workdir) < 0)
		return failed(p->workdir);
	for (size_t i = 0; i < p->n_env; i++) {
		char *eq = strchr(p->env[i], '=');
		char *key = strndup(p->env[i], eq ? (size_t)(eq - p->env[i]) : strlen(p->env[i]));

		/* Without a value it is the caller's, which is inherited anyway. */
		if (!key || (eq && setenv(key, eq + 1, 1) < 0))
			return failed("--env");
		free(key);
	}
	return 0;
}

void cli_plan_finish(const struct cli_plan *p, int status)
{
	if (p->job.status_fd > 0)
		dprintf(p->job.status_fd, "{\"exit-code\": %d}\n", status);
	if (p->job.pidfile_fd > 0) {
		const struct stat *ours = &p->pidfile_st;
		struct stat st;

		/* Neither a fifo, nor what somebody else has put in its place. */
		if (stat(p->pidfile, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_ino == ours->st_ino && st.st_dev == ours->st_dev)
			unlink(p->pidfile);
	}
}
