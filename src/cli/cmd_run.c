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

/* What a file is, as far as run wants to know before it starts it. */
enum kind { KIND_LOADABLE, KIND_TEXT, KIND_32BIT, KIND_FOREIGN, KIND_UNREADABLE };

static enum kind kind_of(const char *path)
{
	unsigned char head[20] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return errno == EACCES ? KIND_UNREADABLE : KIND_LOADABLE;
	n = read(fd, head, sizeof(head));
	close(fd);
	if (n >= 2 && head[0] == '#' && head[1] == '!')
		return KIND_LOADABLE;
	if (n < (ssize_t)sizeof(head) || memcmp(head, "\177ELF", 4) != 0)
		return n < 4 || memcmp(head, "\177ELF", 4) != 0 ? KIND_TEXT : KIND_FOREIGN;
	if (head[4] == 1)
		return KIND_32BIT;
	return head[18] == 62 && head[19] == 0 ? KIND_LOADABLE : KIND_FOREIGN; /* EM_X86_64 */
}

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

/* argv with words in front of it that take the place of argv[0]. */
static char **with_words(char *const *words, size_t n_words, char **argv)
{
	size_t n = 0;
	char **args;

	while (argv[n])
		n++;
	args = calloc(n + n_words + 1, sizeof(*args));
	if (!args)
		return NULL;
	memcpy(args, words, n_words * sizeof(*args));
	memcpy(args + n_words, argv + 1, n * sizeof(*args));
	return args;
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

/* What is to be executed, from the program's file. */
static int fill_job(struct cli_plan *p, char *path, bool text)
{
	static char sh[] = "/bin/sh", init[] = CLI_INIT_NAME;
	char **argv = p->argv;

	/* The kernel refuses a text without #!; execvp(3) and every shell give it to /bin/sh. */
	if (text)
		argv = with_words((char *[]){sh, path}, 2, argv);
	p->job.path = text ? sh : path;
	if (p->init && argv) {
		/* A file, then all of argv. */
		argv = with_words((char *[]){init, text ? sh : path, argv[0]}, 3, argv);
		p->job.path = cli_own_file();
	}
	if (!argv || !p->job.path) {
		cli_say("%s", argv ? "--init: subpid cannot find its own file" : "no memory");
		return CLI_OWN;
	}
	p->job.argv = argv;
	p->job.envp = environ;
	return 0;
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

/* Finds the program and says why it cannot be executed, as far as that can be told before. */
static int find(struct cli_plan *p)
{
	const char *name = p->argv[0], *why;
	char *path;
	int err = cli_find_program(name, &path, &why);

	if (err) {
		cli_say("%s: %s", name, why);
		return err == ENOENT ? CLI_NOT_FOUND : CLI_NOT_RUNNABLE;
	}
	if (p->job.strict && strict_refuses(path)) {
		cli_say("%s: would run without the privileges of its file, which --strict refuses",
			name);
		return CLI_NOT_RUNNABLE;
	}
	switch (kind_of(path)) {
	case KIND_TEXT:
		return fill_job(p, path, true);
	case KIND_32BIT:
		cli_say("%s: 32-bit programs are not supported", name);
		return CLI_NOT_RUNNABLE;
	case KIND_FOREIGN:
		cli_say("%s: not a program for this machine: %s", name, strerror(ENOEXEC));
		return CLI_NOT_RUNNABLE;
	case KIND_UNREADABLE:
		cli_say("%s: %s: subpid has to read a program in order to execute it; chmod +r "
			"would "
			"help",
			name, strerror(EACCES));
		return CLI_NOT_RUNNABLE;
	case KIND_LOADABLE:
		break;
	}
	return fill_job(p, path, false);
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
