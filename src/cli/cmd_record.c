/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid wait, logs, rm, rename: the end of a container and what is left of it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/names.h"

#define LOG_POLL_MSEC 50

/* Names for commands that have no options but these; NULL: end with *ret_status. */
static subpid *begin(struct cli_args *args, int *ret_flag, int *ret_status)
{
	subpid *s;
	int o;

	while ((o = cli_args_next(args)) > 0)
		*ret_flag = o;
	*ret_status = args->status;
	if (o < 0)
		return NULL;
	if (args->n == 0) {
		*ret_status = cli_usage_error(args->command, "no name given");
		return NULL;
	}
	s = cli_subpid();
	*ret_status = s ? CLI_OK : CLI_FAILED;
	return s;
}

int cli_wait(struct cli_args *args)
{
	int flag = 0, status;
	subpid *s = begin(args, &flag, &status);

	for (int i = 0; s && i < args->n; i++) {
		int w, r = subpid_wait(s, args->operand[i], -1, &w);

		if (r < 0) {
			cli_say_why(s, args->operand[i], r);
			status = CLI_FAILED;
			continue;
		}
		printf("%d\n", WIFSIGNALED(w) ? CLI_SIGNAL + WTERMSIG(w) : WEXITSTATUS(w));
		fflush(stdout);
	}
	subpid_close(s);
	return status;
}

/* False: standard output takes no more. */
static bool copy_what_is_there(int fd)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			return false;
	return fflush(stdout) == 0;
}

int cli_logs(struct cli_args *args)
{
	int flag = 0, status, fd, r = -ETIMEDOUT;
	subpid *s = begin(args, &flag, &status);

	if (!s)
		return status;
	if (args->n > 1) {
		subpid_close(s);
		return cli_usage_error(args->command, "takes one name");
	}
	fd = subpid_log(s, args->operand[0]);
	if (fd < 0) {
		cli_say_why(s, args->operand[0], fd);
		subpid_close(s);
		return CLI_FAILED;
	}
	/* What was written before the end is there when the end is known. */
	while (flag == CLI_O_FOLLOW && r == -ETIMEDOUT && copy_what_is_there(fd))
		r = subpid_wait(s, args->operand[0], LOG_POLL_MSEC, NULL);
	copy_what_is_there(fd);
	close(fd);
	subpid_close(s);
	return CLI_OK;
}

static int remove_one(subpid *s, const char *name, bool force)
{
	int r = subpid_remove(s, name);

	if (r != -EBUSY || !force)
		return r;
	r = subpid_signal(s, name, 0, SIGKILL);
	if (r == 0 || r == -ECONNREFUSED)
		r = subpid_wait(s, name, -1, NULL);
	if (r == 0)
		r = subpid_remove(s, name);
	/* A record that was not to be kept has gone by itself. */
	return r == -ENOENT ? 0 : r;
}

int cli_rm(struct cli_args *args)
{
	int flag = 0, status;
	subpid *s = begin(args, &flag, &status);

	for (int i = 0; s && i < args->n; i++) {
		int r = remove_one(s, args->operand[i], flag == CLI_O_FORCE);

		if (r < 0) {
			cli_say_why(s, args->operand[i], r);
			status = CLI_FAILED;
		}
	}
	subpid_close(s);
	return status;
}

int cli_rename(struct cli_args *args)
{
	int flag = 0, status, r;
	subpid *s = begin(args, &flag, &status);

	if (!s)
		return status;
	if (args->n != 2) {
		subpid_close(s);
		return cli_usage_error(args->command, "takes two names");
	}
	r = subpid_rename(s, args->operand[0], args->operand[1]);
	if (r < 0)
		cli_say_why(s, args->operand[0], r);
	subpid_close(s);
	return r < 0 ? CLI_FAILED : CLI_OK;
}
