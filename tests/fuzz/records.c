/* build: src/boundary/records.c src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a text of process numbers, in a block of exactly its size. What the kernel
 * would read from the text and from what is made of it must be the same number but for the map; the
 * kernel's parser is written down here a second time, by the C library.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "boundary/records.h"

#define ADD 1000

static int32_t mapped(void *ctx, int32_t n)
{
	(void)ctx;
	return n < 1000000 ? n + ADD : n;
}

static bool is_space(char c)
{
	return c && strchr("\t\n\v\f\r \xa0", c);
}

/* kstrtoint(strstrip(text), 0, &n) of [s, s + len): false if that fails. */
static bool kernel_reads(const char *s, size_t len, int *n)
{
	char buf[8200], *at = buf, *end;
	long long v;

	memcpy(buf, s, len);
	buf[len] = 0;
	len = strlen(buf);
	while (len && is_space(buf[len - 1]))
		buf[--len] = 0;
	while (is_space(*at))
		at++;
	end = at + strlen(at);
	/* What strtoll takes and the kernel does not. */
	if (strpbrk(at, " \t\n\v\f\r") || strspn(at, "+-") > 1 || !strncmp(at, "0b", 2) ||
	    !strncmp(at, "0B", 2) || strpbrk(at, "bB") == at + 1 || !*at)
		return false;
	errno = 0;
	v = strtoll(at, &at, 0);
	*n = (int)v;
	return at == end && !errno && v == (int)v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bd_idfile *f = bd_idfile_next(NULL, "cgroup.procs", 12);
	char *copy, out[8200];
	int before = 0, after = 0;
	bool was, is;
	long n;

	if (!size || size > 4096)
		return 0;
	if (data[0] & 1)
		for (const struct bd_idfile *i = NULL; (i = bd_idfile_next(i, "tasks", 5));)
			f = i;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	n = bd_idfile_convert(f, mapped, NULL, copy, size - 1, out, sizeof(out));
	if (n < 0)
		abort();
	if (!f->list) {
		was = kernel_reads(copy, size - 1, &before);
		is = kernel_reads(out, (size_t)n, &after);
		if (was != is || (was && after != (before > 0 ? mapped(NULL, before) : before)))
			abort();
	}
	free(copy);
	return 0;
}
