/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names on procfs for openat2 with RESOLVE_ flags, which look at every component: nothing is folded, the
 * numbers are replaced where they stand.
 */
#include <linux/errno.h>
#include <linux/openat2.h>

#include "resident/proc.h"

static void put_number(struct rs_area *a, const struct bd_procpath *dir, int32_t number,
		       struct sp_text *out)
{
	sp_text_dec(out, dir->kind == BD_PROC_ROOT ? rs_in_pid(number) : rs_in_task(a, number));
}

/* Whether what lies below a base is no link. */
static bool is_directory(struct sp_text *at, const struct bd_procpath *p)
{
	struct bd_procpath next;

	if (p->kind == BD_PROC_OTHER &&
	    (sp_streq(at->buf + p->rest, "net") || sp_streq(at->buf + p->rest, "mounts")))
		return false;
	sp_text_str(at, "/x");
	bd_procpath_parse(NULL, at->buf, at->len, &next);
	at->len -= 2;
	at->buf[at->len] = '\0';
	return p->kind == BD_PROC_NOT || !next.through;
}

/* One name further from the place that at is, lexically. False: it may be anything from here on. */
static bool follow_name(struct sp_text *at, const char *name, size_t n, size_t least)
{
	struct bd_procpath p;

	if (!n || (n == 1 && name[0] == '.'))
		return true;
	if (n != 2 || memcmp(name, "..", 2)) {
		sp_text_char(at, '/');
		sp_text_bytes(at, name, n);
		bd_procpath_parse(NULL, at->buf, at->len, &p);
		return !p.through && !at->overflow;
	}
	if (at->len <= least)
		return true;
	bd_procpath_parse(NULL, at->buf, at->len, &p);
	if (p.kind == BD_PROC_THREAD_SELF || (p.rest < at->len && !is_directory(at, &p)))
		return false;
	while (at->len && at->buf[at->len - 1] != '/')
		at->len--;
	at->len -= at->len > 0;
	at->buf[at->len] = '\0';
	return true;
}

long rs_proc_rewrite(struct rs_area *a, const char *whole, size_t start, size_t len,
		     unsigned int how, struct rs_name *n)
{
	bool in_root = RS_NAME_RESOLVED(how) & RESOLVE_IN_ROOT, known = true;
	struct bd_procpath dir;
	struct sp_text out, at;

	sp_text_init(&out, RS_PROC_SPARE(a), RS_PROC_SPARE_MAX);
	sp_text_init(&at, RS_PROC_HOLD(a), RS_PROC_HOLD_MAX);
	sp_text_bytes(&at, whole, start ? start - 1 : 0);
	for (size_t pos = start, end; pos < len; pos = end + 1) {
		int32_t number;
		size_t size;

		for (end = pos; end < len && whole[end] != '/';)
			end++;
		size = end - pos;
		bd_procpath_parse(NULL, at.buf, at.len, &dir);
		if (!size || sp_parse_dec(whole + pos, size, &number) != size)
			sp_text_bytes(&out, whole + pos, size);
		else if (!known) /* the kernel must not take it for one of its own */
			sp_text_dec(&out, RS_NOBODY);
		else if (dir.kind == BD_PROC_ROOT || dir.leaf == BD_LEAF_TASK_DIR)
			put_number(a, &dir, number, &out);
		else
			sp_text_bytes(&out, whole + pos, size);
		known = known && follow_name(&at, whole + pos, size, in_root && start ? start - 1 : 0);
		if (end < len)
			sp_text_char(&out, '/');
	}
	if (out.overflow)
		return -ENAMETOOLONG;
	bd_procpath_parse(NULL, at.buf, at.len, &n->p);
	n->p.slash |= whole[len - 1] == '/';
	if (!known)
		n->p.leaf = BD_LEAF_NONE;
	n->host = out.buf;
	return 1;
}
