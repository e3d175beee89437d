/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a text of procfs, and as a path. What is accepted must come out
 * unchanged when every number maps to itself, whole or in pieces; input and output are blocks of
 * exactly their size, so that AddressSanitizer sees every byte that is touched beyond them.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/procview.c \
 *	src/boundary/procview.c src/boundary/procpath.c src/base/fmt.c
 */
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

static const struct bd_map identity = {same, same, NULL};
static const struct bd_map growing = {longest, longest, NULL};

static void fuzz_text(enum bd_proc_leaf leaf, const char *in, size_t len, size_t step)
{
	size_t cap = BD_PROCVIEW_ROOM(len), pos = 0;
	char *whole = malloc(cap), *parts = malloc(cap);
	struct sp_text out;
	int r;

	sp_text_init(&out, whole, cap);
	r = bd_procview(leaf, &growing, in, len, &out);
	if (r && out.overflow)
		abort();
	sp_text_init(&out, whole, cap);
	r = bd_procview(leaf, &identity, in, len, &out);
	if (out.overflow)
		abort();
	/* A list of children loses zeros and gains a last blank: still the same in pieces. */
	if (!r && leaf != BD_LEAF_CHILDREN && (out.len != len || memcmp(whole, in, len)))
		abort();
	if (!r && leaf != BD_LEAF_STAT) {
		struct sp_text again;

		sp_text_init(&again, parts, cap);
		while (pos < len) {
			size_t piece = len - pos < step ? len - pos : step;

			if (pos + piece < len) {
				size_t cut = bd_procview_cut(leaf, in + pos, piece);

				if (cut > piece)
					abort();
				if (!cut) {
					step++;
					continue;
				}
				piece = cut;
			}
			/* Cut inside a long line a word may look like a key: refused or not, never beyond. */
			if (bd_procview(leaf, &identity, in + pos, piece, &again))
				break;
			pos += piece;
		}
		if (pos >= len && leaf == BD_LEAF_CHILDREN &&
		    (again.len != out.len || memcmp(whole, parts, out.len)))
			abort();
	}
	sp_text_init(&out, parts, step % 64 + 1);
	r = bd_procview(leaf, &identity, in, len, &out);
	if (!r && out.overflow)
		abort();
	free(whole);
	free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum bd_proc_leaf leaves[] = {BD_LEAF_STAT, BD_LEAF_STATUS, BD_LEAF_CHILDREN};
	struct bd_procpath at, p;
	char *in;

	if (size < 2)
		return 0;
	in = malloc(size - 2 ? size - 2 : 1);
	memcpy(in, data + 2, size - 2);
	if (data[0] % 4 < 3) {
		fuzz_text(leaves[data[0] % 4], in, size - 2, data[1] + 1u);
	} else {
		bd_procpath_parse(NULL, "/proc/5/task", data[1] % 2 ? 7 : 12, &at);
		bd_procpath_parse(data[1] % 3 ? &at : NULL, in, size - 2, &p);
		if (p.rest > size - 2 || p.kind > BD_PROC_PID || p.task > BD_TASK_ONE)
			abort();
	}
	free(in);
	return 0;
}
