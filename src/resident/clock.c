/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU clocks and timers. A negative clock id is the clock of a process or thread, whose inverted number is in bits 3..31
 * (include/linux/posix-timers_types.h), unless its low bits say that it names a descriptor. libc makes the id of
 * a thread from the host tid it cached, and that of a process from the number it is given.
 */
#include <asm/unistd.h>
#include <linux/signal.h>

#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/resident.h"
#include "resident/user.h"

#define CLOCK_KIND 7
#define CLOCK_OF_FD 3		    /* CLOCKFD */
#define CLOCK_PER_THREAD 4	    /* CPUCLOCK_PERTHREAD_MASK */
#define CLOCK_PID_NOBODY 0x0fffffff /* the largest an id has room for */

static int32_t clock_in(struct rs_area *a, int32_t id)
{
	int32_t pid = ~(id >> 3), hid;

	if (id >= 0 || (id & CLOCK_KIND) == CLOCK_OF_FD || !pid)
		return id;
	hid = id & CLOCK_PER_THREAD ? rs_in_thread(a->tgid, pid) : rs_in_pid(pid);
	if (hid == RS_NOBODY)
		hid = CLOCK_PID_NOBODY;
	return (int32_t)(~(uint32_t)hid << 3 | ((uint32_t)id & CLOCK_KIND));
}

long rs_h_clock(struct rs_frame *f, struct rs_area *a)
{
	f->a[0] = clock_in(a, (int32_t)f->a[0]);
	return rs_call(f, rs_finish_raw);
}

/* struct sigevent; `notify` is no set of bits to the kernel (kernel/time/posix-timers.c:good_sigevent). */
long rs_h_timer_create(struct rs_frame *f, struct rs_area *a)
{
	struct ax_sigevent *ev = (struct ax_sigevent *)f->scratch;
	long r;

	f->a[0] = clock_in(a, (int32_t)f->a[0]);
	if (f->a[1]) {
		r = rs_user_read(ev, (uint64_t)f->a[1], sizeof(*ev));
		if (r)
			return r;
		if (ev->notify == SIGEV_THREAD_ID)
			ev->tid = rs_in_thread(a->tgid, ev->tid);
		f->a[1] = (long)ev;
	}
	return rs_call(f, rs_finish_raw);
}
