/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An executable descriptor of the resident, by whatever means this place allows.
 */
#ifndef SUPERVISOR_BLOB_H
#define SUPERVISOR_BLOB_H

#include "supervisor/supervisor.h"

/* A read-only, close-on-exec descriptor that was executed once to be sure, or -errno and *fail. */
sp_must_check int sv_resident_open(struct sv_fail *fail);

/* The same, and what it is executed from, in a few words. */
sp_must_check int sv_resident_open_from(const char **ret_from, struct sv_fail *fail);

#endif
