/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perf_event_open. What an event counts is read as counts and never carries a number; what it records the
 * kernel writes into mapped memory, in the numbers of the namespace that it knows.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "boundary/records.h"
#include "resident/handlers.h"
#include "resident/user.h"

static long finish_open(struct rs_frame *f)
{
	uint64_t mask;

	if (f->raw < 0 || !f->scratch[0])
		return f->raw;
	/* Once: by the second time the number may be another file's. */
	mask = rs_hush();
	if (f->scratch[0] == 1)
		sp_sys1(__NR_close, f->raw);
	f->scratch[0] = 2;
	rs_unhush(mask);
	return -EOPNOTSUPP;
}

/* -1 means every task. Errors come first, hence an event that is refused has been made. */
long rs_h_perf_event_open(struct rs_frame *f, struct rs_area *a)
{
	uint64_t attr[6];

	f->scratch[0] = !rs_user_read(attr, (uint64_t)f->a[0], sizeof(attr)) &&
			bd_perf_records_numbers(attr[3], attr[5], (int32_t)f->a[1] == -1);
	if ((int32_t)f->a[1] > 0 && !(f->a[4] & 4 /* PERF_FLAG_PID_CGROUP */))
		f->a[1] = rs_in_task(a, (int32_t)f->a[1]);
	return rs_call(f, finish_open);
}
