/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up, both ways, and references. Wait-free: at most SP_WAYS words for a number, at most
 * SP_HIDX_REACH for a host tid, no retry. An entry that is there during the whole call is found; one that
 * comes or goes meanwhile may be or not.
 */
#include "core/slot.h"

struct sp_ref sp_find_in(struct sp_segment *ns, sp_vpid n, uint32_t states)
{
	uint32_t bucket = sp_bucket(n.n);

	if (n.n <= 0)
		return SP_REF_NONE;
	for (uint32_t way = 0; way < SP_WAYS; way++) {
		uint32_t slot = sp_slot(way, bucket);
		uint64_t w;

		/* ORDERING B1: high grows before the slot's word leaves 0. */
		if (!sp_slot_used(ns, way, bucket))
			continue;
		w = sp_load(&sp_entry_at(ns, slot)->word);
		if (sp_word_number(w) == n.n && SP_BIT(sp_word_state(w)) & states)
			return (struct sp_ref){slot, w};
	}
	return SP_REF_NONE;
}

struct sp_ref sp_pid_find(struct sp_segment *ns, sp_vpid n)
{
	return sp_find_in(ns, n, SP_BIT(SP_LIVE));
}

struct sp_ref sp_pid_find_any(struct sp_segment *ns, sp_vpid n)
{
	return sp_find_in(ns, n, SP_ANY);
}

struct sp_ref sp_find_hid(struct sp_segment *ns, int32_t hid, uint32_t states)
{
	uint32_t reach = sp_hidx_reach(ns);

	for (uint32_t pos = 0; hid > 0 && pos < reach; pos++) {
		uint64_t hw = sp_load(sp_hidx_at(ns, hid, pos));
		struct sp_ref ref;

		if (!hw)
			break;
		if (sp_hidx_hid(hw) != hid)
			continue;
		ref = sp_hidx_ref(ns, hw, states);
		if (ref.slot != SP_NO_SLOT)
			return ref;
	}
	return SP_REF_NONE;
}

struct sp_ref sp_pid_find_host(struct sp_segment *ns, sp_hpid hid)
{
	return sp_find_hid(ns, hid.n, SP_BIT(SP_LIVE));
}

sp_vpid sp_pid_number(struct sp_segment *ns, sp_hpid hid)
{
	return sp_ref_number(sp_find_hid(ns, hid.n, SP_BIT(SP_LIVE)));
}

sp_vpid sp_pid_group_number(struct sp_segment *ns, sp_hpid hid)
{
	return sp_ref_number(sp_find_hid(ns, hid.n, SP_BIT(SP_LIVE) | SP_BIT(SP_DEAD)));
}

sp_vpid sp_pid_recall(struct sp_segment *ns, sp_hpid hid)
{
	sp_vpid n = sp_pid_group_number(ns, hid);
	uint32_t reach = sp_hidx_reach(ns);

	if (n.n || hid.n <= 0)
		return n;
	for (uint32_t pos = 0; pos < reach; pos++) {
		uint64_t hw = sp_load(sp_hidx_at(ns, hid.n, pos));

		if (!hw)
			break;
		if (sp_hidx_hid(hw) != hid.n)
			continue;
		/* The first one is the newest. Its number must not be somebody else's by now. */
		n = sp_vpid_of(sp_hidx_number(hw));
		return sp_pid_find_any(ns, n).slot == SP_NO_SLOT ? n : SP_VPID_NONE;
	}
	return SP_VPID_NONE;
}

bool sp_hid_in_group(struct sp_segment *ns, int32_t hid, uint32_t tgid, uint32_t slot)
{
	uint32_t reach = sp_hidx_reach(ns);

	for (uint32_t pos = 0; pos < reach; pos++) {
		uint64_t hw = sp_load(sp_hidx_at(ns, hid, pos));
		struct sp_ref ref;

		if (!hw)
			break;
		if (sp_hidx_hid(hw) != hid)
			continue;
		ref = sp_hidx_ref(ns, hw, SP_BIT(SP_RESERVED) | SP_BIT(SP_LIVE));
		if (ref.slot != SP_NO_SLOT && ref.slot != slot &&
		    sp_load(&sp_entry_at(ns, ref.slot)->tgid) == tgid)
			return true;
	}
	return false;
}

sp_hpid sp_ref_hpid(struct sp_segment *ns, struct sp_ref ref)
{
	uint32_t hid;

	if (ref.slot >= SP_CAPACITY)
		return SP_HPID_NONE;
	hid = sp_load(&sp_entry_at(ns, ref.slot)->hid);
	return sp_hpid_of(hid > SP_HID_MAX ? 0 : (int32_t)hid);
}

sp_hpid sp_ref_keeper(struct sp_segment *ns, struct sp_ref ref)
{
	uint32_t keeper;

	if (ref.slot >= SP_CAPACITY)
		return SP_HPID_NONE;
	keeper = sp_load(&sp_entry_at(ns, ref.slot)->keeper);
	return sp_hpid_of(sp_keeper_set(keeper) ? (int32_t)keeper : 0);
}

sp_hpid sp_ref_by(struct sp_segment *ns, struct sp_ref ref)
{
	uint32_t by;

	if (ref.slot >= SP_CAPACITY)
		return SP_HPID_NONE;
	if (sp_word_state(ref.word) == SP_CLAIMED)
		return sp_hpid_of(sp_claim_by(ref.word));
	by = sp_load(&sp_entry_at(ns, ref.slot)->by);
	return sp_hpid_of(by > SP_HID_MAX ? 0 : (int32_t)by);
}

bool sp_ref_valid(struct sp_segment *ns, struct sp_ref ref)
{
	uint64_t w;

	if (ref.slot >= SP_CAPACITY)
		return false;
	w = sp_load(&sp_entry_at(ns, ref.slot)->word);
	if (sp_word_state(ref.word) == SP_CLAIMED)
		return w == ref.word;
	return !((w ^ ref.word) & ~SP_FLAGS_MASK);
}
