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
	if (!sp_cas(&sp_entry_at(ns, old.slot)->word, &w,
		    sp_word_with_state(w & ~SP_FLAGS_MASK, SP_FREE)))
		return false;
	sp_fault(INDEX_EVICTED);
	return true;
}

int sp_hidx_insert(struct sp_segment *ns, uint32_t slot, uint64_t w, int32_t hid)
{
	uint64_t hw = sp_hidx_word(hid, slot, w);

	for (int tries = 0; tries < SP_TRIES; tries++) {
		uint32_t pos, place = SP_HIDX_REACH;
		uint64_t found = 0;
		bool own = false;

		for (pos = 0; pos < SP_HIDX_REACH; pos++) {
			uint64_t word;

			/* The next bucket only when this one has no place at all. */
			if (pos % SP_HIDX_WAYS == 0 && place != SP_HIDX_REACH)
				break;
			word = sp_load(sp_hidx_at(ns, hid, pos));
			if (word == hw)
				return 0;
			own = word && sp_hidx_hid(word) == hid;
			if (own || (place == SP_HIDX_REACH &&
				    (!word || sp_hidx_ref(ns, word, SP_ANY).slot == SP_NO_SLOT))) {
				place = pos;
				found = word;
			}
			/* The newest word of a host tid is its first; behind an empty word is nothing. */
			if (own || !word)
				break;
		}
		if (!current(ns, slot, w))
			return -ESTALE;
		if (place == SP_HIDX_REACH)
			return -EAGAIN;
		if (own && !evict(ns, found))
			continue;
		if (place >= SP_HIDX_WAYS) {
			/* ORDERING B2: before the word is where only those look who know of it. */
			sp_store(&ns->hidx_spilled, 1);
			sp_fault(INDEX_SPILLED);
		}
		if (sp_cas(sp_hidx_at(ns, hid, place), &found, hw))
			return 0;
	}
	return -EAGAIN;
}
