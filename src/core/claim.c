/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking a slot for a number: the first step of every reservation, whoever chose the number.
 */
#include <linux/errno.h>

#include "core/slot.h"

struct sp_place sp_look(struct sp_segment *ns, int32_t n, uint32_t own)
{
	uint32_t bucket = sp_bucket(n);
	struct sp_place p = {false, SP_WAYS, 0};
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

int sp_claim(struct sp_segment *ns, int32_t n, struct sp_place p, sp_vpid tgid, uint32_t flags,
	     int32_t by, struct sp_ref *ret_ref)
{
	uint32_t slot = sp_slot(p.way, sp_bucket(n));
	struct sp_entry *e = sp_entry_at(ns, slot);
	uint32_t gen = (sp_word_gen(p.found) + 1) & 0xffff;
	uint64_t claimed = sp_word_claim(gen, n, by);
	uint64_t reserved = (uint64_t)gen << 48 |
			    (uint64_t)(flags | (tgid.n ? SP_F_THREAD : 0)) << 36 |
			    (uint64_t)SP_RESERVED << 32 | (uint32_t)n;

	raise_high(ns, p.way, sp_bucket(n));
	if (!sp_cas(&e->word, &p.found, claimed))
		return -EAGAIN;
	sp_fault(RESERVE_CLAIMED);
	if (sp_look(ns, n, slot).taken) {
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
	sp_store_release(&e->keeper, sp_hid_unset(reserved));
	sp_store_release(&e->unpatched, 0);
	sp_fault(RESERVE_WRITTEN);
	if (!sp_cas(&e->word, &claimed, reserved))
		return -EAGAIN;
	sp_fault(RESERVE_RESERVED);
	*ret_ref = (struct sp_ref){slot, reserved};
	return 0;
}
