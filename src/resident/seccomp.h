/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's own seccomp filters: see seccomp.c. What /proc/PID/status says of them follows from the
 * kernel's text, where the tree's filter counts as one: Seccomp_filters is one less, and Seccomp is 0 when
 * nothing is left (a strict thread shows a filter). NoNewPrivs is 1 for every task in the kernel; what the
 * program believes is rs_area.no_new_privs, which only the thread itself knows.
 */
#ifndef RESIDENT_SECCOMP_H
#define RESIDENT_SECCOMP_H

#include <linux/seccomp.h>

#include "resident/resident.h"

/* What becomes of a SIGSYS with SYS_SECCOMP. */
enum rs_judged {
	RS_JUDGED_OURS,	   /* a trap of the tree's filter: the call is to be handled */
	RS_JUDGED_ASK,	   /* the same, but the kernel is to be asked first: rs_ask */
	RS_JUDGED_RESULT,  /* refused: the raw result is in the current frame */
	RS_JUDGED_CHANGED, /* by a tracer: the program makes it again, as it is now */
	RS_JUDGED_SIGNAL,  /* the program's to handle; the siginfo is as the kernel would have it */
};
enum rs_judged rs_seccomp_judge(struct ax_siginfo *si, struct ax_ucontext *uc, struct rs_area *a);

/*
 * A call with the verdict USER_NOTIF, TRACE or KILL: made as the program made it, where its filters see it.
 * RS_JUDGED_OURS when it is to be handled now, RS_JUDGED_CHANGED, or RS_JUDGED_RESULT.
 */
enum rs_judged rs_ask(struct rs_frame *f);
/* What a listener's resident answers in place of SECCOMP_USER_NOTIF_FLAG_CONTINUE. */
#define RS_GO_ON 0x53505f474f5f4f4eL

/* Whether all threads of the process have the same filters of the program's. */
bool rs_seccomp_uniform(const struct rs_area *me);

/* prctl's options about this; the call is planned as the program made it. */
long rs_seccomp_prctl(struct rs_frame *f, struct rs_area *a);

/* In the child of a clone, once its area has its owner: a TSYNC meanwhile holds for a thread too. */
void rs_seccomp_born(struct rs_area *a, uint64_t flags);

#endif
