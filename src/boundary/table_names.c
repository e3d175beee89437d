/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of syscalls.def: names, levels, notes. For tools and tests, never for the resident. Also
 * where the numbers are compared with the headers of the build machine, as far as those reach.
 */

/*
 * A name the headers do not know keeps the enumerator; one they know is their macro, so that the
 * same assert compares it.
 */
enum {
#define SC(nr, name, support, when, handler, note) __NR_##name = (nr),
#define SC_UNKNOWN(support, when, handler, note)
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN
};

#include <asm/unistd.h>

#include "boundary/table.h"

#define SC(nr, name, support, when, handler, note) \
	_Static_assert(__NR_##name == (nr), "syscalls.def disagrees with asm/unistd.h: " #name);
#define SC_UNKNOWN(support, when, handler, note)
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN

const struct bd_row bd_row_of[BD_SYSCALL_MAX + 1] = {
#define SC(nr, name, support, when, handler, note) [nr] = {#name, #when, note, BD_##support},
#define SC_UNKNOWN(support, when, handler, note)
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN
};

#define SC(nr, name, support, when, handler, note)
#define SC_UNKNOWN(support, when, handler, note) \
	const struct bd_row bd_row_unknown = {"(unknown)", #when, note, BD_##support};
#include "boundary/syscalls.def"
#undef SC
#undef SC_UNKNOWN

const char *const bd_support_name[4] = {
	[BD_FULL] = "full",
	[BD_PARTIAL] = "partial",
	[BD_PASS] = "pass",
	[BD_DENY] = "deny",
};

const char *const bd_handler_name[BD_H_COUNT] = {
	[BD_H_none] = "none",
#define HANDLER(name) [BD_H_##name] = #name,
#include "boundary/handlers.def"
#undef HANDLER
};
