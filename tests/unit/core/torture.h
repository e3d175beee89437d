/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker of the torture tests does: births, deaths, threads, groups, sweeps and look-ups at random,
 * with host tids from a pool that hands each to one task at a time and soon again, as a kernel with
 * a small pid_max would. Each worker knows its own tasks and checks that they are what they were.
 */
#ifndef TESTS_UNIT_CORE_TORTURE_H
#define TESTS_UNIT_CORE_TORTURE_H

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/fault.h"
#include "support.h"

#define T_HIDS 700
#define T_MINE 12
#define T_ASKING \
	0x80000000u /* in pool.owner: its publication may give the number back at any moment */

struct pool {
	_Atomic uint32_t owner[SP_PID_MAX_MIN + 1000]; /* number -> worker that has it, +1 */
	_Atomic uint8_t hid_used[T_HIDS + 1];
	_Atomic uint64_t births, refused, exhausted, reclaimed;
	_Atomic uint32_t failures;
	char failure[200];
};

struct worker {
	struct sp_segment *ns;
	struct pool *pool;
	uint32_t id;
	int32_t by;
	bool (*gone)(int32_t by); /* whether a reserver is dead */
	uint64_t seed;
	struct sp_ref mine[T_MINE]; /* slot SP_NO_SLOT: none; [0] leads the group */
	int32_t hid[T_MINE];
};

/* Preempts now and then inside the core. */
static _Thread_local uint64_t torture_seed;

static void torture_hook(enum sp_fault point, const volatile void *where)
{
	if (torture_seed && rnd(&torture_seed) % 64 == 0)
		sched_yield();
}

static void t_fail(struct worker *w, const char *what, int line, int32_t a, int32_t b)
{
	if (!atomic_fetch_add(&w->pool->failures, 1))
		snprintf(w->pool->failure, sizeof(w->pool->failure),
			 "worker %u, line %d: %s (%d, %d)", w->id, line, what, a, b);
}

#define T_CHECK(w, cond, a, b) ((cond) ? (void)0 : t_fail(w, #cond, __LINE__, a, b))

static int32_t take_hid(struct worker *w)
{
	for (;;) {
		int32_t hid = (int32_t)(rnd(&w->seed) % T_HIDS) + 1;
		uint8_t expected = 0;

		if (atomic_compare_exchange_strong(&w->pool->hid_used[hid], &expected, 1))
			return hid;
	}
}

static void t_own(struct worker *w, int32_t n)
{
	uint32_t other;

	do {
		other = 0;
		if (atomic_compare_exchange_strong(&w->pool->owner[n], &other, w->id + 1))
			return;
		sched_yield();
	} while (other & T_ASKING);
	T_CHECK(w, !"somebody has this number", n, (int32_t)other);
}

static void t_birth(struct worker *w, int i)
{
	int32_t tgid = i && w->mine[0].slot != SP_NO_SLOT ? number(w->mine[0]) : 0;
	struct sp_ref ref, child;
	int32_t hid;
	int r = sp_pid_reserve(w->ns, sp_vpid_of(tgid), sp_hpid_of(w->by), &ref);

	if (r) {
		T_CHECK(w, r == -EAGAIN, r, 0);
		atomic_fetch_add(&w->pool->exhausted, 1);
		return;
	}
	t_own(w, number(ref));
	T_CHECK(w, sp_entry_at(w->ns, ref.slot)->tgid == (uint32_t)(tgid ? tgid : number(ref)),
		number(ref), tgid);
	if (rnd(&w->seed) % 8 == 0) {
		atomic_store(&w->pool->owner[number(ref)], 0);
		sp_pid_cancel(w->ns, ref);
		return;
	}
	hid = take_hid(w);
	child = ref;
	atomic_store(&w->pool->owner[number(ref)], (w->id + 1) | T_ASKING);
	r = sp_pid_publish(w->ns, &ref, sp_hpid_of(hid));
	if (r) {
		/* Not ambiguous for a process; the entry may have new users already. */
		T_CHECK(w, r == -EEXIST, r, hid);
		atomic_store(&w->pool->owner[number(ref)], 0);
		atomic_store(&w->pool->hid_used[hid], 0);
		atomic_fetch_add(&w->pool->refused, 1);
		return;
	}
	atomic_store(&w->pool->owner[number(ref)], w->id + 1);
	T_CHECK(w, !sp_pid_publish(w->ns, &child, sp_hpid_of(hid)), number(ref), hid);
	w->mine[i] = ref;
	w->hid[i] = hid;
	atomic_fetch_add(&w->pool->births, 1);
}

static void t_death(struct worker *w, int i)
{
	struct sp_ref ref = w->mine[i];
	int32_t n = number(ref);

	/* A leader ends last. */
	for (int k = 1; i == 0 && k < T_MINE; k++)
		if (w->mine[k].slot != SP_NO_SLOT)
			t_death(w, k);
	w->mine[i] = SP_REF_NONE;
	if (rnd(&w->seed) % 4 == 0) {
		struct sp_ref flagged = ref;

		sp_pid_set_flags(w->ns, &flagged, SP_F_LEADER);
		sp_pid_retire(w->ns, flagged);
		flagged = sp_pid_find_any(w->ns, sp_ref_number(ref));
		T_CHECK(w, sp_word_state(flagged.word) == SP_DEAD, n, w->hid[i]);
		T_CHECK(w, sp_pid_group_number(w->ns, sp_hpid_of(w->hid[i])).n == n, n, w->hid[i]);
		atomic_store(&w->pool->owner[n], 0);
		sp_pid_release(w->ns, flagged);
		atomic_store(&w->pool->hid_used[w->hid[i]], 0);
		return;
	}
	atomic_store(&w->pool->owner[n], 0);
	/* The kernel may give the host tid away before we hear of the death. */
	if (rnd(&w->seed) % 4 == 0) {
		atomic_store(&w->pool->hid_used[w->hid[i]], 0);
		sp_pid_retire(w->ns, ref);
	} else {
		sp_pid_retire(w->ns, ref);
		atomic_store(&w->pool->hid_used[w->hid[i]], 0);
	}
}

static void t_look(struct worker *w, int i)
{
	int32_t n = number(w->mine[i]), hid = w->hid[i];

	T_CHECK(w, sp_ref_valid(w->ns, w->mine[i]), n, hid);
	T_CHECK(w, find(w->ns, n) == n, n, hid);
	T_CHECK(w, by_hid(w->ns, hid) == n, n, hid);
	T_CHECK(w, sp_pid_recall(w->ns, sp_hpid_of(hid)).n == n, n, hid);
	T_CHECK(w, sp_ref_hpid(w->ns, sp_pid_find(w->ns, sp_vpid_of(n))).n == hid, n, hid);
	/* Inside the group no host tid spells another thread. */
	for (int k = 0; k < T_MINE; k++)
		if (k != i && w->mine[k].slot != SP_NO_SLOT && w->mine[0].slot != SP_NO_SLOT)
			T_CHECK(w,
				number(w->mine[k]) != hid ||
					sp_entry_at(w->ns, w->mine[k].slot)->tgid !=
						sp_entry_at(w->ns, w->mine[i].slot)->tgid,
				n, hid);
}

static void t_sweep(struct worker *w)
{
	struct sp_ref refs[8];
	size_t n = sp_ns_sweep(w->ns, 40, refs, 8);

	for (size_t i = 0; i < n; i++) {
		enum sp_state s = sp_word_state(refs[i].word);

		if ((s == SP_RESERVED || s == SP_CLAIMED) && w->gone) {
			int32_t by = sp_ref_by(w->ns, refs[i]).n;

			if (sp_ref_valid(w->ns, refs[i]) && w->gone(by)) {
				sp_pid_release(w->ns, refs[i]);
				atomic_fetch_add(&w->pool->reclaimed, 1);
			}
		}
	}
}

static void t_list(struct worker *w)
{
	struct sp_ref refs[SP_CAPACITY < 1024 ? SP_CAPACITY : 1024];
	size_t n = sp_ns_list(w->ns, sp_vpid_of(1), refs, sizeof(refs) / sizeof(refs[0])), at = 0;

	for (size_t i = 1; i < n; i++)
		T_CHECK(w, number(refs[i - 1]) < number(refs[i]), number(refs[i - 1]), number(refs[i]));
	for (int k = 0; k < T_MINE; k++) {
		if (w->mine[k].slot == SP_NO_SLOT)
			continue;
		for (at = 0; at < n && number(refs[at]) != number(w->mine[k]); at++)
			;
		T_CHECK(w, at < n, number(w->mine[k]), (int32_t)n);
	}
}

static void torture_init(struct worker *w, struct sp_segment *ns, struct pool *pool, uint32_t id,
			 int32_t by, uint64_t seed)
{
	*w = (struct worker){.ns = ns, .pool = pool, .id = id, .by = by, .seed = seed};
	for (int i = 0; i < T_MINE; i++)
		w->mine[i] = SP_REF_NONE;
	torture_seed = seed * 2 + 1;
}

static void torture_step(struct worker *w)
{
	int i = (int)(rnd(&w->seed) % T_MINE);

	switch (rnd(&w->seed) % 16) {
	case 0:
		t_sweep(w);
		break;
	case 1:
		t_list(w);
		break;
	case 2:
	case 3:
	case 4:
	case 5:
		if (w->mine[i].slot != SP_NO_SLOT)
			t_look(w, i);
		break;
	default:
		if (w->mine[i].slot != SP_NO_SLOT)
			t_death(w, i);
		else if (w->mine[0].slot != SP_NO_SLOT)
			t_birth(w, i);
		else
			t_birth(w, 0);
		break;
	}
}

#endif
