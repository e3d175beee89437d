/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid doctor: what this place gives and refuses, a line each, and at the end whether run works. That is
 * tried, not concluded: a program of ours is run in a namespace.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run.h"
#include "supervisor/doctor.h"

static const char *const words[] = {[SV_GOOD] = "ok", [SV_LESS] = "less", [SV_BAD] = "no"};

extern char **environ;

static const char fix_trial[] = "the lines above that begin with no";

/* In a child, which sv_run changes for good. What failed goes into the pipe. */
static _Noreturn void run_trial(int report)
{
	static char name[] = CLI_TRIAL_NAME;
	char *argv[] = {name, NULL};
	struct sv_job job = {.path = cli_own_file(), .argv = argv, .envp = environ};
	struct sv_outcome outcome = {0};
	struct sv_fail fail = {.text = ""};
	char text[sizeof(fail.text) + 64] = "";

	job.status_fd = report; /* stays open */
	if (!job.path)
		snprintf(text, sizeof(text), "subpid cannot find its own file");
	else if (sv_run(&job, &outcome, &fail) < 0)
		snprintf(text, sizeof(text), "%s", fail.text);
	else if (outcome.exec_errno)
		snprintf(text, sizeof(text), "a program cannot be executed: %s",
			 strerror(outcome.exec_errno));
	else if (outcome.sig || outcome.code != CLI_OK)
		snprintf(text, sizeof(text), "a program ended with %s %d",
			 outcome.sig ? "signal" : "status", outcome.sig ? outcome.sig : outcome.code);
	if (dprintf(report, "%s\n", text) < 0)
		_exit(CLI_OWN);
	_exit(*text ? CLI_FAILED : CLI_OK);
}

/* The last line of the pipe, which has what is told about number 1 in front. */
static void last_line(int fd, char *ret, size_t size)
{
	size_t n = 0;
	char c;

	ret[0] = '\0';
	while (read(fd, &c, 1) == 1) {
		if (c == '{')
			while (read(fd, &c, 1) == 1 && c != '\n')
				;
		else if (c != '\n' && n + 1 < size)
			ret[n++] = c;
	}
	ret[n] = '\0';
}

static void trial(struct sv_finding *f)
{
	char text[sizeof(f->meaning)] = "";
	int report[2], status = -1;
	pid_t pid;

	*f = (struct sv_finding){.name = "run", .health = SV_BAD, .fix = fix_trial};
	fflush(stdout);
	if (pipe(report) < 0 || (pid = fork()) < 0) {
		snprintf(f->meaning, sizeof(f->meaning), "cannot be tried: %s", strerror(errno));
		return;
	}
	if (pid == 0) {
		close(report[0]);
		run_trial(report[1]);
	}
	close(report[1]);
	last_line(report[0], text, sizeof(text));
	close(report[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK) {
		f->health = SV_GOOD;
		f->fix = NULL;
		snprintf(f->meaning, sizeof(f->meaning), "a program was run as PID 1 of a namespace");
	} else {
		snprintf(f->meaning, sizeof(f->meaning), "does not work: %s",
			 *text ? text : "the trial was killed");
	}
}

int cli_trial(void)
{
	return getpid() == 1 && getppid() == 0 ? CLI_OK : CLI_FAILED;
}

static void print_table(const struct sv_finding *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%-4s  %-14s  %s%s%s\n", words[f[i].health], f[i].name, f[i].meaning,
		       f[i].fix ? "; to fix: " : "", f[i].fix ? f[i].fix : "");
}

static void print_json(const struct sv_finding *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ",\n {" : "[{", stdout);
		fputs("\"name\": ", stdout);
		cli_json_string(stdout, f[i].name);
		fputs(", \"state\": ", stdout);
		cli_json_string(stdout, words[f[i].health]);
		fputs(", \"meaning\": ", stdout);
		cli_json_string(stdout, f[i].meaning);
		fputs(", \"fix\": ", stdout);
		cli_json_string(stdout, f[i].fix);
		putchar('}');
	}
	puts("]");
}

int cli_doctor(struct cli_args *args)
{
	struct sv_finding findings[SV_FINDINGS_MAX + 1];
	size_t n;

	if (cli_args_next(args) < 0)
		return args->status;
	if (args->n)
		return cli_usage_error(args->command, "takes no operand");
	n = sv_doctor(findings);
	trial(&findings[n++]);
	if (cli_global.json)
		print_json(findings, n);
	else
		print_table(findings, n);
	return findings[n - 1].health == SV_GOOD ? CLI_OK : CLI_FAILED;
}
