/* build: src/boundary/procpath.c src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a path. What a result stands for, written out again, must be the same
 * place; a path taken in two parts must lead where it leads as a whole; and no offset is beyond the text,
 * which is a block of exactly its size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boundary/procpath.h"

static struct bd_procpath parse(const struct bd_procpath *at, const char *s, size_t len)
{
	struct bd_procpath p;
	char *copy = malloc(len ? len : 1);

	memcpy(copy, s, len);
	bd_procpath_parse(at, copy, len, &p);
	free(copy);
	if (p.rest > len || p.through > len || p.left > len || p.kind > BD_PROC_PID ||
	    p.task > BD_TASK_ONE)
		abort();
	if (p.through && (p.kind < BD_PROC_ROOT || p.leaf != BD_LEAF_NONE || p.through < p.rest))
		abort();
	return p;
}

static size_t compose(const struct bd_procpath *p, const char *s, size_t len, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap, "/proc");

	if (p->kind == BD_PROC_SELF)
		n += (size_t)snprintf(out + n, cap - n, "/self");
	else if (p->kind == BD_PROC_THREAD_SELF)
		n += (size_t)snprintf(out + n, cap - n, "/thread-self");
	else if (p->kind == BD_PROC_PID)
		n += (size_t)snprintf(out + n, cap - n, "/%d", p->pid.n);
	if (p->task != BD_TASK_NONE)
		n += (size_t)snprintf(out + n, cap - n, "/task");
	if (p->task == BD_TASK_ONE)
		n += (size_t)snprintf(out + n, cap - n, "/%d", p->tid.n);
	if (p->rest < len || p->slash) {
		out[n++] = '/';
		memcpy(out + n, s + p->rest, len - p->rest);
		n += len - p->rest;
	}
	return n;
}

static int same(const struct bd_procpath *a, const struct bd_procpath *b)
{
	return a->kind == b->kind && a->task == b->task && a->leaf == b->leaf &&
	       a->slash == b->slash && (a->kind != BD_PROC_PID || a->pid.n == b->pid.n) &&
	       (a->task != BD_TASK_ONE || a->tid.n == b->tid.n) && !a->through == !b->through;
}

static int is_base(const struct bd_procpath *p)
{
	return p->kind == BD_PROC_ROOT || p->leaf == BD_LEAF_DIR || p->leaf == BD_LEAF_TASK_DIR;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const starts[] = {"",
					     "/proc/",
					     "/proc/5/",
					     "/proc/self/",
					     "/proc/5/task/",
					     "/proc/5/task/6/",
					     "/proc/self/task/",
					     "/proc/thread-self/"};
	const char *start;
	size_t head, len;
	struct bd_procpath p, q;
	char *text, *again;

	if (size < 1)
		return 0;
	for (size_t i = 0; i < size; i++)
		if (!data[i] && i)
			return 0; /* a path ends there */
	start = starts[data[0] % 8];
	head = sp_strnlen(start, 32);
	len = head + size - 1;
	text = malloc(len + 1);
	again = malloc(len + 64);
	memcpy(text, start, head);
	memcpy(text + head, data + 1, size - 1);
	p = parse(NULL, text, len);
	if (p.kind != BD_PROC_NOT && !p.through) {
		size_t n = compose(&p, text, len, again, len + 64);

		q = parse(NULL, again, n);
		if (!same(&p, &q) || q.via.n || q.via_tid.n || q.left || q.unsure)
			abort();
	}
	/* What is left to others stands behind the place that was found. */
	if (p.through) {
		q = parse(NULL, text, p.through);
		if (q.through || q.kind != p.kind || q.task != p.task || q.pid.n != p.pid.n ||
		    q.tid.n != p.tid.n || q.rest != p.rest)
			abort();
	}
	/* The first part is a directory that a descriptor may be of. */
	if (head && size > 1 && data[1] != '/') {
		struct bd_procpath at = parse(NULL, text, head);

		if (is_base(&at)) {
			q = parse(&at, text + head, size - 1);
			if (p.left ? !q.left : !same(&p, &q))
				abort();
		}
	}
	free(text);
	free(again);
	return 0;
}
