/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `subpid exec`: a process that enters a running container from outside.
 *
 * It has to be born inside the namespace's signal domain, which only number 1 and what descends from it are
 * in. So number 1's process, before it becomes the resident, leaves a sibling behind that is in the domain as well: the
 * porter. It has no number, waits for orders, and forks joiners as children of the supervisor. The
 * supervisor registers a joiner before it may go on, reaps it and tells who asked how it ended.
 *
 * SV_OP_EXEC comes with these descriptors; it is answered when the program is about to be executed (a: its
 * number; b: 0), or with an error, and once more at its end (a: status, b: signal).
 */
#ifndef SUPERVISOR_JOIN_H
#define SUPERVISOR_JOIN_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/pid.h"
#include "supervisor/boot.h"

enum sv_join_fd {
	SV_JOIN_WORDS, /* a file: struct sv_join_words and what follows it */
	SV_JOIN_CWD,
	SV_JOIN_STDIN,
	SV_JOIN_STDOUT,
	SV_JOIN_STDERR,
	SV_JOIN_FDS,
};

enum sv_join_flag {
	SV_JOIN_TTY = 1,  /* the first terminal among the standard descriptors is to be its own */
	SV_JOIN_LEAD = 2, /* it is killed when who asked is gone */
};

/* Then, each with a NUL: the program's file, argc words, envc words. */
struct sv_join_words {
	uint32_t argc, envc;
	uint32_t len; /* of all words */
};

#define SV_JOINS 128

struct sv_join {
	int link;   /* to the joiner, -1: it has become the program */
	int client; /* who asked, -1: gone. Not ours to close */
	int number; /* 0: not registered yet */
	uint32_t flags;
	sp_hpid pid; /* none: not forked yet */
	struct sp_ref ref;
};

struct sv_joins {
	const struct sv_boot *boot;
	int porter; /* socket to it, -1: there is none */
	size_t n;
	struct sv_join join[SV_JOINS];
};

/* In number 1's process, when it is in the namespace's domain: leaves the porter behind. */
void sv_porter_leave(const struct sv_boot *b, int orders);

/* 0: it is under way. Takes no descriptor. */
sp_must_check int sv_join_begin(struct sv_joins *j, int client, uint32_t flags,
				const int fd[SV_JOIN_FDS]);

size_t sv_joins_poll(const struct sv_joins *j, struct pollfd *p); /* at most SV_JOINS */
void sv_joins_serve(struct sv_joins *j, const struct pollfd *p, size_t n);

/* A child of ours has been reaped; true if it was a joiner: then who asked has been told. */
bool sv_joins_reaped(struct sv_joins *j, sp_hpid pid, int code, int status);

/* Who asked is gone. */
void sv_joins_forsaken(struct sv_joins *j, int client);

#endif
