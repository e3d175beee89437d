/* build: src/core/*.c faults small plain -Wno-cast-function-type */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The races the core must survive, each tried in all orders (explore.h). docs/ORDERING.md names
 * the scenario with each rule; weakening a rule makes its scenario fail.
 */
#include "explore.h"

void (*sp_fault_hook)(enum sp_fault point, const volatile void *where);

/* What the tasks of a scenario leave for its check. */
static struct sp_ref refs[X_TASKS], held;
static int results[X_TASKS];
static int32_t seen[X_TASKS];

static void reserve(int i, int32_t tgid)
{
	refs[i] = SP_REF_NONE;
	results[i] = sp_pid_reserve(ns, sp_vpid_of(tgid), ME, &refs[i]);
}

static void publish(int i, int32_t hid)
{
	results[i] = sp_pid_publish(ns, &refs[i], sp_hpid_of(hid));
}

static void make_leader(void)
{
	struct sp_ref ref = born(ns, 0, 600);

	assert_int_equal(number(ref), 1);
}

/* Different numbers, all of them there. */
static void check_distinct(int count)
{
	for (int i = 0; i < count; i++) {
		CHECK(results[i] == 0);
		CHECK(sp_ref_valid(ns, refs[i]));
		for (int k = 0; k < i; k++)
			CHECK(number(refs[i]) != number(refs[k]));
	}
}

/* ---- A1: one number, two reservers ---- */

static void reserve_0(void)
{
	reserve(0, 0);
}

static void reserve_1(void)
{
	reserve(1, 0);
}

/* A late cancel of a number that was handed out again meanwhile. */
static void cursor_back(void)
{
	int32_t n = sp_load(&ns->cursor);

	if (n > 1)
		(void)sp_cas(&ns->cursor, &n, 1);
}

static void reserve_check(void)
{
	check_distinct(2);
}

static const struct scenario two_reserve = {make_leader, {reserve_0, reserve_1}, reserve_check, 4};
static const struct scenario one_number_for_two = {
	make_leader, {reserve_0, reserve_1, cursor_back}, reserve_check, 2};

/* The two see different slots as the lowest free one, so the slot does not decide between them. */
static void two_slots_setup(void)
{
	make_leader();
	sp_store(&ns->cursor, 1 + (int32_t)SP_BUCKETS);
	held = born(ns, 0, 600 + 1);
	sp_store(&ns->high[1], SP_BUCKETS);
	sp_store(&ns->cursor, 1);
}

static void free_slot_and_cursor_back(void)
{
	sp_pid_retire(ns, held);
	cursor_back();
}

static const struct scenario one_number_in_two_slots = {
	two_slots_setup, {reserve_0, reserve_1, free_slot_and_cursor_back}, reserve_check, 2};

static void cancel_2(void)
{
	reserve(2, 0);
	sp_pid_cancel(ns, refs[2]);
}

static const struct scenario cancel_between = {
	make_leader, {reserve_0, reserve_1, cancel_2}, reserve_check, 2};

/* One slot left in the bucket of two candidates. */
static void one_slot_setup(void)
{
	make_leader();
	for (int32_t i = 1; i < (int32_t)SP_WAYS; i++) {
		sp_store(&ns->cursor, 1 + i * (int32_t)SP_BUCKETS);
		born(ns, 0, 600 + i);
	}
	sp_store(&ns->cursor, 1);
}

static void cursor_far(void)
{
	int32_t n = sp_load(&ns->cursor);

	(void)sp_cas(&ns->cursor, &n, 1 + 8 * (int32_t)SP_BUCKETS);
}

static const struct scenario one_slot_for_two = {
	one_slot_setup, {reserve_0, reserve_1, cursor_far}, reserve_check, 2};

/* The next number of the sequence, by somebody's choice as well. */
static void reserve_at(int i, int32_t n)
{
	refs[i] = SP_REF_NONE;
	results[i] = sp_pid_reserve_at(ns, sp_vpid_of(n), SP_VPID_NONE, ME, &refs[i]);
}

static void chosen_1(void)
{
	reserve_at(1, 2);
}

static void chosen_2(void)
{
	reserve_at(2, 2);
}

static void chosen_check(void)
{
	int have = 0;

	CHECK(results[0] == 0);
	for (int i = 0; i < 3; i++) {
		CHECK(results[i] == 0 || results[i] == -EEXIST);
		if (results[i])
			continue;
		have += number(refs[i]) == 2;
		CHECK(sp_ref_valid(ns, refs[i]));
		CHECK(i == 0 || number(refs[i]) == 2);
	}
	CHECK(have == 1);
}

static const struct scenario chosen_by_two = {
	make_leader, {reserve_0, chosen_1, chosen_2}, chosen_check, 2};

/* ---- A2: closing ---- */

static void close_and_list(void)
{
	struct sp_ref found[8];

	sp_store(&ns->closing, 1);
	seen[1] = (int32_t)sp_ns_list(ns, sp_vpid_of(2), found, 8);
}

static void closing_check(void)
{
	CHECK(results[0] == 0 || results[0] == -ENOMEM);
	/* A reservation that stands was seen by who closed. */
	CHECK(results[0] || seen[1] == 1);
	CHECK(!results[0] || sp_pid_find_any(ns, sp_vpid_of(2)).slot == SP_NO_SLOT);
}

static const struct scenario closing = {make_leader, {reserve_0, close_and_list}, closing_check, 4};

/* ---- A3: two spellings of a thread ---- */

#define WANTED 4 /* number that the reserver wants, host tid that the publisher has */

static void spelling_setup(void)
{
	make_leader();
	sp_store(&ns->cursor, 1);
	refs[1] = reserved(ns, 1);
	refs[2] = refs[1];
	sp_store(&ns->cursor, WANTED - 1);
	held = refs[1];
}

static void reserve_thread(void)
{
	reserve(0, 1);
	if (!results[0])
		publish(0, 500);
}

static void publish_wanted(void)
{
	refs[1] = held;
	publish(1, WANTED);
}

static void publish_wanted_too(void)
{
	refs[2] = held;
	publish(2, WANTED);
}

static void spelling_check(void)
{
	CHECK(results[0] == 0);
	CHECK(results[1] == 0 || results[1] == -EEXIST);
	CHECK(results[1] || number(refs[0]) != WANTED);
	CHECK(by_hid(ns, WANTED) == (results[1] ? 0 : number(held)));
	CHECK(find_any(ns, number(held)) == (results[1] ? 0 : number(held)));
}

static void both_check(void)
{
	spelling_check();
	/* Parent and child are told the same. */
	CHECK(results[2] == results[1]);
}

static const struct scenario spelling = {
	spelling_setup, {reserve_thread, publish_wanted}, spelling_check, 4};
static const struct scenario spelling_two_publishers = {
	spelling_setup, {reserve_thread, publish_wanted, publish_wanted_too}, both_check, 2};

/* ---- C1: late publishers ---- */

static void publish_setup(void)
{
	make_leader();
	held = reserved(ns, 0);
	sp_store(&ns->cursor, 1);
}

static void publish_parent(void)
{
	refs[0] = held;
	publish(0, 700);
}

static void publish_child(void)
{
	refs[1] = held;
	publish(1, 700);
}

static void publish_check(void)
{
	CHECK(results[0] == 0 && results[1] == 0);
	CHECK(refs[0].word == refs[1].word);
	CHECK(by_hid(ns, 700) == 2 && find(ns, 2) == 2);
}

static const struct scenario parent_and_child = {
	publish_setup, {publish_parent, publish_child}, publish_check, 5};

/* The child lives and dies, and its number and slot go to somebody else. */
static void child_then_successor(void)
{
	publish_child();
	if (results[1] == 0)
		sp_pid_retire(ns, refs[1]);
	refs[2] = SP_REF_NONE;
	results[2] = sp_pid_reserve(ns, SP_VPID_NONE, ME, &refs[2]);
	results[2] = sp_pid_publish(ns, &refs[2], sp_hpid_of(701));
}

static void successor_check(void)
{
	CHECK(results[0] == 0 || results[0] == -ESTALE);
	CHECK(results[1] == 0 && results[2] == 0);
	CHECK(refs[2].slot == held.slot && number(refs[2]) == 2);
	CHECK(by_hid(ns, 701) == 2 && by_hid(ns, 700) == 0);
	CHECK(sp_ref_hpid(ns, refs[2]).n == 701);
}

static const struct scenario late_parent = {
	publish_setup, {publish_parent, child_then_successor}, successor_check, 4};

/* The host tid comes back as well, for another number. */
static void child_then_same_hid(void)
{
	publish_child();
	if (results[1] == 0)
		sp_pid_retire(ns, refs[1]);
	sp_store(&ns->cursor, 5);
	results[2] = sp_pid_reserve(ns, SP_VPID_NONE, ME, &refs[2]);
	results[2] = sp_pid_publish(ns, &refs[2], sp_hpid_of(700));
}

static void same_hid_check(void)
{
	CHECK(results[1] == 0 && results[2] == 0 && number(refs[2]) == 6);
	CHECK(by_hid(ns, 700) == 6);
	CHECK(sp_pid_recall(ns, sp_hpid_of(700)).n == 6);
}

static const struct scenario late_parent_same_hid = {
	publish_setup, {publish_parent, child_then_same_hid}, same_hid_check, 4};

/* A sweep takes the reserver for dead while both publish. */
static void sweep_away(void)
{
	sp_pid_release(ns, held);
	results[2] = sp_pid_reserve(ns, SP_VPID_NONE, ME, &refs[2]);
	seen[2] = number(refs[2]);
	results[2] = sp_pid_publish(ns, &refs[2], sp_hpid_of(702));
}

static void sweep_check(void)
{
	bool live =
		sp_ref_valid(ns, (struct sp_ref){held.slot, sp_word_with_state(held.word, SP_LIVE)});

	CHECK(results[2] == 0 && by_hid(ns, 702) == seen[2]);
	CHECK((results[0] == 0) == live && (results[1] == 0) == live);
	CHECK(live || (results[0] == -ESTALE && results[1] == -ESTALE));
	CHECK(by_hid(ns, 700) == (live ? 2 : 0));
}

static const struct scenario swept_while_publishing = {
	publish_setup, {publish_parent, publish_child, sweep_away}, sweep_check, 3};

/* ---- the index of host tids ---- */

#define COLLIDING(i) (700 + (i) * (int32_t)SP_HIDX_BUCKETS)

/* In the bucket: two of the living, one of the dead, one empty place. */
static void bucket_setup(void)
{
	make_leader();
	born(ns, 0, COLLIDING(0));
	sp_pid_retire(ns, born(ns, 0, COLLIDING(1)));
	born(ns, 0, COLLIDING(2));
	refs[0] = reserved(ns, 0);
	refs[1] = reserved(ns, 0);
	refs[2] = reserved(ns, 0);
}

static struct sp_ref bucket_ref(int i)
{
	/* Reserved in this order by the setup. */
	return sp_pid_find_any(ns, sp_vpid_of(5 + i));
}

static void publish_colliding(int i)
{
	refs[i] = bucket_ref(i);
	publish(i, COLLIDING(10 + i));
}

static void colliding_0(void)
{
	publish_colliding(0);
}

static void colliding_1(void)
{
	publish_colliding(1);
}

static void colliding_2(void)
{
	publish_colliding(2);
}

static void retire_first(void)
{
	sp_pid_retire(ns, sp_pid_find(ns, sp_vpid_of(2)));
}

static void colliding_check(void)
{
	for (int i = 0; i < 2; i++) {
		CHECK(results[i] == 0);
		CHECK(by_hid(ns, COLLIDING(10 + i)) == 5 + i);
	}
	CHECK(by_hid(ns, COLLIDING(2)) == 4);
}

static void colliding_3_check(void)
{
	colliding_check();
	CHECK(results[2] == 0 && by_hid(ns, COLLIDING(12)) == 7);
	CHECK(sp_load(&ns->hidx_spilled) == 1);
}

static const struct scenario one_index_bucket = {
	bucket_setup, {colliding_0, colliding_1, retire_first}, colliding_check, 2};
static const struct scenario index_spills = {
	bucket_setup, {colliding_0, colliding_1, colliding_2}, colliding_3_check, 2};

/*
 * Somebody takes the place of a dead word while the very same host tid gets the very same number and
 * slot again.
 */
static void reincarnation_setup(void)
{
	make_leader();
	sp_pid_retire(ns, born(ns, 0, COLLIDING(0)));
	held = reserved(ns, 0);
	sp_store(&ns->cursor, 1);
}

static void take_dead_place(void)
{
	refs[0] = held;
	publish(0, COLLIDING(1));
}

static void same_again(void)
{
	reserve(1, 0);
	publish(1, COLLIDING(0));
}

static void reincarnation_check(void)
{
	CHECK(results[0] == 0 && results[1] == 0);
	CHECK(by_hid(ns, COLLIDING(0)) == 2 && by_hid(ns, COLLIDING(1)) == 3);
}

static const struct scenario reincarnation = {
	reincarnation_setup, {take_dead_place, same_again}, reincarnation_check, 4};

/* The kernel gave the host tid away; the old entry is retired at the same time. */
static void recycled_setup(void)
{
	make_leader();
	held = born(ns, 0, 700);
	refs[0] = reserved(ns, 0);
}

static void publish_recycled(void)
{
	refs[0] = sp_pid_find_any(ns, sp_vpid_of(3));
	publish(0, 700);
}

static void retire_old(void)
{
	sp_pid_set_flags(ns, &(struct sp_ref){held.slot, held.word}, SP_F_LEADER);
	sp_pid_retire(ns, held);
}

static void look_recycled(void)
{
	int32_t n = by_hid(ns, 700);

	CHECK(n == 0 || n == 2 || n == 3);
	n = sp_pid_recall(ns, sp_hpid_of(700)).n;
	CHECK(n == 0 || n == 2 || n == 3);
}

static void recycled_check(void)
{
	CHECK(results[0] == 0 && by_hid(ns, 700) == 3);
	CHECK(find_any(ns, 2) == 0);
}

static const struct scenario recycled_host_tid = {
	recycled_setup, {publish_recycled, retire_old, look_recycled}, recycled_check, 3};

/* ---- readers ---- */

static void readers_setup(void)
{
	make_leader();
	born(ns, 0, COLLIDING(0));
	sp_pid_retire(ns, born(ns, 0, COLLIDING(1)));
	sp_store(&ns->cursor, 1 + (int32_t)SP_BUCKETS);
}

/* In the same buckets of both tables. */
static void churn(void)
{
	reserve(0, 0);
	publish(0, COLLIDING(3));
	CHECK(number(refs[0]) == 2 + (int32_t)SP_BUCKETS);
	sp_pid_retire(ns, refs[0]);
	reserve(0, 0);
	publish(0, COLLIDING(4));
}

static void read_stable(void)
{
	struct sp_ref found[4];
	size_t n;

	CHECK(find(ns, 2) == 2);
	CHECK(by_hid(ns, COLLIDING(0)) == 2);
	n = sp_ns_list(ns, sp_vpid_of(1), found, 4);
	CHECK(n >= 2 && number(found[0]) == 1 && number(found[1]) == 2);
}

static void nothing_to_check(void)
{
}

static const struct scenario readers = {readers_setup, {churn, read_stable}, nothing_to_check, 3};

/* ---- the end of a task, by two ---- */

static void flags_setup(void)
{
	make_leader();
	held = born(ns, 0, 700);
}

static void become_leader(void)
{
	struct sp_ref ref = held;

	sp_pid_set_flags(ns, &ref, SP_F_LEADER);
	seen[0] = sp_word_flags(ref.word) & SP_F_LEADER;
}

static void retire_it(void)
{
	sp_pid_retire(ns, held);
}

static void flags_check(void)
{
	/* The group exists exactly if its maker was told so. */
	CHECK((sp_word_state(sp_pid_find_any(ns, sp_vpid_of(2)).word) == SP_DEAD) == !!seen[0]);
	CHECK(find(ns, 2) == 0);
}

static const struct scenario leader_dies = {
	flags_setup, {become_leader, retire_it, retire_it}, flags_check, 4};

#define TEST(s)                            \
	static void test_##s(void **state) \
	{                                  \
		(void)state;               \
		explore(s);                \
	}
#define TESTS(X)                   \
	X(two_reserve)             \
	X(one_number_for_two)      \
	X(one_number_in_two_slots) \
	X(cancel_between)          \
	X(one_slot_for_two)        \
	X(chosen_by_two)           \
	X(closing)                 \
	X(spelling)                \
	X(spelling_two_publishers) \
	X(parent_and_child)        \
	X(late_parent)             \
	X(late_parent_same_hid)    \
	X(swept_while_publishing)  \
	X(one_index_bucket)        \
	X(index_spills)            \
	X(reincarnation)           \
	X(recycled_host_tid)       \
	X(readers)                 \
	X(leader_dies)
TESTS(TEST)

int main(void)
{
#define ROW(s) cmocka_unit_test(test_##s),
	const struct CMUnitTest tests[] = {TESTS(ROW)};

	return cmocka_run_group_tests_name("interleavings", tests, NULL, NULL);
}
