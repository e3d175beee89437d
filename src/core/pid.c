/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an entry: reserve, cancel, publish, flags, retire, release. Each step is decided by one
 * compare-and-swap of the entry's word; everything else is written by whoever that made the owner, or
 * by a compare-and-swap that only the right generation can win. docs/INVARIANTS.md has what holds between
 * any two instructions (I1 ...), docs/ORDERING.md who relies on which order (A1 ...).
 */
#include <linux/errno.h>

#include "core/slot.h"

bool sp_let_go(struct sp_segment *ns, struct sp_ref ref, uint32_t flags)
{
	struct sp_entry *e = sp_entry_at(ns, ref.slot);
	uint64_t w = ref.word;

	if (sp_word_state(w) == SP_CLAIMED)
		w = (w & ~0xffffffffULL) | (uint32_t)sp_claim_number(w);
	w = sp_word_with_state((w & ~SP_FLAGS_MASK) | (uint64_t)flags << 36, SP_FREE);
	return sp_cas(&e->word, &ref.word, w);
}

/* Where a search for a number is: kernel/pid.c:alloc_pid and lib/idr.c:idr_alloc_cyclic. */
struct search {
	int32_t n;    /* last candidate */
	int32_t min;  /* first one after a wrap */
	int32_t left; /* candidates of this pass */
};

static struct search search_from(int32_t cursor, int32_t end)
{
	struct search s = {cursor, 1, 0};

	if (cursor < 0 || cursor >= end)
		s.n = end - 1;
	if (s.n + 1 > SP_RESERVED_PIDS)
		s.min = SP_RESERVED_PIDS;
	s.left = end - s.min;
	return s;
}

int sp_pid_reserve(struct sp_segment *ns, sp_vpid tgid, sp_hpid by, struct sp_ref *ret_ref)
{
	int32_t end = sp_once(ns->seq_end);
	int32_t cursor = sp_load(&ns->cursor);
	struct search s;
	uint32_t full = 0;

	if (end < SP_PID_MAX_MIN || end > SP_PID_MAX_DEFAULT)
		return -EAGAIN;
	if (sp_load(&ns->closing))
		return -ENOMEM;
	s = search_from(cursor, end);
	/*
	 * Consecutive numbers are in consecutive buckets. So SP_BUCKETS full ones in a row are all of them,
	 * unless a wrap was between; and SP_CANDIDATES meet each bucket once more often than it can hold
	 * other numbers, the two ends at a wrap included.
	 */
	for (uint32_t tries = 0; tries < SP_CANDIDATES; tries++) {
		struct sp_place p;
		struct sp_ref ref;
		int32_t n = s.n + 1 < end ? s.n + 1 : s.min;

		if (s.left-- <= 0 || full == SP_BUCKETS)
			break;
		if (n != s.n + 1)
			full = 0;
		s.n = n;
		p = sp_look(ns, n, SP_NO_SLOT);
		full = p.way == SP_WAYS ? full + 1 : 0;
		if (p.taken || p.way == SP_WAYS)
			continue;
		if (!sp_cas(&ns->cursor, &cursor, n)) {
			/* Somebody took a number: go on behind it. */
			s = search_from(cursor, end);
			continue;
		}
		sp_fault(RESERVE_CURSOR);
		cursor = n;
		if (sp_claim(ns, n, p, tgid, 0, by.n, &ref))
			continue;
		/* ORDERING A2: who sets closing sees this entry, or we see closing. */
		if (sp_load(&ns->closing)) {
			(void)sp_let_go(ns, ref, 0);
			return -ENOMEM;
		}
		/* ORDERING A3: no number that is the host tid of another thread of the group (I11). */
		if (tgid.n && sp_hid_in_group(ns, n, (uint32_t)tgid.n, ref.slot)) {
			(void)sp_let_go(ns, ref, 0);
			continue;
		}
		*ret_ref = ref;
		return 0;
	}
	return -EAGAIN;
}

int sp_pid_reserve_at(struct sp_segment *ns, sp_vpid number, sp_vpid tgid, sp_hpid by,
		      struct sp_ref *ret_ref)
{
	if (number.n < 1 || number.n >= ns->pid_max || number.n >= SP_PID_MAX_DEFAULT)
		return -EINVAL;
	if (sp_load(&ns->closing))
		return -ENOMEM;
	/* Who claims another number of the bucket may take the place; there are only so many places. */
	for (uint32_t tries = 0; tries < SP_WAYS; tries++) {
		struct sp_place p = sp_look(ns, number.n, SP_NO_SLOT);
		struct sp_ref ref;

		if (p.taken)
			return -EEXIST;
		if (p.way == SP_WAYS)
			return -EAGAIN;
		if (sp_claim(ns, number.n, p, tgid, 0, by.n, &ref))
			continue;
		if (sp_load(&ns->closing)) { /* ORDERING A2 */
			(void)sp_let_go(ns, ref, 0);
			return -ENOMEM;
		}
		/* ORDERING A3 */
		if (tgid.n && sp_hid_in_group(ns, number.n, (uint32_t)tgid.n, ref.slot)) {
			(void)sp_let_go(ns, ref, 0);
			return -EEXIST;
		}
		*ret_ref = ref;
		return 0;
	}
	return -EAGAIN;
}

/* A RESERVED entry may have become NESTED since ref was taken. */
static void refresh(struct sp_segment *ns, struct sp_ref *ref)
{
	uint64_t w = sp_load(&sp_entry_at(ns, ref->slot)->word);

	if (sp_word_state(ref->word) == SP_RESERVED && sp_word_state(w) == SP_RESERVED &&
	    sp_word_same(w, ref->word))
		ref->word = w;
}

void sp_pid_cancel(struct sp_segment *ns, struct sp_ref ref)
{
	int32_t n = sp_word_number(ref.word);

	if (ref.slot >= SP_CAPACITY || sp_word_state(ref.word) != SP_RESERVED)
		return;
	refresh(ns, &ref);
	if (!sp_let_go(ns, ref, 0))
		return;
	sp_fault(CANCEL_FREED);
	/* ORDERING C5: late, this may hand out a number that is just being claimed. */
	(void)sp_cas(&ns->cursor, &n, n - 1);
}

/*
 * ORDERING A3, the other half: the host tid is findable; now, is it the number of another thread of this
 * group that is reserved or live? Whoever reserves it later finds the host tid.
 */
static bool ambiguous(struct sp_segment *ns, uint32_t slot, int32_t hid)
{
	struct sp_ref other = sp_find_in(ns, sp_vpid_of(hid), SP_BIT(SP_RESERVED) | SP_BIT(SP_LIVE));

	return other.slot != SP_NO_SLOT && other.slot != slot &&
	       sp_load(&sp_entry_at(ns, other.slot)->tgid) == sp_load(&sp_entry_at(ns, slot)->tgid);
}

/* RESERVED -> FREE with a note for the other publisher (ORDERING C4). */
static bool refuse(struct sp_segment *ns, uint32_t slot, uint64_t w)
{
	if (!sp_let_go(ns, (struct sp_ref){slot, w}, SP_F_REFUSED))
		return false;
	sp_fault(PUBLISH_REFUSED);
	return true;
}

int sp_pid_publish(struct sp_segment *ns, struct sp_ref *ref, sp_hpid hid)
{
	struct sp_entry *e;

	if (ref->slot >= SP_CAPACITY || hid.n <= 0 || hid.n > SP_HID_MAX)
		return -ESTALE;
	e = sp_entry_at(ns, ref->slot);
	for (int tries = 0; tries < SP_TRIES; tries++) {
		uint64_t w = sp_load(&e->word);
		uint32_t unset = sp_hid_unset(w);
		uint64_t live = sp_word_with_state(w, SP_LIVE);
		int r;

		if (!sp_word_same(w, ref->word))
			return -ESTALE;
		if (sp_word_state(w) == SP_LIVE) {
			if (sp_load(&e->hid) != (uint32_t)hid.n || !sp_word_same(sp_load(&e->word), w))
				return -ESTALE;
			ref->word = w;
			return 0;
		}
		if (sp_word_state(w) == SP_FREE && sp_word_flags(w) & SP_F_REFUSED)
			return -EEXIST;
		if (sp_word_state(w) != SP_RESERVED)
			return -ESTALE;
		/* ORDERING C1: fails in any other generation, whenever it happens. */
		if (!sp_cas(&e->hid, &unset, (uint32_t)hid.n) && unset != (uint32_t)hid.n)
			return -ESTALE;
		sp_fault(PUBLISH_HID);
		r = sp_hidx_insert(ns, ref->slot, w, hid.n);
		sp_fault(PUBLISH_INDEXED);
		if (r == -ESTALE)
			continue;
		/* No place for the host tid: the same way out, for a clone gets another one. */
		if (r || ambiguous(ns, ref->slot, hid.n)) {
			if (refuse(ns, ref->slot, w))
				return -EEXIST;
			continue;
		}
		if (sp_word_number(w) == 1)
			sp_store(&ns->init_hid, (uint32_t)hid.n);
		if (sp_cas(&e->word, &w, live)) {
			sp_fault(PUBLISH_LIVE);
			ref->word = live;
			return 0;
		}
	}
	return -ESTALE;
}

/* The entry's word if it is still in the life of ref and in one of the states, 0 otherwise. */
static uint64_t word_in(struct sp_segment *ns, struct sp_ref ref, uint32_t states)
{
	uint64_t w;

	if (ref.slot >= SP_CAPACITY || !(SP_BIT(sp_word_state(ref.word)) & states))
		return 0;
	w = sp_load(&sp_entry_at(ns, ref.slot)->word);
	return sp_word_same(w, ref.word) && SP_BIT(sp_word_state(w)) & states ? w : 0;
}

/* False when the entry is in none of the states any more. */
static bool add_flags(struct sp_segment *ns, struct sp_ref *ref, uint32_t states, uint32_t flags)
{
	uint64_t set = (uint64_t)flags << 36;

	for (int tries = 0; tries < SP_TRIES; tries++) {
		uint64_t w = word_in(ns, *ref, states);

		if (!w)
			return false;
		if ((w & set) == set || sp_cas(&sp_entry_at(ns, ref->slot)->word, &w, w | set)) {
			ref->word = w | set;
			return true;
		}
	}
	return false;
}

void sp_pid_set_flags(struct sp_segment *ns, struct sp_ref *ref, uint32_t flags)
{
	uint32_t states = SP_BIT(SP_LIVE);

	if (flags == SP_F_NESTED)
		states |= SP_BIT(SP_RESERVED);
	(void)add_flags(ns, ref, states, flags & SP_F_SETTABLE);
}

int sp_pid_set_keeper(struct sp_segment *ns, struct sp_ref *ref, sp_hpid keeper)
{
	struct sp_entry *e;
	uint32_t unset = sp_hid_unset(ref->word);

	if (keeper.n <= 0 || keeper.n > SP_HID_MAX ||
	    !add_flags(ns, ref, SP_BIT(SP_RESERVED), SP_F_NESTED))
		return -ESTALE;
	e = sp_entry_at(ns, ref->slot);
	/* ORDERING C1, as for hid. */
	if (!sp_cas(&e->keeper, &unset, (uint32_t)keeper.n) && unset != (uint32_t)keeper.n)
		return -ESTALE;
	return sp_hidx_insert(ns, ref->slot, ref->word, keeper.n);
}

void sp_pid_retire(struct sp_segment *ns, struct sp_ref ref)
{
	for (int tries = 0; tries < SP_TRIES; tries++) {
		uint64_t w = word_in(ns, ref, SP_BIT(SP_LIVE));
		uint64_t gone = sp_word_flags(w) & SP_F_LEADER
					? sp_word_with_state(w, SP_DEAD)
					: sp_word_with_state(w & ~SP_FLAGS_MASK, SP_FREE);

		/* The hidx word stays: sp_pid_recall. The flag is of the word swapped: ORDERING C6. */
		if (!w || sp_cas(&sp_entry_at(ns, ref.slot)->word, &w, gone))
			break;
	}
	sp_fault(RETIRE);
}

void sp_pid_release(struct sp_segment *ns, struct sp_ref ref)
{
	enum sp_state s = sp_word_state(ref.word);

	if (ref.slot >= SP_CAPACITY || !(s == SP_DEAD || s == SP_RESERVED || s == SP_CLAIMED))
		return;
	refresh(ns, &ref);
	(void)sp_let_go(ns, ref, 0);
	sp_fault(RELEASE);
}
