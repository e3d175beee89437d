/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of namespaces below one `subpid run`. The supervisor alone has all segments; what their members
 * wrote there is a hint, which the kernel has to confirm before anybody is shown a number or sent a signal.
 * Nothing here waits for a member.
 */
#ifndef SUPERVISOR_TREE_H
#define SUPERVISOR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ids.h"
#include "core/layout.h"
#include "supervisor/boot.h"

enum sv_ns_state {
	SV_NS_NEW,    /* made for a creator; no keeper has said that it is there */
	SV_NS_LIVE,   /* the root, or one with a keeper */
	SV_NS_ENDING, /* its keeper has ended; what still lives in it is being killed */
	SV_NS_OVER,   /* kept for the namespaces below it, which go in a moment */
};

struct sv_ns {
	uint64_t id;	      /* 1 is the root; grows, never given twice */
	uint64_t ino;	      /* what ns/pid shows in there */
	struct sv_ns *parent; /* NULL: the root */
	uint32_t children;    /* right below, in any state */
	uint32_t depth, layers;
	enum sv_ns_state state;
	struct sp_segment *seg; /* NULL once it is over */
	int fd;			/* of the segment */
	int file;		/* what stands for it as a file (ns/pid), -1: not asked for yet */
	uint64_t file_ino;
	sp_hpid keeper;
	int keeper_pidfd;
	int link; /* the keeper's connection, on which it says that its init has ended; -1: none */
	long long due; /* ENDING: when to look again */
};

struct sv_tree {
	const struct sv_boot *boot;
	struct sp_segment model; /* the root's header before any member could write to it */
	struct sv_ns **ns;	 /* n of them, in order of id; the root first */
	size_t n, room;
	uint64_t last_id;
	size_t ending; /* how many are SV_NS_ENDING */
	int epoll;     /* readable when a keeper has ended or says something */
	void (*on_link)(struct sv_tree *t, struct sv_ns *ns); /* it says something */
};

sp_must_check int sv_tree_open(struct sv_tree *t, const struct sv_boot *b, struct sv_fail *fail);

/* NULL: there is none (any more). */
struct sv_ns *sv_tree_find(const struct sv_tree *t, uint64_t id);

static inline struct sv_ns *sv_tree_root(const struct sv_tree *t)
{
	return t->ns[0];
}

/* Whether ns is top or below it. */
bool sv_ns_within(const struct sv_ns *ns, const struct sv_ns *top);

/* A namespace below parent. -ENOSPC, -EMFILE, -ENOMEM ... */
sp_must_check int sv_tree_new(struct sv_tree *t, struct sv_ns *parent, struct sv_ns **ret);

/*
 * The process is its keeper: from now on its end is the namespace's, and what it says on link is announced by
 * t->epoll. Takes link when it succeeds. -EBUSY if it has one; -ESRCH ...
 */
sp_must_check int sv_tree_keeper(struct sv_tree *t, struct sv_ns *ns, sp_hpid keeper, int link);

/* Nobody came to keep it. */
void sv_tree_drop(struct sv_tree *t, struct sv_ns *ns);

/* What t->epoll announced, and what is due. Bounded work. */
void sv_tree_serve(struct sv_tree *t);

/* Milliseconds until sv_tree_serve has something to do by itself, -1: never. */
long long sv_tree_timeout(const struct sv_tree *t);

/* All segments are closed: nothing may be born in any of them. */
void sv_tree_close(struct sv_tree *t);

/* Kills who lives in ns, by its registry; true when nobody of those was left. */
bool sv_ns_kill(const struct sv_tree *t, struct sv_ns *ns);

/* By the kernel's word: below us, so neither ourselves nor anybody outside. */
bool sv_tree_ours(const struct sv_tree *t, sp_hpid pid);

/*
 * Whose member a process is: the namespace in whose registry it is as a task of its own, or that of the nearest parent that
 * is in one. NULL: nobody's. hint: the one it says it is of, or NULL.
 */
struct sv_ns *sv_tree_member(const struct sv_tree *t, sp_hpid pid, struct sv_ns *hint);

#endif
