/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers by name: for all commands that are given one.
 */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "lib/subpid.h"

/* The handle for --root; NULL after having said why. */
subpid *cli_subpid(void);

/* If what XDG_RUNTIME_DIR names cannot be used (su, sudo): others may not find what is found here. */
void cli_warn_root(void);

/* Says why a call with this name failed, with a near name if there is none of this one. */
void cli_say_why(subpid *s, const char *name, int err);

/* A word as the command's users know it: running, exited, ... */
const char *cli_state_name(enum subpid_state state);

/* "12s", "5m", "3h", "2d". */
void cli_age(char ret[16], int64_t msec);
int64_t cli_wall_msec(void);

#endif
