/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gentle end; see stop.h. What number 1 makes of signals stands in the segment, as for the front.
 */
#include "supervisor/stop.h"

#include <signal.h>
#include <stdio.h>

#include "core/layout.h"
#include "supervisor/inside.h"
#include "supervisor/signals.h"
#include "supervisor/util.h"

#define LONGEST_PAUSE_MSEC 3600000
#define FOLLOW_MSEC 20 /* a group's signal has reached number 1 by then */
#define LOOK_MSEC 50   /* how often we look whether number 1 still holds the signal back */

struct sv_dispositions sv_dispositions_of_init(const struct sv_boot *b)
{
	const struct sp_segment *seg = b->seg;

	/* Before its first exec there is no program yet; what is in the segment is the resident's. */
	if (b->inside ? !sv_inside_runs(b) : !atomic_load(&seg->init_running))
		return (struct sv_dispositions){.ignored = b->caller.ignored};
	if (b->inside)
		return sv_inside_dispositions(b);
	return (struct sv_dispositions){
		.handled = atomic_load(&seg->init_handled),
		.ignored = atomic_load(&seg->init_ignored),
		.blocked = atomic_load(&seg->init_blocked),
	};
}

void sv_stop_begin(struct sv_stop *s, const struct sv_boot *b, sp_hpid pid, int sig,
		   long long patience_msec)
{
	struct sv_dispositions d = sv_dispositions_of_init(b);

	if (s->sig)
		return;
	s->sig = sig;
	s->kill_due = sv_now_msec() + patience_msec;
	if ((d.handled | d.blocked) & sv_sig_bit(sig))
		kill(pid.n, sig);
	/* A stopped program could not act on it. */
	if (sig != SIGKILL && sig != SIGSTOP)
		kill(pid.n, SIGCONT);
}

int sv_stop_due(const struct sv_stop *s, const struct sv_boot *b)
{
	struct sv_dispositions d = sv_dispositions_of_init(b);

	if (!s->sig)
		return 0;
	if (sv_now_msec() >= s->kill_due)
		return SIGKILL;
	/* At default the kernel drops it at number 1; from outside it is meant to end. */
	if (sv_sig_ends(s->sig) && !((d.handled | d.ignored | d.blocked) & sv_sig_bit(s->sig)))
		return s->sig;
	return 0;
}

long long sv_stop_pause(const struct sv_stop *s)
{
	long long left = s->kill_due - sv_now_msec();

	if (!s->sig)
		return -1;
	return left < 0 ? 0 : left < LOOK_MSEC ? left : LOOK_MSEC;
}

void sv_clock_start(struct sv_clock *c, const struct sv_job *job)
{
	c->due = job->timeout_msec ? sv_now_msec() + job->timeout_msec : 0;
}

int sv_clock_look(struct sv_clock *c, const struct sv_boot *b, sp_hpid pid)
{
	if (c->due && sv_now_msec() >= c->due) {
		c->due = 0;
		c->expired = true;
		if (pid.n > 0)
			sv_stop_begin(&c->stop, b, pid, b->job->stop_signal,
				      b->job->stop_patience_msec);
	}
	return sv_stop_due(&c->stop, b);
}

static long long earlier(long long a, long long b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int sv_clock_pause(const struct sv_clock *c, long long msec)
{
	long long left = c->due - sv_now_msec();

	if (c->due)
		msec = earlier(msec, left < 0 ? 0 : left);
	msec = earlier(msec, sv_stop_pause(&c->stop));
	return msec > LONGEST_PAUSE_MSEC ? LONGEST_PAUSE_MSEC : (int)msec;
}

void sv_follow_order(struct sv_follow *f, enum sv_order order)
{
	f->order = order;
	f->due = sv_now_msec() + FOLLOW_MSEC;
}

/* TSTP as it is meant for number 1; where default is not to stop of it, an ancestor's STOP. */
static int stop_signal(const struct sv_boot *b)
{
	struct sv_dispositions d = sv_dispositions_of_init(b);
	uint64_t bit = sv_sig_bit(SIGTSTP);

	if (d.ignored & bit)
		return 0;
	if ((d.handled | d.blocked) & bit)
		return SIGTSTP;
	return b->foreground ? SIGTSTP : SIGSTOP;
}

void sv_follow_look(struct sv_follow *f, const struct sv_boot *b, sp_hpid pid)
{
	bool stopped = atomic_load(&b->shared->stopped);
	int sig = 0;

	if (!f->due || sv_now_msec() < f->due)
		return;
	f->due = 0;
	if (f->order == SV_ORDER_CONT && stopped)
		sig = SIGCONT;
	else if (f->order == SV_ORDER_STOP && !stopped)
		sig = stop_signal(b);
	if (sig && pid.n > 0)
		kill(pid.n, sig);
}

long long sv_follow_pause(const struct sv_follow *f)
{
	long long left = f->due - sv_now_msec();

	return !f->due ? -1 : left < 0 ? 0 : left;
}

int sv_announce(const struct sv_job *job, int number, struct sv_fail *fail)
{
	if (job->pidfile_fd > 0 && dprintf(job->pidfile_fd, "%d\n", number) < 0)
		return sv_failed(fail, sv_errno(), "cannot write the pid file");
	if (job->status_fd > 0 && dprintf(job->status_fd, "{\"child-pid\": %d}\n", number) < 0)
		return sv_failed(fail, sv_errno(), "cannot write to the descriptor for the status");
	return 0;
}
