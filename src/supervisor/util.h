/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small helpers of the hosted side: descriptors that close themselves, and the one sentence that a
 * failure carries up to whoever talks to the user. Nothing here prints.
 */
#ifndef SUPERVISOR_UTIL_H
#define SUPERVISOR_UTIL_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"

static inline void sv_fd_done(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

/* The descriptor is closed when it goes out of scope. */
#define sv_auto_fd __attribute__((cleanup(sv_fd_done))) int

static inline int sv_fd_steal(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

/* errno as a negative number, never 0. */
static inline int sv_errno(void)
{
	return errno > 0 ? -errno : -EIO;
}

/*
 * Fills in the sentence and returns err (negative). When err is not 0 its text follows the sentence
 * after a colon.
 */
int sv_failed(struct sv_fail *fail, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Closes all descriptors from 3 on except the n in keep (negative ones are skipped). */
void sv_close_others(const int *keep, size_t n);

/* Puts /dev/null (or a descriptor that cannot be read) on fd. */
void sv_fd_blank(int fd);

/* Monotonic clock in milliseconds. */
long long sv_now_msec(void);

#endif
