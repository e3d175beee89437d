/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a child needs of its parent: clone.c. A tracer's resident reads it too.
 */
#ifndef RESIDENT_BIRTH_H
#define RESIDENT_BIRTH_H

#include <stddef.h>
#include <stdint.h>

#include "core/pid.h"
#include "resident/resident.h"

/* At the end of the parent's frame or of the child's. */
struct rs_birth {
	struct sp_ref ref;
	uint64_t flags;
	uint64_t stack; /* stack pointer for the program in the child, 0: the parent's */
	uint64_t mask;
	uint64_t parent_tid; /* address of the parent's word with CLONE_PARENT_SETTID, else 0 */
	uint64_t libc_tid;   /* address of the parent's libc's copy of its tid, or 0 */
	uint32_t of_init;
};
#define RS_BIRTH_WORD 24
#define RS_BIRTH_OFF (offsetof(struct rs_frame, scratch) + RS_BIRTH_WORD * 8ul)
_Static_assert(sizeof(struct rs_birth) <= (32 - RS_BIRTH_WORD) * 8, "scratch");
_Static_assert(sizeof(struct rs_birth) % 8 == 0, "read by words");

static inline struct rs_birth *rs_birth_of(struct rs_frame *f)
{
	return (struct rs_birth *)&f->scratch[RS_BIRTH_WORD];
}

/*
 * clone.c. Signals are blocked. What every process has before it is cloned: a number (the next one, or this), no
 * signal that came before, room below the limit. 0; -errno, -ERESTARTNOINTR: a signal is first.
 */
#define ERESTARTNOINTR 513 /* include/linux/errno.h: the call is made again after the handler */
sp_must_check long rs_birth_begin(struct rs_frame *f, sp_vpid number, sp_vpid tgid, sp_hpid by,
				  struct sp_ref *ret_ref);
/* The child, before any program code; its area is set up but for the numbers. */
void rs_born(struct rs_area *a, struct rs_frame *f, struct rs_birth *b);
/* Where the parent's libc has its copy of its tid, or 0. */
uint64_t rs_libc_tid_of(const struct rs_area *a);
/* A child that must not run leaves without a trace. */
_Noreturn void rs_unborn(void);

#endif
