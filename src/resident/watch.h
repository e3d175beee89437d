/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watched descriptors: those whose data carry process numbers. Calls on them trap, by a filter that a process
 * gets when it makes or receives one (boundary/filter.h). What a number is now is asked anew each time:
 * the filter stays when the descriptor is closed, after an exec as well.
 */
#ifndef RESIDENT_WATCH_H
#define RESIDENT_WATCH_H

#include "boundary/filter.h"
#include "boundary/records.h"
#include "resident/resident.h"

/* May be repeated, also by a finish: what is watched already is left alone. */

/* Calls on fd trap from now on, in every thread. 0, -ENOMEM. */
sp_must_check long rs_watch(int fd, enum bd_watch_mode mode);

/* What a descriptor's data are; for BD_DATA_NUMBERS, *ret_file is how. */
enum bd_data rs_watch_kind(int fd, const struct bd_idfile **ret_file);

/* Text of the descriptor's link in /proc. Length, or -errno where /proc is missing. */
long rs_watch_link(int fd, char *buf, size_t cap);

/* Its fdinfo, opened for reading; close it. A descriptor, or -errno. */
long rs_watch_info(int fd);

/*
 * For a descriptor that came from elsewhere (SCM_RIGHTS, pidfd_getfd, a duplicate): watched if it
 * has to be. Costs one or two calls if it has not. 0, -ENOMEM.
 */
sp_must_check long rs_watch_received(int fd);

/* The same for one that is about to become of a kind. */
sp_must_check long rs_watch_as(int fd, enum bd_data kind);

/* Whether calls on fd trap. */
bool rs_watch_is(int fd);

/* Makes the planned call, whose result is a new descriptor, and watches that if it has to be. */
long rs_watch_new(struct rs_frame *f);
/* The same with a finish that ends in rs_watch_finish_new. */
long rs_watch_new_by(struct rs_frame *f, rs_finish finish);
long rs_watch_finish_new(struct rs_frame *f);

/* n bytes at offset `at` of what the call has read, from or to buf: through the program's vector. 0 or -errno. */
sp_must_check long rs_watch_record(struct rs_frame *f, uint64_t at, void *buf, size_t n, bool store);

/* A finished read from an inotify descriptor: bytes that are left. */
long rs_watch_names(struct rs_frame *f);

/* Whoever it was may be gone and reaped by now: the kernel still knows the number, and so do we. */
static inline int32_t rs_watch_out(int32_t hid)
{
	return hid > 0 ? rs_out_past(hid) : hid;
}

/* Whether what is opened by such a name may have to be watched. */
bool rs_watch_opens(const char *path, size_t len, uint64_t flags);

#endif
