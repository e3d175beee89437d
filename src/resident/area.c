/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread areas: the first is part of the image, further ones are mapped in chunks. An area is free when its
 * owner is: exit is not trapped (a thread may exit without a stack), so the owner word names the thread and the
 * kernel is asked.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/resident.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define CHUNK 16u /* areas */
#define CHUNK_BYTES (CHUNK * RS_AREA_SIZE)
#define CHUNKS ((SP_AREAS_END - SP_AREAS_ADDR) / CHUNK_BYTES)
#define TAKEN 1ul /* owner is being born */

/* One process's chunks, in order of address; shared by all tasks of one memory map. */
static _Atomic uint32_t chunks; /* mapped so far */
static _Atomic uint32_t next;	/* where the next search starts */

static struct rs_area *area_at(uint32_t i)
{
	return (struct rs_area *)(SP_AREAS_ADDR + (uint64_t)i * RS_AREA_SIZE);
}

void rs_area_init(struct rs_area *a)
{
	/* The owner word is what others look at meanwhile: it keeps its value throughout. */
	_Static_assert(offsetof(struct rs_area, cur) == offsetof(struct rs_area, owner) + 8,
		       "next");
	memset(&a->cur, 0, offsetof(struct rs_area, levels) - offsetof(struct rs_area, cur));
	a->cur = &a->levels[0].frame;
	a->call_top = RS_CALL_TOP(a);
	a->cur->phase = RS_IDLE;
	a->cur->has_temp_mask = 0;
}

static bool owner_gone(uint64_t owner)
{
	return owner > TAKEN &&
	       sp_sys3(__NR_tgkill, (int32_t)(owner >> 32), (int32_t)(uint32_t)owner, 0) == -ESRCH;
}

static struct rs_area *claim(uint32_t i)
{
	struct rs_area *a = area_at(i);
	uint64_t owner = atomic_load(&a->owner);

	if (owner && !owner_gone(owner))
		return 0;
	return atomic_compare_exchange_strong(&a->owner, &owner, TAKEN) ? a : 0;
}

static bool grow(void)
{
	uint32_t n = atomic_load(&chunks);
	uint64_t at = SP_AREAS_ADDR + (uint64_t)n * CHUNK_BYTES;
	long r;

	if (n >= CHUNKS)
		return false;
	r = sp_sys6(__NR_mmap, (long)at, CHUNK_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
	/* -EEXIST: a sibling was faster. */
	if (r != (long)at && r != -EEXIST)
		return false;
	atomic_compare_exchange_strong(&chunks, &n, n + 1);
	return true;
}

/* A free area among `tries` from `start` on. */
static struct rs_area *search(uint32_t start, uint32_t tries)
{
	uint32_t total = atomic_load(&chunks) * CHUNK;

	for (uint32_t k = 0; k < tries && k < total; k++) {
		uint32_t i = (start + k) % total;
		struct rs_area *a = claim(i);

		if (a) {
			atomic_store(&next, i); /* if that thread ends first, its area is still in the cache */
			return a;
		}
	}
	return 0;
}

struct rs_area *rs_area_get(struct rs_area *parent)
{
	/* Where areas were freed lately, then in a new chunk, then everywhere. */
	struct rs_area *a = search(atomic_load(&next), 2 * CHUNK);

	while (!a) {
		uint32_t had = atomic_load(&chunks);

		if (!grow()) {
			a = search(0, (uint32_t)CHUNKS * CHUNK);
			break;
		}
		a = search(had * CHUNK, CHUNK);
	}
	if (!a)
		return 0;
	rs_area_init(a);
	a->hand = parent->hand;
	a->tgid = parent->tgid;
	a->htgid = parent->htgid;
	a->sigsys_blocked = parent->sigsys_blocked;
	a->filters = parent->filters;
	a->no_new_privs = parent->no_new_privs;
	return a;
}

/* A fork child may go on in any area of its parent's: the owner word alone says whose it is. */
struct rs_area *rs_area_of(sp_hpid htgid, sp_hpid htid)
{
	uint64_t owner = (uint64_t)(uint32_t)htgid.n << 32 | (uint32_t)htid.n;
	struct rs_area *a = (struct rs_area *)rs_main_area;
	uint32_t total = atomic_load(&chunks) * CHUNK;

	if (atomic_load(&a->owner) == owner)
		return a;
	for (uint32_t i = 0; i < total; i++)
		if (atomic_load(&area_at(i)->owner) == owner)
			return area_at(i);
	return 0;
}

struct rs_area *rs_area_nth(uint32_t i)
{
	if (!i)
		return (struct rs_area *)rs_main_area;
	return i <= atomic_load(&chunks) * CHUNK ? area_at(i - 1) : 0;
}

bool rs_area_lives_beside(const struct rs_area *a, const struct rs_area *me)
{
	uint64_t owner = atomic_load(&a->owner);

	return a != me && owner >> 32 == (uint32_t)me->htgid.n && !owner_gone(owner);
}

/* A thread of the same group that has SIGSYS not blocked, or 0. */
struct rs_area *rs_area_open_to_sigsys(const struct rs_area *me)
{
	uint32_t total = atomic_load(&chunks) * CHUNK;
	struct rs_area *a = (struct rs_area *)rs_main_area;

	for (uint32_t i = 0; i <= total; a = area_at(i++)) {
		uint64_t owner = atomic_load(&a->owner);

		if (a != me && owner >> 32 == (uint32_t)me->htgid.n && !a->sigsys_blocked &&
		    !owner_gone(owner))
			return a;
	}
	return 0;
}

void rs_area_put(struct rs_area *child)
{
	atomic_store(&child->owner, 0);
}
