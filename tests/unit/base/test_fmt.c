/* build: src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text building and number parsing: compared with the C library, at the edges of buffers and of
 * numbers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

static const int64_t values[] = {0,
				 1,
				 -1,
				 9,
				 10,
				 -10,
				 99,
				 100,
				 4194304,
				 INT32_MAX,
				 INT32_MIN,
				 INT64_MAX,
				 INT64_MIN,
				 INT64_MIN + 1,
				 1LL << 32,
				 0x1234abcd,
				 123456789012345678};

static void decimal_and_hexadecimal(void **state)
{
	char want[64], got[64];
	struct sp_text t;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const char *end = got;

		snprintf(want, sizeof(want), "%" PRId64, values[i]);
		sp_text_init(&t, got, sizeof(got));
		sp_text_dec(&t, values[i]);
		assert_string_equal(got, want);
		assert_int_equal(t.len, strlen(want));
		snprintf(want, sizeof(want), "%" PRIx64, (uint64_t)values[i]);
		sp_text_init(&t, got, sizeof(got));
		sp_text_hex(&t, (uint64_t)values[i]);
		assert_string_equal(got, want);
		assert_false(t.overflow);
		assert_true(sp_parse_hex(&end) == (uint64_t)values[i]);
		assert_ptr_equal(end, got + t.len);
	}
}

static void pieces(void **state)
{
	char got[64];
	struct sp_text t;

	sp_text_init(&t, got, sizeof(got));
	assert_string_equal(got, "");
	sp_text_str(&t, "pid ");
	sp_text_dec(&t, 42);
	sp_text_char(&t, '/');
	sp_text_bytes(&t, "a\0b", 3);
	assert_int_equal(t.len, 10);
	assert_memory_equal(got, "pid 42/a\0b", 11);
}

/* Every capacity: what fits is kept, nothing is written behind it, and it is said. */
static void too_small(void **state)
{
	static const char text[] = "number -1234 is 4d2.";

	for (size_t cap = 1; cap <= sizeof(text) + 1; cap++) {
		char *buf = malloc(cap); /* exact: the sanitizer sees a byte more */
		struct sp_text t;
		size_t fits = cap - 1 < sizeof(text) - 1 ? cap - 1 : sizeof(text) - 1;

		assert_non_null(buf);
		sp_text_init(&t, buf, cap);
		sp_text_str(&t, "number ");
		sp_text_dec(&t, -1234);
		sp_text_bytes(&t, " is ", 4);
		sp_text_hex(&t, 1234);
		sp_text_char(&t, '.');
		assert_int_equal(t.len, fits);
		assert_memory_equal(buf, text, fits);
		assert_int_equal(buf[fits], 0);
		assert_int_equal(t.overflow, cap < sizeof(text));
		free(buf);
	}
}

static void parse_decimal(void **state)
{
	static const struct {
		const char *s;
		size_t max, digits;
		int32_t v;
	} rows[] = {
		{"0", 9, 1, 0},
		{"1", 9, 1, 1},
		{"4194304", 9, 7, 4194304},
		{"2147483647", 20, 10, INT32_MAX},
		{"2147483648", 20, 0, 0},
		{"99999999999999999999999", 30, 0, 0},
		{"00", 9, 0, 0},
		{"01", 9, 0, 0},
		{"0x1", 9, 1, 0},
		{"-1", 9, 0, 0},
		{"+1", 9, 0, 0},
		{" 1", 9, 0, 0},
		{"", 9, 0, 0},
		{"12/status", 9, 2, 12},
		{"123456", 3, 3, 123},
		{"123456", 0, 0, 0},
		{"/", 1, 0, 0},
		{":", 1, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int32_t v = -7;

		assert_int_equal(sp_parse_dec(rows[i].s, rows[i].max, &v), rows[i].digits);
		assert_int_equal(v, rows[i].digits ? rows[i].v : -7);
	}
}

/* Whatever is written is read back; text is read no further than max. */
static void round_trip(void **state)
{
	uint64_t seed = 5;

	for (int i = 0; i < 100000; i++) {
		char buf[16];
		struct sp_text t;
		int32_t v = -1, want;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		want = (int32_t)(seed >> 33) >> (seed >> 20) % 31;
		sp_text_init(&t, buf, sizeof(buf));
		sp_text_dec(&t, want);
		assert_int_equal(sp_parse_dec(buf, sizeof(buf), &v), t.len);
		assert_int_equal(v, want);
		char *exact = malloc(t.len);
		memcpy(exact, buf, t.len);
		assert_int_equal(sp_parse_dec(exact, t.len, &v), t.len);
		free(exact);
	}
}

static void hexadecimal_stops(void **state)
{
	const char *s = "1f,ABC", *p = s;

	assert_true(sp_parse_hex(&p) == 0x1f);
	assert_ptr_equal(p, s + 2);
	p = s + 3; /* upper case is not ours */
	assert_true(sp_parse_hex(&p) == 0);
	assert_ptr_equal(p, s + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal_and_hexadecimal),
		cmocka_unit_test(pieces),
		cmocka_unit_test(too_small),
		cmocka_unit_test(parse_decimal),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(hexadecimal_stops),
	};

	return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}
