/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sweeping and listing: everything is met, nothing twice, in the promised order and bounds.
 */
#include "support.h"

static void sweep_meets_everything(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[8], ref;
	int seen[1001] = {0};
	size_t n, total = 0;

	assert_int_equal(sp_ns_sweep(ns, 100, refs, 8), 0);
	for (int32_t i = 1; i <= 1000; i++) {
		ref = reserved(ns, 0);
		if (i % 4)
			assert_int_equal(sp_pid_publish(ns, &ref, sp_hpid_of(7000 + i)), 0);
		if (i % 4 == 1)
			sp_pid_set_flags(ns, &ref, SP_F_LEADER);
		if (i % 4 == 1 || i % 4 == 2)
			sp_pid_retire(ns, ref);
	}
	for (int calls = 0; calls < 400 && total < 750; calls++) {
		uint32_t before = sp_load(&ns->sweep);

		n = sp_ns_sweep(ns, 10, refs, 5);
		assert_true(n <= 5);
		assert_true(sp_load(&ns->sweep) - before <= 10);
		for (size_t i = 0; i < n; i++) {
			assert_true(sp_ref_valid(ns, refs[i]));
			seen[number(refs[i])]++;
		}
		total += n;
	}
	for (int32_t i = 1; i <= 1000; i++)
		assert_int_equal(seen[i], i % 4 != 2);
	audit_ok(ns);
	/* From the end it goes on at the beginning, without the ways nobody used; at most once around. */
	sp_store(&ns->sweep, 998);
	n = sp_ns_sweep(ns, 20, refs, 8);
	assert_int_equal(n, 8);
	assert_int_equal(number(refs[0]), 999);
	assert_int_equal(number(refs[1]), 1000);
	assert_int_equal(number(refs[2]), 1);
	done(ns);
	ns = fresh(SP_PID_MAX_DEFAULT);
	born(ns, 0, 7000);
	assert_int_equal(sp_ns_sweep(ns, 1u << 31, refs, 8), 1);
	sp_store(&ns->sweep, 0xffffffffu);
	assert_int_equal(sp_ns_sweep(ns, 100, refs, 8), 1);
	done(ns);
}

/* A reserver that was killed while its entry was only claimed. */
static void claimed_entries(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[8];

	born(ns, 0, 7000);
	sp_store(&ns->high[0], 3);
	sp_store(&sp_entry_at(ns, 2)->word, sp_word_claim(9, 2, 4194303));
	audit_ok(ns);
	assert_int_equal(find_any(ns, 2), 0);
	assert_int_equal(sp_ns_list(ns, sp_vpid_of(1), refs, 8), 1);
	assert_int_equal(number(born(ns, 0, 7001)), 3);
	assert_int_equal(sp_ns_sweep(ns, 100, refs, 8), 3);
	assert_int_equal(sp_word_state(refs[1].word), SP_CLAIMED);
	assert_int_equal(sp_ref_by(ns, refs[1]).n, 4194303);
	assert_true(sp_ref_valid(ns, refs[1]));
	sp_pid_release(ns, refs[1]);
	assert_false(sp_ref_valid(ns, refs[1]));
	audit_ok(ns);
	sp_store(&ns->cursor, 1);
	assert_int_equal(number(born(ns, 0, 7002)), 2);
	audit_ok(ns);
	done(ns);
}

static void list_is_in_order(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	static struct sp_ref refs[20000];
	uint64_t seed = 42;
	size_t n, live = 0;
	int32_t last;

	for (int32_t i = 0; i < 20000; i++) {
		struct sp_ref ref;

		if (i % 100 == 0)
			sp_store(&ns->cursor, (int32_t)(rnd(&seed) % 2000000));
		ref = born(ns, 0, 7000 + i);
		live++;
		if (rnd(&seed) % 3 == 0) {
			sp_pid_retire(ns, ref);
			live--;
		}
	}
	audit_ok(ns);
	n = sp_ns_list(ns, sp_vpid_of(0), refs, 20000);
	assert_int_equal(n, live);
	for (size_t i = 1; i < n; i++)
		assert_true(number(refs[i]) > number(refs[i - 1]));
	/* In parts, as listings do. */
	last = 0;
	for (size_t got = 0; got < live;) {
		struct sp_ref part[700];

		n = sp_ns_list(ns, sp_vpid_of(last + 1), part, 700);
		assert_true(n == 700 || got + n == live);
		for (size_t i = 0; i < n; i++)
			assert_true(part[i].slot == refs[got + i].slot);
		got += n;
		last = number(part[n - 1]);
	}
	assert_int_equal(sp_ns_list(ns, sp_vpid_of(last + 1), refs, 10), 0);
	assert_int_equal(sp_ns_list(ns, sp_vpid_of(0), refs, 0), 0);
	assert_int_equal(sp_ns_list(ns, sp_vpid_of(0), refs, 1), 1);
	done(ns);
}

static void list_has_every_state_in_use(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref refs[8], ref;

	ref = born(ns, 0, 7000);
	sp_pid_set_flags(ns, &ref, SP_F_LEADER);
	sp_pid_retire(ns, ref);
	born(ns, 0, 7001);
	reserved(ns, 0);
	sp_pid_retire(ns, born(ns, 0, 7003));
	assert_int_equal(sp_ns_list(ns, sp_vpid_of(1), refs, 8), 3);
	assert_int_equal(sp_word_state(refs[0].word), SP_DEAD);
	assert_int_equal(sp_word_state(refs[1].word), SP_LIVE);
	assert_int_equal(sp_word_state(refs[2].word), SP_RESERVED);
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sweep_meets_everything),
		cmocka_unit_test(claimed_entries),
		cmocka_unit_test(list_is_in_order),
		cmocka_unit_test(list_has_every_state_in_use),
	};

	return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
