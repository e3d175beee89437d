/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace inside the namespace: what the resident of a tracer knows of its tracees.
 *
 * To its tracer a tracee stops also where it would not without us: at the SIGSYS of every trapped call, and
 * in the resident's own code. Such a stop is internal: the tracer's resident sees it first, in wait4, waitid and
 * ptrace, and lets the tracee go on. It is never taken from the kernel, only looked at, so that a tracer that is
 * killed in between loses nothing. Where the program is to see a stop, the tracee's registers really are the
 * program's own at that moment (they are set), with one exception: the events of fork, vfork and clone come in the
 * middle of the resident's call, so there what the tracer reads and writes is a view.
 *
 * The tracee takes part in one way only: it reports where a call that its tracer marked is over, and where a new program
 * begins, by a signal to itself that its tracer's resident sees and keeps from it (trace_report.c).
 */
#ifndef RESIDENT_TRACE_H
#define RESIDENT_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/sigframe.h"
#include "arch/x86_64/user_regs.h"
#include "resident/resident.h"

#define RS_CODE_SERVE \
	(-8173)	    /* si_code of a SIGSYS: look at your tracee si_pid, another thread waits */
#define RS_PARKED 4 /* signals that wait for the end of a call */

/* How the tracee's current stop is shown; by what the next resume has to do. */
enum rs_shown {
	RS_RUNS = 0,	  /* not shown: to the program it runs */
	RS_PLAIN = 1,	  /* the kernel's own stop, registers are the program's */
	RS_ENTERED = 2,	  /* the same, at the entry of a system call */
	RS_LEFT = 3,	  /* the same, at the exit */
	RS_VIEW = 4,	  /* an event inside the resident: registers are a view */
	RS_NEW_IMAGE = 5, /* really the exit of execve, shown as PTRACE_EVENT_EXEC */
	RS_HANDLER = 6,	  /* really an exit, shown as the step into a signal handler */
};

enum rs_step { RS_NO_STEP = 0, RS_STEPPED = 1, RS_STEP_GIVEN = 2 };

/* What PTRACE_INTERRUPT is to be given again for. */
#define RS_TRAP_STOP 1
#define RS_GROUP_STOP 2
#define RS_QUIET_STOP 3 /* only so that the kernel restarts the call */

struct rs_tracee {
	int32_t hid; /* 0: free */
	int32_t tracer;
	uint32_t options;
	uint8_t seized;
	uint8_t shown;	   /* enum rs_shown */
	uint8_t in_call;   /* the entry of a call was seen by the program, and its exit is to be */
	uint8_t again;	   /* the call is made again by us: its entry was seen already */
	uint8_t birth;	   /* in its first stop, on the way to the program */
	uint8_t exec;	   /* PTRACE_EVENT_EXEC came, on the way to the new program */
	uint8_t second;	   /* on the way to a second stop with the registers in `regs` */
	uint8_t handler;   /* on the way to a signal handler that is stepped into */
	uint8_t interrupt; /* PTRACE_INTERRUPT is to be given again */
	uint8_t restore;   /* the next delivery of parked[0] gets its siginfo back */
	uint8_t nparked;
	uint8_t dirty; /* the view was written to */
	uint8_t has_msg;
	uint8_t asked; /* at PTRACE_EVENT_SECCOMP of a call the resident makes for it: seccomp.c:rs_ask */
	uint8_t step; /* enum rs_step: the end of a single step, which waits for the end of a call */
	uint8_t quiet;	    /* the next PTRACE_EVENT_STOP is a RS_QUIET_STOP */
	uint8_t asked_stop; /* the program gave PTRACE_INTERRUPT and has seen no stop since */
	uint8_t pad;
	int32_t req;	 /* what the program last resumed it with */
	int32_t seen;	 /* exit code of the stop that was last looked at */
	int32_t restart; /* result of an interrupted call */
	int32_t status;	 /* exit code as shown, if not the kernel's */
	uint64_t msg;	 /* PTRACE_GETEVENTMSG */
	uint64_t late;	 /* more parked signals, without their siginfo */
	uint64_t orig;	 /* orig_rax where a signal was delivered */
	uint64_t frame;	 /* address of the frame in the tracee, with RS_VIEW */
	struct ax_user_regs regs;
	struct ax_siginfo trap; /* of the step */
	struct ax_siginfo parked[RS_PARKED];
};

/* Something is parked that an untraced call would be interrupted for. */
static inline bool rs_tracee_waits(const struct rs_tracee *t)
{
	return t->interrupt || t->nparked;
}

/* trace_table.c. The lock is held with all signals blocked. */
bool rs_trace_used(const struct rs_area *a);
void rs_trace_lock(void);
void rs_trace_unlock(void);
/* Valid until the next rs_tracee_add. */
struct rs_tracee *rs_tracee_find(const struct rs_area *a, int32_t hid);
struct rs_tracee *rs_tracee_add(const struct rs_area *a, int32_t hid);
/* Whether this process traces it. */
bool rs_traces(const struct rs_area *a, int32_t hid);
/* The i-th tracee or 0; end: there are no more. */
struct rs_tracee *rs_tracee_at(const struct rs_area *a, uint32_t i, bool *end);
void rs_tracee_drop(const struct rs_area *a, int32_t hid);
/* A fork child has none of its parent's. */
void rs_trace_forget(void);

/* trace_stop.c: what becomes of a stop. */
enum rs_verdict {
	RS_SHOW, /* the program sees it; *ret_code is the exit code (wait status >> 8) to be shown */
	RS_INTERNAL, /* it was ours: the tracee runs again */
	RS_NOT_OURS, /* another thread's tracee in an internal stop: only that one can let it go on */
	RS_UNTRACED, /* not traced by this process */
};
/* With signals blocked, for a child whose looked-at siginfo says CLD_TRAPPED with exit code `code`. */
enum rs_verdict rs_trace_stop(struct rs_area *a, int32_t hid, int32_t code, int32_t *ret_code);

/* trace_resume.c: the program's resume request of a stop it was shown. Lock held. */
long rs_trace_resume(struct rs_tracee *t, long req, long addr, long sig);
/* Looks whether it is in a stop the program may see: RS_SHOW if so. Takes the lock itself. */
enum rs_verdict rs_trace_look(struct rs_area *a, int32_t hid);
/* Asks the thread that traces hid to do so: only it can. Signals are blocked. */
void rs_trace_ask(struct rs_area *a, int32_t hid);
/* Lets all tracees in internal stops go on, of this thread. True if one but hid runs. */
bool rs_trace_serve(struct rs_area *a, int32_t hid);

/* trace_peek.c: the tracee's memory and state. */
long rs_pt(long req, int32_t hid, uint64_t addr, uint64_t data);
long rs_peek(int32_t hid, void *dst, uint64_t src, size_t n);
long rs_poke(int32_t hid, uint64_t dst, uint64_t word);

/* trace_report.c: the tracee's own part. A word that its tracer sets in a new image. */
extern uint64_t rs_start_traced;
void rs_report(struct rs_frame *f);
void rs_report_image(void);

/* trace.c */
void rs_traceme_now(struct rs_area *a);

#endif
