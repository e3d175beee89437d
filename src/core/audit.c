/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks every invariant of docs/INVARIANTS.md that memory can tell. They hold between any two
 * instructions of anybody, so they hold in a segment whose users were killed; while others are at work
 * the audit itself is not atomic and may complain without reason. Reads (and so allocates) every page:
 * for tests and for finding a fault, not for daily use.
 */
#include "core/slot.h"

/* The values are the numbers of docs/INVARIANTS.md. */
enum invariant {
	I_HEADER = 1,	   /* I1 */
	I_HIGH = 2,	   /* I2 */
	I_WORD = 3,	   /* I3 */
	I_BUCKET = 4,	   /* I4 */
	I_UNIQUE = 5,	   /* I5 */
	I_HID = 6,	   /* I6 */
	I_INDEXED = 7,	   /* I7 */
	I_INDEX_WORD = 8,  /* I8 */
	I_INDEX_ORDER = 9, /* I9 */
	I_TGID = 10,	   /* I10 */
	I_SPELLING = 11,   /* I11 */
	I_INIT = 12,	   /* I12 */
	I_KEEPER = 13,	   /* I13 */
};

static uint64_t word_at(struct sp_segment *ns, uint32_t slot)
{
	return sp_load(&sp_entry_at(ns, slot)->word);
}

static bool header_ok(struct sp_segment *ns)
{
	int32_t cursor = sp_load(&ns->cursor), high = sp_load(&ns->high_cursor);

	return !sp_ns_check(ns, SP_SEGMENT_SIZE) && cursor >= 0 && cursor < ns->seq_end &&
	       (!high || (high >= ns->seq_end && high < ns->pid_max));
}

/* Every entry in use has a word of its own where a search for its host tid comes by. */
static bool indexed(struct sp_segment *ns, uint32_t slot, uint64_t w, int32_t hid)
{
	uint64_t hw = sp_hidx_word(hid, slot, w);
	uint32_t reach = sp_hidx_reach(ns);

	for (uint32_t pos = 0; pos < reach; pos++) {
		uint64_t found = sp_load(sp_hidx_at(ns, hid, pos));

		if (found == hw)
			return true;
		if (!found)
			break;
	}
	return false;
}

static bool unique_number(struct sp_segment *ns, uint32_t slot, uint64_t w)
{
	uint32_t bucket = slot % SP_BUCKETS;

	for (uint32_t way = 0; way < SP_WAYS; way++) {
		uint64_t o = word_at(ns, sp_slot(way, bucket));

		if (sp_slot(way, bucket) != slot && SP_BIT(sp_word_state(o)) & SP_ANY &&
		    sp_word_number(o) == sp_word_number(w))
			return false;
	}
	return true;
}

/* One entry that is RESERVED, LIVE or DEAD. */
static int check_used(struct sp_segment *ns, uint32_t slot, uint64_t w)
{
	struct sp_entry *e = sp_entry_at(ns, slot);
	int32_t n = sp_word_number(w);
	uint32_t hid = sp_load(&e->hid), tgid = sp_load(&e->tgid), keeper = sp_load(&e->keeper);
	struct sp_ref other;

	if (n <= 0 || n >= ns->pid_max || sp_bucket(n) != slot % SP_BUCKETS)
		return I_BUCKET;
	if (!unique_number(ns, slot, w))
		return I_UNIQUE;
	if (!tgid || tgid >= (uint32_t)ns->pid_max ||
	    (tgid == (uint32_t)n) == !!(sp_word_flags(w) & SP_F_THREAD))
		return I_TGID;
	if (keeper != sp_hid_unset(w) &&
	    !(sp_keeper_set(keeper) && (n == 1 || sp_word_flags(w) & SP_F_NESTED)))
		return I_KEEPER;
	if (sp_word_state(w) == SP_RESERVED)
		return hid == sp_hid_unset(w) || (hid && hid <= SP_HID_MAX) ? 0 : I_HID;
	if (!hid || hid > SP_HID_MAX)
		return I_HID;
	if (!sp_keeper_set(keeper) && !indexed(ns, slot, w, (int32_t)hid))
		return I_INDEXED;
	if (sp_keeper_set(keeper) && n != 1 && !indexed(ns, slot, w, (int32_t)keeper))
		return I_KEEPER;
	if (n == 1 && sp_load(&ns->init_hid) != hid)
		return I_INIT;
	other = sp_find_in(ns, sp_vpid_of((int32_t)hid), SP_BIT(SP_LIVE));
	if (sp_word_state(w) == SP_LIVE && other.slot != SP_NO_SLOT && other.slot != slot &&
	    sp_load(&sp_entry_at(ns, other.slot)->tgid) == tgid)
		return I_SPELLING;
	return 0;
}

static int check_slot(struct sp_segment *ns, uint32_t slot)
{
	uint64_t w = word_at(ns, slot);
	enum sp_state s = sp_word_state(w);

	if (w && slot % SP_BUCKETS >= sp_way_high(ns, slot / SP_BUCKETS))
		return I_HIGH;
	if (s > SP_CLAIMED)
		return I_WORD;
	if (s == SP_CLAIMED) {
		int32_t n = sp_claim_number(w);

		return n > 0 && n < ns->pid_max && sp_bucket(n) == slot % SP_BUCKETS ? 0 : I_BUCKET;
	}
	if (s == SP_FREE)
		return sp_word_flags(w) & ~(uint32_t)SP_F_REFUSED ? I_WORD : 0;
	if (sp_word_flags(w) & ~SP_F_SETTABLE)
		return I_WORD;
	return check_used(ns, slot, w);
}

/* One hidx word: it is in its bucket, or spilled there past full ones. */
static int check_index(struct sp_segment *ns, uint32_t way, uint32_t bucket)
{
	uint64_t hw = sp_load(sp_hidx_at(ns, (int32_t)bucket, way));
	int32_t hid = sp_hidx_hid(hw);
	uint32_t away = (bucket - (uint32_t)hid) % SP_HIDX_BUCKETS;

	if (!hw)
		return 0;
	if (!hid || sp_hidx_number(hw) <= 0 || sp_hidx_number(hw) >= ns->pid_max ||
	    away > SP_HIDX_SPILL || (away && !sp_load(&ns->hidx_spilled)))
		return I_INDEX_WORD;
	for (uint32_t pos = 0; pos < away * SP_HIDX_WAYS + way; pos++)
		if (!sp_load(sp_hidx_at(ns, hid, pos)))
			return I_INDEX_ORDER;
	return 0;
}

int sp_ns_audit(struct sp_segment *ns, uint32_t *ret_slot)
{
	int r;

	*ret_slot = SP_NO_SLOT;
	if (!header_ok(ns))
		return I_HEADER;
	for (uint32_t slot = 0; slot < SP_CAPACITY; slot++) {
		r = check_slot(ns, slot);
		if (r) {
			*ret_slot = slot;
			return r;
		}
	}
	for (uint32_t i = 0; i < SP_HIDX_WAYS * SP_HIDX_BUCKETS; i++) {
		r = check_index(ns, i / SP_HIDX_BUCKETS, i % SP_HIDX_BUCKETS);
		if (r) {
			*ret_slot = i;
			return r;
		}
	}
	return 0;
}
