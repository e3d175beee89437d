/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork, vfork, clone, clone3. Signals are blocked from the reservation of the child's number until both
 * sides have published it. What the kernel writes (SETTID words) keeps the kernel's numbers, because it reads
 * them again; what the call returns is the child's number.
 *
 * The child's half finds its state in an area of its own (thread, CLONE_VM), in its copy of the
 * parent's (fork), or one level beyond the suspended parent's (vfork).
 */
#include <asm/prctl.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/birth.h"
#include "resident/handlers.h"
#include "resident/init.h"
#include "resident/nest.h"
#include "resident/patch.h"
#include "resident/proc.h"
#include "resident/resident.h"
#include "resident/seccomp.h"
#include "resident/sigaction.h"
#include "resident/trace.h"
#include "resident/user.h"

#define CLONE_ARGS_MAX 128u /* bytes of struct clone_args that we know how to pass on */
#define VFORK_STACK_MIN 2048u
#define TRIES 256

/* The child runs in our memory while we sleep. */
static bool is_vfork(uint64_t flags)
{
	return (flags & CLONE_VFORK) && (flags & CLONE_VM) && !(flags & CLONE_THREAD);
}

void rs_child(struct rs_area *a, struct rs_frame *f);

/*
 * A child that must not run leaves without a trace: its CLEARTID word belongs to the one that is cloned in its
 * place, and a joiner must not be woken.
 */
_Noreturn void rs_unborn(void)
{
	sp_sys1(__NR_set_tid_address, 0);
	for (;;)
		sp_sys1(__NR_exit, 0);
}

/* Signals a group call left in the entry while it was reserved. */
static void apply_pending(struct rs_area *a, struct sp_ref ref)
{
	uint64_t set = atomic_exchange(&sp_entry_at(RS_NS, ref.slot)->pending, 0);

	for (int sig = 1; set && sig <= RS_NSIG; sig++)
		if (set & RS_BIT(sig))
			sp_sys2(__NR_kill, a->htgid.n, sig);
}

/*
 * The parent's word for a new process: nobody but the program reads it again, so it gets the child's number
 * where the kernel has put its own. Both sides do it: in shared memory the child may look first.
 */
static void settid_number(uint64_t word, int32_t hid, int32_t n)
{
	int32_t now;

	if (rs_user_read(&now, word, sizeof(now)) || now != hid)
		return;
	if (!rs_user_writable(word, sizeof(now)))
		__atomic_compare_exchange_n((int32_t *)word, &now, n, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
}

/*
 * musl has the tid of a thread near its thread pointer and puts it into robust and PI futexes. The kernel writes it
 * there, but for a forked child, which asks gettid and stores the number. So that the kernel knows the owner of such
 * a lock, the word gets the host tid as it has in every other thread.
 */
uint64_t rs_libc_tid_of(const struct rs_area *a)
{
	enum {
		FROM = 8,
		TO = 24
	}; /* words behind the thread pointer, whose first is a pointer to itself */
	uint64_t fs = 0;
	uint32_t w[TO];

	if (sp_sys2(__NR_arch_prctl, ARCH_GET_FS, (long)&fs) || !fs ||
	    rs_user_read(w, fs, sizeof(w)) || memcmp(w, &fs, sizeof(fs)))
		return 0;
	for (unsigned i = FROM; i < TO; i++)
		if (w[i] == (uint32_t)a->htid.n)
			return fs + 4ul * i;
	return 0;
}

void rs_libc_tid(struct rs_area *a)
{
	uint64_t word = a->libc_tid & ~3ul;
	int32_t now;

	/* Not yet at the first call, which is gettid; at the second it is there. */
	a->libc_tid = (a->libc_tid & 3) == 2 ? 0 : a->libc_tid + 1;
	if (rs_user_read(&now, word, sizeof(now)) || now != a->tid.n)
		return;
	a->libc_tid = 0;
	(void)!rs_user_write(word, &a->htid.n, sizeof(now));
}

void rs_born(struct rs_area *a, struct rs_frame *f, struct rs_birth *b)
{
	struct sp_ref ref = b->ref;
	bool thread = b->flags & CLONE_THREAD, traced = !thread && rs_patch_is_traced(a->tgid);

	a->htid = sp_hpid_of((int32_t)sp_sys0(__NR_gettid));
	a->tid = sp_ref_number(ref);
	a->sigsys_pending = 0;
	if (!thread) {
		a->htgid = a->htid;
		a->tgid = a->tid;
	}
	if (!(b->flags & CLONE_VM))
		rs_trace_forget();
	if (!is_vfork(b->flags))
		atomic_store(&a->owner, (uint64_t)(uint32_t)a->htgid.n << 32 | (uint32_t)a->htid.n);
	if (sp_pid_publish(RS_NS, &ref, a->htid))
		rs_unborn(); /* the parent clones again, or the entry was swept with it */
	if (!thread && atomic_load(&RS_NS->closing)) {
		/* A parent that only had it join lives on, and waits for what the end of a namespace does. */
		sp_sys2(__NR_kill, sp_sys0(__NR_getpid), SIGKILL);
		rs_unborn();
	}
	if (traced)
		rs_patch_traced(a->tgid);
	if (!(b->flags & CLONE_VM))
		rs_patch_forked(a);
	else if (!is_vfork(b->flags))
		rs_patch_note(a);
	rs_seccomp_born(a, b->flags);
	/* Only if a sibling held it: a store would copy the page. */
	if (!(b->flags & CLONE_SIGHAND) && atomic_load(&a->hand->lock))
		atomic_store(&a->hand->lock, 0);
	if (b->flags & CLONE_CLEAR_SIGHAND) {
		/* Handlers are default in the kernel now, ignored stays: ask it again. */
		a->hand->known = 0;
		rs_own_sigsys();
	}
	if (b->of_init && !thread && !(b->flags & CLONE_SIGHAND))
		rs_sighand_leave_init(a->hand);
	if (!thread) {
		if (b->parent_tid)
			settid_number(b->parent_tid, a->htid.n, a->tid.n);
		apply_pending(a, ref);
		a->libc_tid = b->libc_tid;
	}
	if (b->stack)
		f->regs.rsp = b->stack;
	f->saved_mask = b->mask;
	rs_unblock(f, 0);
}

/* Child with the parent's memory; a is the parent's area in a vfork child. f is the parent's frame. */
void rs_child(struct rs_area *a, struct rs_frame *f)
{
	struct rs_frame *mine = a->cur;

	if (mine == f) { /* vfork */
		struct rs_level *up = &a->levels[++a->level];

		up->frame = *f;
		up->traceme = 0;
		if (!(rs_birth_of(f)->flags & CLONE_SIGHAND)) {
			up->hand = *a->hand;
			a->hand = &up->hand;
		}
		a->cur = &up->frame;
		a->call_top = ((uint64_t)__builtin_frame_address(0) - 512) & ~15ul;
		mine = &up->frame;
	} else {
		rs_altstack_install(a);
	}
	/* The frames of rs_born() lie above the new call_top: nothing traps before rs_return. */
	rs_born(a, mine, rs_birth_of(mine));
	rs_return(mine);
}

/* State of the parent's that a vfork child changes. */
struct kept {
	struct rs_frame *cur;
	uint64_t call_top;
	struct rs_sighand *hand;
	sp_vpid tid, tgid;
	sp_hpid htid, htgid;
	uint32_t sigsys_blocked, sigsys_pending, level, no_new_privs, strict;
	struct rs_filter *filters;
	struct ax_stack alt;
	uint64_t children;
};

static void keep(struct kept *k, const struct rs_area *a)
{
	*k = (struct kept){a->cur,
			   a->call_top,
			   a->hand,
			   a->tid,
			   a->tgid,
			   a->htid,
			   a->htgid,
			   a->sigsys_blocked,
			   a->sigsys_pending,
			   a->level,
			   a->no_new_privs,
			   a->strict,
			   atomic_load(&a->filters),
			   a->alt,
			   a->children};
}

static void restore(struct rs_area *a, const struct kept *k)
{
	a->cur = k->cur;
	a->call_top = k->call_top;
	a->hand = k->hand;
	a->tid = k->tid;
	a->tgid = k->tgid;
	a->htid = k->htid;
	a->htgid = k->htgid;
	a->sigsys_blocked = k->sigsys_blocked;
	a->sigsys_pending = k->sigsys_pending;
	a->level = k->level;
	a->no_new_privs = k->no_new_privs;
	a->strict = k->strict;
	atomic_store(&a->filters, k->filters);
	a->alt = k->alt;
	a->children = k->children;
	if (a->map_size) {
		uint64_t size = a->map_size;

		a->map_size = 0;
		sp_sys2(__NR_munmap, (long)a->map_addr, (long)size);
	}
}

/* An area for a child that shares memory and runs beside us, with our frame as its own. */
static struct rs_area *area_for(struct rs_area *a, struct rs_frame *f, uint64_t flags)
{
	struct rs_area *child = rs_area_get(a);

	if (!child)
		return 0;
	child->levels[0].frame = *f;
	child->cur = &child->levels[0].frame;
	if (!(flags & CLONE_SIGHAND)) {
		child->levels[0].hand = *a->hand;
		child->hand = &child->levels[0].hand;
	}
	return child;
}

/*
 * A signal that came since we blocked them belongs before the fork, as in kernel/fork.c:copy_process: a
 * child born now would escape one sent to the group. Asked after the reservation: who signals
 * later finds that.
 */
static bool signal_waits(const struct rs_frame *f)
{
	uint64_t set = 0;

	sp_sys2(__NR_rt_sigpending, (long)&set, 8);
	return set & ~f->saved_mask;
}

/* number: the one to have, 0: the next. */
static int reserve(sp_vpid number, sp_vpid tgid, sp_hpid by, struct sp_ref *ret_ref)
{
	int r;

	if (!number.n)
		return sp_pid_reserve(RS_NS, tgid, by, ret_ref);
	r = sp_pid_reserve_at(RS_NS, number, tgid, by, ret_ref);
	if (r == -EEXIST) {
		rs_sweep_number(number);
		r = sp_pid_reserve_at(RS_NS, number, tgid, by, ret_ref);
	}
	return r;
}

/* The limit of tasks. Ended threads count until somebody looks for them, which the one at the limit does. */
static int charge(void)
{
	int r = sp_pid_charge(RS_NS);

	if (r) {
		rs_sweep_all();
		r = sp_pid_charge(RS_NS);
	}
	return r;
}

long rs_birth_begin(struct rs_frame *f, sp_vpid number, sp_vpid tgid, sp_hpid by, struct sp_ref *ret_ref)
{
	long r = reserve(number, tgid, by, ret_ref);

	if (r)
		return r;
	if (!tgid.n && signal_waits(f)) {
		sp_pid_cancel(RS_NS, *ret_ref);
		return -ERESTARTNOINTR;
	}
	r = charge();
	/* The number is used up: copy_process asks cgroup_can_fork after alloc_pid. */
	if (r)
		sp_pid_release(RS_NS, *ret_ref);
	return r;
}

/* Whether memory, working directory and descriptors are shared in part: neither a process nor a thread. */
static bool is_partial(uint64_t flags)
{
	uint64_t kept = flags & (CLONE_VM | CLONE_FS | CLONE_FILES);

	return kept && kept != (CLONE_VM | CLONE_FS | CLONE_FILES);
}

static long once(struct rs_frame *f, struct rs_area *a, uint64_t flags, uint64_t stack,
		 uint64_t parent_tid, sp_vpid number)
{
	bool thread = flags & CLONE_THREAD;
	bool vfork = is_vfork(flags);
	bool beside = (flags & CLONE_VM) && !vfork;
	struct rs_birth *b = rs_birth_of(f);
	struct rs_area *child = 0, *solo;
	struct sp_ref ref;
	struct kept k;
	long r;

	if (!vfork && is_partial(flags))
		rs_proc_shared();
	if (vfork && (a->level + 1 >= RS_LEVELS ||
		      a->call_top < (uint64_t)a->call_stack + 3 * VFORK_STACK_MIN))
		return -EAGAIN;
	r = rs_birth_begin(f, number, thread ? a->tgid : SP_VPID_NONE, a->htgid, &ref);
	if (r)
		return r;
	*b = (struct rs_birth){ref, flags, stack, f->saved_mask, parent_tid, 0, a->tgid.n == 1};
	if (!(flags & (CLONE_VM | CLONE_CHILD_SETTID)))
		b->libc_tid = rs_libc_tid_of(a);
	if (beside) {
		child = area_for(a, f, flags);
		if (!child) {
			sp_pid_cancel(RS_NS, ref);
			return -EAGAIN;
		}
	}
	keep(&k, a);
	solo = rs_patch_share(a, flags, vfork);
	r = rs_clone_gate(f, child ? child : a, child ? child->call_top : vfork ? 1 : 0);
	if (r == 0) { /* fork: a copy of us */
		rs_born(a, f, b);
		rs_return(f);
	}
	if (vfork)
		restore(a, &k);
	rs_patch_shared(solo, flags, r > 0, vfork);
	if (r < 0) {
		/* A bad pidfd pointer or cgroup is found after the number was taken: copy_process. */
		if (r == -EFAULT || r == -EBADF)
			sp_pid_release(RS_NS, ref);
		else
			sp_pid_cancel(RS_NS, ref);
		if (child)
			rs_area_put(child);
		return r;
	}
	if (b->parent_tid && !thread)
		settid_number(b->parent_tid, (int32_t)r, sp_ref_number(ref).n);
	switch (sp_pid_publish(RS_NS, &ref, sp_hpid_of((int32_t)r))) {
	case -EEXIST:
		return RS_REWIND;
	case 0:
		/* By the parent, which would wait anyway; nobody else reaps the child meanwhile. */
		if (!thread)
			rs_ident_note(ref);
		break;
	default: /* -ESTALE: it lived, died and was reaped before we came here */
		break;
	}
	return sp_ref_number(ref).n;
}

/* Flags that do not go together are found before a right is missed: kernel/fork.c:copy_process. */
static bool contradictory(const struct rs_area *a, uint64_t flags)
{
	return (flags & CLONE_THREAD && (!(flags & CLONE_SIGHAND) || flags & CLONE_NEWPID)) ||
	       (flags & CLONE_SIGHAND && !(flags & CLONE_VM)) ||
	       (flags & CLONE_FS && flags & (CLONE_NEWNS | CLONE_NEWUSER)) ||
	       (flags & CLONE_PARENT && a->tgid.n == 1);
}

static long do_clone(struct rs_frame *f, struct rs_area *a, uint64_t flags, uint64_t stack,
		     uint64_t parent_tid, sp_vpid number)
{
	long (*how)(struct rs_frame *, struct rs_area *, uint64_t, uint64_t, uint64_t, sp_vpid) = once;
	long r;

	if (flags & CLONE_NEWPID || (uint32_t)a->children == RS_CHILDREN_NEW)
		how = rs_nest;
	else if (a->children)
		how = rs_join;

	if (!(flags & CLONE_PARENT_SETTID))
		parent_tid = 0;
	if (flags & CLONE_PARENT && a->tgid.n == 1)
		return -EINVAL; /* kernel/fork.c:copy_process, SIGNAL_UNKILLABLE */
	if ((flags & CLONE_NEWPID || a->children) &&
	    (contradictory(a, flags) || !rs_nest_possible(flags)))
		return -EINVAL;
	if (number.n && a->children)
		return -EPERM; /* it would be a number there */
	/* kernel/fork.c:copy_process, kernel/pid_namespace.c:create_pid_namespace */
	if (a->children && flags & (CLONE_THREAD | CLONE_NEWPID))
		return -EINVAL;
	if (!(flags & (CLONE_THREAD | CLONE_PARENT)))
		rs_siginfo_exit_signal((int)(flags & CSIGNAL));
	rs_block(f);
	if (flags & CLONE_THREAD && a->tgid.n == 1)
		rs_sighand_init_threads(a);
	rs_sweep();
	/* An ambiguous host tid is rare, and another try gets another one. */
	for (int tries = 0;
	     (r = how(f, a, flags, stack, parent_tid, number)) == RS_REWIND && tries < TRIES; tries++)
		;
	if (r == -ERESTARTNOINTR)
		return rs_unblock(f, RS_REWIND);
	return rs_unblock(f, r == RS_REWIND ? -EAGAIN : r);
}

long rs_h_fork(struct rs_frame *f, struct rs_area *a)
{
	return do_clone(f, a, SIGCHLD, 0, 0, SP_VPID_NONE);
}

long rs_h_vfork(struct rs_frame *f, struct rs_area *a)
{
	return do_clone(f, a, CLONE_VFORK | CLONE_VM | SIGCHLD, 0, 0, SP_VPID_NONE);
}

/*
 * What is sent when a child of number 1 ends. Most of what number 1 has at default the kernel ignores there; it does not
 * know that number 1 is immune to the rest: then it sends nothing.
 */
static uint64_t exit_signal(const struct rs_area *a, uint64_t flags, uint64_t sig)
{
	uint64_t safe = RS_BIT(SIGCHLD) | RS_BIT(SIGCONT) | RS_BIT(SIGURG) | RS_BIT(SIGWINCH);

	if (a->tgid.n != 1 || flags & CLONE_THREAD || sig < 1 || sig > RS_NSIG)
		return sig;
	safe |= rs_init_ignored_in_kernel(atomic_load(&RS_NS->flags));
	safe |= atomic_load(&RS_NS->init_handled) | atomic_load(&RS_NS->init_ignored);
	safe |= atomic_load(&RS_NS->init_blocked) & ~(RS_BIT(SIGKILL) | RS_BIT(SIGSTOP));
	return safe & RS_BIT(sig) ? sig : 0;
}

long rs_h_clone(struct rs_frame *f, struct rs_area *a)
{
	uint64_t sig = (uint64_t)f->a[0] & CSIGNAL;

	f->a[0] ^= (int64_t)(sig ^ exit_signal(a, (uint64_t)f->a[0], sig));
	return do_clone(f, a, (uint32_t)f->a[0], (uint64_t)f->a[1], (uint64_t)f->a[2], SP_VPID_NONE);
}

#define SET_TID_MAX 32	    /* kernel/pid_namespace.c: MAX_PID_NS_LEVEL */
#define WILD 0x7ffffffff000 /* the end of the address space */

/*
 * clone3's numbers, from this namespace outwards: the first is ours to give, the others the kernel's. Everything else
 * about the call is judged by the kernel, rights over its own PID namespace too: it is asked to make the
 * child with a number that is in use, which is what it finds last (kernel/pid.c:alloc_pid).
 */
static long set_tid(struct rs_area *a, struct clone_args *args, uint64_t size, sp_vpid *ret_number)
{
	int32_t *tids = (int32_t *)(a->scratch + CLONE_ARGS_MAX), n;
	struct clone_args *ask = (struct clone_args *)(tids + SET_TID_MAX);
	bool numbered;
	long r;

	if (rs_user_read(tids, args->set_tid, args->set_tid_size * sizeof(tids[0]))) {
		args->set_tid = WILD; /* also if it can be read by now: EFAULT, in the kernel's order */
		return sp_sys2(__NR_clone3, (long)args, (long)size);
	}
	/* The kernel does not know that number 1 may have no siblings. */
	if (args->flags & CLONE_PARENT && a->tgid.n == 1)
		return -EINVAL;
	numbered = tids[0] >= 1 && tids[0] < RS_NS->pid_max;
	memcpy(ask, args, CLONE_ARGS_MAX);
	ask->set_tid = (uint64_t)(tids + 1);
	ask->set_tid_size = args->set_tid_size > 1 ? args->set_tid_size - 1 : 1;
	n = tids[1];
	tids[1] = numbered ? a->htid.n : 0;
	r = sp_sys2(__NR_clone3, (long)ask, (long)size);
	tids[1] = n;
	if (r != -EEXIST)
		return r < 0 ? r : -EPERM;
	*ret_number = sp_vpid_of(tids[0]);
	args->set_tid = --args->set_tid_size ? (uint64_t)(tids + 1) : 0;
	return 0;
}

long rs_h_clone3(struct rs_frame *f, struct rs_area *a)
{
	uint64_t size = (uint64_t)f->a[1];
	struct clone_args *args = (struct clone_args *)a->scratch;
	sp_vpid number = SP_VPID_NONE;
	long r;

	if (size > 4096)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > CLONE_ARGS_MAX) {
		/* lib/usercopy.c:copy_struct_from_user: what we do not know must be zero */
		r = rs_user_read(a->scratch, (uint64_t)f->a[0], size);
		for (uint64_t i = CLONE_ARGS_MAX; !r && i < size; i++)
			r = a->scratch[i] ? -E2BIG : 0;
		if (r)
			return r;
		size = CLONE_ARGS_MAX;
	} else {
		memset(a->scratch, 0, CLONE_ARGS_MAX);
		r = rs_user_read(a->scratch, (uint64_t)f->a[0], size);
		if (r)
			return r;
	}
	if (args->set_tid_size > SET_TID_MAX || !args->set_tid != !args->set_tid_size)
		return -EINVAL;
	if (args->set_tid_size) {
		r = set_tid(a, args, size, &number);
		if (r)
			return r;
	}
	f->a[0] = (long)args;
	f->a[1] = (long)size;
	if (args->flags & (CLONE_DETACHED | (0xfful & ~(uint64_t)CLONE_NEWTIME)) ||
	    args->exit_signal > RS_NSIG)
		return rs_call(f, rs_finish_raw); /* -EINVAL: kernel/fork.c:clone3_args_valid */
	if (!args->stack != !args->stack_size)
		return rs_call(f, rs_finish_raw);
	/* clone3_args_valid comes before the right that is missing, too. */
	if (args->flags & CLONE_NEWPID &&
	    ((args->flags & (CLONE_THREAD | CLONE_PARENT) && args->exit_signal) ||
	     (args->flags & CLONE_SIGHAND && args->flags & CLONE_CLEAR_SIGHAND)))
		return -EINVAL;
	args->exit_signal = exit_signal(a, args->flags, args->exit_signal);
	if (args->flags & CLONE_NEWTIME)
		rs_ident_clocks_differ();
	return do_clone(f, a, args->flags | (uint32_t)args->exit_signal,
			args->stack ? args->stack + args->stack_size : 0, args->parent_tid, number);
}
