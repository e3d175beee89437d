/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid ps, subpid map: processes, with their numbers here and inside.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/out.h"

/* A process in a list; depth is for --forest. */
struct row {
	const struct subpid_process *p;
	const char *container;
	int depth;
	bool inside; /* pid and ppid are the container's */
};
#define ROW(r) ((const struct row *)(r))

static void put_pid(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->inside ? ROW(r)->p->pid : ROW(r)->p->host_pid);
}
static void put_ppid(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->inside ? ROW(r)->p->ppid : ROW(r)->p->host_ppid);
}
static void put_hpid(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->p->host_pid);
}
static void put_cpid(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->p->pid);
}
static void put_pgid(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->p->pgid);
}
static void put_sid(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->p->sid);
}
static void put_nspid(struct cli_out *o, const void *r)
{
	const int v[] = {ROW(r)->p->host_pid, ROW(r)->p->pid};

	cli_put_ints(o, v, 2);
}
static void put_container(struct cli_out *o, const void *r)
{
	cli_put_text(o, ROW(r)->container);
}
static void put_state(struct cli_out *o, const void *r)
{
	const char text[] = {ROW(r)->p->state, '\0'};

	cli_put_text(o, text);
}
static void put_threads(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->p->threads);
}
static void put_rss(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->p->rss_kib);
}
static void put_time(struct cli_out *o, const void *r)
{
	long long s = ROW(r)->p->cpu_msec / 1000;
	char text[32];

	snprintf(text, sizeof(text), "%02lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	cli_put_text(o, text);
}
static void put_cpu(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->p->cpu_msec);
}
static void put_comm(struct cli_out *o, const void *r)
{
	cli_put_text(o, ROW(r)->p->comm);
}
static void put_args(struct cli_out *o, const void *r)
{
	cli_put_words(o, ROW(r)->p->args, NULL);
}
static void put_command(struct cli_out *o, const void *r)
{
	const struct row *row = ROW(r);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	for (int i = 0; i < row->depth; i++)
		fputs(i + 1 < row->depth ? "    " : " \\_ ", f);
	for (size_t i = 0; row->p->args[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", row->p->args[i]);
	if (!row->p->args[0])
		fprintf(f, "[%s]%s", row->p->comm, row->p->state == 'Z' ? " <defunct>" : "");
	if (fclose(f) == 0)
		cli_put_text(o, text);
	free(text);
}

#define COMMON                                                                                    \
	{"PGID", "pgid", false, true, put_pgid}, {"SID", "sid", false, true, put_sid},            \
		{"NSPID", "nspid", false, false, put_nspid},                                      \
		{"STAT", "state", true, false, put_state},                                        \
		{"NLWP", "threads", false, true, put_threads},                                    \
		{"RSS", "rss_kib", false, true, put_rss}, {"TIME", NULL, true, false, put_time},  \
		{NULL, "cpu_msec", false, true, put_cpu},                                         \
		{"COMM", "comm", false, false, put_comm}, {NULL, "args", false, false, put_args}, \
	{                                                                                         \
		"COMMAND", NULL, true, false, put_command                                         \
	}

static const struct cli_field outside_fields[] = {
	{"PID", "pid", true, true, put_pid},
	{"PPID", "ppid", true, true, put_ppid},
	{"CONTAINER", "container", true, false, put_container},
	{"CPID", "cpid", true, true, put_cpid},
	COMMON,
	{NULL, NULL, false, false, NULL},
};

static const struct cli_field inside_fields[] = {
	{"PID", "pid", true, true, put_pid},
	{"PPID", "ppid", true, true, put_ppid},
	{"HPID", "hpid", true, true, put_hpid},
	{"CONTAINER", "container", false, false, put_container},
	COMMON,
	{NULL, NULL, false, false, NULL},
};

/* Each process below its parent. */
static void print_below(struct cli_out *out, struct subpid_process **list, const char *name,
			int parent, int depth, bool inside)
{
	for (struct subpid_process **p = list; *p; p++) {
		const struct row row = {*p, name, depth, inside};

		if ((*p)->ppid != parent || (*p)->pid == parent || depth > 200)
			continue;
		cli_out_row(out, &row);
		print_below(out, list, name, (*p)->pid, depth + 1, inside);
	}
}

static int print_container(subpid *s, struct cli_out *out, const char *name, bool inside,
			   bool forest, bool required)
{
	struct subpid_process **list;
	int r = subpid_processes(s, name, &list);

	if (r < 0) {
		/* Of those that were not asked for by name, one may end at any moment. */
		if (required)
			cli_say_why(s, name, r);
		return required ? CLI_FAILED : CLI_OK;
	}
	if (forest)
		print_below(out, list, name, 0, 0, inside);
	for (struct subpid_process **p = list; *p && !forest; p++) {
		const struct row row = {*p, name, 0, inside};

		cli_out_row(out, &row);
	}
	subpid_processes_free(list);
	return CLI_OK;
}

static int print_all(subpid *s, struct cli_out *out, bool forest)
{
	struct subpid_container **list;

	if (subpid_list(s, &list) < 0) {
		cli_say("%s", subpid_why(s));
		return CLI_FAILED;
	}
	for (struct subpid_container **c = list; *c; c++)
		if ((*c)->init_pid)
			print_container(s, out, (*c)->name, false, forest, false);
	subpid_list_free(list);
	return CLI_OK;
}

int cli_ps(struct cli_args *args)
{
	struct cli_out_options options = {NULL, false};
	const char *inside = NULL;
	bool forest = false;
	struct cli_out *out;
	int o, status;
	subpid *s;

	while ((o = cli_args_next(args)) > 0)
		switch (o) {
		case CLI_O_SHOW_CONTAINER:
			inside = args->value;
			break;
		case CLI_O_FOREST:
			forest = true;
			break;
		case CLI_O_NO_HEADINGS:
			options.no_headings = true;
			break;
		case CLI_O_COLUMNS:
			options.columns = args->value;
			break;
		default:
			break;
		}
	if (o < 0)
		return args->status;
	if (args->n > 1 || (inside && args->n))
		return cli_usage_error(args->command, "takes one name");
	s = cli_subpid();
	if (!s)
		return CLI_FAILED;
	out = cli_out_begin(inside ? inside_fields : outside_fields, &options);
	if (!out) {
		subpid_close(s);
		return CLI_USAGE;
	}
	if (inside || args->n)
		status = print_container(s, out, inside ? inside : args->operand[0], inside, forest,
					 true);
	else
		status = print_all(s, out, forest);
	if (status == CLI_OK || cli_global.json)
		cli_out_end(out);
	subpid_close(s);
	return status;
}

/* ---- map ---- */

struct level {
	int level;
	const char *container;
	int pid;
};
#define LEVEL(r) ((const struct level *)(r))

static void put_level(struct cli_out *o, const void *r)
{
	cli_put_int(o, LEVEL(r)->level);
}
static void put_level_container(struct cli_out *o, const void *r)
{
	cli_put_text(o, LEVEL(r)->container);
}
static void put_level_pid(struct cli_out *o, const void *r)
{
	cli_put_int(o, LEVEL(r)->pid);
}

static const struct cli_field level_fields[] = {
	{"LEVEL", "level", true, true, put_level},
	{"CONTAINER", "container", true, false, put_level_container},
	{"PID", "pid", true, true, put_level_pid},
	{NULL, NULL, false, false, NULL},
};

#define LEVELS 64 /* deeper ones are left out in the middle */

/* From the container inwards to us: container may be NULL. */
static int print_levels(subpid *s, const char *container, int host, int inside)
{
	const struct cli_out_options options = {NULL, false};
	struct subpid_container *c[LEVELS] = {NULL};
	struct level levels[LEVELS];
	struct cli_out *out;
	int n = 0;

	while (container && n < LEVELS - 1 && subpid_get(s, container, &c[n]) == 0) {
		levels[n] = (struct level){c[n]->depth, c[n]->name, inside};
		container = c[n]->parent;
		inside = container ? subpid_from_host(s, container, host) : 0;
		n++;
		if (inside <= 0)
			break;
	}
	/* Inside, the outermost that is seen is the caller's own. */
	levels[n] = (struct level){n ? levels[n - 1].level - 1 : 0, NULL, host};
	out = cli_out_begin(level_fields, &options);
	for (int i = n; out && i >= 0; i--)
		cli_out_row(out, &levels[i]);
	if (out)
		cli_out_end(out);
	for (int i = 0; i < n; i++)
		subpid_container_free(c[i]);
	return CLI_OK;
}

/* A number of ours: the innermost container that has it. */
static int map_host(subpid *s, int pid)
{
	struct subpid_container **list, *found = NULL;
	int number = 0, status;
	char path[32];

	if (subpid_list(s, &list) < 0) {
		cli_say("%s", subpid_why(s));
		return CLI_FAILED;
	}
	for (struct subpid_container **c = list; *c; c++) {
		int inside = (*c)->init_pid ? subpid_from_host(s, (*c)->name, pid) : -ESRCH;

		if (inside > 0 && (!found || (*c)->depth > found->depth)) {
			found = *c;
			number = inside;
		}
	}
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (found || access(path, F_OK) == 0) {
		status = print_levels(s, found ? found->name : NULL, pid, number);
	} else {
		cli_say("no process %d", pid);
		status = CLI_FAILED;
	}
	subpid_list_free(list);
	return status;
}

static int map_inside(subpid *s, char *word, char *colon)
{
	long long pid;
	int host;

	*colon = '\0';
	if (!cli_parse_number(colon + 1, 1, 1 << 22, &pid)) {
		cli_say("map: '%s' is not a number", colon + 1);
		return CLI_USAGE;
	}
	host = subpid_to_host(s, word, (int)pid);
	if (host > 0)
		return print_levels(s, word, host, (int)pid);
	cli_say_why(s, word, host);
	return CLI_FAILED;
}

int cli_map(struct cli_args *args)
{
	long long pid;
	char *colon;
	int o, status;
	subpid *s;

	while ((o = cli_args_next(args)) > 0)
		;
	if (o < 0)
		return args->status;
	if (args->n != 1)
		return cli_usage_error(args->command, "give one PID or NAME:PID");
	colon = strrchr(args->operand[0], ':');
	if (!colon && !cli_parse_number(args->operand[0], 1, 1 << 22, &pid))
		return cli_usage_error(args->command, "'%s' is neither a PID nor NAME:PID",
				       args->operand[0]);
	s = cli_subpid();
	if (!s)
		return CLI_FAILED;
	status = colon ? map_inside(s, args->operand[0], colon) : map_host(s, (int)pid);
	subpid_close(s);
	return status;
}
