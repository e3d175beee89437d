/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where ids are in the texts of procview.h, as a table, and the one walk over lines and words that
 * applies it. What is not understood is copied: a text may be longer, newer or other than expected.
 */
#include "boundary/procview.h"

#include <linux/errno.h>

#include "base/map.h"
#include "base/mem.h"

enum what { NUMBER, GROUP, PAST, CLOCK, LAST, LIMIT, PORT, PARENT, NUMBERS, GROUPS };

/* Words of a line are counted from 1, whatever blanks and tabs are between them. */
static const struct rule {
	uint8_t text;
	uint8_t column;
	uint8_t what;
	int8_t width; /* the word is padded to so many; negative: on the right */
	char behind;  /* the number starts behind the last of these in the word; 0: with the word */
	char second;  /* the second word has to be this character; 0: any */
	char key[13]; /* what the line starts with */
} rules[] = {
	{BD_TEXT_STATUS, 2, NUMBER, 0, 0, 0, "Tgid:\t"},
	{BD_TEXT_STATUS, 2, NUMBER, 0, 0, 0, "Pid:\t"},
	{BD_TEXT_STATUS, 2, PARENT, 0, 0, 0, "PPid:\t"},
	{BD_TEXT_STATUS, 2, NUMBER, 0, 0, 0, "TracerPid:\t"},
	{BD_TEXT_STATUS, 2, NUMBERS, 0, 0, 0, "NStgid:\t"},
	{BD_TEXT_STATUS, 2, NUMBERS, 0, 0, 0, "NSpid:\t"},
	{BD_TEXT_STATUS, 2, GROUPS, 0, 0, 0, "NSpgid:\t"},
	{BD_TEXT_STATUS, 2, GROUPS, 0, 0, 0, "NSsid:\t"},
	/* fs/proc/base.c:show_timer */
	{BD_TEXT_TIMERS, 2, PAST, 0, '.', 0, "notify: "},
	{BD_TEXT_TIMERS, 2, CLOCK, 0, 0, 0, "ClockID: "},
	/* pidfs, fs/locks.c:__show_fd_locks, io_uring, links of bpf */
	{BD_TEXT_FDINFO, 2, NUMBER, 0, 0, 0, "Pid:\t"},
	{BD_TEXT_FDINFO, 2, NUMBERS, 0, 0, 0, "NSpid:\t"},
	{BD_TEXT_FDINFO, 6, GROUP, 0, 0, 0, "lock:\t"},
	{BD_TEXT_FDINFO, 2, NUMBER, 0, 0, 0, "SqThread:\t"},
	{BD_TEXT_FDINFO, 2, NUMBER, 0, 0, 0, "pid:\t"},
	{BD_TEXT_FDINFO, 2, NUMBER, 0, 0, 0, "tid:\t"},
	{BD_TEXT_LOADAVG, 5, LAST, 0, 0, 0, ""},
	{BD_TEXT_LOCKS, 5, GROUP, 0, 0, 0, ""},
	/* ipc/shm.c, ipc/msg.c: %5u */
	{BD_TEXT_SYSVIPC_SHM, 5, PAST, 5, 0, 0, ""},
	{BD_TEXT_SYSVIPC_SHM, 6, PAST, 5, 0, 0, ""},
	{BD_TEXT_SYSVIPC_MSG, 6, PAST, 5, 0, 0, ""},
	{BD_TEXT_SYSVIPC_MSG, 7, PAST, 5, 0, 0, ""},
	/* net/ipv6/ip6_flowlabel.c: %-6d, and a process only if shared by IPV6_FL_S_PROCESS */
	{BD_TEXT_FLOWLABEL, 3, PAST, -6, 0, '2', ""},
	/* net/netlink/af_netlink.c: %-10u */
	{BD_TEXT_NETLINK, 3, PORT, -10, 0, 0, ""},
	/* sound/core/pcm.c, rawmidi.c */
	{BD_TEXT_SOUND, 3, PAST, 0, 0, 0, "owner_pid"},
	{BD_TEXT_SOUND, 4, PAST, 0, 0, 0, "  Owner PID"},
	{BD_TEXT_PID_MAX, 1, LIMIT, 0, 0, 0, ""},
	{BD_TEXT_LAST_PID, 1, LAST, 0, 0, 0, ""},
	{BD_TEXT_ONE_NUMBER, 1, NUMBER, 0, 0, 0, ""},
	{BD_TEXT_MEMBERS, 1, NUMBER, 0, 0, 0, ""},
	{BD_TEXT_MEMBERS_0, 1, NUMBER, 0, 0, 0, ""},
	/* ipc/mqueue.c:mqueue_read_file: %-6d */
	{BD_TEXT_MQUEUE, 4, PAST, -6, ':', 0, "QSIZE:"},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))
_Static_assert(RULES <= 64, "struct bd_view has a bit for each");

/* The number at in; how many digits it has, 0 if there is none. */
size_t bd_view_number(const struct bd_map *map, bd_lookup find, const char *in, size_t len,
		      sp_vpid *ret_number)
{
	int32_t v;
	size_t n = sp_parse_dec(in, len, &v);

	if (n)
		*ret_number = v ? find(map->ctx, sp_hpid_of(v)) : SP_VPID_NONE;
	return n;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t blanks(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && blank(s[i]))
		i++;
	return i;
}

static size_t word(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && !blank(s[i]))
		i++;
	return i;
}

/* The word with this number in a line; its length, 0 if there are not so many. */
static size_t nth_word(const char *s, size_t n, unsigned nth, const char **ret_word)
{
	size_t pos = 0, len = 0;

	while (nth--) {
		pos += len;
		pos += blanks(s + pos, n - pos);
		len = word(s + pos, n - pos);
	}
	*ret_word = s + pos;
	return len;
}

static bool starts(const char *s, size_t n, const char *key)
{
	size_t i = 0;

	while (key[i] && i < n && s[i] == key[i])
		i++;
	return !key[i];
}

/*
 * CPU clocks of timer_create(2) carry the number of a process or thread above three bits, inverted; 0
 * is the caller.
 */
static size_t view_clock(const struct bd_map *map, const char *s, size_t n, struct sp_text *out)
{
	sp_vpid number = SP_VPID_NONE;
	int32_t v, hid;
	size_t len;

	if (!n || s[0] != '-')
		return 0;
	len = sp_parse_dec(s + 1, n - 1, &v);
	if (!len || !v)
		return 0;
	if ((-v & 7) == 3) /* a descriptor's: clock_getres(2), dynamic clocks */
		return 0;
	hid = ~(-v >> 3);
	if (hid > 0)
		number = map->past(map->ctx, sp_hpid_of(hid));
	sp_text_dec(out, (int32_t)((uint32_t)~number.n << 3 | ((uint32_t)-v & 7)));
	return len + 1;
}

/* What s, a number and nothing else, becomes; 0 if it is something else. */
static size_t view_value(const struct bd_map *map, enum what what, const char *s, size_t n,
			 struct sp_text *out)
{
	bd_lookup find = what == GROUP || what == GROUPS ? map->group
			 : what == PAST			 ? map->past
			 : what == PARENT && map->parent ? map->parent
							 : map->number;
	sp_vpid number = SP_VPID_NONE;
	size_t len;

	if (what == CLOCK)
		return view_clock(map, s, n, out);
	if (what == LAST || what == LIMIT) {
		int32_t v;

		len = sp_parse_dec(s, n, &v);
		if (len == n)
			sp_text_dec(out, what == LAST ? map->last.n : map->pid_max);
		return len == n ? len : 0;
	}
	len = bd_view_number(map, find, s, n, &number);
	if (len != n)
		return 0;
	/* Ports are made from numbers, but need not be. */
	if (what == PORT && !number.n)
		return 0;
	sp_text_dec(out, number.n);
	return len;
}

static void pad(struct sp_text *out, size_t n)
{
	while (n--)
		sp_text_char(out, ' ');
}

static size_t missing(size_t width, size_t len)
{
	return len < width ? width - len : 0;
}

/* /proc/N and /proc/N/task/T at the start of a word of n bytes; how much of it was used. */
static size_t view_path(const struct bd_map *map, const char *s, size_t n, size_t at,
			struct sp_text *out)
{
	sp_vpid number, thread;
	/* What is mounted or mapped may be of a process that has gone. */
	size_t len = bd_view_number(map, map->past, s + at, n - at, &number), more;

	if (!len || !number.n || (at + len < n && s[at + len] != '/'))
		return 0;
	sp_text_bytes(out, s, at);
	sp_text_dec(out, number.n);
	at += len;
	if (!starts(s + at, n - at, "/task/"))
		return at;
	more = bd_view_number(map, map->past, s + at + 6, n - at - 6, &thread);
	if (!more || !thread.n)
		return at;
	sp_text_bytes(out, s + at, 6);
	sp_text_dec(out, thread.n);
	return at + 6 + more;
}

/* "pid:[INODE]", the root of a mounted namespace; whether it was ours. */
static bool view_namespace(const struct bd_map *map, const char *s, size_t n, struct sp_text *out)
{
	struct sp_text own;
	char buf[32];

	sp_text_init(&own, buf, sizeof(buf));
	sp_text_str(&own, "pid:[");
	sp_text_dec(&own, (int64_t)map->ns_kernel);
	sp_text_char(&own, ']');
	if (!map->ns_kernel || own.len != n || memcmp(buf, s, n))
		return false;
	sp_text_str(out, "pid:[");
	sp_text_dec(out, (int64_t)map->ns_shown);
	sp_text_char(out, ']');
	return true;
}

/* A word of a table of mounts. */
static void view_mount_word(struct bd_view *v, const char *s, size_t n, struct sp_text *out)
{
	size_t used = 0;
	sp_vpid number;

	if (v->column == 4 && view_namespace(v->map, s, n, out))
		used = n;
	else if (n > 6 && starts(s, n, "/proc/"))
		used = view_path(v->map, s, n, 6, out);
	else if (v->procfs && v->column == 4 && n > 1 && s[0] == '/')
		used = view_path(v->map, s, n, 1, out);
	if (n == 6 && starts(s, n, "autofs"))
		v->autofs = true;
	for (size_t i = 0; v->autofs && i + 6 < n; i++) {
		size_t len;

		if ((i && s[i - 1] != ',') || !starts(s + i, n - i, "pgrp="))
			continue;
		len = bd_view_number(v->map, v->map->group, s + i + 5, n - i - 5, &number);
		if (!len)
			continue;
		sp_text_bytes(out, s + used, i + 5 - used);
		sp_text_dec(out, number.n);
		used = i + 5 + len;
	}
	sp_text_bytes(out, s + used, n - used);
}

static const struct rule *rule_of(const struct bd_view *v)
{
	for (size_t i = 0; i < RULES; i++)
		if (v->rules >> i & 1 && rules[i].column == v->column)
			return &rules[i];
	return NULL;
}

/* A number for each namespace in place of the word; false: there is one. */
static bool view_columns(const struct bd_map *map, const struct rule *r, const char *s, size_t gap,
			 size_t n, struct sp_text *out)
{
	size_t before = out->len;
	int32_t hid;

	if ((r->what != NUMBERS && r->what != GROUPS) || !map->columns ||
	    sp_parse_dec(s + gap, n, &hid) != n)
		return false;
	sp_text_bytes(out, s, gap);
	if (map->columns(map->ctx, sp_hpid_of(hid), out))
		return true;
	out->len = before;
	return false;
}

/* Blanks and the word behind them; whether blanks behind it belong to the word. */
static size_t view_word(struct bd_view *v, const char *s, size_t gap, size_t n, size_t room,
			struct sp_text *out)
{
	const struct rule *r = rule_of(v);
	const char *w = s + gap;
	size_t lead = 0, width, used, own;
	struct sp_text number;
	char buf[16];

	if (!r) {
		sp_text_bytes(out, s, gap);
		if (v->text == BD_TEXT_MOUNTS)
			view_mount_word(v, w, n, out);
		else
			sp_text_bytes(out, w, n);
		return 0;
	}
	if (view_columns(v->map, r, s, gap, n, out))
		return 0;
	for (size_t i = 0; r->behind && i < n; i++)
		if (w[i] == r->behind)
			lead = i + 1;
	sp_text_init(&number, buf, sizeof(buf));
	used = view_value(v->map, (enum what)r->what, w + lead, n - lead, &number);
	if (!used) {
		sp_text_bytes(out, s, gap + n);
		return 0;
	}
	/* Not aligned as expected: then nothing is to be aligned. */
	width = (size_t)(r->width < 0 ? -r->width : r->width);
	own = missing(width, used);
	if (own > (r->width > 0 ? gap : room) ||
	    bd_span(r->width > 0 ? w - own : w + n, own, '\t') != own)
		own = width = 0;
	if (r->width > 0)
		sp_text_bytes(out, s, gap - own);
	else
		sp_text_bytes(out, s, gap);
	if (r->width > 0)
		pad(out, missing(width, number.len));
	sp_text_bytes(out, w, lead);
	sp_text_bytes(out, number.buf, number.len);
	if (r->width >= 0)
		return 0;
	pad(out, missing(width, number.len));
	return own;
}

static void view_words(struct bd_view *v, const char *s, size_t n, struct sp_text *out)
{
	size_t pos = 0;

	if (v->in_token) {
		pos = word(s, n);
		sp_text_bytes(out, s, pos);
	}
	while (pos < n) {
		size_t gap = blanks(s + pos, n - pos), len = word(s + pos + gap, n - pos - gap);

		if (!len) {
			sp_text_bytes(out, s + pos, gap);
			break;
		}
		v->column++;
		pos += view_word(v, s + pos, gap, len,
				 blanks(s + pos + gap + len, n - pos - gap - len), out) +
		       gap + len;
	}
}

bool bd_view_ours(uint64_t addr)
{
	return (addr >= SP_SEGMENT_ADDR && addr < SP_SEGMENT_ADDR + SP_SEGMENT_SPAN) ||
	       (addr >= SP_RESIDENT_ADDR && addr < SP_RESIDENT_END) ||
	       (addr >= SP_AREAS_ADDR && addr < SP_AREAS_END);
}

/* Whether a mapping starts with this line, and whether it is to be shown. */
static bool maps_dropped(const struct bd_view *v, const char *s, size_t n)
{
	const char *p = s;
	uint64_t addr;
	size_t digits = 0;

	while (digits < n && digits < 16 &&
	       ((s[digits] >= '0' && s[digits] <= '9') || (s[digits] >= 'a' && s[digits] <= 'f')))
		digits++;
	/* Behind the head in smaps: "Size:", "VmFlags:". */
	if (!digits || digits == n || s[digits] != (v->text == BD_TEXT_MAPS ? '-' : ' '))
		return v->drop;
	addr = sp_parse_hex(&p);
	/* Where the kernel could not be told of a new place, the program's heap is behind us. */
	return bd_view_ours(addr) && !(n > 6 && !memcmp(s + n - 6, "[heap]", 6)) &&
	       !(v->text == BD_TEXT_NUMA_MAPS && nth_word(s, n, 3, &p) == 4 && !memcmp(p, "heap", 4));
}

static bool locks_dropped(const struct bd_view *v, const char *s, size_t n)
{
	sp_vpid number;
	const char *p;
	size_t len = nth_word(s, n, 2, &p);

	if (len == 2 && !memcmp(p, "->", 2))
		return v->drop;
	len = nth_word(s, n, 5, &p);
	return len && bd_view_number(v->map, v->map->group, p, len, &number) == len && !number.n;
}

static bool member_dropped(struct bd_view *v, const char *s, size_t n)
{
	sp_vpid number;

	if (bd_view_number(v->map, v->map->number, s, n, &number) != n || !n)
		return false;
	if (!number.n)
		return true;
	v->unordered |= number.n <= v->last;
	v->last = number.n;
	return false;
}

static bool dropped(struct bd_view *v, const char *s, size_t n)
{
	if (v->text == BD_TEXT_MAPS || v->text == BD_TEXT_NUMA_MAPS)
		return maps_dropped(v, s, n);
	if (v->text == BD_TEXT_LOCKS)
		return locks_dropped(v, s, n);
	return v->text == BD_TEXT_MEMBERS && member_dropped(v, s, n);
}

static bool has_words(const char *s, size_t n, const char *words)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == words[0] && starts(s + i, n - i, words))
			return true;
	return false;
}

static void start_line(struct bd_view *v, const char *s, size_t n)
{
	const char *p;
	bool arrow = v->text == BD_TEXT_LOCKS && nth_word(s, n, 2, &p) == 2 && p[0] == '-';

	v->drop = dropped(v, s, n);
	v->column = arrow ? UINT32_MAX : 0; /* one word more in front */
	v->in_token = false;
	v->autofs = false;
	v->procfs = v->text == BD_TEXT_MOUNTS && has_words(s, n, " - proc ");
	v->rules = 0;
	for (size_t i = 0; i < RULES; i++) {
		const struct rule *r = &rules[i];

		if (r->text != v->text || !starts(s, n, r->key))
			continue;
		if (r->second && (nth_word(s, n, 2, &p) != 1 || *p != r->second))
			continue;
		v->rules |= 1ull << i;
	}
}

/* n bytes of a line, its newline not among them. rest: what else is in the piece. */
static int view_line(struct bd_view *v, const char *s, size_t n, bool newline, const char *rest,
		     struct sp_text *out)
{
	long used = 0;

	if (!v->in_line) {
		if (v->text == BD_TEXT_STATUS)
			used = bd_view_status_line(v, s, n, rest, out);
		if (used < 0)
			return (int)used;
		start_line(v, s, n);
	}
	if (!v->drop) {
		if (used || (!v->rules && v->text != BD_TEXT_MOUNTS))
			sp_text_bytes(out, s + used, n - (size_t)used);
		else
			view_words(v, s, n, out);
		if (newline)
			sp_text_char(out, '\n');
	}
	if (newline || n) {
		v->in_line = !newline;
		v->in_token = !newline && !blank(s[n - 1]);
	}
	return 0;
}

/* How much of a text in lines can be converted now. */
static size_t cut_lines(const struct bd_view *v, const char *in, size_t len)
{
	size_t n = len, line;

	while (n && in[n - 1] != '\n')
		n--;
	if (v->text == BD_TEXT_STATUS && n) {
		/* Whether "Seccomp" is shown is in the line behind it. */
		for (line = n - 1; line && in[line - 1] != '\n';)
			line--;
		if (starts(in + line, n - line, "Seccomp:\t") && (line || len < BD_LINE_MAX))
			n = line;
	}
	if (n || len < BD_LINE_MAX)
		return n;
	for (n = len; n && !blank(in[n - 1]);)
		n--;
	return n ? n : len;
}

static int view_lines(struct bd_view *v, const char *in, size_t len, struct sp_text *out)
{
	size_t pos = 0;

	if (v->text == BD_TEXT_SCHED && !v->started)
		pos = bd_view_sched_head(v, in, len, out);
	v->started = true;
	while (pos < len) {
		size_t n = bd_span(in + pos, len - pos, '\n');
		bool newline = pos + n < len;
		int r = view_line(v, in + pos, n, newline, in + len, out);

		if (r)
			return r;
		pos += n + newline;
	}
	return 0;
}

long bd_view_piece(struct bd_view *v, const char *in, size_t len, bool end, struct sp_text *out)
{
	size_t cut = len, before = out->len;
	int r;

	if (v->text == BD_TEXT_STAT || v->text == BD_TEXT_SYSCALL)
		cut = end ? len : 0;
	else if (v->text == BD_TEXT_CHILDREN)
		while (!end && cut && in[cut - 1] != ' ')
			cut--;
	else if (!end)
		cut = cut_lines(v, in, len);
	if (!cut && !end)
		return 0;
	if (v->text == BD_TEXT_STAT)
		r = bd_view_stat(v, in, cut, out);
	else if (v->text == BD_TEXT_SYSCALL)
		r = bd_view_syscall(v, in, cut, out);
	else if (v->text == BD_TEXT_CHILDREN)
		r = bd_view_children(v, in, cut, out);
	else
		r = view_lines(v, in, cut, out);
	if (out->len - before != cut || memcmp(out->buf + before, in, cut))
		v->changed = true;
	if (r)
		return r;
	return out->overflow ? -E2BIG : (long)cut;
}
