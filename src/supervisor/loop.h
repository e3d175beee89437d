/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: keeper of the first namespace.
 */
#ifndef SUPERVISOR_LOOP_H
#define SUPERVISOR_LOOP_H

#include "supervisor/boot.h"

/* Runs in the front's child and never returns; what came of it is in b->shared. */
_Noreturn void sv_supervise(struct sv_boot *b);

#endif
