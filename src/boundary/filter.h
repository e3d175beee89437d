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
 * Calls whose `syscall` instruction lies in [text_start, text_end) are let through; others that the table
 * wants trap with SECCOMP_RET_TRAP and magic as its data (si_errno in the handler).
 */
struct bd_trap {
	uint64_t text_start, text_end;
	uint16_t magic;
};

/*
 * Writes the program to out (room for max instructions). Other architectures and x32 get ENOSYS.
 * Number of instructions; -E2BIG if max is too small; -EINVAL if the range is empty or not inside
 * one 4 GiB block (one comparison decides the upper half).
 */
sp_must_check int bd_filter_build(struct sock_filter *out, unsigned max, const struct bd_trap *t);

/*
 * Descriptors whose data carry process numbers are few, and known when they are made. A process that has one
 * gets a second filter, on top: it traps what the table's WATCH rows say, for these descriptor numbers
 * only. A filter cannot be taken away, and is inherited: a number once watched traps for ever, whatever
 * it is by then.
 */
enum bd_watch_mode { BD_WATCH_READ = 1, BD_WATCH_WRITE = 2 };

struct bd_watch {
	uint32_t first, last; /* descriptor numbers */
	enum bd_watch_mode mode;
};

#define BD_WATCH_MAX 96 /* instructions */

/*
 * A call number that no kernel has: made from the resident's text with (descriptor, mode), a filter that
 * watches it answers -BD_WATCHED; otherwise the kernel says ENOSYS.
 */
#define BD_WATCH_QUERY 20561
#define BD_WATCHED 114 /* EALREADY */

sp_must_check int bd_watch_build(struct sock_filter *out, unsigned max, const struct bd_trap *t,
				 const struct bd_watch *w);

#endif
