/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers of trapped calls: rs_h_<name> for every row of boundary/handlers.def. Each gets the call
 * planned as the program made it (frame's nr and a[]) and returns the result the program sees, or
 * RS_REWIND to have the program make the call again.
 */
#ifndef RESIDENT_HANDLERS_H
#define RESIDENT_HANDLERS_H

#include "resident/resident.h"

#define HANDLER(name) long rs_h_##name(struct rs_frame *f, struct rs_area *a);
#include "boundary/handlers.def"
#undef HANDLER

#endif
