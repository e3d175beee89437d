/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which signals number 1's immunity is made of (pid_namespaces(7), kernel/signal.c:sig_task_ignored).
 * A member's signal to number 1 is dropped by the sender when number 1 has it at default; what the kernel raises
 * itself, and what is queued while blocked, meets SIG_IGN in the kernel instead of the default.
 */
#ifndef RESIDENT_INIT_H
#define RESIDENT_INIT_H

#include <linux/signal.h>
#include <stdint.h>

#include "core/layout.h"

#define RS_BIT(sig) (1ul << ((sig)-1))

/* Default in the program, ignored in the kernel. Synchronous faults and what default ignores stay as they are. */
#define RS_INIT_IGN                                                                                    \
	(RS_BIT(SIGHUP) | RS_BIT(SIGINT) | RS_BIT(SIGQUIT) | RS_BIT(SIGPIPE) | RS_BIT(SIGALRM) |       \
	 RS_BIT(SIGTERM) | RS_BIT(SIGUSR1) | RS_BIT(SIGUSR2) | RS_BIT(SIGSTKFLT) | RS_BIT(SIGVTALRM) | \
	 RS_BIT(SIGPROF) | RS_BIT(SIGIO) | RS_BIT(SIGPWR) | RS_BIT(SIGXCPU) | RS_BIT(SIGXFSZ))
/*
 * These have our handler, which drops them, once number 1 has threads: any of them would act on what another one
 * blocks. Not SIG_IGN: setting it forgets what is queued, and real-time signals may be many.
 */
#define RS_INIT_RT (~0ul << 31)
/* These as well, unless number 1 is a terminal's foreground job. */
#define RS_INIT_IGN_TTY (RS_BIT(SIGTSTP) | RS_BIT(SIGTTIN) | RS_BIT(SIGTTOU))

/* All of number 1's signals for which the kernel has SIG_IGN in place of the default. */
static inline uint64_t rs_init_ignored_in_kernel(uint32_t segment_flags)
{
	return RS_INIT_IGN | (segment_flags & SP_SEG_FOREGROUND ? 0 : RS_INIT_IGN_TTY);
}

#endif
