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

#endif
