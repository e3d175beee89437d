/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child that is born in a namespace below its parent's, which has joined it by setns or made it by unshare. It
 * has a number in both registries. It is no child of the keeper, and not of its Landlock domain: members may not signal
 * it, and the supervisor ends it with the namespace.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "arch/x86_64/syscall.h"
#include "resident/birth.h"
#include "resident/handover.h"
#include "resident/nest.h"

struct join {
	struct sp_ref here, there;
	struct sp_segment *ns; /* there, beside our own for the moment */
	int segment;
};

static struct sp_segment *map(int fd, uint64_t at)
{
	long r = sp_sys6(__NR_mmap, (long)at, SP_SEGMENT_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | (at ? MAP_FIXED : 0), fd, 0);

	return sp_is_err(r) ? 0 : (struct sp_segment *)r;
}

static void let_go(struct join *j)
{
	if (j->ns)
		sp_sys2(__NR_munmap, (long)j->ns, SP_SEGMENT_SIZE);
	sp_sys1(__NR_close, j->segment);
}

/* -ENOMEM: number 1 there has ended. */
static long reserve_there(struct join *j, const struct rs_area *a)
{
	struct rs_ask q = {.op = RS_OP_JOIN,
			   .ns = a->children,
			   .more = {(int32_t)RS_NS->ns_id, (int32_t)(RS_NS->ns_id >> 32)}};
	int fds[2];
	long s = rs_channel_open(RS_NS->sock_name, RS_NS->sock_len), r;

	if (s < 0)
		return s;
	r = rs_channel_talk(s, &q, fds, 0);
	sp_sys1(__NR_close, s);
	if (r)
		return r == -ESRCH ? -ENOMEM : r;
	j->segment = fds[0];
	j->ns = map(j->segment, 0);
	r = -ENOMEM;
	if (j->ns && !sp_ns_check(j->ns, SP_SEGMENT_SIZE))
		r = sp_pid_reserve(j->ns, SP_VPID_NONE, a->htgid, &j->there);
	if (r)
		let_go(j);
	return r;
}

static _Noreturn void become_member(struct rs_frame *f, struct rs_area *a, struct join *j)
{
	struct rs_birth *b = rs_birth_of(f);
	uint64_t old = (uint64_t)j->ns;

	if (sp_pid_publish(RS_NS, &j->here, sp_hpid_of((int32_t)sp_sys0(__NR_gettid))) ||
	    atomic_load(&RS_NS->closing))
		rs_unborn();
	if (b->of_init)
		rs_sighand_leave_init(a->hand);
	b->of_init = 0;
	if (!map(j->segment, SP_SEGMENT_ADDR))
		rs_unborn();
	sp_sys2(__NR_munmap, (long)old, SP_SEGMENT_SIZE);
	a->children = RS_CHILDREN_OWN;
	/* As in nest.c: a table that is shared has the parent's there, and the parent closes ours. */
	if (!(b->flags & CLONE_FILES)) {
		sp_sys3(__NR_dup3, j->segment, RS_NS->segment_fd, 0);
		sp_sys1(__NR_close, j->segment);
	}
	rs_born(a, f, b);
	rs_return(f);
}

long rs_join(struct rs_frame *f, struct rs_area *a, uint64_t flags, uint64_t stack,
	     uint64_t parent_tid, sp_vpid number)
{
	struct join j = {.segment = -1};
	uint64_t sig = f->nr == __NR_clone3 ? ((const struct clone_args *)f->a[0])->exit_signal
					    : flags & CSIGNAL;
	struct rs_birth *b = rs_birth_of(f);
	struct sp_ref here;
	long r;

	/* clone3 has the signal elsewhere, and one flag in its place. */
	flags &= ~(uint64_t)(f->nr == __NR_clone3 ? CSIGNAL & ~CLONE_NEWTIME : CSIGNAL);
	flags &= ~(uint64_t)(CLONE_VM | CLONE_SIGHAND | CLONE_PARENT_SETTID);
	r = rs_birth_begin(f, number, SP_VPID_NONE, a->htgid, &j.here);
	if (r)
		return r;
	r = reserve_there(&j, a);
	if (r) {
		sp_pid_cancel(RS_NS, j.here);
		return r;
	}
	sp_pid_set_flags(RS_NS, &j.here, SP_F_NESTED);
	here = j.here;
	*b = (struct rs_birth){.ref = j.there,
			       .flags = flags,
			       .stack = stack,
			       .mask = f->saved_mask,
			       .of_init = a->tgid.n == 1};
	if (!(flags & CLONE_CHILD_SETTID))
		b->libc_tid = rs_libc_tid_of(a);
	rs_nest_plan(f, flags, flags & CLONE_PARENT ? 0 : sig);
	r = rs_clone_gate(f, a, 0);
	if (!r)
		become_member(f, a, &j);
	if (r < 0) {
		sp_pid_cancel(RS_NS, here);
		sp_pid_cancel(j.ns, j.there);
		let_go(&j);
		return r;
	}
	switch (sp_pid_publish(RS_NS, &here, sp_hpid_of((int32_t)r))) {
	case -EEXIST:
		sp_pid_release(j.ns, j.there);
		let_go(&j);
		return RS_REWIND;
	case 0:
		rs_ident_note(here);
		if (!sp_pid_publish(j.ns, &j.there, sp_hpid_of((int32_t)r)))
			atomic_store(&sp_entry_at(j.ns, j.there.slot)->ident,
				     atomic_load(&sp_entry_at(RS_NS, here.slot)->ident));
		break;
	default: /* -ESTALE: it lived, died and was reaped before we came here */
		break;
	}
	let_go(&j);
	return rs_nest_settid(parent_tid, here);
}
