/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of host tids when its buckets are full: spilling, coming back, and what happens when
 * even the neighbourhood is full.
 */
#include "support.h"

/* The i-th host tid whose bucket is `bucket`. */
static int32_t of_bucket(int32_t bucket, int32_t i)
{
	return bucket + (i + 1) * (int32_t)SP_HIDX_BUCKETS;
}

static void full_bucket_spills(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[12];

	for (int32_t i = 0; i < 12; i++) {
		refs[i] = born(ns, 0, of_bucket(100, i));
		audit_ok(ns);
	}
	assert_int_equal(sp_load(&ns->hidx_spilled), 1);
	for (int32_t i = 0; i < 12; i++)
		assert_int_equal(by_hid(ns, of_bucket(100, i)), number(refs[i]));
	/* Neighbours that find guests in their bucket. */
	for (int32_t i = 0; i < 3; i++) {
		born(ns, 0, of_bucket(101, i));
		assert_int_equal(by_hid(ns, of_bucket(101, i)), 13 + i);
	}
	audit_ok(ns);
	/* The home bucket is preferred again once it has a place. */
	sp_pid_retire(ns, refs[0]);
	sp_pid_retire(ns, refs[9]);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(of_bucket(100, 0))).n, 1);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(of_bucket(100, 9))).n, 10);
	refs[0] = born(ns, 0, of_bucket(100, 20));
	assert_int_equal(sp_hidx_hid(sp_load(sp_hidx_at(ns, 100, 0))), of_bucket(100, 20));
	assert_int_equal(by_hid(ns, of_bucket(100, 20)), number(refs[0]));
	audit_ok(ns);
	done(ns);
}

/* The last bucket's neighbour is the first. */
static void spilling_goes_around(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	const int32_t last = (int32_t)SP_HIDX_BUCKETS - 1;

	for (int32_t i = 0; i < 6; i++)
		born(ns, 0, of_bucket(last, i));
	assert_int_equal(sp_hidx_hid(sp_load(sp_hidx_at(ns, 0, 0))), of_bucket(last, 4));
	for (int32_t i = 0; i < 6; i++)
		assert_int_equal(by_hid(ns, of_bucket(last, i)), i + 1);
	audit_ok(ns);
	done(ns);
}

static void full_neighbourhood_refuses(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	const int32_t places = (int32_t)SP_HIDX_REACH;
	struct sp_ref ref = SP_REF_NONE, last;

	for (int32_t i = 0; i < places; i++)
		ref = born(ns, 0, of_bucket(500, i));
	audit_ok(ns);
	last = reserved(ns, 0);
	assert_int_equal(sp_pid_publish(ns, &last, sp_hpid_of(of_bucket(500, places))), -EEXIST);
	assert_int_equal(state_at(ns, last), SP_FREE);
	assert_int_equal(by_hid(ns, of_bucket(500, places)), 0);
	audit_ok(ns);
	/* Another host tid, as the next clone has, is fine; so is this one once there is a place. */
	born(ns, 0, of_bucket(700, 0));
	sp_pid_retire(ns, ref);
	ref = born(ns, 0, of_bucket(500, places));
	assert_int_equal(by_hid(ns, of_bucket(500, places)), number(ref));
	audit_ok(ns);
	done(ns);
}

/* The host tid of a task that is gone is found also where it had spilled to (ORDERING C3). */
static void recycled_after_spilling(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[7], again;

	for (int32_t i = 0; i < 7; i++)
		refs[i] = born(ns, 0, of_bucket(100, i));
	/* A place at home, before the spilled word of the old one. */
	sp_pid_retire(ns, refs[2]);
	again = born(ns, 0, of_bucket(100, 6));
	audit_ok(ns);
	assert_int_equal(by_hid(ns, of_bucket(100, 6)), number(again));
	assert_false(sp_ref_valid(ns, refs[6]));
	assert_int_equal(find(ns, number(refs[6])), 0);
	sp_pid_retire(ns, again);
	assert_int_equal(by_hid(ns, of_bucket(100, 6)), 0);
	assert_int_equal(sp_pid_recall(ns, sp_hpid_of(of_bucket(100, 6))).n, number(again));
	done(ns);
}

/* Retired entries do not push anything out of its bucket, and no memory grows with time. */
static void churn_stays_in_place(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);

	for (int32_t i = 0; i < 200000; i++)
		sp_pid_retire(ns, born(ns, 0, 300 + i * 7 % 4000000));
	assert_int_equal(sp_load(&ns->hidx_spilled), 0);
	for (uint32_t bucket = 0; bucket < SP_HIDX_BUCKETS; bucket++)
		assert_int_equal(sp_load(sp_hidx_at(ns, (int32_t)bucket, 1)), 0);
	for (uint32_t way = 1; way < SP_WAYS; way++)
		assert_int_equal(sp_load(&ns->high[way]), 0);
	audit_ok(ns);
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_bucket_spills),
		cmocka_unit_test(spilling_goes_around),
		cmocka_unit_test(full_neighbourhood_refuses),
		cmocka_unit_test(recycled_after_spilling),
		cmocka_unit_test(churn_stays_in_place),
	};

	return cmocka_run_group_tests_name("hidx", tests, NULL, NULL);
}
