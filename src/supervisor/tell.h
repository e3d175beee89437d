/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What whoever watches number 1 (the supervisor, or inside of a namespace the process that stands for it) does alike:
 * tell the front, and keep nothing of the caller's for itself.
 */
#ifndef SUPERVISOR_TELL_H
#define SUPERVISOR_TELL_H

#include <signal.h>

#include "supervisor/boot.h"

/* Something in b->shared has changed. */
void sv_ring(const struct sv_boot *b);

/* Continues the front if it is stopped. A signal of ours could not: it is outside our domain. */
void sv_wake(const struct sv_boot *b);

/* Number 1 was stopped or continued, by waitid's word. */
void sv_tell_stop(const struct sv_boot *b, const siginfo_t *si);

/* b->shared is final. */
_Noreturn void sv_leave(const struct sv_boot *b, enum sv_ended how);

void sv_ignore_terminal(void);

/* Readable when a child's state has changed; SIGCHLD must be blocked. -1 and errno. */
sp_must_check int sv_children_fd(void);

/* What only number 1 should hold: the caller's descriptors and working directory. n are kept. */
void sv_let_go(const int *keep, size_t n);

#endif
