/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creating and recognising a segment, and how much memory one really takes.
 */
#include <unistd.h>

#include "support.h"

static void create_and_check(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);

	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE), 0);
	assert_int_equal(ns->seq_end, SP_PID_MAX_DEFAULT / 2);
	audit_ok(ns);
	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE - 4096), -EINVAL);
	ns->version++;
	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE), -EINVAL);
	ns->version--;
	ns->magic ^= 1;
	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE), -EINVAL);
	ns->magic ^= 1;
	ns->size += 4096;
	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE), -EINVAL);
	ns->size -= 4096;
	ns->seq_end = ns->pid_max + 1;
	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE), -EINVAL);
	ns->seq_end = 10;
	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE), -EINVAL);
	ns->seq_end = SP_PID_MAX_MIN;
	ns->pid_max = -1;
	assert_int_equal(sp_ns_check(ns, SP_SEGMENT_SIZE), -EINVAL);
	done(ns);
}

static void bad_sizes(void **state)
{
	static char page[4096];

	assert_int_equal(sp_ns_create(page, sizeof(page), 4096), -EINVAL);
	assert_int_equal(sp_ns_create(page, SP_SEGMENT_SIZE + 1, 4096), -EINVAL);
	assert_int_equal(sp_ns_create(page, SP_SEGMENT_SIZE, 300), -EINVAL);
	assert_int_equal(sp_ns_create(page, SP_SEGMENT_SIZE, 0), -EINVAL);
	assert_int_equal(sp_ns_create(page, SP_SEGMENT_SIZE, SP_PID_MAX_DEFAULT + 1), -EINVAL);
	for (size_t i = 0; i < sizeof(page); i++)
		assert_int_equal(page[i], 0);
}

static void size_of_the_sequence(void **state)
{
	static const int32_t pairs[][2] = {{301, 301}, {400, 301},     {602, 301},
					   {604, 302}, {32768, 16384}, {4194304, 2097152}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct sp_segment *ns = fresh(pairs[i][0]);

		assert_int_equal(ns->seq_end, pairs[i][1]);
		audit_ok(ns);
		done(ns);
	}
}

static size_t resident_pages(struct sp_segment *ns)
{
	static unsigned char vec[SP_SEGMENT_SIZE / 4096];
	size_t pages = 0;

	assert_int_equal(mincore(ns, SP_SEGMENT_SIZE, vec), 0);
	for (size_t i = 0; i < sizeof(vec); i++)
		pages += vec[i] & 1;
	return pages;
}

/* 64 bytes a live number beyond page rounding: header, and the ends of the areas in use. */
static void memory_of_many_tasks(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	const size_t tasks = 10000;
	size_t pages;

	for (size_t i = 0; i < tasks; i++)
		born(ns, 0, 20000 + (int32_t)i);
	pages = resident_pages(ns);
	print_message("# %zu live: %zu pages, %.1f bytes each\n", tasks, pages,
		      (double)pages * 4096 / (double)tasks);
	assert_true((pages - 5) * 4096 <= tasks * 64);
	/* Looking for what is not there must not bring pages in. */
	for (int32_t n = 1; n < 200000; n += 97) {
		(void)sp_pid_find(ns, sp_vpid_of(n));
		(void)sp_pid_find_any(ns, sp_vpid_of(n));
	}
	assert_int_equal(resident_pages(ns), pages);
	done(ns);
}

static void memory_of_few_tasks(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[64];
	size_t pages;

	for (int32_t i = 0; i < 20; i++)
		born(ns, 0, 20000 + i);
	pages = resident_pages(ns);
	/* The header, the entries, the index. */
	assert_true(pages <= 4);
	for (int i = 0; i < 100; i++)
		assert_true(sp_ns_sweep(ns, 1000, refs, 64) == 20);
	assert_int_equal(sp_ns_list(ns, sp_vpid_of(1), refs, 64), 20);
	assert_int_equal(sp_ns_list(ns, sp_vpid_of(21), refs, 64), 0);
	for (int32_t n = -5; n < 3000000; n += 1009)
		assert_int_equal(find(ns, n) > 20, 0);
	assert_int_equal(resident_pages(ns), pages);
	/* Unknown host tids read one plane of the index, sparsely: at most its 64 pages. */
	for (int32_t hid = 1; hid < 4000000; hid += 501)
		(void)by_hid(ns, hid);
	assert_true(resident_pages(ns) <= pages + SP_HIDX_BUCKETS * 8 / 4096);
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_and_check),	cmocka_unit_test(bad_sizes),
		cmocka_unit_test(size_of_the_sequence), cmocka_unit_test(memory_of_many_tasks),
		cmocka_unit_test(memory_of_few_tasks),
	};

	return cmocka_run_group_tests_name("ns", tests, NULL, NULL);
}
