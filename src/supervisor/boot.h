/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that exists before the supervisor is forked: the segment, the resident's descriptor, the
 * numbers of the hidden descriptors, and what front and supervisor share.
 */
#ifndef SUPERVISOR_BOOT_H
#define SUPERVISOR_BOOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "base/ids.h"
#include "core/layout.h"
#include "supervisor/end.h"
#include "supervisor/record.h"
#include "supervisor/signals.h"
#include "supervisor/supervisor.h"

/*
 * State that the supervisor writes and the front reads, in anonymous memory that only these two keep
 * (init's child loses it by exec). A state, not a stream of messages: a front that was stopped for a
 * while finds what holds now, and nothing can fill up.
 */
struct sv_shared {
	_Atomic uint32_t started;     /* the program runs: its first exec has succeeded */
	_Atomic uint32_t stops;	      /* how often init was seen to stop */
	_Atomic uint32_t stopped;     /* signal that stopped init, 0 while it runs */
	_Atomic uint32_t inside_init; /* inside of a namespace: number 1's number there, 0 none yet */
	_Atomic uint64_t asked; /* signals that somebody outside sent number 1, for the front */
	_Atomic uint32_t ended; /* enum sv_ended; release: what follows is final */
	struct sv_outcome outcome;
	struct sv_fail fail;
	int err;
	char name[SV_NAME_MAX + 1]; /* the container's, if it was renamed */
};

enum sv_ended {
	SV_GOING_ON = 0,
	SV_DONE = 1,   /* outcome holds */
	SV_FAILED = 2, /* err and fail hold: nothing was run */
};

/* Front to supervisor, one per packet of the control socket. */
enum sv_order {
	SV_ORDER_END = 1, /* arg: the signal that ends it */
	SV_ORDER_FORWARD, /* arg: a signal for init */
	SV_ORDER_CONT,	  /* the front was continued: so must init be */
	SV_ORDER_STOP,	  /* the front was sent SIGTSTP: init has to stop, the front follows it */
};
struct sv_tell {
	int32_t order;
	int32_t arg;
};

struct sv_boot {
	const struct sv_job *job;
	struct sv_caller caller;
	bool no_new_privs; /* the caller's */
	bool foreground;   /* there is a terminal: number 1 stops of TSTP and the like */
	bool inside;	   /* of a namespace of subpid: no segment, no resident, no scope */
	struct sv_strangers strangers;
	struct sv_record record; /* how others find the container; none: they do not */
	/* The caller's; in front and supervisor the soft limits are at the hard ones. */
	struct rlimit nofile, fsize;
	struct sp_segment *seg;
	struct sv_shared *shared;
	int segment_fd, resident_fd; /* close-on-exec, low numbers */
	sp_hpid front;
	int ctl_front; /* control socket, the front's end */
	int ctl_super; /* the supervisor's */
	/* Inside: number 1's errno if its exec fails; its end without one means that the program runs. */
	int link_r, link_w;
	int wake_r, wake_w; /* what arrives on wake_r continues a stopped front */
};

/* What number 1 does with signals, as the program sees it. */
struct sv_dispositions {
	uint64_t handled, ignored, blocked;
};
struct sv_dispositions sv_dispositions_of_init(const struct sv_boot *b);

/* Checks the place and prepares all of it. Signals are blocked from the first moment on. */
sp_must_check int sv_boot(struct sv_boot *b, const struct sv_job *job, struct sv_fail *fail);

#endif
