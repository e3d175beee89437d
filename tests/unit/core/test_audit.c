/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit sees each invariant broken, by its number; so a silent audit means something. And no
 * function goes astray in a segment full of garbage.
 */
#include "support.h"

static struct sp_segment *ns;
static struct sp_ref leader, thread, dead, waiting;

static int setup(void **state)
{
	ns = fresh(SP_PID_MAX_DEFAULT);
	leader = born(ns, 0, 7000);
	thread = born(ns, 1, 7001);
	dead = born(ns, 0, 7002);
	sp_pid_set_flags(ns, &dead, SP_F_LEADER);
	sp_pid_retire(ns, dead);
	dead = sp_pid_find_any(ns, sp_vpid_of(3));
	waiting = reserved(ns, 1);
	audit_ok(ns);
	return 0;
}

static int teardown(void **state)
{
	done(ns);
	return 0;
}

static int audit(void)
{
	uint32_t slot;

	return sp_ns_audit(ns, &slot);
}

static struct sp_entry *entry(struct sp_ref ref)
{
	return sp_entry_at(ns, ref.slot);
}

static void i1_header(void **state)
{
	ns->pid_max = 7;
	assert_int_equal(audit(), 1);
	ns->pid_max = SP_PID_MAX_DEFAULT;
	sp_store(&ns->cursor, -1);
	assert_int_equal(audit(), 1);
	sp_store(&ns->cursor, ns->seq_end);
	assert_int_equal(audit(), 1);
}

static void i2_high(void **state)
{
	sp_store(&ns->high[0], 2);
	assert_int_equal(audit(), 2);
}

static void i3_word(void **state)
{
	sp_store(&entry(leader)->word, leader.word | SP_STATE_MASK);
	assert_int_equal(audit(), 3);
	sp_store(&entry(leader)->word, leader.word | 1ULL << 47);
	assert_int_equal(audit(), 3);
	sp_store(&entry(leader)->word, leader.word);
	sp_store(&entry(waiting)->word, 1ULL << 36);
	assert_int_equal(audit(), 3);
}

static void i4_bucket(void **state)
{
	sp_store(&entry(waiting)->word, waiting.word + 1);
	assert_int_equal(audit(), 4);
	sp_store(&entry(waiting)->word, sp_word_claim(1, 1, 1));
	assert_int_equal(audit(), 4);
}

static void i5_unique(void **state)
{
	struct sp_entry *twin = sp_entry_at(ns, SP_BUCKETS + leader.slot);

	sp_store(&ns->high[1], 100);
	sp_store(&twin->tgid, 1);
	sp_store(&twin->hid, 9);
	sp_store(&twin->word, leader.word);
	assert_int_equal(audit(), 5);
	/* A claim for the same number is allowed: it ends by itself. */
	sp_store(&twin->word, sp_word_claim(1, 1, 1));
	assert_int_equal(audit(), 0);
}

static void i6_hid(void **state)
{
	sp_store(&entry(leader)->hid, 0);
	assert_int_equal(audit(), 6);
	sp_store(&entry(leader)->hid, 7000);
	assert_int_equal(audit(), 0);
	sp_store(&entry(waiting)->hid, sp_hid_unset(waiting.word) + 1);
	assert_int_equal(audit(), 6);
}

static void i7_indexed(void **state)
{
	sp_store(sp_hidx_at(ns, 7000, 0), sp_hidx_word(7000, leader.slot, dead.word));
	assert_int_equal(audit(), 7);
	sp_store(sp_hidx_at(ns, 7000, 0), 0);
	assert_int_equal(audit(), 7);
}

static void i8_index_word(void **state)
{
	uint64_t hw = sp_load(sp_hidx_at(ns, 7000, 0));

	/* Seventeen buckets away; one away without the flag; no host tid. */
	sp_store(sp_hidx_at(ns, 7017, 0), hw);
	assert_int_equal(audit(), 8);
	sp_store(sp_hidx_at(ns, 7017, 0), 0);
	sp_store(sp_hidx_at(ns, 6999, 0), 1);
	assert_int_equal(audit(), 8);
	sp_store(sp_hidx_at(ns, 6999, 0), 0);
	sp_store(sp_hidx_at(ns, 6999, 0), (uint64_t)6998 << 40 | 1 << 16);
	assert_int_equal(audit(), 8);
}

static void i9_index_order(void **state)
{
	sp_store(sp_hidx_at(ns, 7000, 2), sp_load(sp_hidx_at(ns, 7000, 0)));
	assert_int_equal(audit(), 9);
}

static void i10_tgid(void **state)
{
	sp_store(&entry(thread)->tgid, 0);
	assert_int_equal(audit(), 10);
	sp_store(&entry(thread)->tgid, (uint32_t)number(thread));
	assert_int_equal(audit(), 10);
	sp_store(&entry(thread)->tgid, 1);
	sp_store(&entry(leader)->tgid, 2);
	assert_int_equal(audit(), 10);
}

static void i11_spelling(void **state)
{
	struct sp_ref t = born(ns, 1, 7004);
	uint32_t hid = (uint32_t)number(thread);

	sp_store(&entry(t)->hid, hid);
	sp_store(sp_hidx_at(ns, (int32_t)hid, 0), sp_hidx_word((int32_t)hid, t.slot, t.word));
	assert_int_equal(audit(), 11);
	sp_pid_retire(ns, thread);
	assert_int_equal(audit(), 0);
}

static void i12_init(void **state)
{
	sp_store(&ns->init_hid, 0);
	assert_int_equal(audit(), 12);
}

/* A member may write anything: nothing that reads the segment may leave it or run for ever. */
static void garbage_is_survived(void **state)
{
	uint64_t seed = 7;
	struct sp_ref refs[64], ref;

	for (int round = 0; round < 30; round++) {
		uint32_t *words = (uint32_t *)ns;

		for (uint32_t i = 16 / 4; i < SP_SEGMENT_SIZE / 4; i++)
			words[i] = rnd(&seed) & (round % 3 == 0	  ? 0xffffffff
						 : round % 3 == 1 ? 0x00ff0fff
								  : 0xf00000ff);
		for (int i = 0; i < 300; i++) {
			int32_t n = (int32_t)rnd(&seed) >> rnd(&seed) % 32;

			(void)audit();
			if (!sp_pid_reserve(ns, sp_vpid_of(i % 3), ME, &ref) &&
			    !sp_pid_publish(ns, &ref, sp_hpid_of(n)))
				sp_pid_retire(ns, ref);
			sp_pid_cancel(ns, ref);
			(void)sp_pid_find(ns, sp_vpid_of(n));
			(void)sp_pid_recall(ns, sp_hpid_of(n));
			for (size_t k = sp_ns_sweep(ns, rnd(&seed), refs, 64); k--;) {
				sp_pid_set_flags(ns, &refs[k], SP_F_LEADER);
				sp_pid_retire(ns, refs[k]);
				sp_pid_release(ns, refs[k]);
			}
			if (i % 50 == 0)
				(void)sp_ns_list(ns, sp_vpid_of(n), refs, 64);
			sp_store(&ns->closing, 0);
			if (audit() && i > 20)
				break;
		}
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(i1_header),		T(i2_high),  T(i3_word),      T(i4_bucket),
		T(i5_unique),		T(i6_hid),   T(i7_indexed),   T(i8_index_word),
		T(i9_index_order),	T(i10_tgid), T(i11_spelling), T(i12_init),
		T(garbage_is_survived),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
