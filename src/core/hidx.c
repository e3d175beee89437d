/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering a host tid into the index host tid -> number. Words are replaced, never cleared: a place
 * is free when it is empty or when the life of the entry it speaks of is over, which is final (I8), so a
 * compare-and-swap that finds the word unchanged destroys nothing that counts, however late it comes
 * (ORDERING C2).
 */
#include <linux/errno.h>

#include "core/slot.h"

/* Whether (slot, w) is still reserved or live: only then may it speak for its host tid. */
static bool current(struct sp_segment *ns, uint32_t slot, uint64_t w)
{
	uint64_t now = sp_load(&sp_entry_at(ns, slot)->word);

	return sp_word_same(now, w) &&
	       SP_BIT(sp_word_state(now)) & (SP_BIT(SP_RESERVED) | SP_BIT(SP_LIVE));
}

static bool keeper_of_another(struct sp_segment *ns, struct sp_ref ref, int32_t hid)
{
	uint32_t keeper = sp_load(&sp_entry_at(ns, ref.slot)->keeper);

	return sp_keeper_set(keeper) && keeper != (uint32_t)hid;
}

/*
 * The kernel gave the host tid to a new task, so the entry that carries it is of a task that is gone:
 * FREE, whatever it was (ORDERING C3). True when the word that spoke of it counts no more.
 */
static bool evict(struct sp_segment *ns, uint64_t hw)
{
	struct sp_ref old = sp_hidx_ref(ns, hw, SP_ANY);
	uint64_t w = old.word;

	if (old.slot == SP_NO_SLOT)
		return true;
	/* A number with a keeper ends with that, not with the init: only the word is given up. */
	if (keeper_of_another(ns, old, sp_hidx_hid(hw)))
		return true;
	if (!sp_cas(&sp_entry_at(ns, old.slot)->word, &w,
		    sp_word_with_state(w & ~SP_FLAGS_MASK, SP_FREE)))
		return false;
	sp_fault(INDEX_EVICTED);
	return true;
}

/* Where the word may go: its place's position and what is there. SP_HIDX_REACH: nowhere. */
struct spot {
	uint32_t pos;
	uint64_t found;
};

/*
 * One walk over the places of a host tid. The first word of the same host tid is replaced before any
 * other, so that the newest is always the first. Where nothing ever spilled, further buckets are
 * looked at only when this one has no place at all.
 */
static int look_for_spot(struct sp_segment *ns, uint32_t slot, uint64_t w, int32_t hid,
			 struct spot *ret_spot)
{
	uint64_t hw = sp_hidx_word(hid, slot, w);
	bool spilled = sp_load(&ns->hidx_spilled), own = false;
	struct spot spot = {SP_HIDX_REACH, 0};

	for (uint32_t pos = 0; pos < SP_HIDX_REACH; pos++) {
		uint64_t word;

		if (pos % SP_HIDX_WAYS == 0 && spot.pos != SP_HIDX_REACH && !spilled)
			break;
		word = sp_load(sp_hidx_at(ns, hid, pos));
		if (word == hw)
			return -EEXIST;
		if (word && sp_hidx_hid(word) == hid) {
			if (!current(ns, slot, w))
				return -ESTALE;
			if (!evict(ns, word))
				return -EAGAIN;
			if (!own)
				spot = (struct spot){pos, word};
			own = true;
		} else if (spot.pos == SP_HIDX_REACH &&
			   (!word || sp_hidx_ref(ns, word, SP_ANY).slot == SP_NO_SLOT)) {
			spot = (struct spot){pos, word};
		}
		/* Behind an empty word is nothing (I9). */
		if (!word)
			break;
	}
	*ret_spot = spot;
	return 0;
}

int sp_hidx_insert(struct sp_segment *ns, uint32_t slot, uint64_t w, int32_t hid)
{
	uint64_t hw = sp_hidx_word(hid, slot, w);

	for (int tries = 0; tries < SP_TRIES; tries++) {
		struct spot spot;
		int r = look_for_spot(ns, slot, w, hid, &spot);

		if (r == -EEXIST)
			return 0;
		if (r == -EAGAIN)
			continue;
		if (r || !current(ns, slot, w))
			return -ESTALE;
		if (spot.pos == SP_HIDX_REACH)
			return -EAGAIN;
		if (spot.pos >= SP_HIDX_WAYS) {
			/* ORDERING B2: before the word is where only those look who know of it. */
			sp_store(&ns->hidx_spilled, 1);
			sp_fault(INDEX_SPILLED);
		}
		if (sp_cas(sp_hidx_at(ns, hid, spot.pos), &spot.found, hw))
			return 0;
	}
	return -EAGAIN;
}
