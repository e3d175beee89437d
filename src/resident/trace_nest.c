/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracing across the making of a namespace: the kernel shows the tracer a keeper that nobody is to see, and numbers of
 * namespaces below may not be there yet when their tasks are born.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "resident/below.h"
#include "resident/trace_stop.h"

#define CLD_TRAPPED 4
#define NAP_NS 200000
#define NAPS 25000 /* five seconds: whoever is to give a number is gone */

static void nap(void)
{
	const int64_t ts[2] = {0, NAP_NS};

	sp_sys2(__NR_nanosleep, (long)ts, 0);
}

/*
 * The creator's event has named the keeper, which is traced as well: it goes on until its own event names number 1, whose
 * options become the creator's, and is let go.
 */
int32_t rs_trace_keeper(struct rs_stop *s, int32_t keeper)
{
	int32_t creator = s->t->hid;
	uint32_t options = s->t->options;

	for (;;) {
		struct ax_siginfo si = {.pid = 0};
		struct rs_tracee *t;
		uint64_t init = 0;
		int event;

		if (sp_sys6(__NR_waitid, 1 /* P_PID */, keeper, (long)&si,
			    (long)(WNOWAIT | WSTOPPED | WEXITED | __WALL | __WNOTHREAD), 0, 0) ||
		    si.code != CLD_TRAPPED)
			return 0;
		event = si.status >> 8;
		if (event != AX_EVENT_FORK && event != AX_EVENT_VFORK && event != AX_EVENT_CLONE) {
			rs_pt(AX_SETOPTIONS, keeper, 0, options | AX_O_FORK | AX_O_VFORK | AX_O_CLONE);
			rs_pt(AX_CONT, keeper, 0, 0);
			continue;
		}
		rs_pt(AX_GETEVENTMSG, keeper, 0, (uint64_t)&init);
		rs_pt(AX_DETACH, keeper, 0, 0);
		t = rs_tracee_add(s->a, (int32_t)init);
		if (t)
			t->options = options;
		s->t = rs_tracee_find(s->a, creator); /* the table may have moved */
		return (int32_t)init;
	}
}

bool rs_trace_await(struct sp_ref ref)
{
	for (int i = 0; i < NAPS; i++, nap()) {
		struct sp_ref now = sp_pid_find_any(RS_NS, sp_ref_number(ref));

		if (now.slot != ref.slot || sp_word_state(now.word) != SP_RESERVED)
			return now.slot == ref.slot;
	}
	return false;
}

/* The first stop of a child, as it would be judged: it goes on to the program. */
static bool first_stop(struct rs_area *a, uint32_t options, int32_t child, int32_t code)
{
	struct rs_stop s = {.a = a, .event = code >> 8, .sig = code & 0x7f};

	s.t = rs_tracee_find(a, child);
	if (s.t || rs_pt(AX_GETREGS, child, 0, (uint64_t)&s.r) || !rs_stop_at(&s, rs_clone_gate_after))
		return false;
	s.t = rs_tracee_add(a, child);
	if (!s.t)
		return false;
	s.t->options = options;
	s.t->seen = code;
	s.has_info = !rs_pt(AX_GETSIGINFO, child, 0, (uint64_t)&s.si);
	rs_stop_born(&s);
	return true;
}

/* A task below is known when its own resident has said so: until then it runs, as far as that. */
int32_t rs_trace_number(struct rs_stop *s, int32_t child)
{
	int32_t creator = s->t->hid, n = 0;
	uint32_t options = s->t->options;

	for (int i = 0; i < NAPS; i++) {
		struct ax_siginfo si = {.pid = 0};

		n = rs_out_pid(child);
		if (n ||
		    sp_sys6(__NR_waitid, 1 /* P_PID */, child, (long)&si,
			    (long)(WNOHANG | WNOWAIT | WSTOPPED | WEXITED | __WALL | __WNOTHREAD),
			    0, 0) ||
		    (si.pid && si.code != CLD_TRAPPED))
			break;
		if (!si.pid || !first_stop(s->a, options, child, si.status))
			nap();
	}
	s->t = rs_tracee_find(s->a, creator);
	return n;
}
