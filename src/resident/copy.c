/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short-lived helper with a descriptor table of its own: exec needs descriptors the program may not
 * have left, and in the copy one of the program's can be closed. It has no number; signals are
 * blocked while it lives.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/resource.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/resident.h"

void rs_copy_free_some(int n, int keep)
{
	uint64_t lim[2] = {0, 0};

	sp_sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long)lim);
	for (int64_t fd = (int64_t)lim[0] - 1; fd >= 0 && n; fd--)
		if (fd != keep && !sp_sys1(__NR_close, fd))
			n--;
}

long rs_copy_run(void (*job)(void *), void *arg)
{
	long pid = rs_copy_gate(job, arg), r;

	if (pid < 0)
		return pid;
	do {
		r = sp_sys4(__NR_wait4, pid, 0, (long)(uint32_t)__WCLONE, 0);
	} while (r == -EINTR);
	return 0;
}
