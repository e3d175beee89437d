/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers: what the record says, and what a supervisor that is alive says of it now.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/internal.h"
#include "supervisor/util.h"

#define DEEPEST 10000

/* A container and what its pointers lead to. */
struct owned {
	struct subpid_container c;
	struct sv_state state;
	char name[SV_NAME_MAX + 1];
	char parent[SV_NAME_MAX + 1];
};

void subpid_container_free(struct subpid_container *c)
{
	struct owned *o = (struct owned *)c;

	if (o)
		sv_state_free(&o->state);
	free(o);
}

void subpid_list_free(struct subpid_container **list)
{
	for (struct subpid_container **c = list; c && *c; c++)
		subpid_container_free(*c);
	free(list);
}

/* The container of this id, which names may come and go for. */
static bool name_of_id(subpid *s, const char *id, char ret[SV_NAME_MAX + 1])
{
	int copy = openat(s->root.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	bool found = false;
	struct dirent *e;

	while (d && !found && (e = readdir(d))) {
		sv_auto_fd dir = sv_name_wrong(e->d_name) ? -1 : sv_record_open(s->root.fd, e->d_name);
		struct sv_state state;

		if (dir < 0 || sv_state_read(dir, &state) < 0)
			continue;
		found = strcmp(state.id, id) == 0;
		sv_state_free(&state);
		if (found)
			snprintf(ret, SV_NAME_MAX + 1, "%.*s", SV_NAME_MAX, e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

int lib_parent(subpid *s, const struct lib_box *b, char ret[SV_NAME_MAX + 1])
{
	struct sv_state state;
	int r = sv_state_read(b->dir, &state);

	sv_state_free(&state);
	return r == 0 && state.parent[0] && name_of_id(s, state.parent, ret) ? 0 : -ENOENT;
}

/* How far below the outside it is, and number 1's number here, by way of those around it. */
static void take_place(subpid *s, struct owned *o, const struct lib_box *b, const struct sv_info *info)
{
	char name[SV_NAME_MAX + 1];
	lib_auto_box p = LIB_BOX_NONE;
	int r = lib_parent(s, b, name);

	if (r < 0)
		return;
	snprintf(o->parent, sizeof(o->parent), "%s", name);
	o->c.parent = o->parent;
	for (o->c.depth = 2; o->c.depth < DEEPEST && lib_box_open(s, name, &p) == 0; o->c.depth++) {
		r = lib_parent(s, &p, name);
		lib_box_close(&p);
		if (r < 0)
			break;
	}
	if (info->init && !o->c.init_pid) {
		r = subpid_to_host(s, b->name, 1);
		o->c.init_pid = r > 0 ? r : 0;
	}
}

static void take_info(struct subpid_container *c, const struct lib_box *b, const struct sv_info *info)
{
	c->state = info->stopped   ? SUBPID_STOPPED
		   : info->running ? SUBPID_RUNNING
				   : SUBPID_STARTING;
	if (b->own)
		c->init_pid = 1;
	/* In another PID namespace of the kernel its numbers mean nothing here. */
	if (b->peer == info->front) {
		c->init_pid = info->init;
		c->supervisor_pid = info->supervisor;
	}
	c->processes = info->processes;
	c->threads = info->threads;
	c->confined = info->flags & SV_INFO_SCOPED ? 1 : 0;
	c->caller_pid = info->peer;
}

/* With nobody to ask: what the files say. */
static void take_record(struct owned *o, int dir, bool whole)
{
	if (whole && o->state.ended_msec)
		o->c.state = SUBPID_EXITED;
	else if (sv_record_held(dir) == 1)
		o->c.state = SUBPID_ENDING;
	else
		o->c.state = whole ? SUBPID_LOST : SUBPID_DAMAGED;
}

static struct owned *look(subpid *s, const struct lib_box *b)
{
	static const char *const no_words[] = {NULL};
	struct owned *o = calloc(1, sizeof(*o));
	struct sv_info info = {0};
	bool whole;

	if (!o)
		return NULL;
	memcpy(o->name, b->name, sizeof(o->name));
	whole = sv_state_read(b->dir, &o->state) == 0;
	o->c = (struct subpid_container){
		.name = o->name,
		.id = o->state.id,
		.depth = 1,
		.created_msec = o->state.created_msec,
		.ended_msec = o->state.ended_msec,
		.exit_code = o->state.code,
		.exit_signal = o->state.sig,
		.detached = o->state.detached,
		.keep = o->state.keep,
		.stop_signal = o->state.stop_signal,
		.stop_timeout_msec = o->state.stop_timeout_msec,
		.command = o->state.command ? (const char *const *)o->state.command : no_words,
	};
	if (lib_ask(b, SV_OP_INFO, 0, 0, NULL, NULL, &info, sizeof(info), NULL) == 0)
		take_info(&o->c, b, &info);
	else
		take_record(o, b->dir, whole);
	if (o->state.parent[0])
		take_place(s, o, b, &info);
	return o;
}

/* A record that nobody wanted to be kept and that nobody could take away when it was time. */
static bool left_over(const struct owned *o)
{
	return o->c.state == SUBPID_LOST && !o->c.keep;
}

/* NULL: there is none (any more). */
static struct owned *look_by_name(subpid *s, const char *name, int *ret_err)
{
	lib_auto_box b = LIB_BOX_NONE;
	struct owned *o;

	*ret_err = lib_box_open(s, name, &b);
	if (*ret_err < 0)
		return NULL;
	o = look(s, &b);
	if (!o) {
		*ret_err = lib_failed(s, -ENOMEM, "%s", name);
		return NULL;
	}
	/* It may have ended, and its record gone, while we asked. */
	if (faccessat(b.dir, "lock", F_OK, 0) < 0 && faccessat(b.dir, "state", F_OK, 0) < 0) {
		*ret_err = lib_failed(s, 0, "no container '%s'", name);
		*ret_err = -ENOENT;
	} else if (left_over(o)) {
		if (sv_record_remove(s->root.fd, name, b.dir) < 0)
			(void)0; /* somebody else did */
		*ret_err = lib_failed(s, 0, "no container '%s'", name);
		*ret_err = -ENOENT;
	} else {
		return o;
	}
	subpid_container_free(&o->c);
	return NULL;
}

int subpid_get(subpid *s, const char *name, struct subpid_container **ret)
{
	int err;
	struct owned *o = look_by_name(s, name, &err);

	*ret = o ? &o->c : NULL;
	return o ? 0 : err;
}

static int by_creation(const void *a, const void *b)
{
	const struct subpid_container *x = *(struct subpid_container *const *)a;
	const struct subpid_container *y = *(struct subpid_container *const *)b;

	if (x->created_msec != y->created_msec)
		return x->created_msec < y->created_msec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int append(struct subpid_container ***list, int n, struct subpid_container *c)
{
	struct subpid_container **more = realloc(*list, ((size_t)n + 2) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	more[n] = c;
	more[n + 1] = NULL;
	return 0;
}

int subpid_list(subpid *s, struct subpid_container ***ret)
{
	int copy = s->root.fd < 0 ? -1 : openat(s->root.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int n = 0, r = 0;

	*ret = calloc(1, sizeof(**ret));
	if (!*ret || (!d && s->root.fd >= 0))
		r = lib_failed(s, *ret ? sv_errno() : -ENOMEM, "%.100s", s->root.path);
	while (r == 0 && d && (e = readdir(d))) {
		struct owned *o;
		int err;

		if (sv_name_wrong(e->d_name))
			continue;
		o = look_by_name(s, e->d_name, &err);
		if (!o)
			continue;
		r = append(ret, n, &o->c);
		if (r < 0)
			subpid_container_free(&o->c);
		else
			n++;
	}
	if (d)
		closedir(d);
	else
		sv_fd_done(&copy);
	if (r < 0) {
		subpid_list_free(*ret);
		*ret = NULL;
		return r;
	}
	if (n)
		qsort(*ret, (size_t)n, sizeof(**ret), by_creation);
	return n;
}
