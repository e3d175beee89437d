/* build: src/boundary/records.c src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers written as text: what the kernel takes for a number is replaced, everything else is not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boundary/records.h"

static int32_t plus_thousand(void *ctx, int32_t n)
{
	(void)ctx;
	return n + 1000;
}

static const struct bd_idfile *file(const char *path, uint32_t magic)
{
	const struct bd_idfile *f = NULL;

	do
		f = bd_idfile_next(f, path, strlen(path));
	while (f && f->magic != magic);
	return f;
}

/* Input of exactly its size, so that the sanitizer sees a read behind it. */
static void check(const struct bd_idfile *f, const char *in, size_t len, const char *want)
{
	char out[64], *exact = malloc(len ? len : 1);
	long n;

	memcpy(exact, in, len);
	n = bd_idfile_convert(f, plus_thousand, NULL, exact, len, out, sizeof(out));
	free(exact);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(out, want, strlen(want));
}

static void numbers_as_the_kernel_parses_them(void **state)
{
	const struct bd_idfile *f = file("/sys/fs/cgroup/a/cgroup.procs", 0x63677270);
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"5", "1005"},
		{"5\n", "1005"},
		{" 5 \n", "1005"},
		{"\t5\n\n", "1005"},
		{"+5", "1005"},
		{"0x10", "1016"},
		{"0X1f\n", "1031"},
		{"010", "1008"},
		{"0", "0"},
		{"0\n", "0\n"},
		{"-5", "-5"},
		{"", ""},
		{"\n", "\n"},
		{"x", "x"},
		{"5 6", "5 6"},
		{"5,6", "5,6"},
		{"08", "08"},
		{"0x", "0x"},
		{"0xg", "0xg"},
		{"++5", "++5"},
		{"5a", "5a"},
		{"2147483646", NULL},
		{"2147483648", "2147483648"},
		{"99999999999999999999", "99999999999999999999"},
		{"+0x5", "1005"},
		{"\xa0"
		 "5",
		 "1005"},
		{"00", "00"},
	};

	(void)state;
	assert_non_null(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cases[i].want)
			check(f, cases[i].in, strlen(cases[i].in), cases[i].want);
	check(f, "7\0garbage", 9, "1007");
	check(f, "7\0\0\0", 4, "1007");
}

static void lists_and_fronts(void **state)
{
	const struct bd_idfile *list = file("/sys/fs/resctrl/a/tasks", 0x07655821);
	const struct bd_idfile *front = file("split_huge_pages", 0x64626720);

	(void)state;
	check(list, "1,2,3\n", 6, "1001,1002,1003");
	check(list, "1, 0 ,x\n", 8, "1001, 0 ,x\n");
	check(list, ",", 1, ",");
	check(front, "5,0x1000,0x2000,0", 17, "1005,0x1000,0x2000,0");
	check(front, "1\n", 2, "1\n");
	check(front, "/a/b,0,1,0", 10, "/a/b,0,1,0");
}

static void names(void **state)
{
	(void)state;
	assert_non_null(file("cgroup.procs", 0x27e0eb));
	assert_non_null(file("/x/tasks", 0x27e0eb));
	assert_null(file("/x/tasks", 0x63677270));
	assert_null(file("/x/tasks/y", 0x27e0eb));
	assert_null(file("xtasks", 0x27e0eb));
	assert_null(file("", 0x27e0eb));
	assert_null(file("/", 0x27e0eb));
	assert_true(file(".process_status", 0x73636673)->refused);
	assert_int_equal(bd_data_of_link("anon_inode:[signalfd]", 21), BD_DATA_SIGNALFD);
	assert_int_equal(bd_data_of_link("anon_inode:[signalfd]x", 22), BD_DATA_NONE);
	assert_int_equal(bd_data_of_link("anon_inode:inotify", 18), BD_DATA_INOTIFY);
	assert_int_equal(bd_data_of_link("anon_inode:[signalfd", 20), BD_DATA_NONE);
	assert_int_equal(bd_data_of_link("", 0), BD_DATA_NONE);
}

/* Numbers below 100 are outside. */
static int32_t minus_hundred(void *ctx, int32_t n)
{
	(void)ctx;
	return n < 100 ? 0 : n - 100;
}

static void show(const struct bd_idfile *f, const char *in, size_t room, const char *want, size_t used)
{
	size_t len = strlen(in), got = 99;
	char *exact = malloc(len ? len : 1), *out = malloc(room ? room : 1);

	memcpy(exact, in, len);
	assert_int_equal(bd_idfile_show(f, minus_hundred, NULL, exact, len, out, room, &got),
			 strlen(want));
	assert_memory_equal(out, want, strlen(want));
	assert_int_equal(got, used);
	free(exact);
	free(out);
}

static void numbers_are_shown(void **state)
{
	const struct bd_idfile *v2 = file("cgroup.procs", 0x63677270), *v1 = file("tasks", 0x27e0eb);

	(void)state;
	show(v2, "101\n102\n", 64, "1\n2\n", 8);
	show(v2, "101\n5\n0\n1000\n", 64, "1\n0\n0\n900\n", 13);
	show(v1, "101\n5\n0\n1000\n", 64, "1\n900\n", 13);
	show(v1, "5\n6\n", 64, "", 4);
	show(v2, "101\n102", 64, "1\n", 4);
	show(v2, "101\n102\n", 3, "1\n", 4);
	show(v2, "1000\n", 3, "", 0);
	show(v2, "1000\n", 0, "", 0);
	show(v2, "", 10, "", 0);
	show(v2, "x y\n", 64, "x y\n", 4);
	show(v2, "99999999999\n", 64, "99999999999\n", 12);
}

static void perf_records(void **state)
{
	(void)state;
	/* perf stat: inherit, disabled, enable_on_exec; PERF_SAMPLE_IDENTIFIER */
	assert_false(bd_perf_records_numbers(1 << 16, 1 | 2 | 1 << 12, false));
	assert_false(bd_perf_records_numbers(1 << 16, 1 | 2 | 1 << 12, true));
	assert_true(bd_perf_records_numbers(2, 1, false));
	assert_true(bd_perf_records_numbers(0, 1 << 9, false));
	assert_true(bd_perf_records_numbers(0, 1 << 11, false));
	assert_true(bd_perf_records_numbers(0, 1 << 13, true));
	assert_false(bd_perf_records_numbers(1, 1 << 26, false));
	assert_true(bd_perf_records_numbers(1, 1 << 26, true));
	assert_true(bd_perf_records_numbers(0, 1 << 28, false));
}

static void small_room(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(bd_idfile_convert(file("tasks", 0x27e0eb), plus_thousand, NULL,
					   "2000000000", 10, out, sizeof(out)),
			 -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_as_the_kernel_parses_them),
		cmocka_unit_test(lists_and_fronts),
		cmocka_unit_test(names),
		cmocka_unit_test(numbers_are_shown),
		cmocka_unit_test(perf_records),
		cmocka_unit_test(small_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
