/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The making of a namespace inside this one (nest.h): by the creator, in the keeper until it has a memory of its own, and
 * in the new number 1 until it goes on with the program.
 *
 * The supervisor is asked by the creator, because the keeper may be in a network namespace in which it cannot be
 * found; the keeper has the connection. The creator sleeps, as a vfork does, until the keeper executes the resident
 * anew, which is when all is set up. Where the keeper's exit signal is not SIGCHLD it must not execute anything:
 * exec makes it SIGCHLD. Then it lets go of its memory instead, and the creator looks until it finds the number live.
 */
#include "resident/nest.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/birth.h"
#include "resident/handover.h"
#include "resident/init.h"
#include "resident/user.h"

#define NAP_NS 200000
#define TASK_SIZE 0x7ffffffff000
#define STAT_EXIT_SIGNAL 38 /* proc(5) */

/* What the keeper is cloned with of the program's flags, and what number 1. */
#define BOTH (CLONE_FS | CLONE_FILES | CLONE_IO | CLONE_SYSVSEM)
#define FOR_KEEPER                                                                          \
	(BOTH | CLONE_PIDFD | CLONE_PARENT | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | \
	 CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWTIME | CLONE_INTO_CGROUP |  \
	 CLONE_PTRACE | CLONE_UNTRACED)
#define FOR_INIT                                                                                 \
	(BOTH | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS | CLONE_CLEAR_SIGHAND | \
	 CLONE_VFORK)

/* On the creator's call stack, of which keeper and number 1 have copies. */
struct nest {
	struct sp_ref ref; /* in the creator's namespace */
	int link, segment, resident;
	uint64_t id;
	uint64_t flags; /* the program's */
	bool stays;	/* the keeper does not exec */
	bool scoped;
	bool traced;		  /* the creator */
	struct ax_sigaction chld; /* the creator's */
};

bool rs_nest_possible(uint64_t flags)
{
	return !(flags & CLONE_VM) || flags & CLONE_VFORK;
}

long rs_nest_settid(uint64_t parent_tid, struct sp_ref ref)
{
	int32_t n = sp_ref_number(ref).n;

	if (parent_tid)
		(void)!rs_user_write(parent_tid, &n, sizeof(n));
	return n;
}

/* Away from the standard descriptors, which the keeper uses for its own. */
static long lift(int fd)
{
	long r = fd;

	if (fd < 3) {
		r = sp_sys3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, 3);
		sp_sys1(__NR_close, fd);
	}
	return r;
}

static void let_go(const struct nest *n)
{
	sp_sys1(__NR_close, n->link);
	sp_sys1(__NR_close, n->segment);
	sp_sys1(__NR_close, n->resident);
}

static long ask(struct nest *n)
{
	struct rs_ask q = {.op = RS_OP_NEW, .ns = RS_NS->ns_id};
	int fds[2] = {-1, -1};
	long s = rs_channel_open(RS_NS->sock_name, RS_NS->sock_len), r;

	/* In a network namespace of its own a process cannot be heard. */
	if (s < 0)
		return s == -ECONNREFUSED ? -EAGAIN : s;
	r = rs_channel_talk(s, &q, fds, &n->id);
	if (r) {
		sp_sys1(__NR_close, s);
		return r == -ENOSYS ? -EPERM : r;
	}
	n->link = (int)lift((int)s);
	n->segment = (int)lift(fds[0]);
	n->resident = (int)lift(fds[1]);
	if (n->link >= 0 && n->segment >= 0 && n->resident >= 0)
		return 0;
	let_go(n);
	return -EMFILE;
}

/* Above what is hidden, so that the program's own descriptors are in nobody's way. */
static long hide(int fd)
{
	long r = sp_sys3(__NR_fcntl, fd, F_DUPFD, RS_NS->resident_fd + 1);

	sp_sys1(__NR_close, fd);
	return r;
}

long rs_nest_ahead(uint64_t *ret_children)
{
	struct nest n = {.link = -1};
	long r = ask(&n), link, segment;

	if (r)
		return r;
	sp_sys1(__NR_close, n.resident);
	link = hide(n.link);
	segment = hide(n.segment);
	if (link >= 0 && segment >= 0 && link <= 0xffff && segment <= 0xffff) {
		*ret_children = RS_CHILDREN_NEW | (uint64_t)link << 32 | (uint64_t)segment << 48;
		return 0;
	}
	sp_sys1(__NR_close, link);
	sp_sys1(__NR_close, segment);
	return -EMFILE;
}

void rs_nest_forget(uint64_t children)
{
	sp_sys1(__NR_close, RS_CHILDREN_LINK(children));
	sp_sys1(__NR_close, RS_CHILDREN_SEGMENT(children));
}

static bool is_link(int fd)
{
	struct ax_sockaddr_un un = {.family = 0};
	uint32_t len = sizeof(un);

	return !sp_sys3(__NR_getpeername, fd, (long)&un, (long)&len) &&
	       len == sizeof(un.family) + 1 + RS_NS->sock_len &&
	       !memcmp(un.path + 1, RS_NS->sock_name, RS_NS->sock_len);
}

/* What was asked for ahead, if the program has not closed it. */
static long ask_or_have(struct nest *n, uint64_t children)
{
	struct ax_stat st;

	if (!(children >> 32))
		return ask(n);
	n->link = RS_CHILDREN_LINK(children);
	n->segment = RS_CHILDREN_SEGMENT(children);
	if (!is_link(n->link) || sp_sys2(__NR_fstat, n->segment, (long)&st) ||
	    st.dev != RS_NS->segment_dev ||
	    sp_sys4(__NR_pread64, n->segment, (long)&n->id, sizeof(n->id),
		    offsetof(struct sp_segment, ns_id)) != sizeof(n->id))
		return -EAGAIN;
	n->resident = (int)sp_sys3(__NR_fcntl, RS_NS->resident_fd, F_DUPFD_CLOEXEC, 3);
	if (!sp_sys2(__NR_fstat, n->resident, (long)&st) && st.ino == RS_NS->resident_ino &&
	    st.dev == RS_NS->resident_dev)
		return 0;
	sp_sys1(__NR_close, n->resident);
	return -EAGAIN;
}

void rs_nest_plan(struct rs_frame *f, uint64_t flags, uint64_t sig)
{
	struct clone_args *args = (struct clone_args *)f->a[0];

	if (f->nr == __NR_clone3) {
		args->flags = flags;
		args->exit_signal = sig;
		args->stack = args->stack_size = 0;
		args->set_tid = args->set_tid_size = 0;
	} else {
		f->nr = __NR_clone;
		f->a[0] = (int64_t)((uint32_t)flags | sig);
		f->a[1] = 0;
	}
}

static _Noreturn void give_up(long err)
{
	for (;;)
		sp_sys1(__NR_exit_group, -err & 0x7f);
}

static bool map_segment(int fd)
{
	return sp_sys6(__NR_mmap, SP_SEGMENT_ADDR, SP_SEGMENT_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd, 0) == (long)SP_SEGMENT_ADDR;
}

/* Number 1 is in the creator's place: a copy of it, in a namespace of its own. */
static _Noreturn void become_init(struct rs_frame *f, struct rs_area *a, const struct nest *n,
				  int32_t keeper)
{
	struct rs_birth *b = rs_birth_of(f);

	sp_sys6(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	if (sp_sys0(__NR_getppid) != keeper)
		rs_unborn();
	sp_sys6(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
	if (!(n->flags & CLONE_CLEAR_SIGHAND) || n->chld.handler <= 1)
		rs_kernel_sigaction(SIGCHLD, &n->chld, 0);
	if (b->of_init)
		rs_sighand_leave_init(a->hand);
	b->of_init = 0;
	if (!map_segment(n->segment))
		rs_unborn();
	b->ref = sp_pid_find_any(RS_NS, sp_vpid_of(1));
	atomic_store(&RS_NS->init_blocked, rs_mask_shown(a, b->mask));
	atomic_store(&RS_NS->init_running, 1);
	a->tgid = SP_VPID_NONE;
	if (n->flags & CLONE_CLEAR_SIGHAND) {
		a->hand->known = 0;
		rs_own_sigsys();
	}
	rs_sighand_enter_init(a);
	a->children = RS_CHILDREN_OWN;
	/* A table that is shared with the creator has its segment there; ours is fetched when it is needed. */
	if (!(n->flags & CLONE_FILES)) {
		sp_sys3(__NR_dup3, n->segment, RS_NS->segment_fd, 0);
		let_go(n);
	}
	rs_born(a, f, b);
	rs_return(f);
}

/* Number 1 must not live: what was made of it goes, and the creator finds its number not taken. */
static _Noreturn void undo(int32_t init, long err)
{
	sp_sys2(__NR_kill, init, SIGKILL);
	sp_sys4(__NR_wait4, init, 0, (long)(uint32_t)__WALL, 0);
	give_up(err);
}

/* Signals that a group was sent while its member was being made; of those number 1 dies of two alone. */
static void pass_pending(struct sp_ref ref, int32_t init)
{
	uint64_t set = atomic_exchange(&sp_entry_at(RS_NS, ref.slot)->pending, 0);

	for (int sig = 1; set && sig <= RS_NSIG; sig++)
		if (set & RS_BIT(sig))
			sp_sys2(__NR_kill, init, sig);
}

/* Of a table of descriptors that it shares with the creator number 1 needs some, which the creator will close. */
static void await_map(int32_t init)
{
	const int64_t nap[2] = {0, NAP_NS};
	struct ax_siginfo si = {.signo = 0};

	while (!atomic_load(&RS_NS->init_running)) {
		if (sp_sys6(__NR_waitid, P_PID, init, (long)&si,
			    (long)(uint32_t)(WEXITED | WNOHANG | WNOWAIT | __WALL), 0, 0) ||
		    si.pid)
			return;
		sp_sys2(__NR_nanosleep, (long)nap, 0);
	}
}

/* The number in the creator's namespace, then the new namespace's own. */
static long publish(const struct nest *n, int32_t init)
{
	struct sp_ref ref = n->ref;
	uint32_t stamps = atomic_load(&RS_NS->flags) & SP_SEG_STAMPS;
	uint64_t ident;
	long r;

	r = sp_pid_set_keeper(RS_NS, &ref, sp_hpid_of((int32_t)sp_sys0(__NR_getpid)));
	if (!r)
		r = sp_pid_publish(RS_NS, &ref, sp_hpid_of(init));
	if (r)
		return r == -EEXIST ? -EAGAIN : r;
	rs_ident_note_exactly(ref);
	ident = atomic_load(&sp_entry_at(RS_NS, ref.slot)->ident);
	if (atomic_load(&RS_NS->closing))
		sp_sys2(__NR_kill, init, SIGKILL);
	pass_pending(ref, init);
	if (!map_segment(n->segment)) {
		sp_sys2(__NR_kill, init, SIGKILL);
		return 0;
	}
	if (n->flags & CLONE_FILES)
		await_map(init);
	ref = sp_pid_find_any(RS_NS, sp_vpid_of(1));
	/* -ESTALE: a number 1 that has ended is not waited for by anybody but us. */
	if (ref.slot == SP_NO_SLOT || sp_pid_publish(RS_NS, &ref, sp_hpid_of(init)))
		return 0;
	atomic_store(&sp_entry_at(RS_NS, ref.slot)->ident, ident);
	atomic_fetch_or(&RS_NS->flags, stamps | (n->scoped ? SP_SEG_SCOPED : 0));
	return 0;
}

/* A new image of nothing but the resident, with the connection and the segment in the first two descriptors. */
static void exec_keeper(const struct nest *n, int32_t init)
{
	struct rs_handover ho = {
		.segment_fd = 1,
		.target_fd = 0,
		.flags = RS_HO_KEEPER | (n->scoped ? RS_HO_SCOPED : 0),
		.mask = (uint32_t)init,
	};
	char text[RS_HO_MAX];
	uint64_t argv[3] = {(uint64_t)text, (uint64_t) "", 0}, envp = 0;

	sp_sys3(__NR_dup3, n->link, 0, 0);
	sp_sys3(__NR_dup3, n->segment, 1, 0);
	sp_sys3(__NR_dup3, n->resident, 2, O_CLOEXEC);
	rs_handover_format(text, &ho);
	sp_sys6(__NR_execveat, 2, (long)"", (long)argv, (long)&envp, AT_EMPTY_PATH, 0);
}

static void close_from(uint32_t first)
{
	if (sp_sys3(__NR_close_range, first, ~0u, 0) != -ENOSYS)
		return;
	for (uint32_t fd = first; fd < 4096; fd++) /* before 5.9 */
		sp_sys1(__NR_close, fd);
}

static _Noreturn void keep(const struct nest *n, int32_t init)
{
	if (!n->stays) {
		exec_keeper(n, init);
		sp_sys2(__NR_kill, init, SIGKILL);
	}
	sp_sys3(__NR_dup3, n->link, 0, O_CLOEXEC);
	close_from(1);
	/* Not munmap: the kernel goes on writing where a C library has registered its rseq. */
	sp_sys3(__NR_madvise, 0, SP_WINDOW_START, MADV_DONTNEED);
	sp_sys3(__NR_madvise, SP_WINDOW_END, TASK_SIZE - SP_WINDOW_END, MADV_DONTNEED);
	rs_keeper(0, sp_hpid_of(init), n->scoped);
}

/* In the creator's child, a copy of it. */
static _Noreturn void begin(struct rs_frame *f, struct rs_area *a, struct nest *n)
{
	const struct ax_sigaction dfl = {.handler = 0};
	struct rs_ask q = {.op = RS_OP_KEEPER, .ns = RS_NS->ns_id};
	int32_t self = (int32_t)sp_sys0(__NR_getpid);
	long r;

	sp_sys6(__NR_prctl, PR_SET_PDEATHSIG, RS_PARENT_DIED, 0, 0, 0, 0);
	sp_sys6(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
	n->scoped = RS_NS->layers < RS_LAYERS_MAX && rs_scope_enter();
	r = rs_channel_talk(n->link, &q, 0, 0);
	if (r)
		give_up(r < 0 ? r : -EPROTO);
	/* With SIGCHLD ignored nobody would learn how number 1 ended. */
	rs_kernel_sigaction(SIGCHLD, &dfl, &n->chld);
	/* A tracer waits for the number, which a keeper that sleeps cannot publish. */
	rs_nest_plan(f, n->flags & (n->traced ? FOR_INIT & ~(uint64_t)CLONE_VFORK : FOR_INIT), SIGCHLD);
	r = rs_clone_gate(f, a, 0);
	if (!r)
		become_init(f, a, n, self);
	if (r < 0)
		give_up(r);
	/* From now on what is shared with the creator is number 1's. */
	sp_sys1(__NR_unshare, CLONE_FILES | CLONE_FS);
	sp_sys1(__NR_chdir, (long)"/");
	if (publish(n, (int32_t)r))
		undo((int32_t)r, -EAGAIN);
	keep(n, (int32_t)r);
}

/* The number is still only reserved: the keeper did not come so far. */
static bool unpublished(struct sp_ref ref)
{
	struct sp_ref now = sp_pid_find_any(RS_NS, sp_ref_number(ref));

	return now.slot == ref.slot && now.word >> 48 == ref.word >> 48 &&
	       sp_word_state(now.word) == SP_RESERVED;
}

/* A keeper that does not exec: until its number is live, or it has ended. */
static void await(struct sp_ref ref, long keeper)
{
	const int64_t nap[2] = {0, NAP_NS};
	struct ax_siginfo si;

	while (unpublished(ref)) {
		si.pid = 0;
		if (sp_sys6(__NR_waitid, P_PID, keeper, (long)&si,
			    (long)(uint32_t)(WEXITED | WNOHANG | WNOWAIT | __WALL), 0, 0) ||
		    si.pid)
			return;
		sp_sys2(__NR_nanosleep, (long)nap, 0);
	}
}

/* The errno of a keeper that has failed; it is reaped. */
static long failure(long keeper)
{
	int32_t status = 0;
	long r = sp_sys4(__NR_wait4, keeper, (long)&status, (long)(uint32_t)__WALL, 0);

	return r == keeper && !(status & 0x7f) && status >> 8 & 0x7f ? -(status >> 8 & 0x7f) : -EAGAIN;
}

/* clone(2) has it in the same argument as exit signal and flags; what child of CLONE_PARENT ends with is ours. */
static uint64_t exit_signal(const struct rs_frame *f, const struct rs_area *a, uint64_t flags)
{
	if (flags & CLONE_PARENT)
		return rs_stat_field(a->htgid.n, STAT_EXIT_SIGNAL);
	return f->nr == __NR_clone3 ? ((const struct clone_args *)f->a[0])->exit_signal
				    : flags & CSIGNAL;
}

static bool is_traced(void)
{
	static const char key[] = "\nTracerPid:\t";
	char text[512];
	long fd = sp_sys3(__NR_open, (long)"/proc/thread-self/status", 0, 0);
	long n = sp_sys3(__NR_read, fd, (long)text, sizeof(text));

	sp_sys1(__NR_close, fd);
	for (long i = 0; i + (long)sizeof(key) <= n; i++)
		if (text[i] == key[0] && !memcmp(text + i, key, sizeof(key) - 1))
			return text[i + (long)sizeof(key) - 1] != '0';
	return false;
}

long rs_nest(struct rs_frame *f, struct rs_area *a, uint64_t flags, uint64_t stack,
	     uint64_t parent_tid, sp_vpid number)
{
	struct nest n = {.flags = flags};
	uint64_t sig = exit_signal(f, a, flags), vfork;
	long r;

	n.stays = sig != SIGCHLD;
	if (f->nr != __NR_clone3)
		n.flags = flags &= ~(uint64_t)CSIGNAL;
	r = rs_birth_begin(f, number, SP_VPID_NONE, a->htgid, &n.ref);
	if (r)
		return r;
	r = ask_or_have(&n, flags & CLONE_NEWPID ? 0 : a->children);
	if (r) {
		sp_pid_cancel(RS_NS, n.ref);
		return r;
	}
	/* A tracer's resident looks there whether it is a namespace: also the first child after an unshare. */
	*rs_birth_of(f) = (struct rs_birth){.flags = (flags & ~(uint64_t)(CLONE_VM | CLONE_SIGHAND)) |
						     CLONE_NEWPID,
					    .ref = n.ref,
					    .stack = stack,
					    .mask = f->saved_mask,
					    .of_init = a->tgid.n == 1};
	if (!(flags & CLONE_CHILD_SETTID))
		rs_birth_of(f)->libc_tid = rs_libc_tid_of(a);
	/* A tracer sees whether it is a vfork: then we look for the number too. */
	n.traced = is_traced();
	vfork = n.traced ? flags & CLONE_VFORK : n.stays ? 0 : CLONE_VFORK;
	rs_nest_plan(f, (flags & FOR_KEEPER) | vfork, flags & CLONE_PARENT ? 0 : sig);
	r = rs_clone_gate(f, a, 0);
	if (!r)
		begin(f, a, &n);
	let_go(&n);
	if (r < 0) {
		sp_pid_cancel(RS_NS, n.ref);
		return r;
	}
	if (n.stays || n.traced)
		await(n.ref, r);
	if (unpublished(n.ref)) {
		sp_pid_release(RS_NS, n.ref);
		return failure(r);
	}
	if (!(flags & CLONE_NEWPID))
		a->children = n.id;
	return rs_nest_settid(parent_tid, n.ref);
}
