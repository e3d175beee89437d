/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rewriters of procview.h. Each walks its text once and copies what carries no id.
 */
#include "boundary/procview.h"

#include <linux/errno.h>

#include "base/mem.h"

typedef sp_vpid (*lookup)(void *ctx, sp_hpid hid);

/* Converts the number at in; the number of digits read, 0 if there is none. */
static size_t convert(const struct bd_map *map, lookup find, const char *in, size_t len,
		      sp_vpid *ret_number)
{
	int32_t v;
	size_t n = sp_parse_dec(in, len, &v);

	if (n)
		*ret_number = v ? find(map->ctx, sp_hpid_of(v)) : SP_VPID_NONE;
	return n;
}

static size_t span(const char *in, size_t len, char end)
{
	size_t n = 0;

	while (n < len && in[n] != end)
		n++;
	return n;
}

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
		pos += span(in + pos, len - pos, ' ');
		if (pos == len)
			break;
		pos++;
	}
	sp_text_bytes(out, in, pos);
	for (size_t i = 0; i < 4 && pos < len; i++) {
		start = pos;
		pos += span(in + pos, len - pos, ' ');
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
static int view_stat(const struct bd_map *map, const char *in, size_t len, struct sp_text *out)
{
	size_t pos, name_end = len;
	sp_vpid number;

	pos = convert(map, map->number, in, len, &number);
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
		lookup find = field == 4 ? map->number : map->group;
		size_t n = span(in + pos, len - pos, ' ');

		if (!n || pos + n == len)
			return -EINVAL;
		if (field == 3 || field == 7 || (field == 8 && in[pos] == '-')) {
			sp_text_bytes(out, in + pos, n);
		} else {
			if (convert(map, find, in + pos, n, &number) != n)
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

/* What the line that starts here is to be converted with; NULL: nothing. */
static lookup status_line(const struct bd_map *map, const char *line, size_t len, size_t *ret_value)
{
	static const struct {
		char key[12];
		uint8_t len;
		bool group;
	} keys[] = {
		{"Tgid:\t", 6, false},	     {"Pid:\t", 5, false},    {"PPid:\t", 6, false},
		{"TracerPid:\t", 11, false}, {"NStgid:\t", 8, false}, {"NSpid:\t", 7, false},
		{"NSpgid:\t", 8, true},	     {"NSsid:\t", 7, true},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (len < keys[i].len || memcmp(line, keys[i].key, keys[i].len))
			continue;
		*ret_value = keys[i].len;
		return keys[i].group ? map->group : map->number;
	}
	return NULL;
}

static int view_status(const struct bd_map *map, const char *in, size_t len, struct sp_text *out)
{
	size_t pos = 0;

	while (pos < len) {
		size_t value, n, line = span(in + pos, len - pos, '\n');
		lookup find = status_line(map, in + pos, line, &value);
		const struct bd_sigset_view *set =
			find ? NULL : set_line(map->signals, in + pos, line);
		sp_vpid number;

		if (set) {
			sp_text_bytes(out, in + pos, SET_KEY);
			if (view_set(set, in + pos + SET_KEY, line - SET_KEY, out))
				return -EINVAL;
			pos += line;
			line = 0;
		}
		if (find) {
			sp_text_bytes(out, in + pos, value);
			pos += value;
			line -= value;
			n = convert(map, find, in + pos, line, &number);
			if (!n || (n < line && in[pos + n] != '\t'))
				return -EINVAL;
			sp_text_dec(out, number.n);
			pos += n;
			line -= n;
		}
		line += pos + line < len; /* the newline */
		sp_text_bytes(out, in + pos, line);
		pos += line;
	}
	return 0;
}

static int view_children(const struct bd_map *map, const char *in, size_t len, struct sp_text *out)
{
	size_t pos = 0;

	while (pos < len) {
		sp_vpid number;
		size_t n = convert(map, map->number, in + pos, len - pos, &number);

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

bool bd_procview_has(enum bd_proc_leaf leaf)
{
	return leaf == BD_LEAF_STAT || leaf == BD_LEAF_STATUS || leaf == BD_LEAF_CHILDREN;
}

size_t bd_procview_cut(enum bd_proc_leaf leaf, const char *in, size_t len)
{
	/* The only long line of status is Groups, whose words are no keys wherever it is cut. */
	char first = leaf == BD_LEAF_STATUS ? '\n' : ' ';
	size_t n = len;

	if (leaf == BD_LEAF_STAT)
		return 0;
	while (n && in[n - 1] != first)
		n--;
	if (n || leaf != BD_LEAF_STATUS)
		return n;
	for (n = len; n && in[n - 1] != ' ';)
		n--;
	return n;
}

int bd_procview(enum bd_proc_leaf leaf, const struct bd_map *map, const char *in, size_t len,
		struct sp_text *out)
{
	int r = -EINVAL;

	if (leaf == BD_LEAF_STAT)
		r = view_stat(map, in, len, out);
	else if (leaf == BD_LEAF_STATUS)
		r = view_status(map, in, len, out);
	else if (leaf == BD_LEAF_CHILDREN)
		r = view_children(map, in, len, out);
	if (r)
		return r;
	return out->overflow ? -E2BIG : 0;
}
