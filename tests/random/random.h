/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random sequence of calls that carry numbers of processes, the same for the same seed.
 *
 * Processes and threads ("actors") wait for a byte in a pipe; process 1 (the conductor, and the first
 * actor) gives one of them the next operation, and then asks each of them whether it is still there:
 * whoever answers has taken all its signals by then, so every operation begins when nothing moves any
 * more. What an operation does is chosen by a generator that is seeded with the seed and the number
 * of the operation, out of what there is at that time; so operations can be left out (to shorten a
 * sequence that shows a difference) and the others still mean something.
 *
 * What makes the end of an operation depend on who runs first is not done: signals that end more than one
 * process, handlers for SIGCHLD, signals that are lost when they come twice as exit or parent-death signals.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include "../probe/probe.h"

#define SLOTS 14
#define ALIVE_MAX 8
#define HISTORY 64
#define LOGGED 12
#define SHARED_FD 20
#define SHARED_AT ((void *)0x200000000000ul)
#define SOCKET_FD 21 /* and 22: two datagram sockets, connected */
#define LOCK_FD 23
#define SPARE_FD 24
#define QUEUE_FD 25
#define LISTEN_FD 26
#define PIPE_FD 30   /* four for each slot */
#define PIDFD_FD 100 /* one for each slot, the conductor's */

#define SIG_Q1 40
#define SIG_Q2 41

struct note {
	int sig, code, pid, tid;
	long value;
};

struct slot {
	int alive, pid, tid;
	volatile int logged;
	struct note log[LOGGED];
};

struct shared {
	uint64_t seed, random;
	int index, op, exiting, ends;
	struct slot slots[SLOTS];
	int history[HISTORY], known; /* every number there ever was, the last ones */
	int shm, sem, msg;
	int verbose;
	char self[256];
	char line[4096];
	size_t used;
};

#define ALL ((struct shared *)SHARED_AT)

struct op {
	const char *name;
	int weight;
	void (*run)(int slot);
};

extern const struct op ops_signal[], ops_life[], ops_task[], ops_file[];

/* random.c */
uint32_t any(uint32_t below);
int chance(uint32_t percent);
int any_number(int slot);
int any_member(int slot);
long junk(long n);
__attribute__((format(printf, 1, 2))) void tell(const char *fmt, ...);
void remember(int number);
int remembered(int number);
int free_slot(void);
void install_handlers(void);

/*
 * The threads of a process that ends together end in any order, which decides whose children its children
 * become first, in which order they are waited for and how often they get their parent-death signal. So half of the
 * seeds end such processes, and the other half use parent-death signals and wait for any child.
 */
int ends_crowds(void);
int threads_of(int number);

/* actor.c */
int actor(void *slot);

/* What a call is given, as the kernel reads it: junk in the upper half is told, not shown. */
#define PICK(var, expr)    \
	long var = (expr); \
	const char *var##_text MAYBE = number_text(&var)
const char *number_text(long *n);

#endif
