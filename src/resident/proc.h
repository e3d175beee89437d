/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc as the rest of the resident needs it.
 */
#ifndef RESIDENT_PROC_H
#define RESIDENT_PROC_H

#include "resident/resident.h"

/* The program's own file as the kernel named it when it was mapped; empty where /proc is missing. */
extern char rs_exe_path[4096];

/*
 * A path that is to be executed: names under /proc are replaced in place (buffer of cap bytes) by what the
 * kernel has to be given. 0, or -ENOENT, -ENAMETOOLONG.
 */
long rs_proc_exec_path(struct rs_area *a, char *path, size_t cap);

#endif
