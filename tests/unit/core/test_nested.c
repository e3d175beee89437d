/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of tasks of namespaces below: an init that is found by its keeper as well, and those that are
 * given when an ancestor looks. The audit runs after each step.
 */
#include "support.h"

#define TASK(h, tg, fl, id) \
	(&(const struct sp_task){.hid = sp_hpid_of(h), .tgid = tg, .flags = fl, .ident = id})

static struct sp_ref see(struct sp_segment *ns, int32_t hid, int32_t tgid, uint64_t ident)
{
	struct sp_ref ref;

	assert_int_equal(sp_pid_see(ns, TASK(hid, sp_vpid_of(tgid), 0, ident), ME, &ref, NULL), 0);
	audit_ok(ns);
	return ref;
}

static struct sp_ref init_below(struct sp_segment *ns, int32_t keeper, int32_t hid)
{
	struct sp_ref ref = reserved(ns, 0);

	assert_int_equal(sp_pid_set_keeper(ns, &ref, sp_hpid_of(keeper)), 0);
	audit_ok(ns);
	assert_int_equal(sp_pid_publish(ns, &ref, sp_hpid_of(hid)), 0);
	audit_ok(ns);
	return ref;
}

static void init_is_found_by_its_keeper(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref;

	born(ns, 0, 7000);
	ref = init_below(ns, 7001, 7002);
	assert_int_equal(number(ref), 2);
	assert_true(sp_word_flags(ref.word) & SP_F_NESTED);
	assert_int_equal(by_hid(ns, 7001), 2);
	assert_int_equal(by_hid(ns, 7002), 2);
	assert_int_equal(sp_ref_keeper(ns, ref).n, 7001);
	assert_int_equal(sp_ref_hpid(ns, ref).n, 7002);
	assert_int_equal(sp_ref_keeper(ns, sp_pid_find(ns, sp_vpid_of(1))).n, 0);
	sp_pid_retire(ns, ref);
	assert_int_equal(by_hid(ns, 7001), 0);
	assert_int_equal(by_hid(ns, 7002), 0);
	audit_ok(ns);
	done(ns);
}

/* The reference of the creator was taken before the keeper set itself. */
static void creator_cancels(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = reserved(ns, 0), keepers = ref;

	assert_int_equal(sp_pid_set_keeper(ns, &keepers, sp_hpid_of(7001)), 0);
	sp_pid_cancel(ns, ref);
	assert_int_equal(number(sp_pid_find_any(ns, sp_vpid_of(1))), 0);
	assert_int_equal(by_hid(ns, 7001), 0);
	assert_int_equal(number(reserved(ns, 0)), 1);
	/* Late: the number is another's by now. */
	assert_int_equal(sp_pid_set_keeper(ns, &keepers, sp_hpid_of(7003)), -ESTALE);
	assert_int_equal(sp_pid_set_keeper(ns, &ref, sp_hpid_of(7003)), -ESTALE);
	assert_int_equal(by_hid(ns, 7003), 0);
	audit_ok(ns);
	done(ns);
}

static void keeper_is_set_once(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = reserved(ns, 0);

	assert_int_equal(sp_pid_set_keeper(ns, &ref, sp_hpid_of(0)), -ESTALE);
	assert_int_equal(sp_pid_set_keeper(ns, &ref, sp_hpid_of(7001)), 0);
	assert_int_equal(sp_pid_set_keeper(ns, &ref, sp_hpid_of(7001)), 0);
	assert_int_equal(sp_pid_set_keeper(ns, &ref, sp_hpid_of(7002)), -ESTALE);
	assert_int_equal(sp_pid_publish(ns, &ref, sp_hpid_of(7003)), 0);
	assert_int_equal(sp_pid_set_keeper(ns, &ref, sp_hpid_of(7001)), -ESTALE);
	audit_ok(ns);
	done(ns);
}

/* Its init is dead and reaped, its host pid another's; the number lasts as long as the keeper. */
static void number_ends_with_the_keeper(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref nested = init_below(ns, 7001, 7002), other = born(ns, 0, 7002), last;

	audit_ok(ns);
	assert_int_equal(by_hid(ns, 7002), number(other));
	assert_int_equal(by_hid(ns, 7001), number(nested));
	assert_true(sp_ref_valid(ns, nested));
	last = born(ns, 0, 7001);
	audit_ok(ns);
	assert_int_equal(by_hid(ns, 7001), number(last));
	assert_false(sp_ref_valid(ns, nested));
	done(ns);
}

static void looking_does_not_shift_the_sequence(void **state)
{
	struct sp_segment *ns = fresh(1000);

	born(ns, 0, 7000);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(number(see(ns, 8000 + i, 0, 100 + (uint64_t)i)), 500 + i);
		assert_int_equal(by_hid(ns, 8000 + i), 500 + i);
	}
	assert_int_equal(number(see(ns, 8005, 0, 105)), 505);
	assert_int_equal(number(born(ns, 0, 7001)), 2);
	/* Round: those that are gone first. */
	sp_pid_retire(ns, sp_pid_find(ns, sp_vpid_of(510)));
	sp_pid_retire(ns, sp_pid_find(ns, sp_vpid_of(512)));
	for (int i = 0; i < 200; i++)
		assert_int_equal(number(see(ns, 9000 + i, 0, 0)), 800 + i);
	assert_int_equal(number(see(ns, 9500, 0, 0)), 510);
	assert_int_equal(number(see(ns, 9501, 0, 0)), 512);
	done(ns);
}

static void all_numbers_are_taken(void **state)
{
	struct sp_segment *ns = fresh(602);
	struct sp_ref ref;

	for (int i = 0; i < 301; i++)
		see(ns, 8000 + i, 0, 0);
	assert_int_equal(sp_pid_see(ns, TASK(9000, SP_VPID_NONE, 0, 0), ME, &ref, NULL), -EAGAIN);
	assert_int_equal(number(born(ns, 0, 7000)), 1);
	done(ns);
	/* No upper half at all. */
	ns = fresh(SP_PID_MAX_MIN);
	assert_int_equal(sp_pid_see(ns, TASK(9000, SP_VPID_NONE, 0, 0), ME, &ref, NULL), -EAGAIN);
	done(ns);
}

static void host_pid_of_another_task(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref first = see(ns, 8000, 0, 11), second;
	bool is_new;

	assert_int_equal(sp_load(&sp_entry_at(ns, first.slot)->ident), 11);
	assert_int_equal(number(see(ns, 8000, 0, 0)), number(first));
	assert_int_equal(sp_pid_see(ns, TASK(8000, SP_VPID_NONE, 0, 12), ME, &second, &is_new), 0);
	assert_true(is_new);
	assert_int_equal(number(second), number(first) + 1);
	assert_false(sp_ref_valid(ns, first));
	assert_int_equal(by_hid(ns, 8000), number(second));
	audit_ok(ns);
	assert_int_equal(sp_pid_see(ns, TASK(8000, SP_VPID_NONE, 0, 12), ME, &second, &is_new), 0);
	assert_false(is_new);
	done(ns);
}

static void threads_and_leaders_are_seen(void **state)
{
	struct sp_segment *ns = fresh(1000);
	struct sp_ref leader = see(ns, 8000, 0, 11), thread, group;

	thread = see(ns, 8001, number(leader), 0);
	assert_true(sp_word_flags(thread.word) & SP_F_THREAD);
	assert_int_equal(sp_load(&sp_entry_at(ns, thread.slot)->tgid), number(leader));
	/* The next number, 502, is the host tid of a thread of the group. */
	thread = see(ns, 503, number(leader), 0);
	assert_int_equal(number(thread), 502);
	assert_int_equal(number(see(ns, 504, number(leader), 0)), 504);
	assert_int_equal(sp_pid_see(ns, TASK(8000, SP_VPID_NONE, SP_F_LEADER, 11), ME, &group, NULL),
			 0);
	assert_int_equal(number(group), number(leader));
	sp_pid_retire(ns, group);
	assert_int_equal(by_hid(ns, 8000), 0);
	assert_int_equal(sp_pid_group_number(ns, sp_hpid_of(8000)).n, number(leader));
	audit_ok(ns);
	done(ns);
}

static void joiners_keep_their_number(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = reserved(ns, 0), mine = ref;
	bool is_new = true;

	sp_pid_set_flags(ns, &ref, SP_F_NESTED);
	assert_true(sp_word_flags(ref.word) & SP_F_NESTED);
	assert_int_equal(sp_pid_publish(ns, &mine, sp_hpid_of(8000)), 0);
	assert_true(sp_word_flags(mine.word) & SP_F_NESTED);
	assert_int_equal(sp_pid_see(ns, TASK(8000, SP_VPID_NONE, 0, 5), ME, &ref, &is_new), 0);
	assert_int_equal(number(ref), 1);
	assert_false(is_new);
	/* A stamp is no identity. */
	sp_store(&sp_entry_at(ns, ref.slot)->ident, SP_IDENT_STAMP | 77);
	assert_int_equal(sp_pid_see(ns, TASK(8000, SP_VPID_NONE, 0, 5), ME, &ref, &is_new), 0);
	assert_int_equal(number(ref), 1);
	assert_false(is_new);
	audit_ok(ns);
	done(ns);
}

static void nothing_is_seen_in_a_closing_namespace(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = see(ns, 8000, 0, 1), again;

	sp_store(&ns->closing, 1);
	assert_int_equal(sp_pid_see(ns, TASK(8000, SP_VPID_NONE, 0, 1), ME, &again, NULL), 0);
	assert_int_equal(number(again), number(ref));
	assert_int_equal(sp_pid_see(ns, TASK(8001, SP_VPID_NONE, 0, 1), ME, &again, NULL), -ENOMEM);
	done(ns);
}

/* The init of a namespace further down has its keeper here, too. */
static void init_is_seen_with_its_keeper(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	const struct sp_task task = {.hid = sp_hpid_of(8001), .keeper = sp_hpid_of(8000), .ident = 5};
	struct sp_ref ref;

	assert_int_equal(sp_pid_see(ns, &task, ME, &ref, NULL), 0);
	audit_ok(ns);
	assert_int_equal(by_hid(ns, 8000), number(ref));
	assert_int_equal(by_hid(ns, 8001), number(ref));
	assert_int_equal(sp_ref_keeper(ns, ref).n, 8000);
	done(ns);
}

/* Number 1 may carry its own namespace's keeper: nobody looks for it by that. */
static void number_1_knows_its_keeper(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = born(ns, 0, 7001);

	sp_store(&sp_entry_at(ns, ref.slot)->keeper, 7000);
	audit_ok(ns);
	assert_int_equal(by_hid(ns, 7000), 0);
	assert_int_equal(sp_ref_keeper(ns, ref).n, 7000);
	done(ns);
}

/* A crowd below leaves places for the namespace's own. */
static void crowd_below(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref;
	int32_t seen = 0;

	while (sp_pid_see(ns, TASK(100000 + seen, SP_VPID_NONE, 0, 0), ME, &ref, NULL) == 0)
		seen++;
	assert_int_equal(seen, (SP_WAYS - 2) * SP_BUCKETS);
	for (int32_t i = 0; i < (int32_t)SP_BUCKETS * 2; i++)
		born(ns, 0, 1000000 + i);
	audit_ok(ns);
	done(ns);
}

static void i13_keeper(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = (born(ns, 0, 7000), init_below(ns, 7001, 7002));
	uint32_t slot;

	sp_store(&sp_entry_at(ns, ref.slot)->keeper, 7003);
	assert_int_equal(sp_ns_audit(ns, &slot), 13);
	sp_store(&sp_entry_at(ns, ref.slot)->keeper, 0);
	assert_int_equal(sp_ns_audit(ns, &slot), 13);
	sp_store(&sp_entry_at(ns, ref.slot)->keeper, 7001);
	audit_ok(ns);
	sp_store(&sp_entry_at(ns, ref.slot)->word, ref.word & ~((uint64_t)SP_F_NESTED << 36));
	assert_int_equal(sp_ns_audit(ns, &slot), 13);
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_is_found_by_its_keeper),
		cmocka_unit_test(creator_cancels),
		cmocka_unit_test(keeper_is_set_once),
		cmocka_unit_test(number_ends_with_the_keeper),
		cmocka_unit_test(looking_does_not_shift_the_sequence),
		cmocka_unit_test(all_numbers_are_taken),
		cmocka_unit_test(host_pid_of_another_task),
		cmocka_unit_test(threads_and_leaders_are_seen),
		cmocka_unit_test(joiners_keep_their_number),
		cmocka_unit_test(nothing_is_seen_in_a_closing_namespace),
		cmocka_unit_test(crowd_below),
		cmocka_unit_test(init_is_seen_with_its_keeper),
		cmocka_unit_test(number_1_knows_its_keeper),
		cmocka_unit_test(i13_keeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
