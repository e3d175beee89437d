/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid ls, subpid inspect: containers.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/out.h"

#define ROW(row) ((const struct subpid_container *)(row))

static bool is_live(const struct subpid_container *c)
{
	return c->state == SUBPID_STARTING || c->state == SUBPID_RUNNING ||
	       c->state == SUBPID_STOPPED || c->state == SUBPID_ENDING;
}

static void put_name(struct cli_out *o, const void *r)
{
	cli_put_text(o, ROW(r)->name);
}
static void put_id(struct cli_out *o, const void *r)
{
	cli_put_text(o, ROW(r)->id);
}
static void put_state(struct cli_out *o, const void *r)
{
	cli_put_text(o, cli_state_name(ROW(r)->state));
}
static void put_nprocs(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->processes);
}
static void put_nthreads(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->threads);
}
static void put_init(struct cli_out *o, const void *r)
{
	if (ROW(r)->init_pid)
		cli_put_int(o, ROW(r)->init_pid);
	else
		cli_put_text(o, NULL);
}
static void put_supervisor(struct cli_out *o, const void *r)
{
	if (ROW(r)->supervisor_pid)
		cli_put_int(o, ROW(r)->supervisor_pid);
	else
		cli_put_text(o, NULL);
}
static void put_depth(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->depth);
}
static void put_parent(struct cli_out *o, const void *r)
{
	cli_put_text(o, ROW(r)->parent);
}
static void put_age(struct cli_out *o, const void *r)
{
	char text[16];

	if (!ROW(r)->created_msec) {
		cli_put_text(o, NULL);
		return;
	}
	cli_age(text, cli_wall_msec() - ROW(r)->created_msec);
	cli_put_text(o, text);
}
static void put_created(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->created_msec / 1000);
}
static void put_ended(struct cli_out *o, const void *r)
{
	if (ROW(r)->ended_msec)
		cli_put_int(o, ROW(r)->ended_msec / 1000);
	else
		cli_put_text(o, NULL);
}
static void put_exit(struct cli_out *o, const void *r)
{
	const struct subpid_container *c = ROW(r);

	if (c->state == SUBPID_EXITED)
		cli_put_int(o, c->exit_signal ? CLI_SIGNAL + c->exit_signal : c->exit_code);
	else
		cli_put_text(o, NULL);
}
static void put_detached(struct cli_out *o, const void *r)
{
	cli_put_bool(o, ROW(r)->detached);
}
static void put_confined(struct cli_out *o, const void *r)
{
	if (is_live(ROW(r)))
		cli_put_bool(o, ROW(r)->confined);
	else
		cli_put_text(o, NULL);
}
static void put_stop_signal(struct cli_out *o, const void *r)
{
	cli_put_text(o, cli_signal_name(ROW(r)->stop_signal));
}
static void put_stop_timeout(struct cli_out *o, const void *r)
{
	cli_put_int(o, ROW(r)->stop_timeout_msec);
}
static void put_command(struct cli_out *o, const void *r)
{
	cli_put_words(o, ROW(r)->command, "-");
}

static const struct cli_field fields[] = {
	{"NAME", "name", true, false, put_name},
	{"STATE", "state", true, false, put_state},
	{"NPROCS", "nprocs", true, true, put_nprocs},
	{"INIT", "init_pid", true, true, put_init},
	{"DEPTH", "depth", true, true, put_depth},
	{"PARENT", "parent", true, false, put_parent},
	{"AGE", NULL, true, true, put_age},
	{"EXIT", "exit_code", false, true, put_exit},
	{NULL, "created", false, true, put_created},
	{"COMMAND", "command", true, false, put_command},
	{"ID", NULL, false, false, put_id},
	{NULL, NULL, false, false, NULL},
};

static const struct cli_field all_fields[] = {
	{"NAME", "name", true, false, put_name},
	{"ID", "id", true, false, put_id},
	{"STATE", "state", true, false, put_state},
	{"EXIT", "exit_code", true, false, put_exit},
	{"INIT", "init_pid", true, false, put_init},
	{"SUPERVISOR", "supervisor_pid", true, false, put_supervisor},
	{"PROCESSES", "nprocs", true, false, put_nprocs},
	{"THREADS", "nthreads", true, false, put_nthreads},
	{"DEPTH", "depth", true, false, put_depth},
	{"PARENT", "parent", true, false, put_parent},
	{"CREATED", "created", true, false, put_created},
	{"ENDED", "ended", true, false, put_ended},
	{"DETACHED", "detached", true, false, put_detached},
	{"CONFINED", "confined", true, false, put_confined},
	{"STOP-SIGNAL", "stop_signal", true, false, put_stop_signal},
	{"STOP-TIMEOUT", "stop_timeout_msec", true, false, put_stop_timeout},
	{"COMMAND", "command", true, false, put_command},
	{NULL, NULL, false, false, NULL},
};

int cli_ls(struct cli_args *args)
{
	struct cli_out_options options = {NULL, false};
	struct subpid_container **list;
	bool all = false, names_only = false;
	struct cli_out *out;
	subpid *s;
	int o;

	while ((o = cli_args_next(args)) > 0)
		switch (o) {
		case CLI_O_ALL:
			all = true;
			break;
		case CLI_O_NAMES_ONLY:
			names_only = true;
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
	if (args->n)
		return cli_usage_error(args->command,
				       "takes no names; see subpid inspect, subpid ps");
	s = cli_subpid();
	if (!s)
		return CLI_FAILED;
	if (subpid_list(s, &list) < 0) {
		cli_say("%s", subpid_why(s));
		subpid_close(s);
		return CLI_FAILED;
	}
	if (names_only) {
		options.no_headings = true;
		options.columns = "NAME";
	}
	out = cli_out_begin(fields, &options);
	for (struct subpid_container **c = list; out && *c; c++)
		if (all || is_live(*c))
			cli_out_row(out, *c);
	if (out)
		cli_out_end(out);
	subpid_list_free(list);
	subpid_close(s);
	return out ? CLI_OK : CLI_USAGE;
}

/* A value a line, in the words of the table's headings. */
static void print_about(const struct subpid_container *c)
{
	struct cli_field one[2] = {{NULL, NULL, false, false, NULL}, {NULL, NULL, false, false, NULL}};
	const struct cli_out_options options = {NULL, true};

	for (const struct cli_field *f = all_fields; f->put; f++) {
		struct cli_out *out;

		one[0] = *f;
		printf("%-13s ", f->column);
		out = cli_out_begin(one, &options);
		if (out) {
			cli_out_row(out, c);
			cli_out_end(out);
		}
	}
}

int cli_inspect(struct cli_args *args)
{
	const struct cli_out_options options = {NULL, false};
	struct cli_out *out = NULL;
	int o, status = CLI_OK;
	subpid *s;

	while ((o = cli_args_next(args)) > 0)
		;
	if (o < 0)
		return args->status;
	if (args->n == 0)
		return cli_usage_error(args->command, "no name given");
	s = cli_subpid();
	if (!s)
		return CLI_FAILED;
	if (cli_global.json)
		out = cli_out_begin(all_fields, &options);
	for (int i = 0; i < args->n; i++) {
		struct subpid_container *c;
		int r = subpid_get(s, args->operand[i], &c);

		if (r < 0) {
			cli_say_why(s, args->operand[i], r);
			status = CLI_FAILED;
			continue;
		}
		if (out)
			cli_out_row(out, c);
		else
			print_about(c);
		subpid_container_free(c);
	}
	if (out)
		cli_out_end(out);
	subpid_close(s);
	return status;
}
