/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an entry: reserve, cancel, publish, flags, retire, release. Each step is decided by one
 * compare-and-swap of the entry's word; everything else is written by whoever that made the owner, or
 * by a compare-and-swap that only the right generation can win. docs/INVARIANTS.md has what holds between
 * any two instructions (I1 ...), docs/ORDERING.md who relies on which order (A1 ...).
 */
#include <linux/errno.h>

#include "core/slot.h"

/* What is known about the bucket of a candidate. */
struct place {
	bool taken;	/* some entry holds the number */
	uint32_t way;	/* where it could go, SP_WAYS: nowhere */
	uint64_t found; /* the FREE word there */
};

/*
 * The lowest way that is FREE, so that entries stay dense; one whose last user still has to be told of a
 * refusal only when there is no other. own: slot that does not count.
 */
static struct place look(struct sp_segment *ns, int32_t n, uint32_t own)
{
	uint32_t bucket = sp_bucket(n);
	struct place p = {false, SP_WAYS, 0};
	bool second = false;

	for (uint32_t way = 0; way < SP_WAYS; way++) {
		uint32_t slot = sp_slot(way, bucket);
		uint64_t w = 0;
		enum sp_state s;

		if (slot == own)
			continue;
		if (sp_slot_used(ns, way, bucket))
			w = sp_load(&sp_entry_at(ns, slot)->word);
		s = sp_word_state(w);
		if (s == SP_FREE) {
			bool refused = sp_word_flags(w) & SP_F_REFUSED;

			if (p.way == SP_WAYS || (second && !refused)) {
				p.way = way;
				p.found = w;
				second = refused;
			}
		} else if ((s == SP_CLAIMED ? sp_claim_number(w) : sp_word_number(w)) == n) {
			p.taken = true;
		}
	}
	return p;
}

/* I2: a slot below high[] may be read; so high[] grows before the slot is first used (ORDERING B1). */
static void raise_high(struct sp_segment *ns, uint32_t way, uint32_t bucket)
{
	uint32_t high = sp_load(&ns->high[way]);

	while (high <= bucket)
		if (sp_cas(&ns->high[way], &high, bucket + 1))
			break;
}

/*
 * Makes the slot ours. CLAIMED first, then look again: of two who claim one number at least one sees the
 * other (ORDERING A1), so what becomes RESERVED is the only one with its number (I5). 0, or -EAGAIN when
 * the number or the slot went to somebody else.
 */
static int claim(struct sp_segment *ns, int32_t n, struct place p, sp_vpid tgid, int32_t by,
		 struct sp_ref *ret_ref)
{
	uint32_t slot = sp_slot(p.way, sp_bucket(n));
	struct sp_entry *e = sp_entry_at(ns, slot);
	uint32_t gen = (sp_word_gen(p.found) + 1) & 0xffff;
	uint64_t claimed = sp_word_claim(gen, n, by);
	uint64_t reserved = (uint64_t)gen << 48 | (uint64_t)(tgid.n ? SP_F_THREAD : 0) << 36 |
			    (uint64_t)SP_RESERVED << 32 | (uint32_t)n;

	raise_high(ns, p.way, sp_bucket(n));
	if (!sp_cas(&e->word, &p.found, claimed))
		return -EAGAIN;
	sp_fault(RESERVE_CLAIMED);
	if (look(ns, n, slot).taken) {
		uint64_t free = (uint64_t)gen << 48 | (uint32_t)n;

		/* If it fails a sweep took us for dead: then it is FREE already. */
		(void)sp_cas(&e->word, &claimed, free);
		return -EAGAIN;
	}
	/* ORDERING B3: whoever reads one of them from a former life sees that the word has changed. */
	sp_store_release(&e->hid, sp_hid_unset(reserved));
	sp_store_release(&e->tgid, (uint32_t)(tgid.n ? tgid.n : n));
	sp_store_release(&e->ident, 0);
	sp_store_release(&e->pending, 0);
	sp_store_release(&e->by, (uint32_t)by);
	sp_store_release(&e->cleartid, 0);
	sp_fault(RESERVE_WRITTEN);
	if (!sp_cas(&e->word, &claimed, reserved))
		return -EAGAIN;
	sp_fault(RESERVE_RESERVED);
	*ret_ref = (struct sp_ref){slot, reserved};
	return 0;
}

/* RESERVED or DEAD or CLAIMED -> FREE, of this very life. */
static bool let_go(struct sp_segment *ns, struct sp_ref ref, uint32_t flags)
{
	struct sp_entry *e = sp_entry_at(ns, ref.slot);
	uint64_t w = ref.word;

	if (sp_word_state(w) == SP_CLAIMED)
		w = (w & ~0xffffffffULL) | (uint32_t)sp_claim_number(w);
	w = sp_word_with_state((w & ~SP_FLAGS_MASK) | (uint64_t)flags << 36, SP_FREE);
	return sp_cas(&e->word, &ref.word, w);
}

#define SP_CANDIDATES (SP_CAPACITY + 2 * SP_BUCKETS)

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
	int32_t end = ns->seq_end;
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
		struct place p;
		struct sp_ref ref;
		int32_t n = s.n + 1 < end ? s.n + 1 : s.min;

		if (s.left-- <= 0 || full == SP_BUCKETS)
			break;
		if (n != s.n + 1)
			full = 0;
		s.n = n;
		p = look(ns, n, SP_NO_SLOT);
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
		if (claim(ns, n, p, tgid, by.n, &ref))
			continue;
		/* ORDERING A2: who sets closing sees this entry, or we see closing. */
		if (sp_load(&ns->closing)) {
			(void)let_go(ns, ref, 0);
			return -ENOMEM;
		}
		/* ORDERING A3: no number that is the host tid of another thread of the group (I11). */
		if (tgid.n && sp_hid_in_group(ns, n, (uint32_t)tgid.n, ref.slot)) {
			(void)let_go(ns, ref, 0);
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
		struct place p = look(ns, number.n, SP_NO_SLOT);
		struct sp_ref ref;

		if (p.taken)
			return -EEXIST;
		if (p.way == SP_WAYS)
			return -EAGAIN;
		if (claim(ns, number.n, p, tgid, by.n, &ref))
			continue;
		if (sp_load(&ns->closing)) { /* ORDERING A2 */
			(void)let_go(ns, ref, 0);
			return -ENOMEM;
		}
		/* ORDERING A3 */
		if (tgid.n && sp_hid_in_group(ns, number.n, (uint32_t)tgid.n, ref.slot)) {
			(void)let_go(ns, ref, 0);
			return -EEXIST;
		}
		*ret_ref = ref;
		return 0;
	}
	return -EAGAIN;
}

void sp_pid_cancel(struct sp_segment *ns, struct sp_ref ref)
{
	int32_t n = sp_word_number(ref.word);

	if (ref.slot >= SP_CAPACITY || sp_word_state(ref.word) != SP_RESERVED || !let_go(ns, ref, 0))
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
	if (!let_go(ns, (struct sp_ref){slot, w}, SP_F_REFUSED))
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

/* The entry's word if it is still in the life of ref and LIVE, 0 otherwise. */
static uint64_t live_word(struct sp_segment *ns, struct sp_ref ref)
{
	uint64_t w;

	if (ref.slot >= SP_CAPACITY || sp_word_state(ref.word) != SP_LIVE)
		return 0;
	w = sp_load(&sp_entry_at(ns, ref.slot)->word);
	return sp_word_same(w, ref.word) && sp_word_state(w) == SP_LIVE ? w : 0;
}

void sp_pid_set_flags(struct sp_segment *ns, struct sp_ref *ref, uint32_t flags)
{
	uint64_t set = (uint64_t)(flags & (SP_F_LEADER | SP_F_THREAD | SP_F_SESSION)) << 36;

	for (int tries = 0; tries < SP_TRIES; tries++) {
		uint64_t w = live_word(ns, *ref);

		if (!w)
			return;
		if ((w & set) == set || sp_cas(&sp_entry_at(ns, ref->slot)->word, &w, w | set)) {
			ref->word = w | set;
			return;
		}
	}
}

void sp_pid_retire(struct sp_segment *ns, struct sp_ref ref)
{
	for (int tries = 0; tries < SP_TRIES; tries++) {
		uint64_t w = live_word(ns, ref);
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
	(void)let_go(ns, ref, 0);
	sp_fault(RELEASE);
}
