/* SPDX-License-Identifier: Apache-2.0 */
#include "boundary/records.h"

#include <linux/errno.h>

#include "base/mem.h"

enum bd_data bd_data_of_link(const char *link, size_t len)
{
	static const struct {
		const char *text;
		enum bd_data data;
	} names[] = {
		{"anon_inode:[signalfd]", BD_DATA_SIGNALFD},
		{"anon_inode:[userfaultfd]", BD_DATA_UFFD},
		{"anon_inode:[fanotify]", BD_DATA_FANOTIFY},
		{"anon_inode:inotify", BD_DATA_INOTIFY},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sp_strnlen(names[i].text, 64) == len && !memcmp(names[i].text, link, len))
			return names[i].data;
	return BD_DATA_NONE;
}

bool bd_perf_records_numbers(uint64_t sample_type, uint64_t flags, bool every_task)
{
	enum {
		SAMPLE_TID = 1 << 1,
		MMAP = 1 << 8,
		COMM = 1 << 9,
		INHERIT_STAT = 1 << 11,
		TASK = 1 << 13,
		MMAP_DATA = 1 << 17,
		MMAP2 = 1 << 23,
		CONTEXT_SWITCH = 1 << 26,
		NAMESPACES = 1 << 28,
	};
	uint64_t always = MMAP | COMM | INHERIT_STAT | TASK | MMAP_DATA | MMAP2 | NAMESPACES;

	return sample_type & SAMPLE_TID || flags & always || (every_task && flags & CONTEXT_SWITCH);
}

/* linux/magic.h; security/tomoyo/common.c takes a number in order to show it again. */
static const struct bd_idfile files[] = {
	{.magic = 0x63677270, .name = "cgroup.procs"},
	{.magic = 0x63677270, .name = "cgroup.threads"},
	{.magic = 0x0027e0eb, .name = "cgroup.procs", .left_out = true},
	{.magic = 0x0027e0eb, .name = "tasks", .left_out = true},
	{.magic = 0x07655821, .name = "tasks", .list = true, .left_out = true}, /* resctrl */
	{.magic = 0x64626720, .name = "split_huge_pages", .front = true},
	{.magic = 0x62656572, .name = "pid_target"}, /* DAMON */
	{.magic = 0x73636673, .name = ".process_status", .refused = true},
};
#define FILES (sizeof(files) / sizeof(files[0]))

const struct bd_idfile *bd_idfile_next(const struct bd_idfile *from, const char *path, size_t len)
{
	size_t at = len;

	while (at && path[at - 1] != '/')
		at--;
	for (const struct bd_idfile *f = from ? from + 1 : files; f < files + FILES; f++)
		if (sp_strnlen(f->name, 64) == len - at && !memcmp(f->name, path + at, len - at))
			return f;
	return NULL;
}

/* The kernel's isspace, lib/ctype.c. */
static bool is_space(char c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || (uint8_t)c == 0xa0;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10) : 99;
}

/* lib/kstrtox.c:kstrtoint with base 0 of all of [s, end). 0 if it is no number above 0. */
static int32_t number(const char *s, const char *end)
{
	unsigned int base = 10;
	uint64_t v = 0;
	const char *first;

	if (s < end && *s == '+')
		s++;
	if (s < end && *s == '0') {
		base = 8;
		if (end - s > 2 && (s[1] | 0x20) == 'x' && digit(s[2]) < 16) {
			base = 16;
			s += 2;
		}
	}
	for (first = s; s < end && digit(*s) < base; s++) {
		v = v * base + digit(*s);
		if (v > INT32_MAX)
			return 0;
	}
	return s == end && s > first ? (int32_t)v : 0;
}

static void convert_piece(int32_t (*map)(void *, int32_t), void *ctx, const char *s,
			  const char *end, struct sp_text *t)
{
	const char *from = s, *to = end;
	int32_t n;

	while (s < end && is_space(*s))
		s++;
	while (end > s && is_space(end[-1]))
		end--;
	n = number(s, end);
	if (n > 0)
		sp_text_dec(t, map(ctx, n));
	else
		sp_text_bytes(t, from, (size_t)(to - from));
}

long bd_idfile_convert(const struct bd_idfile *file, int32_t (*map)(void *, int32_t), void *ctx,
		       const char *in, size_t len, char *out, size_t room)
{
	const char *s = in, *end = in + sp_strnlen(in, len), *comma;
	struct sp_text t;

	sp_text_init(&t, out, room);
	for (;; s = comma + 1) {
		comma = s;
		while (comma < end && (*comma != ',' || !(file->list || file->front)))
			comma++;
		/* Without a comma there is no number at the front (mm/huge_memory.c: "1" means all). */
		if (file->front && (s > in || comma == end)) {
			sp_text_bytes(&t, s, (size_t)(end - s));
			break;
		}
		convert_piece(map, ctx, s, comma, &t);
		if (comma == end)
			break;
		sp_text_char(&t, ',');
	}
	return t.overflow ? -E2BIG : (long)t.len;
}

long bd_idfile_show(const struct bd_idfile *file, int32_t (*map)(void *, int32_t), void *ctx,
		    const char *in, size_t len, char *out, size_t room, size_t *ret_used)
{
	size_t at = 0, have = 0;

	while (at < len && room) {
		const char *piece = in + at;
		char line[16];
		struct sp_text t;
		int32_t n = 0;
		size_t all = 0, size;

		while (at + all < len && digit(piece[all]) < 10)
			all++;
		/* A line that is cut off is whole the next time, unless it is all there is. */
		if (all && at + all == len && at)
			break;
		sp_text_init(&t, line, sizeof(line));
		if (all && at + all < len && piece[all] == '\n' && sp_parse_dec(piece, all, &n) == all) {
			n = n ? map(ctx, n) : 0;
			if (n || !file->left_out) {
				sp_text_dec(&t, n);
				sp_text_char(&t, '\n');
			}
			all++;
			piece = line;
			size = t.len;
		} else {
			all += !all;
			size = all;
		}
		if (size > room - have)
			break;
		memcpy(out + have, piece, size);
		have += size;
		at += all;
	}
	*ret_used = at;
	return (long)have;
}
