/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named points where a test build can make things go wrong, chosen by the environment variable
 * SV_FAULT (names, separated by commas). Without -DSV_FAULT every point is the constant false, so that
 * nothing in a release can be switched off from outside.
 */
#ifndef SUPERVISOR_FAULT_H
#define SUPERVISOR_FAULT_H

#include <stdbool.h>

enum sv_fault {
	SV_FAULT_RESTRICT,  /* "restrict": Landlock has no signal scope */
	SV_FAULT_NOSCOPE,   /* "noscope": restricting reports success and restricts nothing */
	SV_FAULT_DRYRUN,    /* "dryrun": kill(-1) is noted in the file SV_FAULT_LOG, not made */
	SV_FAULT_NOPROC,    /* "noproc": /proc is not there */
	SV_FAULT_NOSECCOMP, /* "noseccomp": no filter can be installed */
	SV_FAULT_NOFILE,    /* "nofile": the resident's file beside the program is not used */
	SV_FAULT_NOMEMFD,   /* "nomemfd": a memfd cannot be executed */
	SV_FAULT_NOTEMP,    /* "notemp": no temporary file can be executed */
	SV_FAULT_NOPIDFD,   /* "nopidfd": pidfd_open is refused */
	SV_FAULT_WINDOW,    /* "window": the resident's addresses are taken */
};

#ifdef SV_FAULT
bool sv_fault(enum sv_fault point);
void sv_fault_note(const char *what);
#else
static inline bool sv_fault(enum sv_fault point)
{
	(void)point;
	return false;
}

static inline void sv_fault_note(const char *what)
{
	(void)what;
}
#endif

#endif
