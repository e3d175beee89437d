/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Job control: is there a terminal, and stopping this process as its shell expects it.
 */
#ifndef SUPERVISOR_TTY_H
#define SUPERVISOR_TTY_H

#include <stdbool.h>

/* Whether this process has a controlling terminal: its program is in some shell's job. */
bool sv_tty_controls(void);

/*
 * Stops the calling process by sig, as if sig had its default action; returns when it is continued,
 * or at once if still_wanted (asked at the last moment) says no. Blocks sig again, and ignores it unless
 * it is TSTP.
 */
void sv_stop_self(int sig, bool (*still_wanted)(void *), void *arg);

#endif
