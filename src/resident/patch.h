/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patched call sites: see patch.c. One rs_patch a process; tasks that share memory share it.
 */
#ifndef RESIDENT_PATCH_H
#define RESIDENT_PATCH_H

#include "resident/resident.h"

#define RS_ISLANDS 254u	      /* entry.S */
#define RS_ISLANDS_GETPID 16u /* the first ones: their jump goes elsewhere */
#define RS_ISLAND_PAGES 12u
#define RS_HITS 256u /* even */

/* A site, for ever: its number in the table is in an island's code. entry.S knows the layout. */
struct rs_site {
	uint64_t ret; /* address behind the `syscall` */
	uint32_t nr;
	uint32_t rel; /* what the operand of its mov becomes: for a moment a call number (rs_patch_number) */
};

struct rs_hit {
	uint32_t site; /* its address, folded: whose it really is is looked at before it is patched */
	uint16_t nr, n;
};

/* The first fields are in entry.S. */
struct rs_patch {
	_Atomic uint32_t *word; /* not 0: the process is traced */
	struct rs_area *solo; /* the area of the only task in this memory; NULL: there are others */
	_Atomic uint32_t foreign; /* other processes in this memory, so that getpid has no one answer */
	int32_t pid;		  /* this process's number */
	_Atomic uint32_t shared; /* this memory has or had another task that is not a vfork child */
	uint32_t enabled, warm;
	_Atomic uint32_t lock;
	uint32_t failures;
	uint32_t regains; /* 1: a page that was written may be executed again, 2: it may not */
	uint32_t used[2]; /* records: of getpid, of other calls */
	uint64_t pages[RS_ISLAND_PAGES];
	struct rs_hit hits[RS_HITS];
};

extern struct rs_patch rs_patch;
extern struct rs_site rs_patch_sites[RS_ISLANDS];
/* By the last byte of a thread's host tid: its area, or another one, whose owner says so. */
extern struct rs_area *_Atomic rs_patch_tids[256];

/* In a new image, and in a fork's child. The process's numbers are known. */
void rs_patch_start(struct rs_area *a);
void rs_patch_forked(struct rs_area *a);
/* A task that may run beside others in this memory. */
void rs_patch_note(struct rs_area *a);
/* Around a clone with CLONE_VM, in the parent; the result says what to undo. */
struct rs_area *rs_patch_share(struct rs_area *a, uint64_t flags, bool vfork);
void rs_patch_shared(struct rs_area *solo, uint64_t flags, bool born, bool vfork);
/* A process that is traced, and its children of that time: all their calls trap from now on, for good. */
void rs_patch_traced(sp_vpid tgid);
bool rs_patch_is_traced(sp_vpid tgid);
/* The same by its new tracer, who need not be of its namespace. */
void rs_patch_attached(int32_t hid);
/* The process's calls are to trap: it has filters of its own. For good. */
void rs_patch_never(const struct rs_area *a);

/* In the SIGSYS handler: counts a trap. True: its site is to be patched. */
bool rs_patch_count(struct rs_area *a, uint64_t ret, uint32_t nr);
/* Patches the site of this call, if it may be. Blocks signals meanwhile. */
void rs_patch_site(uint64_t ret, uint32_t nr);
/* The number that a call had before its mov was half patched; or the same. */
uint32_t rs_patch_number(uint64_t ret, uint32_t nr);
#define RS_NO_SITE (~0ul)
/* The record's offset, of an island at this address; RS_NO_SITE. */
uint64_t rs_patch_island(const uint64_t pages[RS_ISLAND_PAGES], uint64_t ip);
/* A signal on the way from a patched site to its call: the program is at its `syscall`. */
void rs_patch_leave(struct ax_ucontext *uc, const struct rs_area *a);

/* entry.S */
extern const char rs_patched[], rs_patched_told[], rs_patched_unknown[], rs_patched_found[];
extern const char rs_patched_known[], rs_patched_saved[], rs_patched_end[];
extern const char rs_patched_asks[], rs_patched_asks_end[];
extern const char rs_patched_getpid[], rs_patched_call[];

/* Some registers of the program's are in its area's frame. */
static inline bool rs_patch_is_saved(uint64_t ip)
{
	return ip >= (uint64_t)rs_patched_saved && ip < (uint64_t)rs_patched_end;
}

/* The record's offset, at a place in entry.S between an island and a call that has begun. */
static inline uint64_t rs_patch_between(uint64_t ip, uint64_t rax, uint64_t r11)
{
	if (ip >= (uint64_t)rs_patched_asks && ip < (uint64_t)rs_patched_asks_end)
		return (ip - (uint64_t)rs_patched_asks) & ~15ul;
	if (ip < (uint64_t)rs_patched || ip >= (uint64_t)rs_patched_end)
		return RS_NO_SITE;
	if ((ip >= (uint64_t)rs_patched_told && ip < (uint64_t)rs_patched_unknown) ||
	    (ip >= (uint64_t)rs_patched_found && ip < (uint64_t)rs_patched_known))
		return (rax >> 56 | rax >> 40) & 0xffff;
	return r11;
}

#endif
