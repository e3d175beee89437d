/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tracee does for its tracer: it sends itself a signal where a call is over that its tracer marked, and where a
 * new program is about to begin. SIGSYS, because that is never blocked or ignored in the kernel. Without a tracer it is nothing.
 */
#include <asm/unistd.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/trace.h"

uint64_t rs_start_traced;

static void tell(uint64_t frame)
{
	const struct rs_area *a = rs_area_here();
	struct ax_siginfo si;

	memset(&si, 0, sizeof(si));
	si.signo = SIGSYS;
	si.code = RS_CODE_REPORT;
	si.call_addr = frame;
	sp_sys4(__NR_rt_tgsigqueueinfo, a->htgid.n, a->htid.n, SIGSYS, (long)&si);
}

void rs_report(struct rs_frame *f)
{
	f->traced = 0;
	tell((uint64_t)f);
}

void rs_report_image(void)
{
	if (rs_start_traced)
		tell(0);
	rs_start_traced = 0;
}
