/* build: src/boundary/bpf.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a seccomp filter and the data of a call. Whatever is accepted must run to
 * an end, answer the same when it is wrapped and called from elsewhere, allow what comes from the range,
 * and survive being packed; blocks are exactly as large as they have to be.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/bpf.c src/boundary/bpf.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boundary/bpf.h"

#define START 0x550000001000ul
#define END 0x550000009000ul
#define ROOM 4096u

static void same_when_wrapped(const struct sock_filter *p, unsigned n, struct seccomp_data *sd)
{
	struct sock_filter *w = malloc(ROOM * sizeof(*w));
	uint16_t *masks = malloc(ROOM * sizeof(*masks));
	bool varies = false, wrapped_varies = false;
	uint32_t verdict;
	int len;

	if (sd->instruction_pointer >= START + 2 && sd->instruction_pointer <= END)
		sd->instruction_pointer = 0;
	verdict = bd_bpf_run(p, n, sd, &varies);
	len = bd_bpf_wrap(w, ROOM, p, n, START, END);
	if (len < 0 || bd_bpf_check(w, (unsigned)len, masks))
		abort();
	if (bd_bpf_run(w, (unsigned)len, sd, &wrapped_varies) != verdict)
		abort();
	sd->instruction_pointer = END;
	if ((bd_bpf_run(w, (unsigned)len, sd, &varies) & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ALLOW)
		abort();
	free(masks);
	free(w);
}

static void survives_packing(const struct sock_filter *p, unsigned n)
{
	char *text = malloc(BD_BPF_PACKED_MAX + 1);

	for (unsigned i = 0; i < n; i++) {
		struct sock_filter back;
		unsigned len = bd_bpf_pack(&p[i], text);

		text[len] = '\0';
		if (strlen(text) != len || bd_bpf_unpack(text, &back) != len ||
		    memcmp(&back, &p[i], sizeof(back)))
			abort();
	}
	free(text);
}

/* Any bytes as packed instructions: what is read back packs to the same bytes. */
static void unpack_anything(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), again[BD_BPF_PACKED_MAX];
	struct sock_filter f;
	size_t at = 0;
	unsigned took;

	memcpy(text, data, size);
	text[size] = '\0';
	while ((took = bd_bpf_unpack(text + at, &f))) {
		if (bd_bpf_pack(&f, again) != took || memcmp(again, text + at, took))
			abort();
		at += took;
	}
	if (at > size)
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seccomp_data sd;
	struct sock_filter *p;
	uint16_t *masks;
	unsigned n;

	unpack_anything(data, size);
	if (size < sizeof(sd) + sizeof(*p))
		return 0;
	memcpy(&sd, data, sizeof(sd));
	n = (unsigned)((size - sizeof(sd)) / sizeof(*p));
	if (n > 1000)
		return 0;
	p = malloc(n * sizeof(*p));
	masks = malloc(n * sizeof(*masks));
	memcpy(p, data + sizeof(sd), n * sizeof(*p));
	if (!bd_bpf_check(p, n, masks)) {
		same_when_wrapped(p, n, &sd);
		survives_packing(p, n);
	}
	free(masks);
	free(p);
	return 0;
}
