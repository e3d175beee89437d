/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit of tasks: never more than allowed, as many as allowed, and again when some are gone.
 */
#include "support.h"

static bool admitted(struct sp_segment *ns, struct sp_ref *ref)
{
	*ref = reserved(ns, 0);
	if (sp_pid_charge(ns) == 0)
		return true;
	sp_pid_release(ns, *ref);
	return false;
}

static void no_limit(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref;

	for (int i = 0; i < 5000; i++)
		assert_true(admitted(ns, &ref));
	assert_int_equal(sp_ns_count(ns), 5000);
	done(ns);
}

static void up_to_the_limit(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[100], ref;

	ns->pids_limit = 100;
	for (int i = 0; i < 100; i++) {
		assert_true(admitted(ns, &refs[i]));
		assert_int_equal(sp_pid_publish(ns, &refs[i], sp_hpid_of(9000 + i)), 0);
	}
	assert_false(admitted(ns, &ref));
	assert_false(admitted(ns, &ref));
	assert_int_equal(sp_ns_count(ns), 100);
	/* What is dead and only names a group is no task. */
	sp_pid_set_flags(ns, &refs[7], SP_F_LEADER);
	sp_pid_retire(ns, refs[7]);
	assert_true(admitted(ns, &ref));
	assert_false(admitted(ns, &ref));
	for (int i = 50; i < 100; i++)
		sp_pid_retire(ns, refs[i]);
	for (int i = 0; i < 50; i++)
		assert_true(admitted(ns, &ref));
	assert_false(admitted(ns, &ref));
	audit_ok(ns);
	done(ns);
}

/* Births and deaths that nobody counted: the places that were left are used up, then it is counted again. */
static void long_life(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref;

	ns->pids_limit = 3;
	born(ns, 0, 9000);
	for (int i = 0; i < 100000; i++) {
		assert_true(admitted(ns, &ref));
		assert_int_equal(sp_pid_publish(ns, &ref, sp_hpid_of(10000 + i % 50000)), 0);
		sp_pid_retire(ns, ref);
	}
	audit_ok(ns);
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_limit),
		cmocka_unit_test(up_to_the_limit),
		cmocka_unit_test(long_life),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
