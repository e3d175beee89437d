/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile namespace may write any host pid into its segment. So before an ancestor is shown a task it must
 * descend, by the kernel's word, from somebody who is known there, or from the keeper of a namespace
 * below: no forged entry makes an ancestor signal what is not below it.
 */
#include "supervisor/tasks.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/atomic.h"
#include "supervisor/landlock.h"
#include "supervisor/procs.h"
#include "supervisor/util.h"

#define GENERATIONS_MAX 65536
#define UNREGISTERED_MAX 64 /* of them, helpers of a member that cannot ask itself */
#define GROUP_MEMBERS_MAX 4096
#define SWEPT_SLOTS 64
#define SWEPT_MAX 4

static bool pidfs(const struct sv_tree *t)
{
	return atomic_load(&t->model.flags) & SP_SEG_PIDFS;
}

/* What tells a process (fd: its pidfd) from the next owner of its number, as the resident notes it. 0: unknown. */
static uint64_t identity(const struct sv_tree *t, sp_hpid pid, int fd)
{
	struct stat st;

	if (!pidfs(t))
		return sv_proc_start(pid);
	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static uint64_t ident_of(struct sv_ns *ns, struct sp_ref ref)
{
	return sp_load(&sp_entry_at(ns->seg, ref.slot)->ident);
}

bool sv_is_native(const struct sv_ns *ns, sp_hpid pid)
{
	struct sp_ref ref = sp_pid_find_host(ns->seg, pid);

	return ref.slot != SP_NO_SLOT && !(sp_word_flags(ref.word) & SP_F_NESTED);
}

void sv_joined(struct sv_tree *t, struct sv_ns *ns, sp_hpid pid)
{
	sv_auto_fd fd = sv_pidfd(pid);

	t->joiner[t->joiners++ % SV_JOINERS] = (struct sv_joiner){pid, identity(t, pid, fd), ns->id};
}

static struct sv_ns *joined(struct sv_tree *t, sp_hpid pid)
{
	uint32_t n = t->joiners < SV_JOINERS ? t->joiners : SV_JOINERS;

	for (uint32_t i = 0; i < n; i++) {
		const struct sv_joiner *j = &t->joiner[(t->joiners - 1 - i) % SV_JOINERS];
		sv_auto_fd fd = -1;

		if (!sp_hpid_eq(j->pid, pid))
			continue;
		fd = sv_pidfd(pid);
		if (identity(t, pid, fd) == j->ident)
			return sv_tree_find(t, j->ns);
	}
	return NULL;
}

/* The namespace whose origin pid is: its keeper, or who joined it. */
static struct sv_ns *origin(struct sv_tree *t, sp_hpid pid)
{
	struct sv_ns *ns = sv_tree_kept_by(t, pid);

	return ns ? ns : joined(t, pid);
}

struct sv_ns *sv_home(struct sv_tree *t, sp_hpid pid)
{
	for (int i = 0; i < GENERATIONS_MAX && pid.n > 0; i++) {
		struct sv_ns *ns = origin(t, pid);

		if (ns)
			return ns;
		pid = sv_proc_parent(pid);
	}
	return NULL;
}

/* Whether top may be shown the process: it comes from somebody who is known there, or from below. */
static bool belongs(struct sv_tree *t, const struct sv_ns *top, sp_hpid pid)
{
	if (pid.n <= 1 || sv_tree_kept_by(t, pid))
		return false;
	/* Then only the kernel's domains can tell, and they do whenever it is signalled. */
	if (!sv_proc_usable())
		return sv_scope_holds();
	for (int i = 0; i < GENERATIONS_MAX && pid.n > 1; i++) {
		struct sv_ns *ns = origin(t, pid);

		if (ns)
			return sv_ns_within(ns, top);
		if (i && sp_pid_find_host(top->seg, pid).slot != SP_NO_SLOT)
			return true;
		pid = sv_proc_parent(pid);
	}
	return false;
}

static struct sv_ns *registered(struct sv_ns *home, sp_hpid pid)
{
	for (struct sv_ns *ns = home; ns; ns = ns->parent)
		if (sv_is_native(ns, pid))
			return ns;
	/* Who joined, and whose joining is forgotten. */
	for (struct sv_ns *ns = sv_ns_after(home, home); ns; ns = sv_ns_after(ns, home))
		if (sv_is_native(ns, pid))
			return ns;
	return NULL;
}

struct sv_ns *sv_member_of(struct sv_tree *t, sp_hpid pid, struct sv_ns *claim)
{
	struct sv_ns *home = NULL;

	if (!claim) {
		home = sv_home(t, pid);
		if (!home && !sv_proc_usable())
			home = t->root;
	}
	/* Where the line of parents cannot be seen, or ends at a keeper, nobody further up answers for it. */
	for (int i = 0; i < UNREGISTERED_MAX && pid.n > 1 && !sv_tree_kept_by(t, pid); i++) {
		struct sv_ns *ns = home ? registered(home, pid) : NULL;

		if (ns || (claim && sv_is_native(claim, pid)))
			return ns ? ns : claim;
		pid = sv_proc_parent(pid);
	}
	return NULL;
}

static struct sp_ref native_ref(struct sv_ns *ns, sp_hpid hid, bool dead)
{
	struct sp_ref ref = sp_pid_find_host(ns->seg, hid);

	if (ref.slot == SP_NO_SLOT && dead)
		ref = sp_pid_find_any(ns->seg, sp_pid_group_number(ns->seg, hid));
	if (ref.slot != SP_NO_SLOT && sp_word_flags(ref.word) & SP_F_NESTED)
		return SP_REF_NONE;
	return ref;
}

struct sv_found sv_task_find(struct sv_tree *t, struct sv_ns *top, sp_hpid hid)
{
	struct sv_ns *home = sv_tree_kept_by(t, hid);
	struct sv_found task = {home, SP_REF_NONE};

	if (home && home != top && sv_ns_within(home, top)) {
		task.ref = sp_pid_find(home->seg, sp_vpid_of(1));
		return task.ref.slot == SP_NO_SLOT ? (struct sv_found){NULL, SP_REF_NONE} : task;
	}
	home = sv_home(t, hid);
	if (home && sv_ns_within(home, top)) {
		task = (struct sv_found){home, native_ref(home, hid, false)};
		if (task.ref.slot != SP_NO_SLOT)
			return task;
	}
	for (int dead = 0; dead < 2; dead++)
		for (struct sv_ns *ns = top; ns; ns = sv_ns_after(ns, top)) {
			task = (struct sv_found){ns, native_ref(ns, hid, dead)};
			if (task.ref.slot != SP_NO_SLOT)
				return task;
		}
	return (struct sv_found){NULL, SP_REF_NONE};
}

/* Retires what top once saw and what is gone, a few at a time: a new number costs a look at old ones. */
static void sweep(const struct sv_tree *t, struct sv_ns *top)
{
	struct sp_segment *seg = top->seg;
	struct sp_ref refs[SWEPT_MAX];
	size_t n = sp_ns_sweep(seg, SWEPT_SLOTS, refs, SWEPT_MAX);

	for (size_t i = 0; i < n; i++) {
		sp_hpid pid = sp_ref_hpid(seg, refs[i]);
		enum sp_state state = sp_word_state(refs[i].word);
		uint32_t flags = sp_word_flags(refs[i].word);
		uint64_t ident = ident_of(top, refs[i]);
		sv_auto_fd fd = -1;

		if (!(flags & SP_F_NESTED) || pid.n <= 1 || sp_ref_keeper(seg, refs[i]).n)
			continue;
		if (state == SP_DEAD && kill(-pid.n, 0) < 0 && errno == ESRCH)
			sp_pid_release(seg, refs[i]);
		if (state != SP_LIVE || flags & SP_F_THREAD)
			continue;
		fd = sv_pidfd(pid);
		if (fd == -ESRCH ||
		    (fd >= 0 && ident && !(ident & SP_IDENT_STAMP) && identity(t, pid, fd) != ident))
			sp_pid_retire(seg, refs[i]);
	}
}

/* Whether the group or session of a dead leader has a member in its namespace by the kernel's word. */
static bool group_lives(struct sv_ns *ns, sp_hpid leader)
{
	struct sp_segment *seg = ns->seg;
	struct sp_ref refs[256];
	sp_vpid from = sp_vpid_of(1);
	size_t n, looked = 0;

	while (looked < GROUP_MEMBERS_MAX && (n = sp_ns_list(seg, from, refs, 256)) > 0) {
		for (size_t i = 0; i < n; i++) {
			sp_hpid pid = sp_ref_hpid(seg, refs[i]);

			if (sp_word_state(refs[i].word) == SP_LIVE && pid.n > 1 &&
			    (getpgid(pid.n) == leader.n || getsid(pid.n) == leader.n))
				return true;
		}
		if (sp_ref_number(refs[n - 1]).n < from.n)
			break;
		from = sp_vpid_of(sp_ref_number(refs[n - 1]).n + 1);
		looked += n;
	}
	return false;
}

/* As the caller, for a task whose leader is known. */
static sp_vpid give(const struct sv_tree *t, struct sv_ns *top, const struct sp_task *what,
		    bool dead, bool *ret_new)
{
	struct sp_ref ref;

	if (sp_pid_see(top->seg, what, t->root->keeper, &ref, ret_new))
		return SP_VPID_NONE;
	if (*ret_new)
		sweep(t, top);
	if (dead)
		sp_pid_retire(top->seg, ref);
	return sp_ref_number(ref);
}

/* It has been seen before. */
static sp_vpid again(struct sp_segment *seg, struct sp_ref ref, const struct sp_task *what)
{
	sp_pid_set_flags(seg, &ref, what->flags & (SP_F_LEADER | SP_F_SESSION));
	return sp_ref_number(ref);
}

static sp_vpid number_of_process(struct sv_tree *t, struct sv_ns *top, struct sv_found task,
				 struct sp_task *what, bool *ret_new)
{
	struct sp_segment *seg = top->seg;
	struct sp_ref have = sp_pid_find_host(seg, what->hid);
	uint64_t noted = ident_of(task.ns, task.ref);
	uint64_t had = have.slot == SP_NO_SLOT ? 0 : ident_of(top, have);
	bool dead = sp_word_state(task.ref.word) == SP_DEAD;
	sv_auto_fd fd = -1;

	what->flags = sp_word_flags(task.ref.word);
	if (dead) {
		sp_vpid n = sp_pid_group_number(seg, what->hid);

		if (n.n)
			return n;
		if (!group_lives(task.ns, what->hid))
			return SP_VPID_NONE;
		return give(t, top, what, true, ret_new);
	}
	if (had && had == noted && !(had & SP_IDENT_STAMP))
		return again(seg, have, what);
	/* Taken before the questions: while they are answered, the process is the same. */
	fd = sv_pidfd(what->hid);
	if (fd == -ESRCH)
		return SP_VPID_NONE;
	what->ident = identity(t, what->hid, fd);
	if (had && had == what->ident)
		return again(seg, have, what);
	if (!belongs(t, top, what->hid))
		return SP_VPID_NONE;
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0 && errno == ESRCH)
		return SP_VPID_NONE;
	if (sp_ref_number(task.ref).n == 1)
		what->keeper = task.ns->keeper;
	return give(t, top, what, false, ret_new);
}

sp_vpid sv_task_number(struct sv_tree *t, struct sv_ns *top, struct sv_found task, bool *ret_new)
{
	struct sp_segment *seg;
	struct sp_task what = {.hid = SP_HPID_NONE};
	struct sv_found leader;
	struct sp_ref have;
	uint32_t tgid;

	*ret_new = false;
	if (!task.ns)
		return SP_VPID_NONE;
	if (task.ns == top)
		return sp_ref_number(task.ref);
	seg = task.ns->seg;
	what.hid = sp_ref_hpid(seg, task.ref);
	if (what.hid.n <= 1 || !sp_ref_valid(seg, task.ref))
		return SP_VPID_NONE;
	if (!(sp_word_flags(task.ref.word) & SP_F_THREAD))
		return number_of_process(t, top, task, &what, ret_new);
	/* A thread: known if its process is. */
	tgid = sp_load(&sp_entry_at(seg, task.ref.slot)->tgid);
	leader = (struct sv_found){task.ns, sp_pid_find(seg, sp_vpid_of((int32_t)tgid))};
	if (leader.ref.slot == SP_NO_SLOT || sp_word_flags(leader.ref.word) & SP_F_THREAD)
		return SP_VPID_NONE;
	what.tgid = sv_task_number(t, top, leader, ret_new);
	*ret_new = false;
	if (!what.tgid.n ||
	    (syscall(SYS_tgkill, sp_ref_hpid(seg, leader.ref).n, what.hid.n, 0) < 0 && errno == ESRCH))
		return SP_VPID_NONE;
	have = sp_pid_find_host(top->seg, what.hid);
	if (have.slot != SP_NO_SLOT && sp_word_flags(have.word) & SP_F_THREAD &&
	    (int32_t)sp_load(&sp_entry_at(top->seg, have.slot)->tgid) == what.tgid.n)
		return sp_ref_number(have);
	return give(t, top, &what, false, ret_new);
}
