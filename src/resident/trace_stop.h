/* SPDX-License-Identifier: Apache-2.0 */
/* One stop of a tracee while it is judged: shared by trace_stop.c and trace_inside.c. */
#ifndef RESIDENT_TRACE_STOP_H
#define RESIDENT_TRACE_STOP_H

#include "resident/trace.h"

#define RS_NR_NONE (~0ul) /* orig_rax outside of a system call */

/* What is read of a frame. */
struct rs_head {
	struct rs_regs regs;
	uint64_t phase;
	int64_t result, raw, nr, a[6];
	uint64_t out_rip;
};
_Static_assert(offsetof(struct rs_head, out_rip) == offsetof(struct rs_frame, out_rip), "layout");

struct rs_stop {
	struct rs_area *a;
	struct rs_tracee *t;
	int event, sig;
	bool has_info, made;
	struct ax_siginfo si;
	struct ax_user_regs r;
};

static inline bool rs_in_text(uint64_t ip)
{
	return ip >= (uint64_t)rs_text_start && ip < (uint64_t)rs_text_end;
}

static inline bool rs_stop_at(const struct rs_stop *s, const char *label)
{
	return s->r.ip == (uint64_t)label;
}

static inline bool rs_steps(const struct rs_tracee *t)
{
	return t->req == AX_SINGLESTEP || t->req == AX_SINGLEBLOCK;
}

/* include/linux/errno.h: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK */
static inline bool rs_is_restart(uint64_t ax)
{
	int64_t r = (int64_t)ax;

	return r == -512 || r == -513 || r == -514 || r == -516;
}

/* The program's exit of the call in progress, if it wants to see it. */
static inline bool rs_exit_wanted(struct rs_tracee *t)
{
	return t->in_call && t->req == AX_SYSCALL;
}

/* Verdicts. */
enum rs_verdict rs_stop_show(struct rs_stop *s, enum rs_shown how);
enum rs_verdict rs_stop_resume(struct rs_stop *s, long req, int sig);
enum rs_verdict rs_stop_go_on(struct rs_stop *s);

/* The program's registers into s->r; from there into the tracee. */
void rs_stop_put_regs(struct rs_stop *s, const struct rs_regs *p, uint64_t ip, uint64_t ax,
		      uint64_t orig);
void rs_stop_set_regs(struct rs_stop *s);
void rs_stop_leave(struct rs_stop *s);
/* Its frame's marks. */
void rs_stop_mark(struct rs_stop *s, uint64_t frame);
void rs_stop_set_phase(struct rs_stop *s, uint64_t frame, enum rs_phase phase);
void rs_stop_park(struct rs_stop *s);
uint64_t rs_stop_frame(struct rs_stop *s);
bool rs_stop_blocks_all(const struct rs_stop *s);
enum rs_verdict rs_stop_inside(struct rs_stop *s);
enum rs_verdict rs_stop_born(struct rs_stop *s);

/* trace_nest.c: the host pid of number 1 that the keeper makes; 0: it did not. s->t stays valid. */
int32_t rs_trace_keeper(struct rs_stop *s, int32_t keeper);
/* Waits until a number that is given now is a task's. False: it is not. */
bool rs_trace_await(struct sp_ref ref);
/* The number here of a child of a tracee below; 0: it has ended. */
int32_t rs_trace_number(struct rs_stop *s, int32_t child);

#endif
