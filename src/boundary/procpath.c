/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the components of a path, with a place in procfs as the state: a base and the few
 * last names below it. See procpath.h for what is folded and what is not.
 */
#include "boundary/procpath.h"

#include "base/fmt.h"
#include "base/mem.h"

#define MAX_NAMES 5 /* more below one base are counted, not remembered: no leaf is that deep */

enum base { OUTSIDE, ROOT, PROCESS, TASK, THREAD };
enum where { P = 1, T = 2, R = 4 };

struct name {
	const char *s;
	size_t len;
};

struct walk {
	struct bd_procpath p;
	enum base base;
	size_t depth; /* names below the base; outside: components below the root directory */
	struct name names[MAX_NAMES];
	bool climbed; /* outside: went through `..` of a directory that may be a link */
};

static bool is(struct name n, const char *s)
{
	size_t len = sp_strnlen(s, n.len + 1);

	return len == n.len && !memcmp(n.s, s, len);
}

static bool is_number(struct name n, sp_vpid *ret_number)
{
	int32_t v;

	if (!n.len || sp_parse_dec(n.s, n.len, &v) != n.len)
		return false;
	*ret_number = sp_vpid_of(v);
	return true;
}

static void enter(struct walk *w, enum base base)
{
	w->base = base;
	w->depth = 0;
}

/* Whether the names of now are a directory: no links among them. */
static bool is_plain(const struct walk *w)
{
	static const char *const flat[] = {"fd", "fdinfo", "map_files", "ns"};
	static const char *const deep[] = {"net", "attr"};

	if (w->base == ROOT)
		return true;
	if (w->base == TASK)
		return false;
	for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++)
		if (is(w->names[0], deep[i]))
			return true;
	for (size_t i = 0; w->depth == 1 && i < sizeof(flat) / sizeof(flat[0]); i++)
		if (is(w->names[0], flat[i]))
			return true;
	return false;
}

/* Whether what `..` leaves could not be remembered besides what was left before. */
static bool is_second(const struct walk *w)
{
	if (w->base == PROCESS)
		return w->p.via_tid.n ||
		       (w->p.kind == BD_PROC_PID && w->p.via.n && !sp_vpid_eq(w->p.via, w->p.pid));
	return w->base == THREAD && w->p.task == BD_TASK_ONE && w->p.via_tid.n &&
	       !sp_vpid_eq(w->p.via_tid, w->p.tid);
}

/* `..`; end: offset behind it. False: that is not for the text to decide. */
static bool climb(struct walk *w, size_t end)
{
	if (is_second(w) || (w->base == ROOT && w->p.via.n) || (w->base != OUTSIDE && w->depth))
		return false;
	if (w->base == OUTSIDE) {
		if (w->depth) { /* the root directory is its own parent */
			w->depth--;
			w->climbed = true;
		}
		return true;
	}
	switch (w->base) {
	case ROOT:
		w->p.kind = BD_PROC_NOT;
		if (!w->p.left)
			w->p.left = end;
		enter(w, OUTSIDE);
		break;
	case PROCESS:
		if (w->p.kind == BD_PROC_PID)
			w->p.via = w->p.pid;
		w->p.kind = BD_PROC_ROOT;
		enter(w, ROOT);
		break;
	case TASK:
		w->p.task = BD_TASK_NONE;
		enter(w, PROCESS);
		break;
	case THREAD:
		if (w->p.task == BD_TASK_ONE)
			w->p.via_tid = w->p.tid;
		w->p.task = BD_TASK_DIR;
		if (w->p.kind == BD_PROC_THREAD_SELF)
			w->p.kind = BD_PROC_SELF;
		enter(w, TASK);
		break;
	case OUTSIDE:
		break;
	}
	return true;
}

/* True if the name leads from the base to another one. */
static bool descend(struct walk *w, struct name n)
{
	switch (w->base) {
	case OUTSIDE:
		if (!is(n, "proc"))
			return false;
		if (w->climbed)
			w->p.unsure = true;
		if (w->climbed || w->depth)
			return false;
		w->p.kind = BD_PROC_ROOT;
		enter(w, ROOT);
		return true;
	case ROOT:
		if (w->depth)
			return false;
		w->p.task = BD_TASK_NONE;
		if (is(n, "self")) {
			w->p.kind = BD_PROC_SELF;
			enter(w, PROCESS);
		} else if (is(n, "thread-self")) {
			w->p.kind = BD_PROC_THREAD_SELF;
			enter(w, THREAD);
		} else if (is_number(n, &w->p.pid)) {
			w->p.kind = BD_PROC_PID;
			enter(w, PROCESS);
		} else {
			return false;
		}
		return true;
	case PROCESS:
		if (w->depth || !is(n, "task"))
			return false;
		w->p.task = BD_TASK_DIR;
		enter(w, TASK);
		return true;
	case TASK:
		if (w->depth || !is_number(n, &w->p.tid))
			return false;
		w->p.task = BD_TASK_ONE;
		enter(w, THREAD);
		return true;
	case THREAD:
		return false;
	}
	return false;
}

/* Compares the names below the base with a text such as "ns/pid". */
static bool names_are(const struct walk *w, const char *text)
{
	for (size_t i = 0; i < w->depth; i++) {
		size_t len = 0;

		while (text[len] && text[len] != '/')
			len++;
		if (!(len == 1 && text[0] == '*') &&
		    (len != w->names[i].len || memcmp(text, w->names[i].s, len)))
			return false;
		text += len;
		if (*text)
			text++;
		else
			return i + 1 == w->depth;
	}
	return false;
}

static uint8_t leaf_of(const struct walk *w)
{
	static const struct {
		char text[23];
		uint8_t where, leaf;
	} leaves[] = {
#define LEAF(name, text, where) {text, where, BD_LEAF_##name},
		BD_LEAVES(LEAF)
#undef LEAF
	};
	unsigned where = w->base == ROOT ? R : w->base == PROCESS ? P : w->base == THREAD ? T : 0;

	if (!w->depth)
		return where & (P | T)	 ? BD_LEAF_DIR
		       : w->base == TASK ? BD_LEAF_TASK_DIR
					 : BD_LEAF_NONE;
	if (w->depth > MAX_NAMES)
		return BD_LEAF_NONE;
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (leaves[i].where & where && names_are(w, leaves[i].text))
			return leaves[i].leaf;
	return BD_LEAF_NONE;
}

static void start(struct walk *w, const struct bd_procpath *at)
{
	static const struct walk nowhere;

	*w = nowhere;
	if (!at)
		return;
	w->p.kind = at->kind;
	w->p.task = at->task;
	w->p.pid = at->pid;
	w->p.tid = at->tid;
	if (at->kind == BD_PROC_ROOT)
		w->base = ROOT;
	else if (at->kind == BD_PROC_THREAD_SELF || at->task == BD_TASK_ONE)
		w->base = THREAD;
	else
		w->base = at->task == BD_TASK_DIR ? TASK : PROCESS;
}

/* Whether the text ends in a slash or its last component is `.` or `..`. */
static bool wants_directory(const char *path, size_t len)
{
	size_t dots = 0;

	while (dots < len && path[len - dots - 1] == '.')
		dots++;
	return dots <= 2 && (dots ? dots == len || path[len - dots - 1] == '/' : path[len - 1] == '/');
}

void bd_procpath_parse(const struct bd_procpath *at, const char *path, size_t len,
		       struct bd_procpath *ret_p)
{
	struct walk w;
	size_t pos = 0;

	/* Only a base can be a start; a name below one would need its text. */
	if (len && path[0] == '/')
		at = NULL;
	else if (!at || !len || at->kind == BD_PROC_NOT || at->kind == BD_PROC_OTHER ||
		 (at->leaf != BD_LEAF_DIR && at->leaf != BD_LEAF_TASK_DIR && at->kind != BD_PROC_ROOT)) {
		*ret_p = (struct bd_procpath){.rest = len};
		return;
	}
	start(&w, at);

	for (;;) {
		struct name n;

		while (pos < len && path[pos] == '/')
			pos++;
		if (pos == len)
			break;
		n.s = path + pos;
		while (pos < len && path[pos] != '/')
			pos++;
		n.len = (size_t)(path + pos - n.s);
		if (is(n, "."))
			continue;
		if (w.base != OUTSIDE && w.depth && !is(n, "..") && !is_plain(&w)) {
			w.p.through = (size_t)(n.s - path);
			break;
		}
		if (is(n, "..") && climb(&w, pos))
			continue;
		if (is(n, "..")) {
			w.p.through = (size_t)(n.s - path);
			break;
		}
		if (descend(&w, n))
			continue;
		if (!w.depth)
			w.p.rest = (size_t)(n.s - path);
		if (w.base != OUTSIDE && w.depth < MAX_NAMES)
			w.names[w.depth] = n;
		w.depth++;
	}
	if (w.base == OUTSIDE) {
		*ret_p = (struct bd_procpath){.unsure = w.p.unsure, .rest = len, .left = w.p.left};
		return;
	}
	if (w.base == ROOT)
		w.p.kind = w.depth ? BD_PROC_OTHER : BD_PROC_ROOT;
	if (!w.depth)
		w.p.rest = w.p.through ? w.p.through : len;
	w.p.leaf = w.p.through ? (uint8_t)BD_LEAF_NONE : leaf_of(&w);
	w.p.slash = wants_directory(path, len);
	*ret_p = w.p;
}
