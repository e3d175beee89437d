/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caller of subpid had as signal dispositions and mask, so that the program gets exactly
 * that, and the classes of signals that the front distinguishes.
 */
#ifndef SUPERVISOR_SIGNALS_H
#define SUPERVISOR_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

struct sv_caller {
	uint64_t ignored; /* bit n-1: signal n was ignored */
	uint64_t mask;	  /* blocked signals, in the kernel's form */
};

static inline uint64_t sv_sig_bit(int sig)
{
	return 1ull << (sig - 1);
}

/* Remembers the caller's state, then blocks everything but faults and makes SIGCHLD default. */
void sv_signals_take(struct sv_caller *ret);

/* In a child that is about to exec: the remembered state, except that SIGSYS is default and open. */
void sv_signals_give(const struct sv_caller *c);

/* The kernel's own call: unlike the C library's it leaves 32 and 33 alone. */
uint64_t sv_sigmask(int how, uint64_t set);

/* Signals whose default action ends a process and that are not a fault of the process itself. */
bool sv_sig_ends(int sig);

#endif
