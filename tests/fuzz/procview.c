/* build: src/boundary/procview.c src/boundary/procview_name.c src/boundary/procview_task.c src/boundary/procpath.c src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a text of the kernel, and as a path. The first byte says which text,
 * the second in what pieces. Whatever comes: nothing beyond the input is read (it is a block of
 * exactly its size), what comes out fits the room that is promised, and the walk goes forward. When
 * every number maps to itself and nothing is hidden, the text must come out as it went in, whole and
 * in pieces.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boundary/procpath.h"
#include "boundary/procview.h"

static sp_vpid same(void *ctx, sp_hpid hid)
{
	(void)ctx;
	if (!hid.n)
		abort();
	return sp_vpid_of(hid.n);
}

static sp_vpid longest(void *ctx, sp_hpid hid)
{
	(void)ctx;
	(void)hid;
	return sp_vpid_of(INT32_MAX);
}

static sp_vpid nobody(void *ctx, sp_hpid hid)
{
	(void)ctx;
	(void)hid;
	return SP_VPID_NONE;
}

static const struct bd_signals sets = {.blocked = {~0ull, 1}, .caught = {1, 2}};
static const struct bd_restrictions ours = {false, false, 1};
static const struct bd_call call = {61, {~0ull, 1, 2, 3, 4, 5}, ~0ull, ~0ull};
static const struct bd_map identity = {.number = same, .group = same, .past = same};
static const struct bd_map growing = {.number = longest,
				      .group = longest,
				      .past = longest,
				      .signals = &sets,
				      .restrictions = &ours,
				      .last = {INT32_MAX},
				      .pid_max = INT32_MAX};
static const struct bd_map empty = {
	.number = nobody, .group = nobody, .past = nobody, .restrictions = &ours, .call = &call};

/* In pieces of at most step new bytes; the result in out, which has room. False: no such text. */
static int in_pieces(enum bd_text text, const struct bd_map *map, const char *in, size_t len,
		     size_t step, struct sp_text *out)
{
	struct bd_view v = {.map = map, .text = text};
	size_t used = 0, have = 0;

	do {
		size_t before = out->len;
		char *block;
		long n;

		have = have + step < len - used ? have + step : len - used;
		block = malloc(have ? have : 1);
		memcpy(block, in + used, have);
		n = bd_view_piece(&v, block, have, used + have == len, out);
		free(block);
		if (n == -E2BIG)
			abort();
		if (n < 0)
			return 0;
		if ((size_t)n > have || out->overflow)
			abort();
		if (out->len - before > BD_PROCVIEW_ROOM((size_t)n))
			abort();
		if (!n && have >= BD_LINE_MAX && text != BD_TEXT_STAT && text != BD_TEXT_SYSCALL)
			abort();
		used += (size_t)n;
		have -= (size_t)n;
	} while (used < len);
	return 1;
}

/* Texts in which something is always other than the kernel has it. */
static int never_same(enum bd_text text)
{
	return text == BD_TEXT_CHILDREN || text == BD_TEXT_MAPS || text == BD_TEXT_NUMA_MAPS ||
	       text == BD_TEXT_LOADAVG || text == BD_TEXT_LOCKS || text == BD_TEXT_MEMBERS ||
	       text == BD_TEXT_PID_MAX || text == BD_TEXT_LAST_PID;
}

static void fuzz_text(enum bd_text text, const char *in, size_t len, size_t step)
{
	static const struct bd_map *const maps[] = {&identity, &growing, &empty};
	size_t cap = BD_PROCVIEW_ROOM(len) + 64;
	char *whole = malloc(cap), *parts = malloc(cap);
	struct sp_text out, again;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		sp_text_init(&out, whole, cap);
		sp_text_init(&again, parts, cap);
		if (!in_pieces(text, maps[i], in, len, len + 1, &out))
			continue;
		if (!i && !never_same(text) && (out.len != len || memcmp(whole, in, len)))
			abort();
		if (!in_pieces(text, maps[i], in, len, step, &again))
			continue;
		if (!i && !never_same(text) && (again.len != len || memcmp(parts, in, len)))
			abort();
	}
	/* Too little room is said, never overrun. */
	sp_text_init(&out, parts, step % 64 + 1);
	{
		struct bd_view v = {.map = &growing, .text = text};
		long n = bd_view_piece(&v, in, len, 1, &out);

		if (n >= 0 && out.overflow)
			abort();
	}
	free(whole);
	free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bd_procpath at, p;
	char *in;

	if (size < 2)
		return 0;
	in = malloc(size - 2 ? size - 2 : 1);
	memcpy(in, data + 2, size - 2);
	if (data[0] < 128) {
		fuzz_text((enum bd_text)(data[0] % BD_TEXTS), in, size - 2, data[1] + 1u);
	} else {
		bd_procpath_parse(NULL, "/proc/5/task", data[1] % 2 ? 7 : 12, &at);
		bd_procpath_parse(data[1] % 3 ? &at : NULL, in, size - 2, &p);
		if (p.rest > size - 2 || p.kind > BD_PROC_PID || p.task > BD_TASK_ONE ||
		    bd_text_of(&p) >= BD_TEXTS)
			abort();
		bd_text_elsewhere(in, size - 2, 0x62656572);
		bd_text_may_be_elsewhere(in, size - 2);
	}
	free(in);
	return 0;
}
