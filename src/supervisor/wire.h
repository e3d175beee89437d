/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes between a supervisor and whoever operates its container from outside: one packet asks, one
 * packet answers, over the SOCK_SEQPACKET socket `ctl` in the container's directory (record.h). Both
 * sides check with SO_PEERCRED that the other is the same user. Versions may meet here: subpid
 * may be upgraded while a container runs. What exists keeps its meaning; new things are appended.
 */
#ifndef SUPERVISOR_WIRE_H
#define SUPERVISOR_WIRE_H

#include <stdint.h>

#define SV_WIRE_MAGIC 0x31435053u /* "SPC1" */
#define SV_NAME_MAX 128		  /* letters of a container's name */
#define SV_ID_LEN 32

enum sv_op {
	SV_OP_INFO = 1, /* answer: struct sv_info */
	SV_OP_TASKS,	/* answer: a descriptor; its file is an array of struct sv_task */
	SV_OP_SIGNAL,	/* a: number inside, 0 for all of the container; b: signal, 0 to try */
	SV_OP_WAIT,	/* answered at the end: a is the exit status, b the signal */
	SV_OP_RENAME,	/* text: the new name */
	SV_OP_EXEC,	/* a: enum sv_exec_flag; descriptors: see join.h; answers: see there */
	SV_OP_RESIZE,	/* reserved */
};

struct sv_ask {
	uint32_t magic;
	uint32_t op;
	int32_t a, b;
	char text[SV_NAME_MAX + 8]; /* NUL at the end */
};

struct sv_reply {
	uint32_t magic;
	int32_t status; /* 0 or -errno */
	int32_t a, b;
};

/* Follows the answer in the same packet. */
struct sv_info {
	uint32_t size;	    /* of this structure, as its sender knows it */
	int32_t supervisor; /* host pids, in the supervisor's PID namespace */
	int32_t init;
	int32_t peer;	 /* the asker's own number inside; 0: it is outside */
	int32_t running; /* the program has been executed */
	int32_t stopped; /* signal that stopped number 1, or 0 */
	int32_t processes, threads;
	int32_t flags;	      /* enum sv_info_flag */
	int32_t front;	      /* who made the socket: whom SO_PEERCRED names to who connects */
	int64_t created_msec; /* since 1970 */
	char name[SV_NAME_MAX + 8];
	char id[SV_ID_LEN + 8];
};

enum sv_info_flag {
	SV_INFO_SCOPED = 1, /* a Landlock signal domain, proven */
	SV_INFO_PIDFS = 2,  /* sv_task.ident is the inode of a pidfd, else a start time */
};

enum sv_task_flag {
	SV_TASK_THREAD = 1, /* not the leader of its thread group */
	SV_TASK_DEAD = 2,   /* gone; its number still names a process group or session */
	SV_TASK_STAMP = 4,  /* ident is a time in clock ticks by which it had started */
};

struct sv_task {
	int32_t number; /* inside */
	int32_t group;	/* the thread group's number inside */
	int32_t host;	/* host tid */
	uint32_t flags; /* enum sv_task_flag */
	uint64_t ident; /* of the process, 0 unknown */
};

#endif
