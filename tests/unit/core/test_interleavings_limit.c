/* build: src/core/*.c faults small plain -Wno-cast-function-type */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ORDERING A4, the limit of tasks, in all orders (explore.h).
 */
#include "explore.h"

void (*sp_fault_hook)(enum sp_fault point, const volatile void *where);

static struct sp_ref refs[X_TASKS];
static int results[X_TASKS];

static void limit_setup(void)
{
	struct sp_ref leader = born(ns, 0, 600);

	assert_int_equal(number(leader), 1);
	ns->pids_limit = 3;
}

/* One place is left of an old count. */
static void limit_setup_room(void)
{
	limit_setup();
	sp_store(&ns->room, (7ULL << 32) + 1);
}

static void ask(int i)
{
	results[i] = sp_pid_reserve(ns, SP_VPID_NONE, ME, &refs[i]);
	CHECK(results[i] == 0);
	results[i] = sp_pid_charge(ns);
	if (results[i])
		sp_pid_release(ns, refs[i]);
}

static void ask_0(void)
{
	ask(0);
}

static void ask_1(void)
{
	ask(1);
}

static void ask_2(void)
{
	ask(2);
}

static void limit_check(void)
{
	int born = (results[0] == 0) + (results[1] == 0) + (results[2] == 0);

	CHECK(born <= 2);
	CHECK(sp_ns_count(ns) == 1u + (uint32_t)born);
}

static void limit_check_two(void)
{
	CHECK(results[0] == 0 && results[1] == 0);
}

static const struct scenario limit_of_three = {limit_setup, {ask_0, ask_1, ask_2}, limit_check, 2};
static const struct scenario limit_of_three_room = {
	limit_setup_room, {ask_0, ask_1, ask_2}, limit_check, 2};
static const struct scenario limit_leaves_two = {limit_setup, {ask_0, ask_1}, limit_check_two, 3};

#define TEST(s)                            \
	static void test_##s(void **state) \
	{                                  \
		(void)state;               \
		explore(s);                \
	}
#define TESTS(X)               \
	X(limit_of_three)      \
	X(limit_of_three_room) \
	X(limit_leaves_two)
TESTS(TEST)

int main(void)
{
#define ROW(s) cmocka_unit_test(test_##s),
	const struct CMUnitTest tests[] = {TESTS(ROW)};

	return cmocka_run_group_tests_name("interleavings_limit", tests, NULL, NULL);
}
