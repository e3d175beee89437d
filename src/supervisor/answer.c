/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of resident/handover.h, one function each.
 */
#include "supervisor/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/pid.h"
#include "supervisor/ending.h"
#include "supervisor/tasks.h"
#include "supervisor/util.h"

#define BATCH 256

static uint64_t word64(const int32_t more[2])
{
	return (uint32_t)more[0] | (uint64_t)(uint32_t)more[1] << 32;
}

/* ---- numbers of tasks below ------------------------------------------------------------------ */

static int32_t number(struct sv_tree *t, struct sv_ns *view, sp_hpid hid)
{
	bool is_new;

	return sv_task_number(t, view, sv_task_find(t, view, hid), &is_new).n;
}

bool sv_see_step(struct sv_tree *t, struct sv_seeing *s)
{
	struct sv_ns *view = sv_tree_find(t, s->view), *ns;
	struct sp_ref refs[BATCH];
	size_t n = view ? sv_walk_next(t, view, &s->walk, &ns, refs, BATCH) : 0;

	for (size_t i = 0; i < n && ns != view; i++) {
		bool is_new;

		if (sp_word_state(refs[i].word) != SP_LIVE || sp_word_flags(refs[i].word) & SP_F_NESTED)
			continue;
		(void)sv_task_number(t, view, (struct sv_found){ns, refs[i]}, &is_new);
		s->found += is_new;
	}
	return n == 0;
}

static void answer_levels(struct sv_tree *t, struct sv_ns *view, const struct rs_ask *ask,
			  struct sv_answer *ret)
{
	struct sv_found task = sv_task_find(t, view, sp_hpid_of(ask->arg)), depth_of = task;
	uint32_t levels, first = (uint32_t)ask->more[1];

	if (ask->more[0] && ask->more[0] != ask->arg)
		depth_of = sv_task_find(t, view, sp_hpid_of(ask->more[0]));
	if (!depth_of.ns) {
		ret->a.result = -ESRCH;
		return;
	}
	levels = depth_of.ns->depth - view->depth + 1;
	ret->a.result = (int32_t)levels;
	if (first >= levels)
		return;
	ret->a.n = levels - first < RS_ANSWER_MAX ? levels - first : RS_ANSWER_MAX;
	/* From the task's own up: deeper it has none. */
	for (struct sv_ns *ns = task.ns; ns; ns = ns->parent) {
		uint32_t at = ns->depth - view->depth - first;
		bool is_new;

		if (ns->depth - view->depth >= first && at < ret->a.n)
			ret->a.v[at] = sv_task_number(t, ns, task, &is_new).n;
		if (ns == view)
			break;
	}
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static void answer_new(struct sv_tree *t, struct sv_ns *parent, uint64_t *ret_made,
		       struct sv_answer *ret)
{
	struct sv_ns *ns;

	ret->a.result = *ret_made ? -EBUSY : sv_tree_new(t, parent, &ns);
	if (ret->a.result)
		return;
	*ret_made = ret->a.ns = ns->id;
	ret->a.ino = ns->ino;
	ret->fd[0] = ns->fd;
	ret->fd[1] = t->boot->resident_fd;
	ret->n = 2;
}

static void answer_join(struct sv_tree *t, const struct sv_ns *asker, uint64_t id, sp_hpid peer,
			struct sv_answer *ret)
{
	struct sv_ns *ns = sv_tree_find(t, id);

	if (!ns || !sv_ns_within(ns, asker)) {
		ret->a.result = -ESRCH;
		return;
	}
	if (ns->state != SV_NS_LIVE || atomic_load(&ns->seg->closing)) {
		ret->a.result = -ENOMEM;
		return;
	}
	ret->a.ns = ns->id;
	ret->a.ino = ns->ino;
	ret->fd[0] = ns->fd;
	ret->n = 1;
	atomic_fetch_or(&ns->seg->flags, SP_SEG_JOINED);
	sv_joined(t, ns, peer);
}

static void answer_nsof(struct sv_tree *t, struct sv_ns *view, sp_hpid hid, struct sv_answer *ret)
{
	const struct sv_ns *ns = sv_task_find(t, view, hid).ns;

	ret->a.result = ns ? 0 : -ESRCH;
	if (ns) {
		ret->a.ns = ns->id;
		ret->a.ino = ns->ino;
	}
}

static void put64(int32_t v[2], uint64_t value)
{
	v[0] = (int32_t)(uint32_t)value;
	v[1] = (int32_t)(uint32_t)(value >> 32);
}

static void answer_init(struct sv_tree *t, struct sv_ns *view, sp_hpid hid, struct sv_answer *ret)
{
	struct sv_found task = sv_task_find(t, view, hid);
	const struct sv_ns *ns = task.ns;

	if (!ns || ns == view || sp_ref_number(task.ref).n != 1) {
		ret->a.result = -ESRCH;
		return;
	}
	ret->a.ns = ns->id;
	ret->a.ino = ns->ino;
	put64(ret->a.v, atomic_load(&ns->seg->init_handled));
	put64(ret->a.v + 2, atomic_load(&ns->seg->init_ignored));
	put64(ret->a.v + 4, atomic_load(&ns->seg->init_blocked));
	ret->a.v[6] = (int32_t)atomic_load(&ns->seg->flags);
	ret->a.n = 7;
}

/* A file with nothing in it, which lasts as long as its namespace, in whosever hands. */
static int ns_file(struct sv_ns *ns)
{
	char name[40];
	struct stat st;
	int fd, ro;

	if (ns->file >= 0)
		return 0;
	snprintf(name, sizeof(name), "pid:[%llu]", (unsigned long long)ns->ino);
	fd = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return sv_errno();
	fchmod(fd, 0444);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	/* As the kernel's: for reading only. */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ro = open(name, O_RDONLY | O_CLOEXEC);
	if (ro >= 0) {
		close(fd);
		fd = ro;
	}
	if (fstat(fd, &st) < 0) {
		int r = sv_errno();

		close(fd);
		return r;
	}
	ns->file = fd;
	ns->file_ino = st.st_ino;
	return 0;
}

static struct sv_ns *by_file(const struct sv_tree *t, uint64_t ino)
{
	for (struct sv_ns *ns = t->root; ns; ns = sv_ns_after(ns, t->root))
		if (ns->file >= 0 && ns->file_ino == ino)
			return ns;
	return NULL;
}

/* The one asked about: by id, 0 the asker's own. NULL: there is none, or it is not below. */
static struct sv_ns *chosen(const struct sv_tree *t, struct sv_ns *asker, const struct rs_ask *ask)
{
	uint64_t id = word64(ask->more);
	struct sv_ns *ns = id ? sv_tree_find(t, id) : asker;

	return ns && sv_ns_within(ns, asker) ? ns : NULL;
}

static void answer_nsfile(const struct sv_tree *t, struct sv_ns *asker, const struct rs_ask *ask,
			  struct sv_answer *ret)
{
	bool of_file = !word64(ask->more) && word64(ask->more + 2);
	struct sv_ns *ns = of_file ? by_file(t, word64(ask->more + 2)) : chosen(t, asker, ask);
	int r = ns ? 0 : -ENOENT;

	if (!r && ask->arg == 1 && !of_file) {
		ns = ns != asker ? ns->parent : NULL;
		r = ns ? 0 : -EPERM;
	}
	if (!r)
		r = ns_file(ns);
	ret->a.result = r;
	if (r)
		return;
	/* One that was handed in from elsewhere: it is a namespace, but none of the asker's. */
	ret->a.ns = sv_ns_within(ns, asker) ? ns->id : 0;
	ret->a.ino = ns->ino;
	ret->fd[0] = ns->file;
	ret->n = 1;
}

static void answer_view(const struct sv_tree *t, struct sv_ns *asker, const struct rs_ask *ask,
			struct sv_answer *ret)
{
	struct sv_ns *ns = chosen(t, asker, ask);
	struct sp_ref ref;

	if (!ns) {
		ret->a.result = -ESRCH;
	} else if (ask->op == RS_OP_VIEW_NUMBER) {
		ret->a.result = sp_pid_number(ns->seg, sp_hpid_of(ask->arg)).n;
	} else {
		ref = sp_pid_find(ns->seg, sp_vpid_of(ask->arg));
		ret->a.result = ref.slot == SP_NO_SLOT ? 0 : sp_ref_hpid(ns->seg, ref).n;
	}
}

/* ---- the door -------------------------------------------------------------------------------- */

static void answer_fds(const struct sv_tree *t, const struct sv_ns *asker, struct sv_answer *ret)
{
	ret->a.ns = asker->id;
	ret->a.ino = asker->ino;
	ret->fd[0] = asker->fd;
	ret->fd[1] = t->boot->resident_fd;
	ret->n = 2;
}

/* From the keeper itself; the answer comes later. */
static void answer_end(struct sv_tree *t, sp_hpid peer, struct sv_answer *ret)
{
	struct sv_ns *ns = sv_tree_kept_by(t, peer);

	if (!ns || !ns->parent || ns->state != SV_NS_LIVE) {
		ret->a.result = -EPERM;
		return;
	}
	sv_ns_end_asked(t, ns);
	ret->later = true;
}

static void answer_keeper(struct sv_tree *t, sp_hpid peer, int link, uint64_t made,
			  struct sv_answer *ret)
{
	struct sv_ns *ns = sv_tree_find(t, made);

	ret->a.result = ns ? sv_tree_keeper(t, ns, peer, link) : -EPERM;
	ret->taken = !ret->a.result;
}

void sv_answer(struct sv_tree *t, const struct rs_ask *ask, sp_hpid peer, int link,
	       uint64_t *ret_made, struct sv_answer *ret)
{
	/* For JOIN the word `ns` is the one to join. */
	uint64_t id = ask->op == RS_OP_JOIN ? word64(ask->more) : ask->ns;
	struct sv_ns *asker;

	memset(&ret->a, 0, sizeof(ret->a));
	ret->n = 0;
	ret->later = ret->taken = false;
	if (ask->op == RS_OP_END) {
		answer_end(t, peer, ret);
		return;
	}
	if (ask->op == RS_OP_KEEPER) {
		answer_keeper(t, peer, link, *ret_made, ret);
		return;
	}
	asker = id && !sv_tree_find(t, id) ? NULL : sv_member_of(t, peer, sv_tree_find(t, id));
	if (!asker) {
		ret->a.result = -EPERM;
		return;
	}
	switch (ask->op) {
	case RS_OP_FDS:
		answer_fds(t, asker, ret);
		break;
	case RS_OP_NEW:
		answer_new(t, asker, ret_made, ret);
		break;
	case RS_OP_SEE:
		ret->seeing = (struct sv_seeing){.view = asker->id};
		ret->later = true;
		break;
	case RS_OP_NUMBER:
		ret->a.result = number(t, asker, sp_hpid_of(ask->arg));
		break;
	case RS_OP_LEVELS:
		answer_levels(t, asker, ask, ret);
		break;
	case RS_OP_NSOF:
		answer_nsof(t, asker, sp_hpid_of(ask->arg), ret);
		break;
	case RS_OP_JOIN:
		answer_join(t, asker, ask->ns, peer, ret);
		break;
	case RS_OP_INIT:
		answer_init(t, asker, sp_hpid_of(ask->arg), ret);
		break;
	case RS_OP_NSFILE:
		answer_nsfile(t, asker, ask, ret);
		break;
	case RS_OP_VIEW_NUMBER:
	case RS_OP_VIEW_FIND:
		answer_view(t, asker, ask, ret);
		break;
	default:
		ret->a.result = -ENOSYS;
	}
}
