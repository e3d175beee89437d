/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subpid tree: containers inside of containers, and who started whom.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/out.h"

#define DEEPEST 128

struct tree {
	subpid *s;
	struct subpid_container **list;
	bool processes, ascii;
	bool more[DEEPEST]; /* per level: something follows below */
	int depth;
};

/* "│  ├─ ", for a line at t->depth. */
static void indent(const struct tree *t)
{
	for (int i = 1; i < t->depth; i++)
		fputs(t->more[i] ? (t->ascii ? "|  " : "│  ") : "   ", stdout);
	if (t->depth > 0)
		fputs(t->more[t->depth] ? (t->ascii ? "|- " : "├─ ") : (t->ascii ? "`- " : "└─ "),
		      stdout);
}

static void print_line(const struct tree *t, const char *text)
{
	indent(t);
	cli_print_plain(text);
	putchar('\n');
}

static void print_process(struct tree *t, const struct subpid_process *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	fprintf(f, "%d [%d] ", p->pid, p->host_pid);
	for (size_t i = 0; p->args[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", p->args[i]);
	if (!p->args[0])
		fprintf(f, "[%s]%s", p->comm, p->state == 'Z' ? " <defunct>" : "");
	if (fclose(f) == 0)
		print_line(t, text);
	free(text);
}

static void processes_below(struct tree *t, struct subpid_process **list, int parent)
{
	const struct subpid_process *last = NULL;

	if (t->depth + 1 >= DEEPEST)
		return;
	for (struct subpid_process **p = list; *p; p++)
		if ((*p)->ppid == parent && (*p)->pid != parent)
			last = *p;
	t->depth++;
	for (struct subpid_process **p = list; *p; p++) {
		if ((*p)->ppid != parent || (*p)->pid == parent)
			continue;
		t->more[t->depth] = *p != last;
		print_process(t, *p);
		processes_below(t, list, (*p)->pid);
	}
	t->depth--;
}

static bool is_child(const struct subpid_container *c, const char *parent)
{
	if (!parent || !c->parent)
		return !parent && !c->parent;
	return strcmp(c->parent, parent) == 0;
}

static void containers_below(struct tree *t, const char *parent);

static void print_container(struct tree *t, const struct subpid_container *c)
{
	struct subpid_process **list = NULL;
	char text[300];
	bool has_children = false;

	snprintf(text, sizeof(text), "%s (%s, %d process%s)", c->name, cli_state_name(c->state),
		 c->processes, c->processes == 1 ? "" : "es");
	print_line(t, text);
	for (struct subpid_container **o = t->list; *o; o++)
		has_children |= is_child(*o, c->name);
	if (t->processes && subpid_processes(t->s, c->name, &list) >= 0)
		processes_below(t, list, 0);
	subpid_processes_free(list);
	if (has_children)
		containers_below(t, c->name);
}

static bool is_live(const struct subpid_container *c)
{
	return c->state != SUBPID_EXITED && c->state != SUBPID_LOST && c->state != SUBPID_DAMAGED;
}

static void containers_below(struct tree *t, const char *parent)
{
	const struct subpid_container *last = NULL;

	if (t->depth + 2 >= DEEPEST)
		return;
	for (struct subpid_container **c = t->list; *c; c++)
		if (is_child(*c, parent) && is_live(*c))
			last = *c;
	t->depth += !!parent;
	for (struct subpid_container **c = t->list; *c; c++) {
		if (!is_child(*c, parent) || !is_live(*c))
			continue;
		t->more[t->depth] = *c != last;
		print_container(t, *c);
	}
	t->depth -= !!parent;
}

/* ---- JSON: the same, as objects in objects ---- */

static void json_processes(struct subpid_process **list, int parent, int depth)
{
	bool first = true;

	putchar('[');
	for (struct subpid_process **p = list; p && *p && depth < DEEPEST; p++) {
		if ((*p)->ppid != parent || (*p)->pid == parent)
			continue;
		printf("%s{\"pid\": %d, \"hpid\": %d, \"args\": [", first ? "" : ", ", (*p)->pid,
		       (*p)->host_pid);
		for (size_t i = 0; (*p)->args[i]; i++) {
			fputs(i ? ", " : "", stdout);
			cli_print_json_string((*p)->args[i]);
		}
		fputs("], \"children\": ", stdout);
		json_processes(list, (*p)->pid, depth + 1);
		putchar('}');
		first = false;
	}
	putchar(']');
}

static void json_containers(struct tree *t, const char *parent, const char *only, int depth)
{
	bool first = true;

	putchar('[');
	for (struct subpid_container **c = t->list; *c && depth < DEEPEST; c++) {
		struct subpid_process **list = NULL;

		if (only ? strcmp((*c)->name, only) != 0 : !is_child(*c, parent) || !is_live(*c))
			continue;
		printf("%s\n  {\"name\": \"%s\", \"state\": \"%s\", \"nprocs\": %d",
		       first ? "" : ",", (*c)->name, cli_state_name((*c)->state), (*c)->processes);
		if (t->processes) {
			fputs(", \"processes\": ", stdout);
			if (subpid_processes(t->s, (*c)->name, &list) < 0)
				list = NULL;
			json_processes(list, 0, 0);
			subpid_processes_free(list);
		}
		fputs(", \"containers\": ", stdout);
		json_containers(t, (*c)->name, NULL, depth + 1);
		putchar('}');
		first = false;
	}
	fputs(first ? "]" : "\n]", stdout);
}

/* Whether the caller's terminal and tools understand the lines. */
static bool utf8_locale(void)
{
	const char *vars[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < 3; i++) {
		const char *v = getenv(vars[i]);

		if (v && *v)
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

static int print(struct tree *t, const char *name)
{
	struct subpid_container *c = NULL;
	int r;

	if (name) {
		r = subpid_get(t->s, name, &c);
		if (r < 0) {
			cli_say_why(t->s, name, r);
			return CLI_FAILED;
		}
	}
	if (cli_global.json) {
		json_containers(t, NULL, name, 0);
		putchar('\n');
	} else if (c) {
		print_container(t, c);
	} else {
		containers_below(t, NULL);
	}
	subpid_container_free(c);
	return CLI_OK;
}

int cli_tree(struct cli_args *args)
{
	struct tree t = {.processes = true, .ascii = !utf8_locale()};
	int o, status;

	while ((o = cli_args_next(args)) > 0)
		switch (o) {
		case CLI_O_NO_PROCESSES:
			t.processes = false;
			break;
		case CLI_O_ASCII:
			t.ascii = true;
			break;
		default:
			break;
		}
	if (o < 0)
		return args->status;
	if (args->n > 1)
		return cli_usage_error(args->command, "takes one name");
	t.s = cli_subpid();
	if (!t.s)
		return CLI_FAILED;
	if (subpid_list(t.s, &t.list) < 0) {
		cli_say("%s", subpid_why(t.s));
		subpid_close(t.s);
		return CLI_FAILED;
	}
	status = print(&t, args->n ? args->operand[0] : NULL);
	subpid_list_free(t.list);
	subpid_close(t.s);
	return status;
}
