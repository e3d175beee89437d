/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of namespaces. The supervisor maps the segment of each, knows its keeper by a pidfd, and believes
 * nothing that is in a segment: who is whose child is kept here. One that is gone is forgotten at
 * once; whoever has to remember one remembers its id.
 */
#ifndef SUPERVISOR_TREE_H
#define SUPERVISOR_TREE_H

#include <stdbool.h>

#include "base/ids.h"
#include "core/pid.h"
#include "supervisor/boot.h"

enum sv_ns_state {
	SV_NS_NEW,    /* made for a creator; no keeper has said that it is there */
	SV_NS_LIVE,   /* the root, or one with a keeper */
	SV_NS_ENDING, /* its keeper has ended, or one above: who is left is killed */
};

/* Where a walk over the tasks of a namespace and all below it is. */
struct sv_walk {
	uint64_t id; /* namespace, 0: not begun */
	int32_t from;
	uint32_t again; /* how often it began anew */
};

struct sv_ns {
	uint64_t id;
	uint64_t ino;			   /* what ns/pid shows in there */
	struct sv_ns *parent;		   /* NULL: the root */
	struct sv_ns *first, *next, *prev; /* children, siblings */
	struct sv_ns *same_keeper;	   /* next in the bucket of keepers */
	uint32_t depth, layers;
	enum sv_ns_state state;
	struct sp_segment *seg;
	int fd;	  /* of the segment */
	int file; /* what stands for it as a file (ns/pid), -1: not asked for yet */
	uint64_t file_ino;
	sp_hpid keeper;
	int keeper_pidfd; /* -1: it has ended */
	int link;	  /* the keeper's connection, on which it asks for the end; -1: none */
	/* Its end (ending.c). */
	struct sv_ns *next_ending;
	struct sv_walk walk;
	uint32_t left;	/* who still lived in this pass */
	int pause;	/* msec between passes */
	long long due;	/* when the next step is */
	long long late; /* when its keeper is told that not all have gone; 0: it has not asked */
};

#define SV_KEEPER_BUCKETS 1024
#define SV_JOINERS 256 /* remembered by their host pid: the oldest is forgotten */

struct sv_joiner {
	sp_hpid pid;
	uint64_t ident;
	uint64_t ns;
};

struct sv_tree {
	const struct sv_boot *boot;
	struct sp_segment model; /* the root's header before any member could write to it */
	struct sv_ns *root;
	struct sv_ns **slot; /* by the id's lower half - 1 */
	uint32_t *lives;     /* how often the slot was used: the id's upper half */
	uint32_t *spare;     /* slots that are free */
	uint32_t slots, spares, count;
	uint32_t next_ino;
	struct sv_ns *keepers[SV_KEEPER_BUCKETS];
	struct sv_ns *ending;
	struct sv_joiner joiner[SV_JOINERS];
	uint32_t joiners;
	int epoll; /* readable when a keeper has ended or says something */
	void (*on_link)(struct sv_tree *t, struct sv_ns *ns);		 /* it says something */
	void (*on_end)(struct sv_tree *t, struct sv_ns *ns, int result); /* what it asked for */
};

sp_must_check int sv_tree_open(struct sv_tree *t, const struct sv_boot *b, struct sv_fail *fail);

/* Gives everything back but the root's segment, which is b's. */
void sv_tree_free(struct sv_tree *t);

/* NULL: there is none (any more). */
struct sv_ns *sv_tree_find(const struct sv_tree *t, uint64_t id);

/* The one whose keeper this is, or NULL. The root's is the supervisor. */
struct sv_ns *sv_tree_kept_by(struct sv_tree *t, sp_hpid keeper);

/* Whether ns is top or below it. */
bool sv_ns_within(const struct sv_ns *ns, const struct sv_ns *top);

/* The next one of top and all below it, parents first; NULL after the last. */
struct sv_ns *sv_ns_after(const struct sv_ns *ns, const struct sv_ns *top);

/*
 * A namespace below parent; number 1 is reserved in its segment. -ENOSPC: no descriptor, no memory for it;
 * -ENOMEM: the parent is ending.
 */
sp_must_check int sv_tree_new(struct sv_tree *t, struct sv_ns *parent, struct sv_ns **ret);

/*
 * The process is its keeper: from now on its end is the namespace's, and what it says on link is announced by
 * t->epoll. Takes link when it succeeds. -EBUSY if it has one; -ESRCH ...
 */
sp_must_check int sv_tree_keeper(struct sv_tree *t, struct sv_ns *ns, sp_hpid keeper, int link);

/* Nobody came to keep it. */
void sv_tree_drop(struct sv_tree *t, struct sv_ns *ns);

/* Takes it and all below out of the tree. Nobody may live there. */
void sv_tree_forget(struct sv_tree *t, struct sv_ns *ns);

/* Nothing is born any more in ns and below. */
void sv_ns_shut(struct sv_ns *ns);

/* What t->epoll announced, and what is due. Bounded work. */
void sv_tree_serve(struct sv_tree *t);

/* Milliseconds until sv_tree_serve has something to do by itself, -1: never. */
int sv_tree_timeout(const struct sv_tree *t);

/*
 * The next tasks of top and all below: references in *ret_ns, at most max. How many; 0 when it has been
 * everywhere. Between two calls anything may happen to the tree.
 */
size_t sv_walk_next(const struct sv_tree *t, struct sv_ns *top, struct sv_walk *w,
		    struct sv_ns **ret_ns, struct sp_ref *refs, size_t max);

#endif
