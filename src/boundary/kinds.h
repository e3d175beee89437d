/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary of the boundary's table: what a row of syscalls.def may say.
 *
 *   SC(number, name, support, when, handler, note)
 *
 * support  FULL     as in a kernel PID namespace
 *          PARTIAL  works, with the gap that the note says in words
 *          PASS     carries no process number (or the kernel shows global numbers too): untouched
 *          DENY     refused; the note says the errno and why
 * when     which calls leave the kernel's path, decided by the filter from scalars alone:
 *          NEVER           the kernel sees the call
 *          ALWAYS          every call traps to the resident
 *          ERRNO(e)        the filter answers -e
 *          ARG_NZ(i)       traps if argument i is not 0 (all 64 bits)
 *          ARG_MASK(i, m)  traps if (low 32 bits of argument i) & m
 *          ARG_IN(i, set)  traps if the low 32 bits of argument i are in the set (sets are in sets.def)
 *          ARG_OUT(i, set) traps if they are not
 *          ZERO(i, j)      traps if argument i (all 64 bits) and argument j (its low 32) are 0
 *          WATCH_IN(i)     the tree's filter lets it through; traps in a process that watches the
 *                          descriptor in argument i for reading (filter.h: bd_watch_build)
 *          WATCH_OUT(o)    the same for writing
 *          WATCH_DUP(i, o) traps if i is watched for reading or o for writing
 *          WATCH_ANY       traps in a process that watches any descriptor
 * An argument that is a pid is an int to the kernel: junk in its upper half may trap (ARG_NZ), and the
 * handler then reads 32 bits as the kernel does.
 *
 * handler  the resident's function for a trapped call, rs_h_<handler>; `none` where nothing traps
 */
#ifndef BOUNDARY_KINDS_H
#define BOUNDARY_KINDS_H

#include <stdint.h>

enum bd_support { BD_FULL, BD_PARTIAL, BD_PASS, BD_DENY };

enum bd_when_op {
	BD_NEVER,
	BD_ALWAYS,
	BD_ERRNO,
	BD_ARG_NZ,
	BD_ARG_MASK,
	BD_ARG_IN,
	BD_ARG_OUT,
	BD_ZERO,
	BD_WATCH,
	BD_WATCH_ANY,
};
#define BD_NO_ARG 7 /* of BD_WATCH: no such argument */

/* The sets that ARG_IN and ARG_OUT name, from sets.def. */
enum bd_set {
#define SET(name) BD_SET_##name,
#define MEMBER(set, value, name)
#define MASKED(set, mask, value, name)
#include "boundary/sets.def"
#undef SET
#undef MEMBER
#undef MASKED
	BD_SET_COUNT
};

struct bd_when {
	uint8_t op;	/* enum bd_when_op */
	uint8_t arg;	/* 0..5; of BD_WATCH the argument that is read from, or BD_NO_ARG */
	uint32_t value; /* errno, mask, enum bd_set; of BD_ZERO the second argument; of BD_WATCH the argument that is written to */
};

enum bd_handler {
	BD_H_none,
#define HANDLER(name) BD_H_##name,
#include "boundary/handlers.def"
#undef HANDLER
	BD_H_COUNT
};

#define BD_SYSCALL_MAX \
	471 /* highest number with a row; what is above: the policy row, handler `unknown` */

#endif
