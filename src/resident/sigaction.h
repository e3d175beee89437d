/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's dispositions beside the kernel's: see sigaction.c.
 */
#ifndef RESIDENT_SIGACTION_H
#define RESIDENT_SIGACTION_H

#include "resident/resident.h"

/*
 * For a signal that is being delivered: the program's action in *act, with SA_RESETHAND carried out.
 * False if it is not a handler (act->handler is 0 for default, 1 for ignore).
 */
bool rs_sigaction_take(struct rs_area *a, int sig, struct ax_sigaction *act);

/* Converts si_pid in place where the kernel wrote a process number. */
void rs_siginfo_convert(struct ax_siginfo *si);

#endif
