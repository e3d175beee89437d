/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's seccomp filters as it wrote them, for the calls that trap.
 */
#ifndef RESIDENT_FILTERS_H
#define RESIDENT_FILTERS_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "resident/resident.h"

#define RS_FILTER_WORDS 8u

struct rs_filter {
	struct rs_filter *prev; /* the next older one */
	uint32_t n;		/* instructions */
	uint32_t depth;		/* filters up to and with this one */
	/* Bit nr: it allows that call whatever its arguments and its place. */
	_Atomic uint64_t allowed[RS_FILTER_WORDS];
	struct sock_filter code[];
};

/* Around add, drop and the call between them; signals are blocked. */
void rs_filters_lock(void);
void rs_filters_unlock(void);
/* A child with a copy of the memory: nobody holds the lock. */
void rs_filters_forked(void);

/* A checked filter in front of a chain; NULL if there is no memory. *fresh: there was none like it. */
struct rs_filter *rs_filter_add(struct rs_filter *prev, const struct sock_filter *code, uint32_t n,
				bool *fresh);
/* A fresh one that the kernel did not take. */
void rs_filter_drop(const struct rs_filter *f);

/* What the kernel would make of a call: kernel/seccomp.c:seccomp_run_filters. */
uint32_t rs_filters_run(struct rs_filter *head, const struct seccomp_data *sd);

/* This thread's filters as a string for the next image: room it takes at most, and the string. */
uint64_t rs_filters_room(const struct rs_area *a);
void rs_filters_pack(const struct rs_area *a, char *to);
/* False if there is no memory for them, or this is no such string. */
bool rs_filters_unpack(struct rs_area *a, const char *from);

#endif
