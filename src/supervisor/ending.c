/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is registered in the namespace or below is killed, again and again, until a pass finds nobody alive.
 * The segment is a hint: nobody is killed who is at home above or beside, whatever was written there.
 * A pass takes as many turns of the loop as it needs.
 */
#include "supervisor/ending.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/atomic.h"
#include "supervisor/procs.h"
#include "supervisor/tasks.h"
#include "supervisor/util.h"

#define BATCH 128
#define STEPS 512	   /* tasks and namespaces looked at in a turn of the loop */
#define PATIENCE_MSEC 5000 /* a keeper that asks waits no longer */
#define FIRST_PAUSE 1
#define LONGEST_PAUSE 100

/* Registered as its own in a namespace above: then an entry below is a forgery. */
static bool is_above(const struct sv_ns *ns, sp_hpid pid)
{
	for (const struct sv_ns *up = ns->parent; up; up = up->parent)
		if (sv_is_native(up, pid))
			return true;
	return false;
}

static bool may_kill(struct sv_tree *t, const struct sv_ns *top, sp_hpid pid)
{
	struct sv_ns *of, *home;

	if (pid.n <= 1 || sp_hpid_eq(pid, t->boot->front) || is_above(top, pid))
		return false;
	of = sv_tree_kept_by(t, pid);
	if (of)
		return of != top && sv_ns_within(of, top);
	/* Without /proc only a child of ours is known to be of the tree: orphans come to us in the end. */
	if (!sv_proc_usable())
		return sv_is_child(pid);
	home = sv_home(t, pid);
	/* Whose keeper is gone has come to one above; a sibling's is not ours. */
	return home && (sv_ns_within(home, top) || sv_ns_within(top, home));
}

/* True when the process lives and is one that must not. */
static bool kill_one(struct sv_tree *t, const struct sv_ns *top, sp_hpid pid)
{
	/* Taken before the questions: while they are answered, the process is the same. */
	sv_auto_fd fd = sv_pidfd(pid);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fd == -ESRCH || fd == -EINVAL || (fd >= 0 && poll(&p, 1, 0) == 1))
		return false;
	if (!may_kill(t, top, pid))
		return false;
	if (fd >= 0)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	else if (kill(pid.n, SIGKILL) < 0 && errno == ESRCH)
		return false;
	return true;
}

static void kill_entry(struct sv_tree *t, struct sv_ns *top, struct sv_ns *ns, struct sp_ref ref)
{
	struct sp_segment *seg = ns->seg;
	sp_hpid pid = sp_ref_hpid(seg, ref);

	switch (sp_word_state(ref.word)) {
	case SP_LIVE:
		if (!(sp_word_flags(ref.word) & SP_F_THREAD) && pid.n && kill_one(t, top, pid))
			top->left++;
		break;
	case SP_RESERVED:
		/* Being born: by somebody who still lives, and is found by an entry of its own. */
		if (pid.n && kill_one(t, top, pid))
			top->left++;
		break;
	case SP_FREE:
	case SP_DEAD:
	case SP_CLAIMED:
	default:
		break;
	}
}

static bool is_listed(const struct sv_tree *t, const struct sv_ns *ns)
{
	const struct sv_ns *e = t->ending;

	while (e && e != ns)
		e = e->next_ending;
	return e;
}

static bool within_one_that_ends(const struct sv_ns *ns)
{
	for (ns = ns->parent; ns; ns = ns->parent)
		if (ns->state == SV_NS_ENDING)
			return true;
	return false;
}

static void begin(struct sv_tree *t, struct sv_ns *ns)
{
	sv_ns_shut(ns);
	ns->walk = (struct sv_walk){0};
	ns->left = 0;
	ns->pause = FIRST_PAUSE;
	ns->due = sv_now_msec();
	if (is_listed(t, ns))
		return;
	ns->next_ending = t->ending;
	t->ending = ns;
}

void sv_ns_end(struct sv_tree *t, struct sv_ns *ns)
{
	if (ns->state != SV_NS_LIVE || !ns->parent)
		return;
	/* Its end has been told; an event that stays would wake us for ever. */
	sv_fd_done(&ns->keeper_pidfd);
	sv_fd_done(&ns->link);
	ns->state = SV_NS_ENDING;
	ns->late = 0;
	if (!within_one_that_ends(ns))
		begin(t, ns);
}

void sv_ns_end_asked(struct sv_tree *t, struct sv_ns *ns)
{
	if (ns->state != SV_NS_LIVE || !ns->parent)
		return;
	ns->late = sv_now_msec() + PATIENCE_MSEC;
	begin(t, ns);
}

void sv_endings_remove(struct sv_tree *t, struct sv_ns *ns)
{
	struct sv_ns **p;

	for (p = &t->ending; *p; p = &(*p)->next_ending)
		if (*p == ns) {
			*p = ns->next_ending;
			return;
		}
}

int sv_endings_due(const struct sv_tree *t)
{
	long long now = sv_now_msec(), first = -1;

	for (const struct sv_ns *ns = t->ending; ns; ns = ns->next_ending)
		if (first < 0 || ns->due < first)
			first = ns->due;
	if (first < 0)
		return -1;
	return first > now ? (int)(first - now) : 0;
}

/* A whole pass has been made. */
static void passed(struct sv_tree *t, struct sv_ns *top)
{
	long long now = sv_now_msec();

	if (top->left && !(top->late && now > top->late)) {
		top->walk = (struct sv_walk){0};
		top->left = 0;
		top->due = now + top->pause;
		if (top->pause < LONGEST_PAUSE)
			top->pause *= 2;
		return;
	}
	if (!top->late) {
		sv_tree_forget(t, top);
		return;
	}
	/* The keeper has asked and lives; its own end is the namespace's. */
	top->late = 0;
	sv_endings_remove(t, top);
	t->on_end(t, top, top->left ? -EAGAIN : 0);
}

void sv_endings_step(struct sv_tree *t)
{
	struct sp_ref refs[BATCH];
	long long now;
	int budget = STEPS;

	if (!t->ending)
		return;
	now = sv_now_msec();
	for (struct sv_ns *top = t->ending, *next; top && budget > 0; top = next) {
		struct sv_ns *ns;
		size_t n;

		next = top->next_ending;
		if (top->due > now)
			continue;
		n = sv_walk_next(t, top, &top->walk, &ns, refs, BATCH);
		for (size_t i = 0; i < n; i++)
			kill_entry(t, top, ns, refs[i]);
		budget -= 1 + (int)n;
		if (n)
			continue;
		/* The list may be another one now. */
		passed(t, top);
		return;
	}
}
