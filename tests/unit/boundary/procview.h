/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the kernel's texts share: maps of numbers, and a rewriter whose input and output are blocks of
 * exactly their size.
 */
#ifndef UNIT_PROCVIEW_H
#define UNIT_PROCVIEW_H

#include <stdlib.h>
#include <string.h>

#include "boundary/procview.h"

#define MAYBE __attribute__((unused))

/* Numbers from 100 on are inside, as 7 more; groups as 9 more. */
static sp_vpid number(void *ctx, sp_hpid hid)
{
	assert_true(hid.n != 0);
	++*(unsigned *)ctx;
	return sp_vpid_of(hid.n >= 100 ? hid.n + 7 : 0);
}

static sp_vpid group(void *ctx, sp_hpid hid)
{
	assert_true(hid.n != 0);
	++*(unsigned *)ctx;
	return sp_vpid_of(hid.n >= 100 ? hid.n + 9 : 0);
}

static sp_vpid past(void *ctx, sp_hpid hid)
{
	assert_true(hid.n != 0);
	++*(unsigned *)ctx;
	return sp_vpid_of(hid.n >= 50 ? hid.n + 5 : 0);
}

MAYBE static sp_vpid same(void *ctx, sp_hpid hid)
{
	(void)ctx;
	return sp_vpid_of(hid.n);
}

MAYBE static unsigned asked;
MAYBE static const struct bd_map map = {.number = number,
					.group = group,
					.past = past,
					.ctx = &asked,
					.last = {77},
					.pid_max = 99,
					.ns_kernel = 4026531836,
					.ns_shown = 5};
MAYBE static const struct bd_map identity = {.number = same, .group = same, .past = same};

static char result[1 << 20];

/* in without a NUL behind it, out of exactly cap bytes: the sanitizer guards both ends. */
MAYBE static int view_into(enum bd_text leaf, const struct bd_map *m, const char *in, size_t len,
			   size_t cap)
{
	struct bd_view v = {.map = m, .text = leaf};
	char *copy = malloc(len ? len : 1), *buf = malloc(cap);
	struct sp_text out;
	long r;

	memcpy(copy, in, len);
	sp_text_init(&out, buf, cap);
	r = bd_view_piece(&v, copy, len, true, &out);
	assert_true(r < 0 || r == (long)len);
	assert_true(out.len < cap && strlen(buf) == out.len);
	assert_true(r < 0 || v.changed == (out.len != len || memcmp(buf, in, len) != 0));
	assert_true(cap <= sizeof(result));
	memcpy(result, buf, out.len + 1);
	free(buf);
	free(copy);
	return r < 0 ? (int)r : 0;
}

MAYBE static int view(enum bd_text leaf, const struct bd_map *m, const char *in)
{
	return view_into(leaf, m, in, strlen(in), BD_PROCVIEW_ROOM(strlen(in)));
}

#endif
