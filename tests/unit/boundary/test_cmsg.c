/* build: src/boundary/cmsg.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control data: every credential up to the place where the kernel refuses the list, and not a byte else.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "boundary/cmsg.h"

_Static_assert(sizeof(struct bd_cmsg) == sizeof(struct cmsghdr), "cmsghdr");
_Static_assert(sizeof(struct bd_ucred) == sizeof(struct ucred), "ucred");
_Static_assert(BD_SCM_CREDENTIALS == SCM_CREDENTIALS && BD_SCM_RIGHTS == SCM_RIGHTS, "types");

static int32_t plus(void *ctx, int32_t pid)
{
	++*(unsigned *)ctx;
	return pid + 1000;
}

static size_t add(char *buf, size_t at, int level, int type, size_t n, int first)
{
	struct cmsghdr h = {.cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type};

	memcpy(buf + at, &h, sizeof(h));
	memset(buf + at + sizeof(h), 0x55, CMSG_SPACE(n) - sizeof(h));
	if (n >= 4)
		memcpy(buf + at + sizeof(h), &first, 4);
	return at + CMSG_SPACE(n);
}

static int first_of(const char *buf, size_t at)
{
	int v;

	memcpy(&v, buf + at + 16, 4);
	return v;
}

static unsigned convert(char *buf, size_t len)
{
	/* A block of exactly the size, for the sanitizer. */
	char *copy = malloc(len ? len : 1);
	unsigned called = 0, n;

	memcpy(copy, buf, len);
	n = bd_cmsg_send(copy, len, plus, &called);
	memcpy(buf, copy, len);
	free(copy);
	assert_int_equal(n, called);
	return n;
}

static void each_credential_is_converted(void **state)
{
	char buf[256];
	size_t a, b, c, d, end;

	(void)state;
	a = 0;
	b = add(buf, a, SOL_SOCKET, SCM_CREDENTIALS, 12, 5);
	c = add(buf, b, SOL_SOCKET, SCM_RIGHTS, 8, 6);
	d = add(buf, c, 41, SCM_CREDENTIALS, 12, 7);
	end = add(buf, d, SOL_SOCKET, SCM_CREDENTIALS, 12, -1);
	assert_int_equal(convert(buf, end), 2);
	assert_int_equal(first_of(buf, a), 1005);
	assert_int_equal(first_of(buf, b), 6);
	assert_int_equal(first_of(buf, c), 7);
	assert_int_equal(first_of(buf, d), 999);
	/* The last one's padding need not be there, the rest of it must. */
	assert_int_equal(convert(buf, end - 4), 2);
	assert_int_equal(convert(buf, end - 5), 1);
}

static void what_the_kernel_refuses_ends_the_list(void **state)
{
	static const uint64_t lens[] = {0,  1,	15, 16,		27,    29,	 32,
					33, 64, 65, 1ull << 32, ~0ull, ~0ull - 7};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		add(buf, add(buf, 0, SOL_SOCKET, SCM_CREDENTIALS, 12, 5), SOL_SOCKET,
		    SCM_CREDENTIALS, 12, 6);
		memcpy(buf, &lens[i], 8);
		assert_int_equal(convert(buf, 64), 0);
		assert_int_equal(first_of(buf, 32), 6);
	}
	for (size_t len = 0; len < 28; len++) {
		add(buf, 0, SOL_SOCKET, SCM_CREDENTIALS, 12, 5);
		assert_int_equal(convert(buf, len), 0);
	}
}

static void any_bytes_are_survived(void **state)
{
	char buf[96];
	uint64_t small;

	(void)state;
	srandom(7);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)random() % sizeof(buf);

		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = (char)random();
		for (size_t i = 0; i + 16 < sizeof(buf); i += 32) {
			small = (uint64_t)random() % 48;
			memcpy(buf + i, &small, 8);
			if (random() % 2)
				memcpy(buf + i + 8, (int[]){SOL_SOCKET, SCM_CREDENTIALS}, 8);
		}
		assert_in_range(convert(buf, len), 0, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_credential_is_converted),
		cmocka_unit_test(what_the_kernel_refuses_ends_the_list),
		cmocka_unit_test(any_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
