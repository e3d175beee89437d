/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program of this suite says: one line per row of crossings.def that is refused, with what the
 * call returned. The suite compares it with the errno that the row's note names.
 */
#ifndef DENY_H
#define DENY_H

#include "../probe/probe.h"

/* kind, name and field as in the row; result as a raw call gives it. */
MAYBE static void deny(const char *kind, const char *name, const char *field, long result)
{
	say("%s\t%s\t%s\t%ld", kind, name, field, result);
}

#endif
