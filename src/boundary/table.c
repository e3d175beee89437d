/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscalls.def as arrays: who handles a call and when it traps. The asserts make a row that is
 * missing, doubled or out of order a compile error.
 */
#include "boundary/table.h"

#include <linux/errno.h>

/* Position in the file equals the number: complete, ordered and unique in one statement a row. */
enum {
#define SC(nr, name, support, when, handler, note) ROW_##name,
#define SC_UNKNOWN(support, when, handler, note) ROW_COUNT
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN
};
#define SC(nr, name, support, when, handler, note) \
	_Static_assert((nr) == ROW_##name, "syscalls.def: row missing or out of order: " #name);
#define SC_UNKNOWN(support, when, handler, note)
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN
_Static_assert(ROW_COUNT == BD_SYSCALL_MAX + 1, "syscalls.def: rows 0 .. BD_SYSCALL_MAX");
_Static_assert(BD_H_COUNT <= 256, "handlers are stored in a byte");

const uint8_t bd_handler_of[BD_SYSCALL_MAX + 1] = {
#define SC(nr, name, support, when, handler, note) [nr] = BD_H_##handler,
#define SC_UNKNOWN(support, when, handler, note)
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN
};

#define NEVER                  \
	{                      \
		BD_NEVER, 0, 0 \
	}
#define ALWAYS                  \
	{                       \
		BD_ALWAYS, 0, 0 \
	}
#define ERRNO(e)                 \
	{                        \
		BD_ERRNO, 0, (e) \
	}
#define ARG_NZ(i)                 \
	{                         \
		BD_ARG_NZ, (i), 0 \
	}
#define ARG_MASK(i, m)                \
	{                             \
		BD_ARG_MASK, (i), (m) \
	}
#define ARG_OUT(i, set)                       \
	{                                     \
		BD_ARG_OUT, (i), BD_SET_##set \
	}
#define ARG_IN(i, set)                       \
	{                                    \
		BD_ARG_IN, (i), BD_SET_##set \
	}

#define ZERO(i, j)                \
	{                         \
		BD_ZERO, (i), (j) \
	}

#define WATCH_DUP(i, o)            \
	{                          \
		BD_WATCH, (i), (o) \
	}
#define WATCH_IN(i) WATCH_DUP(i, BD_NO_ARG)
#define WATCH_OUT(o) WATCH_DUP(BD_NO_ARG, o)
#define WATCH_ANY                  \
	{                          \
		BD_WATCH_ANY, 0, 0 \
	}

const struct bd_when bd_when_of[BD_SYSCALL_MAX + 1] = {
#define SC(nr, name, support, when, handler, note) [nr] = when,
#define SC_UNKNOWN(support, when, handler, note)
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN
};

#define SC(nr, name, support, when, handler, note)
#define SC_UNKNOWN(support, when, handler, note)     \
	const struct bd_when bd_when_unknown = when; \
	const uint8_t bd_handler_unknown = BD_H_##handler;
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN

const struct bd_set_member bd_set_members[] = {
#define SET(name)
#define MEMBER(set, value, name) {BD_SET_##set, 0xffffffff, (value)},
#define MASKED(set, mask, value, name) {BD_SET_##set, (mask), (value)},
#include "boundary/sets.def"
#undef SET
#undef MEMBER
#undef MASKED
};
const unsigned bd_set_member_count = sizeof(bd_set_members) / sizeof(bd_set_members[0]);

#define CWD BD_PATH_CWD
#define FOLLOW BD_LAST_FOLLOW, 0, 0
#define TAKE BD_LAST_TAKE, 0, 0
#define UNLESS(i, m) BD_LAST_UNLESS, (i), (m)
#define IF(i, m) BD_LAST_IF, (i), (m)
#define BIND BD_LAST_BIND, 0, 0

const struct bd_path bd_paths[] = {
#define PATH(name, dirfd, path, ...) {ROW_##name, (dirfd), (path), __VA_ARGS__},
#include "boundary/paths.def"
#undef PATH
};
const unsigned bd_path_count = sizeof(bd_paths) / sizeof(bd_paths[0]);
