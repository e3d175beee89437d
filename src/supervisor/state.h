/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing what record.h lets everybody read.
 */
#ifndef SUPERVISOR_STATE_H
#define SUPERVISOR_STATE_H

#include "supervisor/record.h"

/* Replaces the state in this directory as a whole, or leaves it as it is. */
sp_must_check int sv_state_write(int dir, const struct sv_state *s);

#endif
