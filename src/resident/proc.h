/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc: names, links, texts and listings with the namespace's numbers. The kernel does all the
 * work on the host's names; what is not below /proc goes to it untouched, as early as can be told.
 */
#ifndef RESIDENT_PROC_H
#define RESIDENT_PROC_H

#include "base/fmt.h"
#include "boundary/procpath.h"
#include "resident/resident.h"

/* The program's own file as the kernel named it when it was mapped; empty where /proc is missing. */
extern char rs_exe_path[4096];

/*
 * A path that is to be executed: names under /proc are replaced in place (buffer of cap bytes) by what the
 * kernel has to be given. 0, or -ENOENT, -ENAMETOOLONG.
 */
long rs_proc_exec_path(struct rs_area *a, char *path, size_t cap);

/* --- among proc*.c ------------------------------------------------------------------------ */

/*
 * The area's scratch while a name is worked on: the text, with room in front of it for a longer prefix
 * ("/proc/2147483647/task/2147483647/"), then space for what is made of it.
 */
#define RS_PROC_FRONT 64
#define RS_PROC_TEXT(a) ((a)->scratch + RS_PROC_FRONT)
#define RS_PROC_TEXT_MAX 4096
#define RS_PROC_SPARE(a) ((a)->scratch + RS_PROC_FRONT + RS_PROC_TEXT_MAX)
#define RS_PROC_SPARE_MAX (RS_SCRATCH - RS_PROC_FRONT - RS_PROC_TEXT_MAX)

struct rs_name {
	struct bd_procpath p;
	bool as_is; /* relative, and right as it stands: the program's own arguments will do */
	const char *host; /* absolute, in the host's numbers; in scratch */
};

/*
 * Reads the path argument at path. 0: not on procfs, the call is the kernel's as it stands. 1: on
 * procfs, *ret_n is filled. -ENOENT: it names what the namespace does not have.
 */
sp_must_check long rs_proc_take(struct rs_area *a, int dirfd, uint64_t path, struct rs_name *ret_n);

/* Puts the name into the planned call: argument arg; dirfd_arg < 0 if the call has none. */
void rs_proc_put(struct rs_frame *f, const struct rs_name *n, int arg);

/*
 * The name is PROCESS/exe and the call follows links: n->host becomes the program's file. 0; 1 if
 * the name is something else; -errno.
 */
sp_must_check long rs_proc_follow_exe(struct rs_area *a, struct rs_name *n);

/* Path of the program that the process runs, for members other than the caller. Length or -errno. */
sp_must_check long rs_proc_exe_of(int32_t hid, char *buf, size_t cap);

/* Whether the process or thread of p belongs to the caller's own group. */
bool rs_proc_own(const struct rs_area *a, const struct bd_procpath *p);

/* The directory that a descriptor (or AT_FDCWD) is, in the namespace's numbers; false: not procfs. */
bool rs_proc_base(int dirfd, struct bd_procpath *ret_at);

bool rs_proc_is_procfs(int dirfd);

/* Whether relative names may be on procfs. */
bool rs_proc_may_be_inside(void);

/* From now on relative names may be on procfs: a directory there was opened or entered. */
void rs_proc_entered(void);

/* Replaces the host's numbers at the front of a link's text ("/proc/123/fd"); the new text is in out. */
void rs_proc_show_path(const char *text, size_t len, struct sp_text *out);

#endif
