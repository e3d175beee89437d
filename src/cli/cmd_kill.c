/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid kill, subpid stop: signals to containers and their processes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/names.h"

#define PID_MAX (1 << 22)
#define STOP_TIMEOUT_MSEC 10000

static int list_signals(void)
{
	for (int sig = 1; sig <= 64; sig++)
		if (cli_signal_name(sig))
			printf("%2d) SIG%-10s%s", sig, cli_signal_name(sig), sig % 5 ? "" : "\n");
	putchar('\n');
	return CLI_OK;
}

/* Names are never all digits, so the first word that is begins the numbers. */
static bool is_number(const char *word)
{
	return *word && strspn(word, "0123456789") == strlen(word);
}

static int kill_containers(subpid *s, char **names, int n, int sig)
{
	int status = CLI_OK;

	for (int i = 0; i < n; i++) {
		int r = subpid_signal(s, names[i], 0, sig);

		if (r < 0) {
			cli_say_why(s, names[i], r);
			status = CLI_FAILED;
		} else if (sig == SIGKILL) {
			/* When kill returns, nothing of it runs. */
			r = subpid_wait(s, names[i], -1, NULL);
		}
	}
	return status;
}

static int kill_processes(subpid *s, const char *name, char **words, int n, int sig)
{
	int status = CLI_OK;

	for (int i = 0; i < n; i++) {
		long long pid;
		int r;

		if (!cli_parse_number(words[i], 1, PID_MAX, &pid)) {
			cli_say("kill: '%s' is no process number", words[i]);
			return CLI_USAGE;
		}
		r = subpid_signal(s, name, (int)pid, sig);
		if (r < 0) {
			cli_say_why(s, name, r);
			status = CLI_FAILED;
		}
	}
	return status;
}

int cli_kill(struct cli_args *args)
{
	int o, sig = 0, status, names = 0;
	bool given = false;
	subpid *s;

	while ((o = cli_args_next(args)) > 0)
		switch (o) {
		case CLI_O_SIGNAL:
			given = true;
			sig = cli_parse_signal(args->value);
			if (!sig && strcmp(args->value, "0") != 0)
				return cli_usage_error(args->command,
						       "unknown signal '%s'; see kill -l",
						       args->value);
			break;
		case CLI_O_LIST:
			return list_signals();
		default:
			break;
		}
	if (o < 0)
		return args->status;
	while (names < args->n && !is_number(args->operand[names]))
		names++;
	if (names == 0)
		return cli_usage_error(args->command,
				       args->n ? "a name comes first, then its processes"
					       : "no name given");
	if (names < args->n && names > 1)
		return cli_usage_error(args->command,
				       "numbers belong to one container; %d names were given", names);
	s = cli_subpid();
	if (!s)
		return CLI_FAILED;
	if (names < args->n)
		status = kill_processes(s, args->operand[0], args->operand + 1, args->n - 1,
					given ? sig : SIGTERM);
	else
		status = kill_containers(s, args->operand, names, given ? sig : SIGKILL);
	subpid_close(s);
	return status;
}

static int stop_one(subpid *s, const char *name, long long msec)
{
	struct subpid_container *c;
	int sig, r = subpid_get(s, name, &c);

	if (r < 0)
		return r;
	sig = c->stop_signal > 0 ? c->stop_signal : SIGTERM;
	if (msec < 0)
		msec = c->stop_timeout_msec;
	if (c->state == SUBPID_EXITED || c->state == SUBPID_LOST) {
		subpid_container_free(c);
		return 0;
	}
	if (c->state == SUBPID_STOPPED)
		r = subpid_signal(s, name, 0, SIGCONT);
	subpid_container_free(c);
	r = subpid_signal(s, name, 1, sig);
	if (r == 0)
		r = subpid_wait(s, name, msec, NULL);
	if (r == -ETIMEDOUT) {
		r = subpid_signal(s, name, 0, SIGKILL);
		if (r == 0)
			r = subpid_wait(s, name, -1, NULL);
	}
	/* Somebody else was quicker. */
	return r == -ECONNREFUSED || r == -ENOENT ? 0 : r;
}

int cli_stop(struct cli_args *args)
{
	int o, status = CLI_OK;
	long long msec = -1;
	subpid *s;

	while ((o = cli_args_next(args)) > 0)
		if (o == CLI_O_TIME && !cli_parse_duration(args->value, &msec))
			return cli_usage_error(args->command, "'%s' is no duration", args->value);
	if (o < 0)
		return args->status;
	if (args->n == 0)
		return cli_usage_error(args->command, "no name given");
	s = cli_subpid();
	if (!s)
		return CLI_FAILED;
	for (int i = 0; i < args->n; i++) {
		int r = stop_one(s, args->operand[i], msec);

		if (r < 0) {
			cli_say_why(s, args->operand[i], r);
			status = CLI_FAILED;
		}
	}
	subpid_close(s);
	return status;
}
