/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc: not converted yet; calls with paths go to the kernel unchanged.
 */
#include "resident/proc.h"

#include "resident/handlers.h"

long rs_proc_exec_path(struct rs_area *a, char *path, size_t cap)
{
	(void)a;
	if (sp_streq(path, "/proc/self/exe") && rs_exe_path[0]) {
		size_t n = sp_strnlen(rs_exe_path, cap - 1);

		memcpy(path, rs_exe_path, n);
		path[n] = '\0';
	}
	return 0;
}

#define PLAIN(name)                                                                                \
	long rs_h_##name(struct rs_frame *f, struct rs_area *a)                                    \
	{                                                                                          \
		(void)a;                                                                           \
		return rs_call(f, rs_finish_raw);                                                  \
	}
PLAIN(open)
PLAIN(openat)
PLAIN(openat2)
PLAIN(path0)
PLAIN(path1)
PLAIN(stat)
PLAIN(lstat)
PLAIN(fstatat)
PLAIN(statx)
PLAIN(readlink)
PLAIN(readlinkat)
PLAIN(getdents64)
PLAIN(getdents)
