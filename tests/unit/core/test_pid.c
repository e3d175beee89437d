/* build: src/core/*.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a number: order, wrap, exhaustion, cancel, publish by two, refusals, flags, the ways
 * out. The audit runs after each step.
 */
#include "support.h"

static void numbers_are_handed_out_in_order(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);

	for (int i = 1; i <= 50; i++) {
		struct sp_ref ref = born(ns, 0, 5000 + i);

		assert_int_equal(number(ref), i);
		assert_int_equal(find(ns, i), i);
		assert_int_equal(by_hid(ns, 5000 + i), i);
		/* Reuse only after a wrap. */
		if (i % 3 == 0)
			sp_pid_retire(ns, ref);
		audit_ok(ns);
	}
	assert_int_equal(find(ns, 3), 0);
	assert_int_equal(by_hid(ns, 5003), 0);
	assert_int_equal(sp_load(&ns->init_hid), 5001);
	done(ns);
}

static void wrap_goes_to_the_reserved_numbers_end(void **state)
{
	struct sp_segment *ns = fresh(1000);

	assert_int_equal(ns->seq_end, 500);
	for (int i = 1; i < 500; i++) {
		struct sp_ref ref = born(ns, 0, 5000 + i);

		assert_int_equal(number(ref), i);
		if (i != 1 && i != 301 && i != 302)
			sp_pid_retire(ns, ref);
	}
	audit_ok(ns);
	assert_int_equal(number(born(ns, 0, 7000)), 300);
	assert_int_equal(number(born(ns, 0, 7001)), 303);
	audit_ok(ns);
	done(ns);
}

/* kernel/pid.c: the lowest number after a wrap depends on where the search began. */
static void smallest_pid_max(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_MIN);
	struct sp_ref refs[301], ref;

	assert_int_equal(ns->seq_end, 301);
	for (int i = 1; i <= 300; i++)
		refs[i] = born(ns, 0, 5000 + i);
	assert_int_equal(number(refs[300]), 300);
	/* The cursor passed 300: no number below is handed out again. */
	sp_pid_retire(ns, refs[7]);
	assert_int_equal(sp_pid_reserve(ns, SP_VPID_NONE, ME, &ref), -EAGAIN);
	sp_pid_retire(ns, refs[300]);
	assert_int_equal(number(born(ns, 0, 6000)), 300);
	audit_ok(ns);
	/* Before it did, the search goes round to 1. */
	sp_store(&ns->cursor, 200);
	assert_int_equal(number(born(ns, 0, 6001)), 7);
	audit_ok(ns);
	assert_int_equal(sp_pid_reserve(ns, SP_VPID_NONE, ME, &ref), -EAGAIN);
	assert_int_equal(sp_load(&ns->cursor), 7);
	done(ns);
}

static void exhaustion_of_numbers(void **state)
{
	struct sp_segment *ns = fresh(700);
	struct sp_ref refs[350], ref;

	for (int i = 1; i < 350; i++)
		refs[i] = born(ns, 0, 5000 + i);
	for (int i = 0; i < 5; i++)
		assert_int_equal(sp_pid_reserve(ns, SP_VPID_NONE, ME, &ref), -EAGAIN);
	sp_pid_retire(ns, refs[320]);
	assert_int_equal(number(born(ns, 0, 6000)), 320);
	assert_int_equal(sp_pid_reserve(ns, SP_VPID_NONE, ME, &ref), -EAGAIN);
	audit_ok(ns);
	done(ns);
}

static void exhaustion_of_slots(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref victim = SP_REF_NONE, ref;
	double t, longest = 0;

	for (uint32_t i = 0; i < SP_CAPACITY; i++) {
		ref = born(ns, 0, 100000 + (int32_t)i);
		if (i == 12345)
			victim = ref;
	}
	audit_ok(ns);
	for (int i = 0; i < 10; i++) {
		t = seconds();
		assert_int_equal(sp_pid_reserve(ns, SP_VPID_NONE, ME, &ref), -EAGAIN);
		t = seconds() - t;
		longest = t > longest ? t : longest;
	}
	print_message("# all slots taken: -EAGAIN after %.0f us\n", longest * 1e6);
	assert_true(longest < 0.1);
	sp_pid_retire(ns, victim);
	t = seconds();
	ref = born(ns, 0, 99999);
	assert_true(seconds() - t < 0.1);
	assert_int_equal(ref.slot, victim.slot);
	assert_int_equal(number(ref) % (int32_t)SP_BUCKETS, number(victim) % (int32_t)SP_BUCKETS);
	audit_ok(ns);
	done(ns);
}

static void cancel_gives_the_number_back(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref a = reserved(ns, 0), b;

	/* A first fork that fails leaves the namespace usable: the next one is 1 again. */
	sp_pid_cancel(ns, a);
	audit_ok(ns);
	assert_int_equal(sp_load(&ns->cursor), 0);
	a = reserved(ns, 0);
	assert_int_equal(number(a), 1);
	b = reserved(ns, 0);
	assert_int_equal(number(b), 2);
	sp_pid_cancel(ns, a);
	assert_int_equal(sp_load(&ns->cursor), 2);
	sp_pid_cancel(ns, a);
	sp_pid_cancel(ns, b);
	sp_pid_cancel(ns, b);
	assert_int_equal(sp_load(&ns->cursor), 1);
	audit_ok(ns);
	/* A live one is not cancelled. */
	b = born(ns, 0, 77);
	assert_int_equal(number(b), 2);
	sp_pid_cancel(ns, b);
	assert_int_equal(find(ns, 2), 2);
	audit_ok(ns);
	done(ns);
}

/* The cursor went back under a live number: it must not be handed out twice. */
static void cursor_before_live_numbers(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);

	born(ns, 0, 101);
	born(ns, 0, 102);
	born(ns, 0, 103);
	sp_store(&ns->cursor, 0);
	assert_int_equal(number(born(ns, 0, 104)), 4);
	audit_ok(ns);
	done(ns);
}

static void closing_refuses(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = {7, 7};

	born(ns, 0, 101);
	sp_store(&ns->closing, 1);
	assert_int_equal(sp_pid_reserve(ns, SP_VPID_NONE, ME, &ref), -ENOMEM);
	assert_int_equal(ref.slot, 7);
	assert_int_equal(find_any(ns, 2), 0);
	audit_ok(ns);
	done(ns);
}

static void publish_by_parent_and_child(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref parent = reserved(ns, 0), child = parent, late = parent;

	assert_int_equal(find(ns, 1), 0);
	assert_int_equal(find_any(ns, 1), 1);
	assert_int_equal(sp_pid_publish(ns, &child, sp_hpid_of(900)), 0);
	audit_ok(ns);
	assert_int_equal(sp_pid_publish(ns, &parent, sp_hpid_of(900)), 0);
	assert_int_equal(sp_pid_publish(ns, &parent, sp_hpid_of(900)), 0);
	assert_true(parent.word == child.word && sp_word_state(parent.word) == SP_LIVE);
	assert_int_equal(sp_pid_publish(ns, &late, sp_hpid_of(901)), -ESTALE);
	assert_int_equal(by_hid(ns, 901), 0);
	sp_pid_retire(ns, child);
	assert_int_equal(sp_pid_publish(ns, &late, sp_hpid_of(900)), -ESTALE);
	assert_int_equal(by_hid(ns, 900), 0);
	audit_ok(ns);
	assert_int_equal(sp_pid_publish(ns, &late, SP_HPID_NONE), -ESTALE);
	late = SP_REF_NONE;
	assert_int_equal(sp_pid_publish(ns, &late, sp_hpid_of(900)), -ESTALE);
	done(ns);
}

/* The child was retired and its slot taken before the parent came to publish: nothing is touched. */
static void late_publisher_meets_a_successor(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_MIN);
	struct sp_ref old = reserved(ns, 0), late = old, new;

	sp_pid_release(ns, old);
	sp_store(&ns->cursor, 0);
	new = reserved(ns, 0);
	assert_int_equal(number(new), 1);
	assert_int_equal(new.slot, old.slot);
	assert_true(new.word != old.word);
	assert_int_equal(sp_pid_publish(ns, &late, sp_hpid_of(900)), -ESTALE);
	/* Even when it had looked at the entry before: this is the step it was about to take. */
	uint32_t unset = sp_hid_unset(old.word);
	assert_false(sp_cas(&sp_entry_at(ns, new.slot)->hid, &unset, 900));
	assert_int_equal(sp_hidx_insert(ns, old.slot, old.word, 900), -ESTALE);
	audit_ok(ns);
	assert_int_equal(sp_pid_publish(ns, &new, sp_hpid_of(902)), 0);
	assert_int_equal(by_hid(ns, 902), 1);
	assert_int_equal(by_hid(ns, 900), 0);
	/* Stale references do nothing. */
	sp_pid_retire(ns, old);
	sp_pid_release(ns, old);
	sp_pid_cancel(ns, old);
	sp_pid_set_flags(ns, &old, SP_F_LEADER);
	assert_int_equal(find(ns, 1), 1);
	assert_int_equal(sp_word_flags(sp_entry_at(ns, new.slot)->word), 0);
	audit_ok(ns);
	done(ns);
}

/* mechanisms: no number that is the host tid of another thread of the group. */
static void thread_skips_host_tids_of_its_group(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref leader = born(ns, 0, 3), t, other;

	assert_int_equal(number(leader), 1);
	t = born(ns, 1, 4);
	assert_int_equal(number(t), 2);
	assert_int_equal(sp_entry_at(ns, t.slot)->tgid, 1);
	assert_int_equal(sp_word_flags(t.word), SP_F_THREAD);
	audit_ok(ns);
	/* 3 is the leader's host tid, 4 the first thread's. */
	t = born(ns, 1, 100);
	assert_int_equal(number(t), 5);
	audit_ok(ns);
	/* Other groups do not care; nor does a group whose thread is gone. */
	sp_store(&ns->cursor, 2);
	other = born(ns, 0, 101);
	assert_int_equal(number(other), 3);
	sp_pid_retire(ns, sp_pid_find(ns, sp_vpid_of(2)));
	t = born(ns, 1, 102);
	assert_int_equal(number(t), 4);
	audit_ok(ns);
	done(ns);
}

static void publish_refuses_an_ambiguous_host_tid(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref leader = born(ns, 0, 1000), t = born(ns, 1, 1001), a, b;

	/* Its host tid is the number of another thread of the group: refused, both are told. */
	a = b = reserved(ns, 1);
	assert_int_equal(number(a), 3);
	assert_int_equal(sp_pid_publish(ns, &a, sp_hpid_of(number(t))), -EEXIST);
	assert_int_equal(state_at(ns, a), SP_FREE);
	assert_int_equal(by_hid(ns, number(t)), 0);
	audit_ok(ns);
	assert_int_equal(sp_pid_publish(ns, &b, sp_hpid_of(number(t))), -EEXIST);
	/* Also by a successor's use of the bucket, for that one takes another slot. */
	sp_store(&ns->cursor, 2);
	a = reserved(ns, 1);
	assert_int_equal(number(a), 3);
	assert_true(a.slot != b.slot);
	assert_int_equal(sp_pid_publish(ns, &b, sp_hpid_of(number(t))), -EEXIST);
	/* The leader's number. */
	assert_int_equal(sp_pid_publish(ns, &a, sp_hpid_of(number(leader))), -EEXIST);
	/* A reserved thread's number counts, its own does not. */
	a = reserved(ns, 1);
	b = reserved(ns, 1);
	assert_int_equal(sp_pid_publish(ns, &a, sp_hpid_of(number(b))), -EEXIST);
	assert_int_equal(sp_pid_publish(ns, &b, sp_hpid_of(number(b))), 0);
	audit_ok(ns);
	/* Another group's does not either. */
	a = reserved(ns, 0);
	assert_int_equal(sp_pid_publish(ns, &a, sp_hpid_of(number(t))), 0);
	audit_ok(ns);
	done(ns);
}

static void leader_stays_until_released(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = born(ns, 0, 1000), dead;

	sp_pid_set_flags(ns, &ref, SP_F_LEADER | SP_F_SESSION);
	assert_true(sp_ref_valid(ns, ref));
	assert_int_equal(sp_word_flags(ref.word), SP_F_LEADER | SP_F_SESSION);
	audit_ok(ns);
	sp_pid_release(ns, ref); /* only what is dead */
	assert_int_equal(find(ns, 1), 1);
	sp_pid_retire(ns, ref);
	assert_false(sp_ref_valid(ns, ref));
	assert_int_equal(find(ns, 1), 0);
	dead = sp_pid_find_any(ns, sp_vpid_of(1));
	assert_int_equal(sp_word_state(dead.word), SP_DEAD);
	assert_int_equal(by_hid(ns, 1000), 0);
	assert_int_equal(sp_pid_group_number(ns, sp_hpid_of(1000)).n, 1);
	audit_ok(ns);
	/* Its number is not free. */
	sp_store(&ns->cursor, 0);
	assert_int_equal(number(born(ns, 0, 1001)), 2);
	sp_pid_retire(ns, dead);
	assert_int_equal(find_any(ns, 1), 1);
	sp_pid_release(ns, dead);
	assert_int_equal(find_any(ns, 1), 0);
	assert_int_equal(sp_pid_group_number(ns, sp_hpid_of(1000)).n, 0);
	audit_ok(ns);
	sp_store(&ns->cursor, 0);
	ref = born(ns, 0, 1002);
	assert_int_equal(number(ref), 1);
	assert_int_equal(sp_word_flags(ref.word), 0);
	done(ns);
}

/* The fields of an entry do not survive into its next life. */
static void fields_are_reset(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = born(ns, 0, 1000);
	struct sp_entry *e = sp_entry_at(ns, ref.slot);

	sp_store(&e->ident, 5);
	sp_store(&e->pending, 6);
	sp_store(&e->unpatched, 7);
	sp_pid_retire(ns, ref);
	sp_store(&ns->cursor, 0);
	assert_int_equal(sp_pid_reserve(ns, sp_vpid_of(9), sp_hpid_of(12), &ref), 0);
	assert_ptr_equal(sp_entry_at(ns, ref.slot), e);
	assert_int_equal(e->ident, 0);
	assert_int_equal(e->pending, 0);
	assert_int_equal(e->unpatched, 0);
	assert_int_equal(e->tgid, 9);
	assert_int_equal(e->by, 12);
	assert_int_equal(sp_ref_by(ns, ref).n, 12);
	assert_int_equal(sp_ref_hpid(ns, ref).n, 0);
	audit_ok(ns);
	done(ns);
}

static int at(struct sp_segment *ns, int32_t n, int32_t tgid, struct sp_ref *ref)
{
	int r = sp_pid_reserve_at(ns, sp_vpid_of(n), sp_vpid_of(tgid), ME, ref);

	audit_ok(ns);
	return r;
}

/* A number of one's choice: nobody else's, and none that the sequence misses afterwards. */
static void number_of_choice(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref ref = born(ns, 0, 1000), chosen;

	assert_int_equal(at(ns, 0, 0, &chosen), -EINVAL);
	assert_int_equal(at(ns, -1, 0, &chosen), -EINVAL);
	assert_int_equal(at(ns, SP_PID_MAX_DEFAULT, 0, &chosen), -EINVAL);
	assert_int_equal(at(ns, INT32_MAX, 0, &chosen), -EINVAL);
	assert_int_equal(at(ns, 1, 0, &chosen), -EEXIST);
	assert_int_equal(at(ns, 3, 0, &chosen), 0);
	assert_int_equal(number(chosen), 3);
	assert_int_equal(at(ns, 3, 0, &ref), -EEXIST);
	assert_int_equal(number(born(ns, 0, 1001)), 2);
	assert_int_equal(number(born(ns, 0, 1002)), 4);
	assert_int_equal(sp_pid_publish(ns, &chosen, sp_hpid_of(1003)), 0);
	assert_int_equal(by_hid(ns, 1003), 3);
	/* Beyond the sequence, of both ends. */
	assert_int_equal(at(ns, SP_PID_MAX_DEFAULT - 1, 0, &ref), 0);
	assert_int_equal(sp_pid_publish(ns, &ref, sp_hpid_of(1004)), 0);
	assert_int_equal(find(ns, SP_PID_MAX_DEFAULT - 1), SP_PID_MAX_DEFAULT - 1);
	/* Cancelled it is free, and the sequence where it was. */
	assert_int_equal(at(ns, 100, 0, &ref), 0);
	sp_pid_cancel(ns, ref);
	assert_int_equal(number(born(ns, 0, 1005)), 5);
	assert_int_equal(at(ns, 100, 0, &ref), 0);
	sp_pid_release(ns, ref);
	/* While it names a group it is taken. */
	sp_pid_set_flags(ns, &chosen, SP_F_LEADER);
	sp_pid_retire(ns, chosen);
	assert_int_equal(at(ns, 3, 0, &ref), -EEXIST);
	sp_pid_release(ns, sp_pid_find_any(ns, sp_vpid_of(3)));
	assert_int_equal(at(ns, 3, 0, &ref), 0);
	/* No thread is called what the kernel calls another one of its group. */
	assert_int_equal(at(ns, 1001, 2, &ref), -EEXIST);
	assert_int_equal(at(ns, 1001, 4, &ref), 0);
	/* A bucket is full. */
	for (uint32_t i = 1; i <= SP_WAYS; i++)
		assert_int_equal(at(ns, 50 + (int32_t)(i * SP_BUCKETS), 0, &ref), 0);
	assert_int_equal(at(ns, 50, 0, &ref), -EAGAIN);
	sp_store(&ns->closing, 1);
	assert_int_equal(at(ns, 200, 0, &ref), -ENOMEM);
	done(ns);
}

/* A host tid that the kernel gave to a new task: whoever carried it is gone. */
static void recycled_host_tid(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref old = born(ns, 0, 1000), new;

	sp_pid_set_flags(ns, &old, SP_F_LEADER);
	new = born(ns, 0, 1000);
	assert_int_equal(number(new), 2);
	assert_int_equal(by_hid(ns, 1000), 2);
	assert_int_equal(find_any(ns, 1), 0);
	assert_false(sp_ref_valid(ns, old));
	audit_ok(ns);
	sp_pid_retire(ns, old);
	assert_int_equal(find(ns, 2), 2);
	done(ns);
}

/* 65536 lives later the same word comes back; nothing but that makes an old reference valid again. */
static void generations_wrap(void **state)
{
	struct sp_segment *ns = fresh(SP_PID_MAX_DEFAULT);
	struct sp_ref first = reserved(ns, 0), ref = first;

	for (int i = 1; i < 65536; i++) {
		sp_pid_cancel(ns, ref);
		ref = reserved(ns, 0);
		if (ref.word == first.word || sp_ref_valid(ns, first))
			fail();
	}
	sp_pid_cancel(ns, ref);
	ref = reserved(ns, 0);
	assert_true(ref.word == first.word);
	audit_ok(ns);
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_handed_out_in_order),
		cmocka_unit_test(wrap_goes_to_the_reserved_numbers_end),
		cmocka_unit_test(smallest_pid_max),
		cmocka_unit_test(exhaustion_of_numbers),
		cmocka_unit_test(exhaustion_of_slots),
		cmocka_unit_test(cancel_gives_the_number_back),
		cmocka_unit_test(cursor_before_live_numbers),
		cmocka_unit_test(closing_refuses),
		cmocka_unit_test(publish_by_parent_and_child),
		cmocka_unit_test(late_publisher_meets_a_successor),
		cmocka_unit_test(thread_skips_host_tids_of_its_group),
		cmocka_unit_test(publish_refuses_an_ambiguous_host_tid),
		cmocka_unit_test(leader_stays_until_released),
		cmocka_unit_test(fields_are_reset),
		cmocka_unit_test(number_of_choice),
		cmocka_unit_test(recycled_host_tid),
		cmocka_unit_test(generations_wrap),
	};

	return cmocka_run_group_tests_name("pid", tests, NULL, NULL);
}
