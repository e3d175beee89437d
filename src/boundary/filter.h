/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree's seccomp filter, built from the table. Its order is its cost: architecture, then the
 * call number by binary search (numbers that never trap are decided there, before an argument or the
 * instruction pointer was loaded, and so stay on the kernel's constant-action bitmap), then scalar
 * arguments, then whether the call comes from the resident's text.
 */
#ifndef BOUNDARY_FILTER_H
#define BOUNDARY_FILTER_H

#include <linux/filter.h>
#include <stdint.h>

#include "base/err.h"

#define BD_FILTER_MAX 640 /* instructions that are enough for any table of this size */

/*
 * Writes the program to out (room for max instructions). Calls whose `syscall` instruction lies in
 * [text_start, text_end) are let through; others that the table wants trap with SECCOMP_RET_TRAP and
 * magic as its data (si_errno in the handler). Other architectures and x32 get ENOSYS.
 * Number of instructions; -E2BIG if max is too small; -EINVAL if the range is empty or not inside
 * one 4 GiB block (one comparison decides the upper half).
 */
sp_must_check int bd_filter_build(struct sock_filter *out, unsigned max, uint64_t text_start,
				  uint64_t text_end, uint16_t magic);

#endif
