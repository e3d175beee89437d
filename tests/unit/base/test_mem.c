/* build: plain asan */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resident's memory functions under other names, compared with the C library's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* The library's, before the names mean ours. */
static int (*const lib_memcmp)(const void *, const void *, size_t) = memcmp;
static void *(*const lib_memmove)(void *, const void *, size_t) = memmove;

#define memcpy t_memcpy
#define memmove t_memmove
#define memset t_memset
#define memcmp t_memcmp
#include "base/mem.c"

static unsigned char ours[300], theirs[300];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(ours); i++)
		ours[i] = theirs[i] = (unsigned char)(i * 7 + 3);
}

static int same(void)
{
	return !lib_memcmp(ours, theirs, sizeof(ours));
}

static void copies(void **state)
{
	for (size_t n = 0; n < 130; n++) {
		fill();
		assert_ptr_equal(t_memcpy(ours + 3, ours + 160, n), ours + 3);
		lib_memmove(theirs + 3, theirs + 160, n);
		assert_true(same());
	}
}

static void overlapping_moves(void **state)
{
	for (size_t n = 0; n < 100; n++) {
		for (size_t from = 90; from < 130; from++) {
			fill();
			assert_ptr_equal(t_memmove(ours + 110, ours + from, n), ours + 110);
			lib_memmove(theirs + 110, theirs + from, n);
			assert_true(same());
		}
	}
}

static void sets(void **state)
{
	for (size_t n = 0; n < 100; n++) {
		fill();
		assert_ptr_equal(t_memset(ours + 5, (int)n + 0x100, n), ours + 5);
		for (size_t i = 0; i < n; i++)
			theirs[5 + i] = (unsigned char)n;
		assert_true(same());
	}
}

static void comparisons(void **state)
{
	fill();
	assert_int_equal(t_memcmp(ours, theirs, sizeof(ours)), 0);
	theirs[299] = 0;
	assert_true(t_memcmp(ours, theirs, sizeof(ours)) > 0);
	assert_int_equal(t_memcmp(ours, theirs, 299), 0);
	assert_int_equal(t_memcmp(ours, theirs, 0), 0);
	/* Bytes are unsigned. */
	ours[0] = 0x7f;
	theirs[0] = 0x80;
	assert_true(t_memcmp(ours, theirs, 1) < 0);
}

static void bounded_strings(void **state)
{
	char *exact = malloc(4);

	assert_non_null(exact);
	t_memset(exact, 'x', 4);
	assert_int_equal(sp_strnlen(exact, 4), 4);
	assert_int_equal(sp_strnlen(exact, 0), 0);
	free(exact);
	assert_int_equal(sp_strnlen("ab", 9), 2);
	assert_true(sp_has_prefix("prefix", "pre"));
	assert_true(sp_has_prefix("pre", "pre"));
	assert_true(sp_has_prefix("pre", ""));
	assert_false(sp_has_prefix("pr", "pre"));
	assert_false(sp_has_prefix("", "pre"));
	assert_true(sp_streq("a", "a") && sp_streq("", ""));
	assert_false(sp_streq("a", "ab") || sp_streq("ab", "a") || sp_streq("", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),
		cmocka_unit_test(overlapping_moves),
		cmocka_unit_test(sets),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(bounded_strings),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
