/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up: by number, by host tid, what is remembered of the retired, references, and senseless
 * arguments. Host tids are spread so that their words collide.
 */
#include "support.h"

static void by_number(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	const int32_t far = (int32_t)SP_BUCKETS;
	struct sp_ref near;

	/* Numbers of one bucket live side by side. */
	for (int32_t i = 0; i < (int32_t)SP_WAYS; i++) {
		sp_store(&ns->cursor, 4 + i * far);
		assert_int_equal(number(born(ns, 0, 1000 + i)), 5 + i * far);
		audit_ok(ns);
	}
	for (int32_t i = 0; i < (int32_t)SP_WAYS; i++)
		assert_int_equal(find(ns, 5 + i * far), 5 + i * far);
	assert_int_equal(find(ns, 5 + (int32_t)SP_WAYS * far), 0);
	/* A ninth has no place: the next number. */
	sp_store(&ns->cursor, 4 + 8 * far);
	assert_int_equal(number(born(ns, 0, 2000)), 6 + 8 * far);
	/* The lowest way is used again. */
	near = sp_pid_find(ns, sp_vpid_of(5 + 3 * far));
	sp_pid_retire(ns, near);
	sp_store(&ns->cursor, 4 + 9 * far);
	assert_int_equal(born(ns, 0, 2001).slot, near.slot);
	audit_ok(ns);
	done(ns);
}

static void senseless_arguments(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	static const int32_t odd[] = {0,    -1,	    INT32_MIN, INT32_MAX, SP_PID_MAX_DEFAULT,
				      8192, 1 << 24};
	struct sp_ref none = SP_REF_NONE;

	born(ns, 0, 1000);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(find(ns, odd[i]), 0);
		assert_int_equal(find_any(ns, odd[i]), 0);
		assert_int_equal(by_hid(ns, odd[i]), 0);
		assert_int_equal(sp_pid_group_number(ns, sp_hpid_of(odd[i])).n, 0);
		assert_int_equal(sp_pid_recall(ns, sp_hpid_of(odd[i])).n, 0);
	}
	assert_false(sp_ref_valid(ns, none));
	assert_int_equal(sp_ref_hpid(ns, none).n, 0);
	assert_int_equal(sp_ref_by(ns, none).n, 0);
	assert_int_equal(number(none), 0);
	sp_pid_retire(ns, none);
	sp_pid_release(ns, none);
	sp_pid_cancel(ns, none);
	sp_pid_set_flags(ns, &none, 1);
	audit_ok(ns);
	done(ns);
}

static void by_host_tid_with_collisions(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[4];

	for (int32_t i = 0; i < 4; i++)
		refs[i] = born(ns, 0, 7 + i * (int32_t)SP_HIDX_BUCKETS);
	audit_ok(ns);
	for (int32_t i = 0; i < 4; i++)
		assert_int_equal(by_hid(ns, 7 + i * (int32_t)SP_HIDX_BUCKETS), number(refs[i]));
	assert_int_equal(by_hid(ns, 7 + 4 * (int32_t)SP_HIDX_BUCKETS), 0);
	assert_int_equal(sp_load(&ns->hidx_spilled), 0);
	/* The place of a retired one is used again. */
	sp_pid_retire(ns, refs[1]);
	refs[1] = born(ns, 0, 7 + 5 * (int32_t)SP_HIDX_BUCKETS);
	assert_int_equal(sp_load(&ns->hidx_spilled), 0);
	assert_int_equal(by_hid(ns, 7 + 5 * (int32_t)SP_HIDX_BUCKETS), number(refs[1]));
	assert_int_equal(by_hid(ns, 7 + (int32_t)SP_HIDX_BUCKETS), 0);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(7 + (int32_t)SP_HIDX_BUCKETS)).n, 0);
	audit_ok(ns);
	done(ns);
}

static void recall_names_the_retired(void **state)
{
	struct sp_segment *ns = fresh(1000);
	struct sp_ref a = born(ns, 0, 1000), b = born(ns, 0, 1001), c;

	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(1000)).n, 1);
	sp_pid_set_flags(ns, &b, SP_F_LEADER);
	sp_pid_retire(ns, a);
	sp_pid_retire(ns, b);
	assert_int_equal(by_hid(ns, 1000), 0);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(1000)).n, 1);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(1001)).n, 2);
	assert_int_equal(sp_pid_group_number(ns, sp_hpid_of(1000)).n, 0);
	assert_int_equal(sp_pid_group_number(ns, sp_hpid_of(1001)).n, 2);
	/* The number went to another task, reserved or live: it must not be named any more. */
	sp_store(&ns->cursor, 0);
	c = reserved(ns, 0);
	assert_int_equal(number(c), 1);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(1000)).n, 0);
	assert_int_equal(sp_pid_publish(ns, &c, sp_hpid_of(1002)), 0);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(1000)).n, 0);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(1002)).n, 1);
	audit_ok(ns);
	/* The host tid came back as another task: the newest name counts. */
	sp_pid_retire(ns, c);
	c = born(ns, 0, 1000);
	sp_pid_retire(ns, c);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(1000)).n, number(c));
	audit_ok(ns);
	done(ns);
}

static void references_go_stale(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = reserved(ns, 0), live, again;

	assert_true(sp_ref_valid(ns, ref));
	live = ref;
	assert_int_equal(sp_pid_publish(ns, &live, sp_hpid_of(1000)), 0);
	assert_false(sp_ref_valid(ns, ref));
	assert_true(sp_ref_valid(ns, live));
	assert_int_equal(sp_ref_hpid(ns, live).n, 1000);
	again = live;
	sp_pid_set_flags(ns, &again, SP_F_SESSION);
	assert_true(sp_ref_valid(ns, live));
	sp_pid_retire(ns, live);
	assert_false(sp_ref_valid(ns, live));
	assert_false(sp_ref_valid(ns, again));
	/* The same number in the same slot is another life. */
	sp_store(&ns->cursor, 0);
	again = born(ns, 0, 1001);
	assert_int_equal(again.slot, live.slot);
	assert_int_equal(number(again), number(live));
	assert_false(sp_ref_valid(ns, live));
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_number),
		cmocka_unit_test(senseless_arguments),
		cmocka_unit_test(by_host_tid_with_collisions),
		cmocka_unit_test(recall_names_the_retired),
		cmocka_unit_test(references_go_stale),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
