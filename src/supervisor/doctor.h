/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this place gives and refuses, one thing at a time, for a user who wants to know why.
 */
#ifndef SUPERVISOR_DOCTOR_H
#define SUPERVISOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

enum sv_health {
	SV_GOOD,
	SV_LESS, /* subpid works, but for what the meaning says */
	SV_BAD,	 /* subpid cannot work */
};

struct sv_finding {
	const char *name;
	enum sv_health health;
	char meaning[240]; /* what there is, and what follows from it */
	const char *fix;   /* NULL: there is nothing to fix */
};

#define SV_FINDINGS_MAX 16

/* Looks; the number of findings. Tries things in children: the process has to be of one thread. */
size_t sv_doctor(struct sv_finding ret[SV_FINDINGS_MAX]);

#endif
