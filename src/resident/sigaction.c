/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt_sigaction and sigaltstack: what the program believes, and what the kernel is told instead. A
 * handler becomes rs_sig_entry with everything blocked; ignore and default are the kernel's
 * own, except for SIGSYS (always ours) and number 1 (init.h).
 */
#include "resident/sigaction.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "resident/handlers.h"
#include "resident/init.h"
#include "resident/user.h"

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif
#define DFL 0ul
#define IGN 1ul
#define PASSED (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_RESTART)
#define SA_EXPOSE_TAGBITS_ 0x800
/* What sigaction(2) gives back, since 5.11 (include/uapi/asm-generic/signal-defs.h). */
#define KNOWN                                                                                      \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS_ | SA_ONSTACK | SA_RESTART | \
	 SA_NODEFER | SA_RESETHAND | SA_RESTORER)
#define MIN_SIGSTKSZ 2048ul
#define KEPT_AT 256ul

long rs_kernel_sigaction(int sig, const struct ax_sigaction *act, struct ax_sigaction *old)
{
	return sp_sys4(__NR_rt_sigaction, sig, (long)act, (long)old, 8);
}

static const struct ax_sigaction ours = {
	.handler = (uint64_t)rs_sig_entry,
	.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER,
	.restorer = (uint64_t)rs_restorer,
	.mask = ~0ul,
};

/* The same for what the program is not to notice: SIGSYS, and what number 1 drops (signal.c:act_default). */
static const struct ax_sigaction restarting = {
	.handler = (uint64_t)rs_sig_entry,
	.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER | SA_RESTART,
	.restorer = (uint64_t)rs_restorer,
	.mask = ~0ul,
};

void rs_own_sigsys(void)
{
	/* rs_trace_ask interrupts whatever the thread is in. */
	rs_kernel_sigaction(SIGSYS, &restarting, 0);
}

/* Signals that number 1 has at default and the kernel at ignore. */
static uint64_t init_ignored_in_kernel(void)
{
	return rs_init_ignored_in_kernel(atomic_load(&RS_NS->flags));
}

/*
 * Held with signals blocked, so only a sibling that was preempted can make us wait. One of a lower real-time
 * priority on the same CPU runs only if we sleep.
 */
void rs_lock(_Atomic uint32_t *word)
{
	static const int64_t nap[2] = {0, 50000}; /* struct timespec */
	uint32_t free = 0;

	for (unsigned tries = 0; !atomic_compare_exchange_strong(word, &free, 1); tries++) {
		free = 0;
		if (tries < 16)
			sp_sys0(__NR_sched_yield);
		else
			sp_sys2(__NR_nanosleep, (long)nap, 0);
	}
}

static void lock(struct rs_sighand *h)
{
	rs_lock(&h->lock);
}

static void unlock(struct rs_sighand *h)
{
	atomic_store(&h->lock, 0);
}

/* What the program has for sig. After exec only default and ignore exist, and the kernel knows which. */
static void ask(const struct rs_area *a, int sig, struct ax_sigaction *act)
{
	if (a->hand->known & RS_BIT(sig)) {
		*act = a->hand->act[sig - 1];
		return;
	}
	if (sig == SIGSYS || rs_kernel_sigaction(sig, 0, act))
		memset(act, 0, sizeof(*act));
	else if (a->tgid.n == 1 && init_ignored_in_kernel() & RS_BIT(sig) &&
		 !(atomic_load(&RS_NS->init_ignored) & RS_BIT(sig)))
		act->handler = DFL;
}

static void learn(struct rs_area *a, int sig)
{
	ask(a, sig, &a->hand->act[sig - 1]);
	a->hand->known |= RS_BIT(sig);
}

/*
 * Number 1's default becomes SIG_IGN in the kernel, which forgets what is queued; the default it stands for would
 * not (kernel/signal.c:do_sigaction). What was queued, blocked, is queued again.
 */
static void ignore_but_keep(struct rs_area *a, int sig, const struct ax_sigaction *ign)
{
	/* clone3 has its arguments at the start of the scratch. */
	struct ax_siginfo *kept = (struct ax_siginfo *)(a->scratch + KEPT_AT);
	uint64_t set = RS_BIT(sig), zero[2] = {0, 0};
	size_t n = 0;

	while (n < (RS_SCRATCH - KEPT_AT) / sizeof(*kept) &&
	       sp_sys4(__NR_rt_sigtimedwait, (long)&set, (long)&kept[n], (long)zero, 8) > 0)
		n++;
	rs_kernel_sigaction(sig, ign, 0);
	for (size_t i = 0; i < n; i++)
		sp_sys3(__NR_rt_sigqueueinfo, a->htgid.n, sig, (long)&kept[i]);
}

/*
 * Tells the kernel, and the namespace if we are number 1, what act means for sig. keep: in ordinary
 * context, where the area's scratch is free.
 */
static long enact(struct rs_area *a, int sig, const struct ax_sigaction *act, bool keep)
{
	struct ax_sigaction k = *act;
	bool init = a->tgid.n == 1;
	long r = 0;

	if (act->handler > IGN) {
		k = ours;
		k.flags |= act->flags & PASSED;
	} else if (init && act->handler == DFL && init_ignored_in_kernel() & RS_BIT(sig)) {
		k.handler = IGN;
	} else if (init && act->handler == DFL && RS_INIT_RT & RS_BIT(sig) &&
		   atomic_load(&RS_NS->flags) & SP_SEG_THREADED) {
		k = restarting;
	}
	/* Immunity is announced before it is needed and withdrawn after it was. */
	if (init && act->handler != DFL) {
		if (sig != SIGSYS)
			r = rs_kernel_sigaction(sig, &k, 0);
		atomic_fetch_or(act->handler == IGN ? &RS_NS->init_ignored : &RS_NS->init_handled,
				RS_BIT(sig));
		atomic_fetch_and(act->handler == IGN ? &RS_NS->init_handled : &RS_NS->init_ignored,
				 ~RS_BIT(sig));
		return r;
	}
	if (init) {
		atomic_fetch_and(&RS_NS->init_handled, ~RS_BIT(sig));
		atomic_fetch_and(&RS_NS->init_ignored, ~RS_BIT(sig));
		if (k.handler == IGN && keep) {
			ignore_but_keep(a, sig, &k);
			return 0;
		}
	}
	return sig == SIGSYS ? 0 : rs_kernel_sigaction(sig, &k, 0);
}

/*
 * Default stays default, in a table that only this thread has: what posix_spawn's child says for every
 * signal. (For what is ignored by default it is not nothing: it forgets what is queued.)
 */
static bool nothing_new(const struct rs_area *a, int sig, const struct ax_sigaction *new)
{
	const uint64_t ignored = RS_BIT(SIGCHLD) | RS_BIT(SIGCONT) | RS_BIT(SIGURG) | RS_BIT(SIGWINCH);
	const struct ax_sigaction *old = &a->hand->act[sig - 1];

	return a->hand == &a->levels[a->level].hand && a->hand->known & RS_BIT(sig) &&
	       new->handler == DFL && old->handler == DFL && a->tgid.n != 1 &&
	       !((new->flags ^ old->flags) & PASSED) && !(ignored & RS_BIT(sig));
}

long rs_h_rt_sigaction(struct rs_frame *f, struct rs_area *a)
{
	int sig = (int)f->a[0];
	struct rs_sighand *h = a->hand;
	struct ax_sigaction new, old;
	long r = 0;

	if (f->a[3] != 8)
		return -EINVAL;
	if (f->a[1]) {
		r = rs_user_read(&new, (uint64_t)f->a[1], sizeof(new));
		if (r)
			return r;
	}
	if (sig < 1 || sig > RS_NSIG || (f->a[1] && (sig == SIGKILL || sig == SIGSTOP)))
		return -EINVAL;
	if (!f->a[1]) {
		/* posix_spawn asks for all 64 in the child: no lock. */
		ask(a, sig, &old);
		if (h == &a->levels[a->level].hand && !(h->known & RS_BIT(sig))) {
			h->act[sig - 1] = old;
			h->known |= RS_BIT(sig);
		}
		return f->a[2] ? rs_user_write((uint64_t)f->a[2], &old, sizeof(old)) : 0;
	}
	new.flags &= KNOWN;
	new.mask &= ~(RS_BIT(SIGKILL) | RS_BIT(SIGSTOP));
	if (nothing_new(a, sig, &new)) {
		old = h->act[sig - 1];
		h->act[sig - 1] = new;
		return f->a[2] ? rs_user_write((uint64_t)f->a[2], &old, sizeof(old)) : 0;
	}
	rs_block(f);
	lock(h);
	learn(a, sig);
	old = h->act[sig - 1];
	h->act[sig - 1] = new;
	r = enact(a, sig, &new, true);
	unlock(h);
	if (!r && f->a[2])
		r = rs_user_write((uint64_t)f->a[2], &old, sizeof(old));
	return rs_unblock(f, r);
}

bool rs_sigaction_take(struct rs_area *a, int sig, struct ax_sigaction *act)
{
	struct rs_sighand *h = a->hand;

	lock(h);
	learn(a, sig);
	*act = h->act[sig - 1];
	if (act->handler > IGN && act->flags & SA_RESETHAND) {
		struct ax_sigaction dfl = *act;

		dfl.handler = DFL;
		h->act[sig - 1].handler = DFL;
		enact(a, sig, &dfl, false);
	}
	unlock(h);
	return act->handler > IGN;
}

bool rs_sigaction_ignored(struct rs_area *a, int sig)
{
	struct ax_sigaction act;

	lock(a->hand);
	ask(a, sig, &act);
	unlock(a->hand);
	return act.handler == IGN;
}

void rs_sighand_init_threads(struct rs_area *a)
{
	if (atomic_fetch_or(&RS_NS->flags, SP_SEG_THREADED) & SP_SEG_THREADED)
		return;
	for (int sig = 1; sig <= RS_NSIG; sig++) {
		if (!(RS_INIT_RT & RS_BIT(sig)))
			continue;
		learn(a, sig);
		if (a->hand->act[sig - 1].handler == DFL)
			rs_kernel_sigaction(sig, &restarting, 0);
	}
}

/*
 * A child of number 1 is an ordinary process: what is ignored in the kernel for immunity only is at
 * default again. Runs before any program code, signals blocked.
 */
void rs_sighand_leave_init(struct rs_sighand *h)
{
	struct ax_sigaction dfl = {.handler = DFL}, k;
	uint64_t set = init_ignored_in_kernel();

	if (atomic_load(&RS_NS->flags) & SP_SEG_THREADED)
		set |= RS_INIT_RT;
	set &= ~atomic_load(&RS_NS->init_ignored) & ~atomic_load(&RS_NS->init_handled);

	for (int sig = 1; sig <= RS_NSIG; sig++) {
		if (!(set & RS_BIT(sig)))
			continue;
		k = h->known & RS_BIT(sig) ? h->act[sig - 1] : dfl;
		if (k.handler == DFL)
			rs_kernel_sigaction(sig, &k, 0);
	}
}

void rs_sighand_enter_init(struct rs_area *a)
{
	const struct ax_sigaction ign = {.handler = IGN};
	uint64_t handled = 0, ignored = 0, guard = init_ignored_in_kernel();
	struct ax_sigaction act;

	for (int sig = 1; sig <= RS_NSIG; sig++) {
		ask(a, sig, &act);
		if (act.handler > IGN)
			handled |= RS_BIT(sig);
		else if (act.handler == IGN)
			ignored |= RS_BIT(sig);
		else if (guard & RS_BIT(sig))
			rs_kernel_sigaction(sig, &ign, 0);
	}
	atomic_store(&RS_NS->init_handled, handled);
	atomic_store(&RS_NS->init_ignored, ignored);
}

/* With SS_AUTODISARM the stack is free again as soon as it is in use: include/linux/sched/signal.h */
bool rs_altstack_inside(const struct rs_area *a, uint64_t sp)
{
	if (a->alt.flags & (int)SS_AUTODISARM)
		return false;
	return sp > a->alt.sp && sp - a->alt.sp <= a->alt.size;
}

long rs_altstack_check(const struct rs_area *a, const struct ax_stack *want, uint64_t sp)
{
	int mode = want->flags & ~(int)SS_AUTODISARM;

	if (rs_altstack_inside(a, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (want->sp == a->alt.sp && want->size == a->alt.size && want->flags == a->alt.flags)
		return 0;
	if (mode != SS_DISABLE && want->size < MIN_SIGSTKSZ)
		return -ENOMEM;
	return 0;
}

void rs_altstack_set(struct rs_area *a, const struct ax_stack *want)
{
	a->alt = *want;
	a->alt.pad = 0;
	if ((want->flags & ~(int)SS_AUTODISARM) == SS_DISABLE) {
		a->alt.sp = 0;
		a->alt.size = 0;
	}
}

long rs_h_sigaltstack(struct rs_frame *f, struct rs_area *a)
{
	struct ax_stack new, old = a->alt;
	uint64_t sp = f->regs.rsp;
	long r;

	old.flags = (old.flags & (int)SS_AUTODISARM) | (!old.size		    ? SS_DISABLE
							: rs_altstack_inside(a, sp) ? SS_ONSTACK
										    : 0);
	if (f->a[0]) {
		r = rs_user_read(&new, (uint64_t)f->a[0], sizeof(new));
		if (!r)
			r = rs_altstack_check(a, &new, sp);
		if (r)
			return r;
		/* The new stack holds even if the old one cannot be stored: do_sigaltstack's caller. */
		rs_block(f);
		rs_altstack_set(a, &new);
		r = f->a[1] ? rs_user_write((uint64_t)f->a[1], &old, sizeof(old)) : 0;
		return rs_unblock(f, r);
	}
	return f->a[1] ? rs_user_write((uint64_t)f->a[1], &old, sizeof(old)) : 0;
}

/* Only when a listener lets it go on: then signal.c ends it in the SIGSYS handler. */
long rs_h_rt_sigreturn(struct rs_frame *f, struct rs_area *a)
{
	(void)f;
	(void)a;
	return RS_REWIND;
}
