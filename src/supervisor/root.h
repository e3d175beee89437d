/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory in which containers are found by name: a private one of the user's, never reached through
 * a link, never somebody else's.
 */
#ifndef SUPERVISOR_ROOT_H
#define SUPERVISOR_ROOT_H

#include <limits.h>
#include <stdbool.h>

#include "supervisor/supervisor.h"

struct sv_root {
	int fd; /* -1: the directory does not exist, and so holds nothing */
	char path[PATH_MAX];
	char passed_over[PATH_MAX]; /* XDG_RUNTIME_DIR, if it could not be used; else empty */
};

/*
 * `given`, else $SUBPID_ROOT, else $XDG_RUNTIME_DIR/subpid, else /tmp/subpid-UID. With `create` the
 * directory is made if it is not there. 0, or -errno and *fail.
 */
sp_must_check int sv_root_open(struct sv_root *ret, const char *given, bool create,
			       struct sv_fail *fail);

/* NULL if the name may be a container's, else what is wrong with it. */
const char *sv_name_wrong(const char *name);

#endif
