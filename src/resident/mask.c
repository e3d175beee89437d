/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal masks. SIGSYS is never blocked in the kernel, because a trap under a mask that has it kills
 * the task (kernel/signal.c:force_sig_info_to_task); what the program asked for is kept beside.
 * Calls that wait under a mask of their own note it, for the handler that interrupts them.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/init.h"
#include "resident/patch.h"
#include "resident/resident.h"
#include "resident/user.h"

#define UNBLOCKABLE (RS_BIT(SIGKILL) | RS_BIT(SIGSTOP))

uint64_t rs_mask_set(uint64_t mask)
{
	uint64_t old;

	mask &= RS_MASK_ALL;
	sp_sys4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&old, 8);
	return old;
}

uint64_t rs_hush(void)
{
	uint64_t all = ~0ul, old;

	sp_sys4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, 8);
	return old;
}

void rs_unhush(uint64_t old)
{
	sp_sys4(__NR_rt_sigprocmask, SIG_SETMASK, (long)&old, 0, 8);
}

/* SIGSYS as well: nothing traps before the program runs again, and by then it is unblocked. */
void rs_block(struct rs_frame *f)
{
	f->saved_mask = rs_hush();
}

void rs_sigsys_release(struct rs_area *a)
{
	if (!a->sigsys_pending)
		return;
	a->sigsys_pending = 0;
	/* Only to oneself may a number be written that the kernel writes otherwise. */
	sp_sys4(__NR_rt_tgsigqueueinfo, a->htgid.n, a->htid.n, SIGSYS, (long)&a->sigsys_info);
}

long rs_unblock(struct rs_frame *f, long result)
{
	rs_settle(f, result);
	rs_mask_set(f->saved_mask);
	return result;
}

static bool is_init_leader(const struct rs_area *a)
{
	return a->tgid.n == 1 && a->htid.n == a->htgid.n;
}

void rs_init_mask_note(const struct rs_area *a, uint64_t mask)
{
	if (is_init_leader(a))
		atomic_store(&RS_NS->init_blocked, mask);
}

/*
 * Number 1 discards what it unblocks at default (semantics: queued while blocked, discarded at dequeue). The
 * kernel would act on it, because there the default of an ordinary process holds.
 */
void rs_init_discard(uint64_t unblocked)
{
	uint64_t deflt, zero[2] = {0, 0};

	deflt = unblocked & ~(atomic_load(&RS_NS->init_handled) | atomic_load(&RS_NS->init_ignored));
	/* The terminal's job control is not immune: it stops at default. */
	if (atomic_load(&RS_NS->flags) & SP_SEG_FOREGROUND)
		deflt &= ~RS_INIT_IGN_TTY;
	if (!deflt)
		return;
	while (sp_sys4(__NR_rt_sigtimedwait, (long)&deflt, 0, (long)zero, 8) > 0)
		;
}

/*
 * The kernel first, which reads the set; it is looked at when it has been, by the only task there is to take that memory
 * away. A signal that is delivered in between finds SIGSYS in the mask of its frame, as the program asked, and takes it
 * out of the kernel's (signal.c).
 */
static long kernel_first(struct rs_frame *f, struct rs_area *a)
{
	uint64_t at = (uint64_t)f->a[1], set, sigsys = RS_SIGSYS_BIT;
	int how = (int)f->a[0];
	long r = rs_call(f, rs_finish_raw);

	/* The new mask holds even if the old one cannot be stored. */
	if (how == SIG_UNBLOCK || (r && (r != -EFAULT || rs_user_read(&set, at, 8))))
		return r;
	memcpy(&set, (const void *)at, 8);
	if (!(set & RS_SIGSYS_BIT))
		return r;
	a->sigsys_blocked = 1;
	sp_sys4(__NR_rt_sigprocmask, SIG_UNBLOCK, (long)&sigsys, 0, 8);
	return r;
}

long rs_h_rt_sigprocmask(struct rs_frame *f, struct rs_area *a)
{
	uint64_t set, now, next, shown;
	int how = (int)f->a[0];
	long r;

	if (f->a[3] != 8)
		return -EINVAL;
	if (!f->a[1]) {
		if (!f->a[2])
			return 0;
		sp_sys4(__NR_rt_sigprocmask, SIG_BLOCK, 0, (long)&now, 8);
		shown = rs_mask_shown(a, now);
		return rs_user_write((uint64_t)f->a[2], &shown, 8);
	}
	if (rs_patch.solo && !is_init_leader(a) && !a->sigsys_blocked &&
	    (uint64_t)(f->a[2] - f->a[1] + 7) >= 15)
		return kernel_first(f, a);
	r = rs_user_read(&set, (uint64_t)f->a[1], 8);
	if (r)
		return r;
	/* The kernel's own call, if neither SIGSYS nor number 1's immunity is concerned. */
	if (!is_init_leader(a) && !a->sigsys_blocked && (!(set & RS_SIGSYS_BIT) || how == SIG_UNBLOCK))
		return rs_call(f, rs_finish_raw);
	if (how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK)
		return -EINVAL;
	rs_block(f);
	now = f->saved_mask;
	shown = rs_mask_shown(a, now);
	next = how == SIG_BLOCK ? shown | set : how == SIG_UNBLOCK ? shown & ~set : set;
	next &= ~UNBLOCKABLE;
	a->sigsys_blocked = !!(next & RS_SIGSYS_BIT);
	if (is_init_leader(a))
		rs_init_discard(now & ~next);
	rs_init_mask_note(a, next);
	f->saved_mask = next & RS_MASK_ALL;
	/* The new mask holds even if the old one cannot be stored: kernel/signal.c:sys_rt_sigprocmask. */
	r = f->a[2] ? rs_user_write((uint64_t)f->a[2], &shown, 8) : 0;
	if (!a->sigsys_blocked)
		rs_sigsys_release(a); /* delivered when rs_unblock lets it */
	return rs_unblock(f, r);
}

long rs_h_rt_sigpending(struct rs_frame *f, struct rs_area *a)
{
	uint64_t set = 0;
	size_t n = (uint64_t)f->a[1];
	long r;

	if (n > 8)
		return -EINVAL;
	r = sp_sys2(__NR_rt_sigpending, (long)&set, 8);
	if (r)
		return r;
	set |= a->sigsys_pending ? RS_SIGSYS_BIT : 0;
	return rs_user_write((uint64_t)f->a[0], &set, n);
}

/*
 * A call with a mask argument: the mask without SIGSYS goes to the kernel from the frame. The
 * original is what a handler that interrupts the wait runs under.
 */
static long temp_mask(struct rs_frame *f, struct rs_area *a, int arg, uint64_t user)
{
	uint64_t now;
	long r;

	r = rs_user_read(&f->temp_mask, user, 8);
	if (r)
		return r;
	f->temp_mask &= ~UNBLOCKABLE;
	f->has_temp_mask = 1;
	f->scratch[0] = f->temp_mask & RS_MASK_ALL;
	f->a[arg] = (long)&f->scratch[0];
	f->scratch[3] = 0;
	if (is_init_leader(a)) {
		/* While it waits, senders must know what it would discard. */
		sp_sys4(__NR_rt_sigprocmask, SIG_BLOCK, 0, (long)&now, 8);
		f->scratch[3] = 1;
		f->scratch[4] = rs_mask_shown(a, now);
		atomic_store(&RS_NS->init_blocked, f->temp_mask);
		rs_init_discard(now & ~f->temp_mask);
	}
	return 0;
}

static long finish_temp(struct rs_frame *f)
{
	if (f->scratch[3])
		atomic_store(&RS_NS->init_blocked, f->scratch[4]);
	return f->raw;
}

/*
 * The call itself. A SIGSYS that only this wait lets in must end the wait: it is really blocked until the
 * kernel has changed the mask. A signal that is delivered meanwhile sets a mask without it (signal.c).
 */
static long wait_masked(struct rs_frame *f, struct rs_area *a)
{
	uint64_t sigsys = RS_SIGSYS_BIT;
	bool opens = a->sigsys_blocked && !(f->temp_mask & RS_SIGSYS_BIT);
	long r;

	if (!opens)
		return rs_call(f, finish_temp);
	sp_sys4(__NR_rt_sigprocmask, SIG_BLOCK, (long)&sigsys, 0, 8);
	rs_sigsys_release(a);
	r = rs_call(f, finish_temp);
	sp_sys4(__NR_rt_sigprocmask, SIG_UNBLOCK, (long)&sigsys, 0, 8);
	return r;
}

long rs_h_rt_sigsuspend(struct rs_frame *f, struct rs_area *a)
{
	long r;

	if (f->a[1] != 8)
		return -EINVAL;
	r = temp_mask(f, a, 0, (uint64_t)f->a[0]);
	return r ? r : wait_masked(f, a);
}

/* The mask in argument `arg`, its size in the next one; no mask, no check of the size. */
static long waits(struct rs_frame *f, struct rs_area *a, int arg)
{
	long r;

	if (!f->a[arg])
		return rs_call(f, rs_finish_raw);
	if (f->a[arg + 1] != 8)
		return -EINVAL;
	r = temp_mask(f, a, arg, (uint64_t)f->a[arg]);
	return r ? r : wait_masked(f, a);
}

long rs_h_ppoll(struct rs_frame *f, struct rs_area *a)
{
	return waits(f, a, 3);
}

long rs_h_epoll_pwait(struct rs_frame *f, struct rs_area *a)
{
	return waits(f, a, 4);
}

/* The sixth argument points to {mask pointer, size}: fs/select.c:get_sigset_argpack. */
long rs_h_pselect6(struct rs_frame *f, struct rs_area *a)
{
	uint64_t pack[2];
	long r;

	r = rs_user_read(pack, (uint64_t)f->a[5], sizeof(pack));
	if (r)
		return r;
	if (!pack[0])
		return rs_call(f, rs_finish_raw);
	if (pack[1] != 8)
		return -EINVAL;
	r = temp_mask(f, a, 5, pack[0]);
	if (r)
		return r;
	f->scratch[1] = (uint64_t)&f->scratch[0];
	f->scratch[2] = 8;
	f->a[5] = (long)&f->scratch[1];
	return wait_masked(f, a);
}
