/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of system calls, for look-up by number. The first two arrays are what the resident links;
 * names, levels and notes are a file of their own for tools and tests.
 */
#ifndef BOUNDARY_TABLE_H
#define BOUNDARY_TABLE_H

#include "boundary/kinds.h"

/* table.c; all immutable */
extern const uint8_t bd_handler_of[BD_SYSCALL_MAX + 1]; /* enum bd_handler */
extern const struct bd_when bd_when_of[BD_SYSCALL_MAX + 1];
extern const struct bd_when bd_when_unknown; /* numbers above BD_SYSCALL_MAX */
extern const uint8_t bd_handler_unknown;

/* All members of all sets of sets.def, in its order. */
struct bd_set_member {
	uint32_t set; /* enum bd_set */
	uint32_t mask;
	uint32_t value;
};
extern const struct bd_set_member bd_set_members[];
extern const unsigned bd_set_member_count;

/* paths.def: which arguments are paths, in order of numbers. */
enum bd_path_last { BD_LAST_FOLLOW, BD_LAST_TAKE, BD_LAST_UNLESS, BD_LAST_IF, BD_LAST_BIND };
#define BD_PATH_CWD 0xff
struct bd_path {
	uint16_t nr;
	uint8_t dirfd; /* argument, or BD_PATH_CWD */
	uint8_t path;
	uint8_t last; /* enum bd_path_last */
	uint8_t arg;
	uint32_t mask;
};
extern const struct bd_path bd_paths[];
extern const unsigned bd_path_count;

/* table_names.c: one row as text */
struct bd_row {
	const char *name;
	const char *when; /* as written in syscalls.def */
	const char *note;
	uint8_t support; /* enum bd_support */
};
extern const struct bd_row bd_row_of[BD_SYSCALL_MAX + 1];
extern const struct bd_row bd_row_unknown;
extern const char *const bd_support_name[4];
extern const char *const bd_handler_name[BD_H_COUNT];

static inline uint8_t bd_handler_for(uint64_t nr)
{
	return nr <= BD_SYSCALL_MAX ? bd_handler_of[nr] : bd_handler_unknown;
}

#endif
