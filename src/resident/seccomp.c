/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp(2) as the program knows it. Its filters are installed with an exemption for the resident's text, so
 * that they see the program's calls alone. For a call that does not trap the kernel's verdict holds. For
 * one that does, the tree's TRAP outranks all but KILL: then the copy is asked (rs_seccomp_judge), in
 * the SIGSYS handler and before anything is converted.
 */
#include "resident/seccomp.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "boundary/bpf.h"
#include "resident/filters.h"
#include "resident/handlers.h"
#include "resident/patch.h"
#include "resident/user.h"

#define WILD 0x7ffffffff000L /* the end of the address space: EFAULT */
#define CAP_SYS_ADMIN_BIT (1u << 21)
#define CAP_VERSION_3 0x20080522u
#define MAX_ERRNO 4095u

struct prog {
	uint16_t len, pad[3];
	uint64_t code;
};

/* Memory of one installation. */
struct bench {
	struct sock_filter in[BD_BPF_MAX], out[BD_BPF_MAX];
	uint16_t masks[BD_BPF_MAX];
};

/* --- verdicts --------------------------------------------------------------------------------- */

static uint32_t verdict(struct rs_area *a, const struct ax_ucontext *uc, uint64_t ip)
{
	const struct ax_sigcontext *mc = &uc->mc;
	struct seccomp_data sd = {
		.nr = (int32_t)mc->rax,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = ip,
		.args = {mc->rdi, mc->rsi, mc->rdx, mc->r10, mc->r8, mc->r9},
	};

	return rs_filters_run(atomic_load(&a->filters), &sd);
}

/* kernel/seccomp.c:__secure_computing_strict; its SIGKILL ends the thread. */
static _Noreturn void strict_end(const struct rs_area *a)
{
	const struct rs_area *other;
	bool alone = true;

	for (uint32_t i = 0; (other = rs_area_nth(i)); i++)
		alone &= !rs_area_lives_beside(other, a);
	for (;;) {
		if (alone)
			sp_sys2(__NR_kill, a->htgid.n, SIGKILL);
		sp_sys1(__NR_exit, SIGKILL);
	}
}

static bool granted(const struct rs_frame *f, const struct ax_sigcontext *mc)
{
	return f->granted_rip == mc->rip && f->granted_rsp == mc->rsp &&
	       f->granted_nr == (uint32_t)mc->rax;
}

enum rs_judged rs_seccomp_judge(struct ax_siginfo *si, struct ax_ucontext *uc, struct rs_area *a)
{
	bool ours = si->err == RS_TRAP_MAGIC || si->err == RS_TRAP_TRACED;
	uint32_t v, data;

	if (a->strict && !(ours && si->syscall == __NR_rt_sigreturn))
		strict_end(a);
	if (si->arch != AUDIT_ARCH_X86_64)
		return RS_JUDGED_SIGNAL; /* refused by the tree's filter, never trapped */
	if (!atomic_load(&a->filters))
		return ours ? RS_JUDGED_OURS : RS_JUDGED_SIGNAL;
	v = verdict(a, uc, uc->mc.rip);
	data = v & SECCOMP_RET_DATA;
	switch (v & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return ours ? RS_JUDGED_OURS : RS_JUDGED_SIGNAL;
	case SECCOMP_RET_TRAP:
		si->err = (int32_t)data;
		return RS_JUDGED_SIGNAL;
	case SECCOMP_RET_ERRNO:
		a->cur->raw = -(int64_t)(data < MAX_ERRNO ? data : MAX_ERRNO);
		return RS_JUDGED_RESULT;
	default:
		if (granted(a->cur, &uc->mc))
			return RS_JUDGED_OURS;
		/* A filter that looks at the place would see another one there. */
		if ((verdict(a, uc, (uint64_t)rs_ask_after) ^ v) & SECCOMP_RET_ACTION_FULL) {
			a->cur->raw = -ENOSYS;
			return RS_JUDGED_RESULT;
		}
		return RS_JUDGED_ASK;
	}
}

/* The listener lets it go on: from here on an interruption makes the call again, but unasked. */
static long finish_ask(struct rs_frame *f)
{
	if (f->raw != RS_GO_ON)
		return f->raw;
	f->granted_nr = (uint32_t)f->regs.rax;
	f->granted_rip = f->regs.rip;
	f->granted_rsp = f->regs.rsp;
	return RS_REWIND;
}

static bool changed(const struct rs_frame *f)
{
	const struct rs_regs *r = &f->regs;

	return (int32_t)r->rax != (int32_t)f->nr || (int64_t)r->rdi != f->a[0] ||
	       (int64_t)r->rsi != f->a[1] || (int64_t)r->rdx != f->a[2] ||
	       (int64_t)r->r10 != f->a[3] || (int64_t)r->r8 != f->a[4] || (int64_t)r->r9 != f->a[5];
}

enum rs_judged rs_ask(struct rs_frame *f)
{
	rs_plan_same(f);
	f->finish = finish_ask;
	atomic_signal_fence(memory_order_seq_cst);
	f->phase = RS_CALL;
	atomic_signal_fence(memory_order_seq_cst);
	rs_ask_gate(f);
	atomic_signal_fence(memory_order_seq_cst);
	if (f->raw != RS_GO_ON)
		return RS_JUDGED_RESULT;
	finish_ask(f);
	f->phase = RS_RESTART;
	atomic_signal_fence(memory_order_seq_cst);
	return changed(f) ? RS_JUDGED_CHANGED : RS_JUDGED_OURS;
}

/* --- threads ---------------------------------------------------------------------------------- */

/* The last chain that was given to all threads of this process, and which that is. */
static struct rs_filter *_Atomic synced;
static _Atomic int32_t synced_tgid;

static bool descends(const struct rs_filter *f, const struct rs_filter *from)
{
	while (f && f != from)
		f = f->prev;
	return f == from;
}

void rs_seccomp_born(struct rs_area *a, uint64_t flags)
{
	struct rs_filter *head = atomic_load(&synced);

	if (!(flags & CLONE_VM))
		rs_filters_forked();
	else if (flags & CLONE_THREAD && head && atomic_load(&synced_tgid) == a->htgid.n &&
		 !descends(atomic_load(&a->filters), head))
		atomic_store(&a->filters, head);
}

/* kernel/seccomp.c:seccomp_sync_threads */
static void sync_threads(struct rs_area *me, struct rs_filter *head)
{
	struct rs_area *a;

	atomic_store(&synced_tgid, me->htgid.n);
	atomic_store(&synced, head);
	for (uint32_t i = 0; (a = rs_area_nth(i)); i++) {
		if (atomic_load(&a->owner) >> 32 != (uint32_t)me->htgid.n)
			continue;
		atomic_store(&a->filters, head);
		a->no_new_privs |= me->no_new_privs;
	}
}

bool rs_seccomp_uniform(const struct rs_area *me)
{
	const struct rs_filter *head = atomic_load(&me->filters);
	const struct rs_area *a;

	for (uint32_t i = 0; (a = rs_area_nth(i)); i++)
		if (atomic_load(&a->filters) != head && rs_area_lives_beside(a, me))
			return false;
	return true;
}

/* --- installing ------------------------------------------------------------------------------- */

static bool is_admin(void)
{
	uint32_t head[2] = {CAP_VERSION_3, 0}, data[6] = {0};

	return !sp_sys2(__NR_capget, (long)head, (long)data) && data[0] & CAP_SYS_ADMIN_BIT;
}

/*
 * The kernel would let everybody, because no_new_privs is set there. It says before what the program lacks whether
 * it has Landlock at all (security/landlock/syscalls.c).
 */
long rs_h_landlock_restrict(struct rs_frame *f, struct rs_area *a)
{
	long r;

	if (a->no_new_privs || is_admin())
		return rs_call(f, rs_finish_raw);
	r = sp_sys2(f->nr, -1, 0xffffffffL);
	return r == -EOPNOTSUPP || r == -ENOSYS ? r : -EPERM;
}

/* By the call the program used, because an outer filter may know only one of them. */
static long attach(const struct rs_frame *f, uint32_t flags, long prog)
{
	if (f->nr == __NR_prctl)
		return sp_sys6(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, prog, 0, 0, 0);
	return sp_sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);
}

static long install(struct rs_frame *f, struct rs_area *a, uint32_t flags, const struct prog *from,
		    struct bench *b)
{
	struct prog to = {.code = (uint64_t)b->out};
	struct rs_filter *node;
	bool fresh, sync = flags & SECCOMP_FILTER_FLAG_TSYNC;
	long r;
	int n;

	if (rs_user_read(b->in, from->code, from->len * sizeof(b->in[0])))
		return -EFAULT;
	r = bd_bpf_check(b->in, from->len, b->masks);
	if (r)
		return r;
	n = bd_bpf_wrap(b->out, BD_BPF_MAX, b->in, from->len, (uint64_t)rs_exempt_start,
			(uint64_t)rs_text_end);
	if (n < 0)
		return -ENOMEM; /* what the kernel says of more than it has room for */
	to.len = (uint16_t)n;
	rs_filters_lock();
	node = rs_filter_add(atomic_load(&a->filters), b->in, from->len, &fresh);
	r = node ? attach(f, flags, (long)&to) : -ENOMEM;
	if (r < 0 || (r > 0 && !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))) {
		if (node && fresh)
			rs_filter_drop(node);
	} else {
		atomic_store(&a->filters, node);
		if (sync)
			sync_threads(a, node);
	}
	rs_filters_unlock();
	if (r > 0 && !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)) /* the thread that stood against it */
		r = rs_out_past(r);
	return r;
}

/* The kernel's order: flags, the head of the program, its length, the right to it, the program. */
static long set_filter(struct rs_frame *f, struct rs_area *a, uint32_t flags, uint64_t arg)
{
	struct prog from;
	long b, r;

	r = attach(f, flags, WILD);
	if (r != -EFAULT)
		return r;
	if (rs_user_read(&from, arg, sizeof(from)))
		return -EFAULT;
	if (!from.len || from.len > BD_BPF_MAX)
		return -EINVAL;
	if (!a->no_new_privs && !is_admin())
		return -EACCES;
	if (!from.code)
		return -EINVAL;
	rs_patch_never(a);
	rs_block(f);
	b = sp_sys6(__NR_mmap, 0, sizeof(struct bench), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sp_is_err(b))
		return rs_unblock(f, -ENOMEM);
	r = install(f, a, flags, &from, (struct bench *)b);
	sp_sys2(__NR_munmap, b, sizeof(struct bench));
	return rs_unblock(f, r);
}

#define LOAD(field)                                                                            \
	{                                                                                      \
		BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offsetof(struct seccomp_data, field) \
	}
#define UNLESS(k, n)                               \
	{                                          \
		BPF_JMP | BPF_JEQ | BPF_K, n, 0, k \
	}
#define RETURN(k)                        \
	{                                \
		BPF_RET | BPF_K, 0, 0, k \
	}

/*
 * Strict mode cannot be had beside a filter (seccomp_may_assign_mode). So it is one whose traps end the
 * thread; it cannot be left, exec'd out of or inherited.
 */
static long set_strict(struct rs_frame *f, struct rs_area *a)
{
	static const struct sock_filter code[] = {
		LOAD(arch),
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 5, AUDIT_ARCH_X86_64},
		LOAD(nr),
		UNLESS(__NR_read, 4),
		UNLESS(__NR_write, 3),
		UNLESS(__NR_exit, 2),
		UNLESS(__NR_rt_sigreturn, 1),
		RETURN(SECCOMP_RET_TRAP | RS_TRAP_MAGIC),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_filter out[sizeof(code) / sizeof(code[0]) + 16];
	struct prog to = {.code = (uint64_t)out};
	long r;
	int n;

	if (atomic_load(&a->filters) || atomic_load(&RS_NS->flags) & SP_SEG_FILTERED)
		return -EINVAL;
	n = bd_bpf_wrap(out, sizeof(out) / sizeof(out[0]), code, sizeof(code) / sizeof(code[0]),
			(uint64_t)rs_exempt_start, (uint64_t)rs_text_end);
	if (n < 0)
		return -EINVAL;
	to.len = (uint16_t)n;
	rs_patch_never(a);
	rs_block(f);
	r = attach(f, 0, (long)&to);
	if (!r) {
		a->strict = 1;
		sp_sys6(__NR_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0, 0);
	}
	return rs_unblock(f, r);
}

long rs_h_seccomp(struct rs_frame *f, struct rs_area *a)
{
	switch ((uint32_t)f->a[0]) {
	case SECCOMP_SET_MODE_STRICT:
		return (uint32_t)f->a[1] || f->a[2] ? -EINVAL : set_strict(f, a);
	case SECCOMP_SET_MODE_FILTER:
		return set_filter(f, a, (uint32_t)f->a[1], (uint64_t)f->a[2]);
	default:
		return rs_call(f, rs_finish_raw);
	}
}

long rs_seccomp_prctl(struct rs_frame *f, struct rs_area *a)
{
	bool more = f->a[2] || f->a[3] || f->a[4];

	switch ((int32_t)f->a[0]) {
	case PR_GET_SECCOMP:
		return atomic_load(&a->filters) || atomic_load(&RS_NS->flags) & SP_SEG_FILTERED
			       ? SECCOMP_MODE_FILTER
			       : SECCOMP_MODE_DISABLED;
	case PR_SET_SECCOMP:
		if (f->a[1] == SECCOMP_MODE_STRICT)
			return set_strict(f, a);
		return f->a[1] == SECCOMP_MODE_FILTER ? set_filter(f, a, 0, (uint64_t)f->a[2])
						      : -EINVAL;
	case PR_SET_NO_NEW_PRIVS:
		if (f->a[1] != 1 || more)
			return -EINVAL;
		a->no_new_privs = 1;
		return 0;
	default: /* PR_GET_NO_NEW_PRIVS */
		return f->a[1] || more ? -EINVAL : (long)a->no_new_privs;
	}
}
