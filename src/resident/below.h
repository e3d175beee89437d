/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a namespace knows of those below it: a task has only the registry of its own, the supervisor has all. A
 * namespace with nothing below never asks.
 */
#ifndef RESIDENT_BELOW_H
#define RESIDENT_BELOW_H

#include "base/fmt.h"
#include "resident/handover.h"
#include "resident/resident.h"

static inline bool rs_has_below(void)
{
	return atomic_load_explicit(&RS_NS->below, memory_order_relaxed);
}

/* The beginning of an answer (struct rs_answer), which has room on any stack. What does not fit is lost. */
#define RS_SHORT 32
struct rs_short {
	int32_t result;
	uint32_t n;
	uint64_t ns;
	uint64_t ino;
	int32_t v[RS_SHORT];
};
_Static_assert(offsetof(struct rs_short, v) == RS_ANSWER_HEAD, "the same");

/*
 * One question to the supervisor. 0: ret->result is its answer; -errno: there was none. fds: descriptors that came
 * with it, -1 where none did; may be NULL. In a network namespace of its own a process cannot ask.
 */
sp_must_check long rs_super(const struct rs_ask *q, struct rs_short *ret, int fds[2]);

/* Gives every task below a number here. Nothing to be done: no namespace is below. */
void rs_see_all(void);
/* Gives the task below that has host tid hid a number here; 0: it is not to be seen from here. */
int32_t rs_see(int32_t hid);
/* The same for texts, where the same number that is outside stands again and again. */
int32_t rs_see_often(int32_t hid);

/* Whether it is a task of a namespace below, as far as it was seen. */
bool rs_is_nested(int32_t hid);

/* The number of the process that the task `of` has as its parent hid: no keeper has one. */
sp_vpid rs_parent_number(int32_t of, int32_t hid);

/* The numbers of hid from here down to the namespace of the task `of`, as NSpid has them. False: `of` is of this one. */
bool rs_levels(int32_t of, int32_t hid, struct sp_text *out);

/*
 * Signals that the process `group` handles, ignores and blocks, as its program believes. False: it is not the init of a
 * namespace below, the kernel knows.
 */
bool rs_init_below(sp_vpid group, uint64_t ret[3]);

/* The inode of the PID namespace a task is in; 0: not to be seen from here. */
uint64_t rs_ns_ino_of(int32_t hid);

#endif
