/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trapped call, from the redirect of the SIGSYS handler to the return: finds the handler in the
 * boundary's table and runs it in ordinary context. Also the plain handler's one real call.
 */
#include <asm/unistd.h>
#include <linux/errno.h>

#include "boundary/kinds.h"
#include "boundary/table.h"
#include "resident/handlers.h"
#include "resident/patch.h"
#include "resident/resident.h"
#include "resident/seccomp.h"

_Static_assert(offsetof(struct rs_regs, rip) == 56 && offsetof(struct rs_regs, r15) == 120,
	       "entry.S");
_Static_assert(offsetof(struct rs_frame, phase) == 128, "entry.S");
_Static_assert(offsetof(struct rs_frame, raw) == 144, "entry.S");
_Static_assert(offsetof(struct rs_frame, a) == 160, "entry.S");
_Static_assert(offsetof(struct rs_frame, out_rip) == 208, "entry.S");
_Static_assert(offsetof(struct rs_frame, traced) == 216, "entry.S");
_Static_assert(RS_AREA_SIZE == 65536 && RS_CALL_TOP(0) == 23296, "entry.S");

static const rs_handler handlers[BD_H_COUNT] = {
	[BD_H_none] = rs_h_unknown,
#define HANDLER(name) [BD_H_##name] = rs_h_##name,
#include "boundary/handlers.def"
#undef HANDLER
};

void rs_plan_same(struct rs_frame *f)
{
	f->nr = (int32_t)f->regs.rax;
	f->a[0] = (int64_t)f->regs.rdi;
	f->a[1] = (int64_t)f->regs.rsi;
	f->a[2] = (int64_t)f->regs.rdx;
	f->a[3] = (int64_t)f->regs.r10;
	f->a[4] = (int64_t)f->regs.r8;
	f->a[5] = (int64_t)f->regs.r9;
}

long rs_finish_raw(struct rs_frame *f)
{
	return f->raw;
}

static long call(struct rs_frame *f, rs_finish finish, rs_finish late, enum rs_phase phase)
{
	f->finish = finish;
	f->late = late;
	atomic_signal_fence(memory_order_seq_cst);
	f->phase = phase;
	atomic_signal_fence(memory_order_seq_cst);
	rs_gate(f);
	atomic_signal_fence(memory_order_seq_cst);
	return finish(f);
}

long rs_call(struct rs_frame *f, rs_finish finish)
{
	return call(f, finish, 0, RS_CALL);
}

long rs_call_late(struct rs_frame *f, rs_finish finish, rs_finish late)
{
	return call(f, finish, late, RS_CALL);
}

long rs_call_more(struct rs_frame *f, rs_finish finish)
{
	return call(f, finish, 0, RS_MORE);
}

static void settle(struct rs_frame *f, long result, bool again)
{
	f->result = again ? (int64_t)f->regs.rax : result;
	f->out_rip = again ? f->regs.rip - 2 : f->regs.rip;
	atomic_signal_fence(memory_order_seq_cst);
	f->phase = again ? RS_RESTART : RS_DONE;
	atomic_signal_fence(memory_order_seq_cst);
	if (!again)
		f->granted_rip = 0;
}

void rs_settle(struct rs_frame *f, long result)
{
	settle(f, result, result == RS_REWIND);
}

void rs_dispatch(struct rs_frame *f, struct rs_area *a)
{
	uint32_t nr = (uint32_t)f->regs.rax;
	unsigned int h = nr <= BD_SYSCALL_MAX ? bd_handler_of[nr] : (unsigned int)BD_H_unknown;
	enum rs_judged judged = f->judged;

	if (f->hot) {
		f->hot = 0;
		rs_patch_site(f->regs.rip, nr);
	}
	if (a->libc_tid)
		rs_libc_tid(a);
	if (judged == RS_JUDGED_ASK)
		judged = rs_ask(f);
	if (judged == RS_JUDGED_OURS) {
		rs_plan_same(f);
		rs_settle(f, handlers[h](f, a));
	} else {
		/* Whatever the filter or its listener said: also -512. */
		settle(f, f->raw, judged == RS_JUDGED_CHANGED);
	}
}

_Noreturn void rs_again(struct rs_frame *f);

/* From rs_interrupted, if the tracer that sent us there is gone. */
_Noreturn void rs_again(struct rs_frame *f)
{
	rs_settle(f, RS_REWIND);
	rs_return(f);
}
