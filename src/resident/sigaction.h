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
/* Whether the program ignores it. */
bool rs_sigaction_ignored(struct rs_area *a, int sig);

/* The program's alternate stack: kernel/signal.c:do_sigaltstack. sp is the program's stack pointer. */
bool rs_altstack_inside(const struct rs_area *a, uint64_t sp);
long rs_altstack_check(const struct rs_area *a, const struct ax_stack *want, uint64_t sp);
void rs_altstack_set(struct rs_area *a, const struct ax_stack *want);

/* Whether si_pid of such a signal is a process number the kernel wrote (or a forged one of that form). */
bool rs_siginfo_carries_pid(int sig, const struct ax_siginfo *si);
#define RS_FORGED 0x40000000

/* A child is about to be made that ends with this signal. */
void rs_siginfo_exit_signal(int sig);
/* Whether it is the end of such a child, hid, that this signal of a fault's tells about. */
bool rs_siginfo_is_end(int sig, int code, int32_t hid);

/* Converts si_pid in place where the kernel wrote a process number. */
void rs_siginfo_convert(struct ax_siginfo *si);

#endif
