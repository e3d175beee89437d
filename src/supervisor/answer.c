/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of resident/handover.h, one function each. A number is given only for a process that the kernel shows
 * below us and that no registry above the asker has: what a namespace below wrote about others leads nowhere.
 */
#include "supervisor/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/pid.h"
#include "supervisor/procs.h"
#include "supervisor/util.h"

#define BATCH 256

static uint64_t word64(const int32_t more[2])
{
	return (uint32_t)more[0] | (uint64_t)(uint32_t)more[1] << 32;
}

/* ---- numbers of tasks below ------------------------------------------------------------------ */

/* A task of ns itself in this state or better; a keeper is its init. */
static struct sp_ref own(const struct sv_ns *ns, sp_hpid hid, bool dead_too)
{
	struct sp_ref ref = sp_pid_find_host(ns->seg, hid);

	if (ref.slot == SP_NO_SLOT && dead_too)
		ref = sp_pid_find_any(ns->seg, sp_pid_group_number(ns->seg, hid));
	if (ref.slot == SP_NO_SLOT || sp_word_flags(ref.word) & SP_F_NESTED ||
	    !sp_hpid_eq(sp_ref_hpid(ns->seg, ref), hid))
		return SP_REF_NONE;
	return ref;
}

/* The namespace right at or below top whose own task hid is; *hid becomes an init's if it is a keeper's. */
static struct sv_ns *home(const struct sv_tree *t, const struct sv_ns *top, sp_hpid *hid,
			  struct sp_ref *ret_ref)
{
	for (size_t i = t->n; i-- > 0;) {
		struct sv_ns *ns = t->ns[i];

		if (!ns->seg || !sv_ns_within(ns, top))
			continue;
		if (ns != top && sp_hpid_eq(ns->keeper, *hid)) {
			*ret_ref = sp_pid_find(ns->seg, sp_vpid_of(1));
			if (ret_ref->slot == SP_NO_SLOT)
				return NULL;
			*hid = sp_ref_hpid(ns->seg, *ret_ref);
			return ns;
		}
		*ret_ref = own(ns, *hid, true);
		if (ret_ref->slot != SP_NO_SLOT)
			return ns;
	}
	return NULL;
}

/* Identity of a living process: core/layout.h, struct sp_entry. 0: unknown. */
static uint64_t ident_of(const struct sv_tree *t, sp_hpid pid)
{
	sv_auto_fd fd = -1;
	struct stat st;

	if (!(atomic_load(&sv_tree_root(t)->seg->flags) & SP_SEG_PIDFS))
		return sv_proc_start(pid);
	fd = sv_pidfd(pid);
	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* Nobody of the asker's own or above it: those are not below, whatever is written there. */
static bool above(const struct sv_ns *view, sp_hpid hid)
{
	for (; view; view = view->parent)
		if (own(view, hid, false).slot != SP_NO_SLOT || sp_hpid_eq(view->keeper, hid))
			return true;
	return false;
}

/*
 * The number in view of ref, a task hid of ns, which is below view; given if it has none. SP_VPID_NONE: there is no such
 * task, or no number left.
 */
static sp_vpid see(struct sv_tree *t, struct sv_ns *view, struct sv_ns *ns, struct sp_ref ref,
		   sp_hpid hid, bool *ret_new)
{
	uint32_t flags = sp_word_flags(ref.word);
	sp_vpid group = SP_VPID_NONE, had;
	sp_hpid keeper = SP_HPID_NONE;
	uint64_t ident = 0;
	struct sp_task task;
	struct sp_ref out;

	*ret_new = false;
	had = sp_pid_group_number(view->seg, hid);
	if (flags & SP_F_THREAD) {
		sp_vpid n = sp_vpid_of((int32_t)atomic_load(&sp_entry_at(ns->seg, ref.slot)->tgid));
		struct sp_ref leader = sp_pid_find(ns->seg, n);
		sp_hpid lead = leader.slot == SP_NO_SLOT ? SP_HPID_NONE : sp_ref_hpid(ns->seg, leader);
		bool is_new;

		if (lead.n <= 0 || sp_word_flags(leader.word) & SP_F_THREAD)
			return SP_VPID_NONE;
		group = see(t, view, ns, leader, lead, &is_new);
		if (!group.n || syscall(SYS_tgkill, lead.n, hid.n, 0) < 0)
			return SP_VPID_NONE;
		if (had.n)
			return had;
	} else {
		if (sp_word_state(ref.word) == SP_LIVE) {
			ident = ident_of(t, hid);
			if (!ident || !sv_tree_ours(t, hid))
				return SP_VPID_NONE;
		}
		if (sp_ref_number(ref).n == 1)
			keeper = ns->keeper;
	}
	if (above(view, hid))
		return SP_VPID_NONE;
	task = (struct sp_task){hid, group, keeper, flags, ident};
	if (sp_pid_see(view->seg, &task, sp_hpid_of(getpid()), &out, ret_new))
		return SP_VPID_NONE;
	return sp_ref_number(out);
}

static int32_t number(struct sv_tree *t, struct sv_ns *view, sp_hpid hid)
{
	struct sp_ref ref;
	struct sv_ns *ns = home(t, view, &hid, &ref);
	bool is_new;

	if (!ns)
		return 0;
	return ns == view ? sp_ref_number(ref).n : see(t, view, ns, ref, hid, &is_new).n;
}

static int32_t see_all_of(struct sv_tree *t, struct sv_ns *view, struct sv_ns *ns)
{
	struct sp_ref refs[BATCH];
	sp_vpid from = sp_vpid_of(1);
	int32_t found = 0;
	size_t n;

	while ((n = sp_ns_list(ns->seg, from, refs, BATCH)) > 0) {
		for (size_t i = 0; i < n; i++) {
			bool is_new;

			if (sp_word_state(refs[i].word) != SP_LIVE ||
			    sp_word_flags(refs[i].word) & SP_F_NESTED)
				continue;
			(void)see(t, view, ns, refs[i], sp_ref_hpid(ns->seg, refs[i]), &is_new);
			found += is_new;
		}
		if (sp_ref_number(refs[n - 1]).n < from.n || n < BATCH)
			break;
		from = sp_vpid_of(sp_ref_number(refs[n - 1]).n + 1);
	}
	return found;
}

static void answer_see(struct sv_tree *t, struct sv_ns *view, struct sv_answer *ret)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->ns[i] != view && t->ns[i]->seg && sv_ns_within(t->ns[i], view))
			ret->a.result += see_all_of(t, view, t->ns[i]);
}

static void answer_levels(struct sv_tree *t, struct sv_ns *view, const struct rs_ask *ask,
			  struct sv_answer *ret)
{
	sp_hpid hid = sp_hpid_of(ask->arg), depth_of = ask->more[0] ? sp_hpid_of(ask->more[0]) : hid;
	const struct sv_ns *ns;
	struct sp_ref ref;
	uint32_t levels, first = (uint32_t)ask->more[1];

	ns = home(t, view, &depth_of, &ref);
	if (!ns) {
		ret->a.result = -ESRCH;
		return;
	}
	levels = ns->depth - view->depth + 1;
	ret->a.result = (int32_t)levels;
	/* From the deepest up; an answer has room for some of them. */
	for (; ns; ns = ns->parent) {
		uint32_t at = ns->depth - view->depth - first;
		struct sv_ns *level = sv_tree_find(t, ns->id);

		if (at < RS_ANSWER_MAX && ns->depth - view->depth >= first && level) {
			ret->a.v[at] = hid.n ? number(t, level, hid) : 0;
			if (ret->a.n <= at)
				ret->a.n = at + 1;
		}
		if (ns == view)
			break;
	}
}

/* ---- namespaces ------------------------------------------------------------------------------ */

static void answer_new(struct sv_tree *t, struct sv_ns *parent, struct sv_ns **ret_made,
		       struct sv_answer *ret)
{
	ret->a.result = *ret_made ? -EBUSY : sv_tree_new(t, parent, ret_made);
	if (ret->a.result)
		return;
	ret->a.ns = (*ret_made)->id;
	ret->a.ino = (*ret_made)->ino;
	ret->fd[0] = (*ret_made)->fd;
	ret->fd[1] = t->boot->resident_fd;
	ret->n = 2;
}

static void answer_join(const struct sv_tree *t, const struct sv_ns *asker, uint64_t id,
			struct sv_answer *ret)
{
	const struct sv_ns *ns = sv_tree_find(t, id);

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
}

static void answer_nsof(const struct sv_tree *t, const struct sv_ns *view, sp_hpid hid,
			struct sv_answer *ret)
{
	struct sp_ref ref;
	const struct sv_ns *ns = home(t, view, &hid, &ref);

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

static void answer_init(const struct sv_tree *t, const struct sv_ns *view, sp_hpid hid,
			struct sv_answer *ret)
{
	struct sp_ref ref;
	const struct sv_ns *ns = home(t, view, &hid, &ref);

	if (!ns || ns == view || sp_ref_number(ref).n != 1) {
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
	for (size_t i = 0; i < t->n; i++)
		if (t->ns[i]->seg && t->ns[i]->file >= 0 && t->ns[i]->file_ino == ino)
			return t->ns[i];
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
	const struct sv_ns *ns = chosen(t, asker, ask);
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

static void answer_end(const struct sv_tree *t, sp_hpid peer, struct sv_answer *ret)
{
	ret->a.result = -EPERM;
	for (size_t i = 0; i < t->n; i++)
		if (t->ns[i]->parent && t->ns[i]->seg && sp_hpid_eq(t->ns[i]->keeper, peer))
			ret->a.result = sv_ns_kill(t, t->ns[i]) ? 0 : -EAGAIN;
}

void sv_answer(struct sv_tree *t, const struct rs_ask *ask, sp_hpid peer, int link,
	       struct sv_ns **ret_made, struct sv_answer *ret)
{
	struct sv_ns *asker, *hint = sv_tree_find(t, ask->ns);

	memset(&ret->a, 0, sizeof(ret->a));
	ret->n = 0;
	if (ask->op == RS_OP_END) {
		answer_end(t, peer, ret);
		return;
	}
	if (ask->op == RS_OP_KEEPER) {
		ret->a.result = *ret_made ? sv_tree_keeper(t, *ret_made, peer, link) : -EPERM;
		return;
	}
	if (ask->op == RS_OP_JOIN) {
		/* There the word `ns` is the one to join. */
		hint = sv_tree_find(t, word64(ask->more));
	}
	asker = sv_tree_member(t, peer, hint);
	if (!asker || (hint && asker != hint) || (!hint && ask->ns && ask->op != RS_OP_JOIN)) {
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
		answer_see(t, asker, ret);
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
		answer_join(t, asker, ask->ns, ret);
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
