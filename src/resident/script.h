/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line of a script, as fs/binfmt_script.c:load_script reads it: for exec.c.
 */
#ifndef RESIDENT_SCRIPT_H
#define RESIDENT_SCRIPT_H

#include <stddef.h>

#include "base/err.h"

/* Parts of the line; without an argument its length is 0. */
struct rs_script {
	const char *interp, *arg;
	size_t interp_len, arg_len;
};

/* [buf, buf_end) starts with "#!", the kernel's BINPRM_BUF_SIZE bytes. 0, -ENOEXEC, -EACCES. */
sp_must_check long rs_script_parse(const char *buf, const char *buf_end, struct rs_script *ret_s);

#endif
