/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts about one task that are not a matter of words in lines: see procview.h.
 */
#include <linux/errno.h>

#include "base/mem.h"
#include "boundary/procview.h"

static uint64_t seen_set(const struct bd_sigset_view *v, uint64_t kernel)
{
	return (kernel & v->keep) | v->set;
}

#define STAT_SIGNALS 31		 /* the first of four fields: proc(5) */
#define STAT_SET_MAX 0x7fffffffu /* fs/proc/array.c:do_task_stat, "must be decimal for Linux 2.0" */

/* From field 9 on: only the signal sets are the resident's. What the text does not have is no error. */
static int view_stat_signals(const struct bd_signals *sig, const char *in, size_t len,
			     struct sp_text *out)
{
	const struct bd_sigset_view *const views[] = {&sig->pending, &sig->blocked, &sig->ignored,
						      &sig->caught};
	size_t pos = 0, start;
	int32_t v;

	for (unsigned field = 9; field < STAT_SIGNALS; field++) {
		pos += bd_span(in + pos, len - pos, ' ');
		if (pos == len)
			break;
		pos++;
	}
	sp_text_bytes(out, in, pos);
	for (size_t i = 0; i < 4 && pos < len; i++) {
		start = pos;
		pos += bd_span(in + pos, len - pos, ' ');
		if (pos == start || pos == len ||
		    sp_parse_dec(in + start, pos - start, &v) != pos - start)
			return -EINVAL;
		sp_text_dec(out, (int64_t)(seen_set(views[i], (uint64_t)v) & STAT_SET_MAX));
		sp_text_char(out, ' ');
		pos++;
	}
	sp_text_bytes(out, in + pos, len - pos);
	return 0;
}

/* The command name may hold blanks and parentheses: it ends at the last one. */
int bd_view_stat(struct bd_view *v, const char *in, size_t len, struct sp_text *out)
{
	const struct bd_map *map = v->map;
	size_t pos, name_end = len;
	sp_vpid number;

	pos = bd_view_number(map, map->number, in, len, &number);
	if (!pos || pos + 1 >= len || in[pos] != ' ' || in[pos + 1] != '(')
		return -EINVAL;
	while (name_end && in[name_end - 1] != ')')
		name_end--;
	if (name_end < pos + 3 || name_end == len || in[name_end] != ' ')
		return -EINVAL;
	sp_text_dec(out, number.n);
	name_end++;
	sp_text_bytes(out, in + pos, name_end - pos);
	pos = name_end;

	for (unsigned field = 3; field <= 8; field++) {
		bd_lookup find = field != 4 ? map->group : map->parent ? map->parent : map->number;
		size_t n = bd_span(in + pos, len - pos, ' ');

		if (!n || pos + n == len)
			return -EINVAL;
		/* -1: no terminal; no group and session of one that is just being reaped */
		if (field == 3 || field == 7 || in[pos] == '-') {
			sp_text_bytes(out, in + pos, n);
		} else {
			if (bd_view_number(map, find, in + pos, n, &number) != n)
				return -EINVAL;
			sp_text_dec(out, number.n);
		}
		sp_text_char(out, ' ');
		pos += n + 1;
	}
	if (map->signals)
		return view_stat_signals(map->signals, in + pos, len - pos, out);
	sp_text_bytes(out, in + pos, len - pos);
	return 0;
}

int bd_view_children(struct bd_view *v, const char *in, size_t len, struct sp_text *out)
{
	size_t pos = 0;

	while (pos < len) {
		sp_vpid number;
		size_t n = bd_view_number(v->map, v->map->number, in + pos, len - pos, &number);

		if (!n || (pos + n < len && in[pos + n] != ' '))
			return -EINVAL;
		pos += n + 1;
		if (!number.n)
			continue;
		sp_text_dec(out, number.n);
		sp_text_char(out, ' ');
	}
	return 0;
}

/* fs/proc/base.c:proc_pid_syscall. "running" and "-1 SP PC" have no call in them. */
int bd_view_syscall(struct bd_view *v, const char *in, size_t len, struct sp_text *out)
{
	const struct bd_call *c = v->map->call;

	if (!c || !len || in[0] == 'r') {
		sp_text_bytes(out, in, len);
		return 0;
	}
	sp_text_dec(out, c->nr);
	for (size_t i = 0; i < 8; i++) {
		if (c->nr < 0 && i < 6)
			continue;
		sp_text_str(out, " 0x");
		sp_text_hex(out, i < 6 ? c->arg[i] : i == 6 ? c->sp : c->pc);
	}
	sp_text_char(out, '\n');
	return 0;
}

#define COMM_MAX 16

/* "NAME (PID, #threads: N)": kernel/sched/debug.c:proc_sched_show_task. The name may look like that. */
size_t bd_view_sched_head(struct bd_view *v, const char *in, size_t len, struct sp_text *out)
{
	static const char behind[] = ", #threads: ";
	size_t name = len < COMM_MAX ? len : COMM_MAX;
	sp_vpid number;

	while (name--) {
		size_t at = name + 2, n;

		if (at >= len || in[name] != ' ' || in[name + 1] != '(')
			continue;
		n = bd_view_number(v->map, v->map->number, in + at, len - at, &number);
		if (!n || len - at - n < sizeof(behind) - 1 ||
		    memcmp(in + at + n, behind, sizeof(behind) - 1))
			continue;
		sp_text_bytes(out, in, at);
		sp_text_dec(out, number.n);
		return at + n;
	}
	return 0;
}

#define SET_KEY 8     /* "SigBlk:\t" */
#define SET_DIGITS 16 /* fs/proc/array.c:render_sigset_t */

/* The signal set whose line this is; NULL: none. */
static const struct bd_sigset_view *set_line(const struct bd_signals *sig, const char *line, size_t len)
{
	if (!sig || len < SET_KEY)
		return NULL;
	if (!memcmp(line, "SigPnd:\t", SET_KEY))
		return &sig->pending;
	if (!memcmp(line, "ShdPnd:\t", SET_KEY))
		return &sig->shared;
	if (!memcmp(line, "SigBlk:\t", SET_KEY))
		return &sig->blocked;
	if (!memcmp(line, "SigIgn:\t", SET_KEY))
		return &sig->ignored;
	return memcmp(line, "SigCgt:\t", SET_KEY) ? NULL : &sig->caught;
}

/* The digits of a set, all of them. */
static int view_set(const struct bd_sigset_view *view, const char *in, size_t len, struct sp_text *out)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = 0;

	if (len != SET_DIGITS)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		size_t d = 0;

		while (d < 16 && digits[d] != in[i])
			d++;
		if (d == 16)
			return -EINVAL;
		v = v << 4 | d;
	}
	v = seen_set(view, v);
	for (unsigned shift = 4 * SET_DIGITS; shift; shift -= 4)
		sp_text_char(out, digits[v >> (shift - 4) & 15]);
	return 0;
}

static bool has_key(const char *line, size_t len, const char *key, size_t *ret_len)
{
	*ret_len = sp_strnlen(key, 24);
	return len >= *ret_len && !memcmp(line, key, *ret_len);
}

/* What the value of a line "Seccomp_filters:\tN" at s becomes. -1: there is none. */
static int64_t filters_left(const struct bd_restrictions *r, const char *s, size_t n)
{
	size_t key;
	int32_t v;

	if (!has_key(s, n, "Seccomp_filters:\t", &key))
		return -1;
	n = sp_parse_dec(s + key, n - key, &v);
	if (!n)
		return -1;
	if (r->counted)
		return r->filters;
	return (uint32_t)v > r->filters ? v - (int64_t)r->filters : 0;
}

/* NoNewPrivs, Seccomp (0 off, 1 strict, 2 filters) and the number of filters behind it. */
static long restriction_line(const struct bd_restrictions *r, const char *line, size_t n,
			     const char *end, struct sp_text *out)
{
	int64_t filters;
	size_t key;

	if (has_key(line, n, "NoNewPrivs:\t", &key)) {
		sp_text_bytes(out, line, key);
		sp_text_dec(out, r->no_new_privs);
	} else if (has_key(line, n, "Seccomp_filters:\t", &key)) {
		filters = filters_left(r, line, n);
		if (filters < 0)
			return 0;
		sp_text_bytes(out, line, key);
		sp_text_dec(out, filters);
	} else if (has_key(line, n, "Seccomp:\t2", &key) && n == key && line + n < end) {
		/* Before 5.9 they are not counted: then ours is the only one, for all that is known. */
		filters = filters_left(r, line + n + 1, (size_t)(end - line) - n - 1);
		sp_text_bytes(out, line, key - 1);
		if (filters < 0)
			filters = r->counted ? r->filters : !r->filters;
		sp_text_dec(out, filters ? 2 : 0);
	} else {
		return 0;
	}
	return (long)n;
}

long bd_view_status_line(struct bd_view *v, const char *in, size_t n, const char *end,
			 struct sp_text *out)
{
	const struct bd_sigset_view *set = set_line(v->map->signals, in, n);

	if (set) {
		sp_text_bytes(out, in, SET_KEY);
		return view_set(set, in + SET_KEY, n - SET_KEY, out) ? -EINVAL : (long)n;
	}
	return v->map->restrictions ? restriction_line(v->map->restrictions, in, n, end, out) : 0;
}
