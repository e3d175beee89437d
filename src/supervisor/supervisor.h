/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line may ask of the hosted side: run a program as number 1 of a namespace of its
 * own and wait for its end. The calling process becomes the front; it must have one thread.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct sv_listing;

struct sv_job {
	const char *path;  /* file of the program, found by the caller; not searched for in PATH */
	char *const *argv; /* its arguments, argv[0] included, NULL at the end */
	char *const *envp;
	/* What follows is 0 where nothing was asked for. */
	int32_t pid_max;
	int32_t first_pid; /* of what number 1 starts */
	uint32_t pids_limit;
	bool strict;		      /* refuse to execute what would not work as outside */
	long long timeout_msec;	      /* then the namespace is stopped */
	int stop_signal;	      /* TERM */
	long long stop_patience_msec; /* until what is left is killed */
	/* Get number 1's number before it runs. They stay open in the calling process. */
	int pidfile_fd;			  /* as text */
	int status_fd;			  /* as a line of JSON */
	const struct sv_listing *listing; /* record.h; NULL: nobody outside finds it */
	int started_fd; /* when the program runs it gets the container's name and a NUL; 0: nobody asks */
	bool new_session; /* number 1 leads a session of its own */
};

struct sv_outcome {
	int code;	/* exit status, if sig is 0 */
	int sig;	/* signal that ended the program, or that subpid was sent */
	bool timed_out; /* whatever code and sig say */
	int exec_errno; /* positive: number 1 never became the program, for this reason */
};

/* Why subpid itself could not do it: one sentence without a full stop, no prefix. */
struct sv_fail {
	char text[240];
	bool wish; /* what was asked for cannot be done anywhere: it is not the place that refuses */
};

/*
 * Runs the job to its end; everything in the namespace is gone when this returns. 0 and *ret, or
 * -errno and *fail (nothing was run). Changes the process for good: signals are blocked, the
 * standard descriptors lead nowhere once the program runs, no_new_privs and a Landlock domain.
 */
sp_must_check int sv_run(const struct sv_job *job, struct sv_outcome *ret, struct sv_fail *fail);

/* Ends this process by sig, so that whoever waits for it sees the signal; without a core file. */
_Noreturn void sv_die_of(int sig);

#endif
