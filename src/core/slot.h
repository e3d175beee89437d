/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the core: how words are taken apart, where a number and a host tid may be, and which slots
 * were ever used. Nothing outside src/core includes this.
 *
 * Every value read from the segment may be hostile, so each index is masked to its range and each loop
 * is bounded; a damaged segment gives wrong answers, never a wrong access.
 */
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include "base/atomic.h"
#include "core/pid.h"

#define SP_GEN_ONE (1ULL << 48)
#define SP_FLAGS_MASK (0xfffULL << 36)
#define SP_STATE_MASK (15ULL << 32)

#define SP_F_SETTABLE (uint32_t)(SP_F_LEADER | SP_F_THREAD | SP_F_SESSION | SP_F_NESTED)

#define SP_BIT(state) (1u << (state))
#define SP_ANY (SP_BIT(SP_RESERVED) | SP_BIT(SP_LIVE) | SP_BIT(SP_DEAD))

/* Attempts of a loop that only others' progress can prolong; no honest crowd needs as many. */
#define SP_TRIES 1024

/* Host tids and numbers stay below the kernel's PID_MAX_LIMIT. */
#define SP_NUMBER_BITS 22
#define SP_NUMBER_MASK ((1u << SP_NUMBER_BITS) - 1)
#define SP_HID_MAX 0xffffff

static inline uint32_t sp_word_gen(uint64_t w)
{
	return (uint32_t)(w >> 48);
}

/* The same life of the same entry: number and generation agree. */
static inline bool sp_word_same(uint64_t a, uint64_t b)
{
	return !((a ^ b) & ~(SP_FLAGS_MASK | SP_STATE_MASK));
}

/* A CLAIMED word: number in bits 0..21, reserver's low and high bits in 22..31 and 36..47. */
static inline uint64_t sp_word_claim(uint32_t gen, int32_t n, int32_t by)
{
	uint32_t b = (uint32_t)by & SP_NUMBER_MASK;

	return (uint64_t)(gen & 0xffff) << 48 | (uint64_t)(b >> 10) << 36 |
	       (uint64_t)SP_CLAIMED << 32 | (uint64_t)(b & 0x3ff) << SP_NUMBER_BITS |
	       ((uint32_t)n & SP_NUMBER_MASK);
}

static inline int32_t sp_claim_number(uint64_t w)
{
	return (int32_t)((uint32_t)w & SP_NUMBER_MASK);
}

static inline int32_t sp_claim_by(uint64_t w)
{
	return (int32_t)((uint32_t)w >> SP_NUMBER_BITS | (uint32_t)(w >> 36 & 0xfff) << 10);
}

/* What hid holds between reserve and publish: no host tid, and only this generation's (ORDERING C1). */
static inline uint32_t sp_hid_unset(uint64_t w)
{
	return 0x80000000u | sp_word_gen(w);
}

static inline uint32_t sp_bucket(int32_t n)
{
	return (uint32_t)n % SP_BUCKETS;
}

static inline uint32_t sp_slot(uint32_t way, uint32_t bucket)
{
	return way * SP_BUCKETS + bucket;
}

/* Whether the slot was ever used. If not it is FREE, and must not be read: that would allocate its page. */
static inline bool sp_slot_used(struct sp_segment *ns, uint32_t way, uint32_t bucket)
{
	return bucket < sp_load(&ns->high[way]);
}

/* Buckets of a way that may have been used. */
static inline uint32_t sp_way_high(struct sp_segment *ns, uint32_t way)
{
	uint32_t high = sp_load(&ns->high[way]);

	return high < SP_BUCKETS ? high : SP_BUCKETS;
}

/* ---- host tid -> number ---- */

#define SP_HIDX_GEN_MASK 0x1fffu
#define SP_HIDX_REACH ((1 + SP_HIDX_SPILL) * SP_HIDX_WAYS)

_Static_assert(SP_WAYS == 8, "a hidx word has three bits for the way");

static inline uint64_t sp_hidx_word(int32_t hid, uint32_t slot, uint64_t w)
{
	return (uint64_t)(uint32_t)hid << 40 | (uint64_t)((uint32_t)w & 0xffffff) << 16 |
	       (uint64_t)(slot / SP_BUCKETS) << 13 | (sp_word_gen(w) & SP_HIDX_GEN_MASK);
}

static inline int32_t sp_hidx_hid(uint64_t hw)
{
	return (int32_t)(hw >> 40);
}

static inline int32_t sp_hidx_number(uint64_t hw)
{
	return (int32_t)(hw >> 16 & 0xffffff);
}

static inline uint32_t sp_hidx_way(uint64_t hw)
{
	return (uint32_t)(hw >> 13 & 7);
}

/* The pos-th place of a host tid: the ways of its own bucket, then those of the buckets behind. */
static inline _Atomic uint64_t *sp_hidx_at(struct sp_segment *ns, int32_t hid, uint32_t pos)
{
	uint32_t bucket = ((uint32_t)hid + pos / SP_HIDX_WAYS) % SP_HIDX_BUCKETS;
	uint32_t way = pos % SP_HIDX_WAYS;

	return (_Atomic uint64_t *)((char *)ns + SP_HIDX_OFF) + (way * SP_HIDX_BUCKETS + bucket);
}

/* How many places a search has to look at. */
static inline uint32_t sp_hidx_reach(struct sp_segment *ns)
{
	return sp_load(&ns->hidx_spilled) ? SP_HIDX_REACH : SP_HIDX_WAYS;
}

/*
 * The entry a hidx word speaks of, if it still carries that host tid in one of the states; none otherwise.
 * None with SP_ANY is final: the word's generation is over (I8). ORDERING B4.
 */
static inline struct sp_ref sp_hidx_ref(struct sp_segment *ns, uint64_t hw, uint32_t states)
{
	int32_t n = sp_hidx_number(hw);
	uint32_t way = sp_hidx_way(hw);
	uint32_t slot = sp_slot(way, sp_bucket(n));
	struct sp_entry *e = sp_entry_at(ns, slot);
	uint64_t w;

	if (!sp_slot_used(ns, way, sp_bucket(n)))
		return SP_REF_NONE;
	w = sp_load(&e->word);
	if (sp_word_number(w) != n || (sp_word_gen(w) & SP_HIDX_GEN_MASK) != (hw & SP_HIDX_GEN_MASK) ||
	    !(SP_BIT(sp_word_state(w)) & states))
		return SP_REF_NONE;
	if ((sp_load(&e->hid) != (uint32_t)sp_hidx_hid(hw) &&
	     sp_load(&e->keeper) != (uint32_t)sp_hidx_hid(hw)) ||
	    !sp_word_same(sp_load(&e->word), w))
		return SP_REF_NONE;
	return (struct sp_ref){slot, w};
}

/* Number -> entry in one of the states. */
struct sp_ref sp_find_in(struct sp_segment *ns, sp_vpid n, uint32_t states);

/* Whether host tid hid belongs to a task of thread group tgid other than the one in slot. */
bool sp_hid_in_group(struct sp_segment *ns, int32_t hid, uint32_t tgid, uint32_t slot);

/*
 * Enters hid for the reserved or live entry (slot, word w). 0; -ESTALE when the entry is neither any more;
 * -EAGAIN when every place is taken.
 */
sp_must_check int sp_hidx_insert(struct sp_segment *ns, uint32_t slot, uint64_t w, int32_t hid);

/* What is known about the bucket of a candidate. */
struct sp_place {
	bool taken;	/* some entry holds the number */
	uint32_t way;	/* where it could go, SP_WAYS: nowhere */
	uint64_t found; /* the FREE word there */
};

/*
 * The lowest way that is FREE, so that entries stay dense; one whose last user still has to be told of a
 * refusal only when there is no other. own: slot that does not count.
 */
struct sp_place sp_look(struct sp_segment *ns, int32_t n, uint32_t own);

/*
 * Makes the slot ours. CLAIMED first, then look again: of two who claim one number at least one sees the
 * other (ORDERING A1), so what becomes RESERVED is the only one with its number (I5). 0, or -EAGAIN when
 * the number or the slot went to somebody else.
 */
sp_must_check int sp_claim(struct sp_segment *ns, int32_t n, struct sp_place p, sp_vpid tgid,
			   uint32_t flags, int32_t by, struct sp_ref *ret_ref);

/* Candidates after which every bucket was met more often than it can hold numbers. */
#define SP_CANDIDATES (SP_CAPACITY + 2 * SP_BUCKETS)

/* RESERVED or DEAD or CLAIMED -> FREE, of this very life. */
bool sp_let_go(struct sp_segment *ns, struct sp_ref ref, uint32_t flags);

/* Host tid -> entry in one of the states: the one whose own it is, or whose keeper's. */
struct sp_ref sp_find_hid(struct sp_segment *ns, int32_t hid, uint32_t states);

/* Whether a keeper's word holds one: until it is set it has the same mark as hid. */
static inline bool sp_keeper_set(uint32_t keeper)
{
	return keeper && keeper <= SP_HID_MAX;
}

#endif
