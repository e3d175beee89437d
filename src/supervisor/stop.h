/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending a namespace gently: number 1 is sent a signal, and after a while what is left is killed. By
 * the clock of --timeout, or because somebody asks.
 */
#ifndef SUPERVISOR_STOP_H
#define SUPERVISOR_STOP_H

#include <stdbool.h>

#include "supervisor/boot.h"

struct sv_stop {
	int sig;	    /* 0: nothing was begun */
	long long kill_due; /* when patience ends; monotonic, in milliseconds */
};

/*
 * Sends sig to number 1 (pid, our child, not reaped) as an ancestor would and begins to be patient. What number
 * 1 ignores is not sent; what it has at default ends the namespace at once. A second call changes nothing.
 */
void sv_stop_begin(struct sv_stop *s, const struct sv_boot *b, sp_hpid pid, int sig,
		   long long patience_msec);

/* Who a number 1 is that has to be stopped when its time is up: the clock of --timeout. */
struct sv_clock {
	long long due; /* 0: no limit, or the limit has passed */
	bool expired;
	struct sv_stop stop;
};
void sv_clock_start(struct sv_clock *c, const struct sv_job *job);
/* The signal by which the namespace has to end now, or 0. pid 0: number 1 has ended. */
int sv_clock_look(struct sv_clock *c, const struct sv_boot *b, sp_hpid pid);
/* The earlier of msec (-1: never) and when sv_clock_look has to be called again. */
int sv_clock_pause(const struct sv_clock *c, long long msec);

/*
 * Following a front that was stopped or continued: number 1 most likely got the same signal, as a member of the
 * group. A moment later it is seen whether it did.
 */
struct sv_follow {
	enum sv_order order; /* SV_ORDER_CONT or SV_ORDER_STOP */
	long long due;	     /* 0: nothing to look at */
};
void sv_follow_order(struct sv_follow *f, enum sv_order order);
void sv_follow_look(struct sv_follow *f, const struct sv_boot *b, sp_hpid pid); /* pid as above */
long long sv_follow_pause(const struct sv_follow *f); /* milliseconds, -1: never */

/* Tells whom the job names number 1's number. */
sp_must_check int sv_announce(const struct sv_job *job, int number, struct sv_fail *fail);

/* The signal by which the namespace has to end now, or 0. */
int sv_stop_due(const struct sv_stop *s, const struct sv_boot *b);

/* Milliseconds until sv_stop_due has to be asked again, -1: never. */
long long sv_stop_pause(const struct sv_stop *s);

#endif
