/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's life: take the scope, fork number 1, leave the job, then one poll loop over the
 * front, the children and the channel, and at the end the end. It waits for no member, ever. It is
 * out of the terminal's reach (own session, signals blocked), so that neither Ctrl-Z nor a
 * `kill -9` of the whole job takes it along.
 */
#include "supervisor/loop.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/pid.h"
#include "supervisor/channel.h"
#include "supervisor/control.h"
#include "supervisor/landlock.h"
#include "supervisor/procs.h"
#include "supervisor/spawn.h"
#include "supervisor/stop.h"
#include "supervisor/tell.h"
#include "supervisor/util.h"

#define START_POLL_MAX_MSEC 64

struct super {
	struct sv_boot *b;
	struct sv_init init;
	struct sv_tree tree;
	struct sv_channel channel;
	struct sv_control control;
	struct sv_exit exit; /* init's */
	int sigfd;
	int front_pidfd; /* -1 where there are none */
	int end_by;	 /* signal that the front was sent, 0 none */
	bool front_gone;
	bool failed; /* shared->fail says why nothing was run */
	bool started;
	int start_poll; /* msec until we look again whether the program runs */
	struct sv_follow follow;
	struct sv_clock clock;
};

static int reserve_one(const struct sv_boot *b, struct sv_fail *fail)
{
	struct sp_segment *seg = b->seg;
	struct sp_ref ref;
	int r = sp_pid_reserve(seg, SP_VPID_NONE, sp_hpid_of(getpid()), &ref);

	if (r == 0 && sp_ref_number(ref).n != 1)
		r = -EINVAL;
	if (r < 0)
		return sv_failed(fail, r, "cannot reserve number 1");
	if (b->job->first_pid > 1)
		atomic_store(&seg->cursor, b->job->first_pid - 1);
	return 0;
}

static void let_go(struct super *s)
{
	const int keep[] = {s->b->segment_fd,  s->b->resident_fd,   s->b->ctl_super,
			    s->b->wake_w,      s->front_pidfd,	    s->sigfd,
			    s->init.link,      s->channel.listener, s->tree.epoll,
			    s->b->record.root, s->b->record.dir,    s->b->record.lock,
			    s->b->record.ctl,  s->init.porter,	    s->channel.spare};

	sv_let_go(keep, sizeof(keep) / sizeof(keep[0]));
}

static int set_up(struct super *s, struct sv_fail *fail)
{
	struct sv_boot *b = s->b;
	int r;

	sv_fd_done(&b->ctl_front);
	sv_fd_done(&b->wake_r);
	sv_ignore_terminal();
	if (getppid() != b->front.n)
		return sv_failed(fail, -ESRCH, "the front is gone");
	r = sv_scope_enter(b->front);
	(void)r; /* without a scope the tree is ended by other means */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return sv_failed(fail, sv_errno(), "cannot become subreaper");
	s->sigfd = sv_children_fd();
	if (s->sigfd < 0)
		return sv_failed(fail, sv_errno(), "cannot create a signalfd");
	r = reserve_one(b, fail);
	if (r == 0)
		r = sv_tree_open(&s->tree, b, fail);
	if (r == 0)
		r = sv_channel_open(&s->channel, &s->tree, fail);
	if (r == 0)
		r = sv_init_fork(b, &s->init, fail);
	if (r == 0)
		r = sv_announce(b->job, s->init.pid.n, fail);
	if (r < 0)
		return r;
	sv_control_begin(&s->control, b, s->init.pid, s->init.porter);
	/* Our parent until now, or the number may be another's. Its socket tells us as well. */
	s->front_pidfd = sv_pidfd(b->front);
	if (getppid() != b->front.n)
		s->front_gone = true;
	/* Init stays in the caller's session and group; we go before it does anything. */
	setsid();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	let_go(s);
	sv_clock_start(&s->clock, b->job);
	sv_init_go(&s->init);
	return 0;
}

static void on_init(struct super *s, const siginfo_t *si)
{
	switch (si->si_code) {
	case CLD_STOPPED:
	case CLD_CONTINUED:
		sv_tell_stop(s->b, si);
		break;
	case CLD_EXITED:
	case CLD_KILLED:
	case CLD_DUMPED:
		s->exit = (struct sv_exit){true, si->si_code, si->si_status};
		break;
	}
}

static void on_children(struct super *s)
{
	struct signalfd_siginfo ignored;

	while (read(s->sigfd, &ignored, sizeof(ignored)) > 0)
		;
	for (;;) {
		siginfo_t si = {0};

		if (waitid(P_ALL, 0, &si, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | __WALL) < 0 ||
		    si.si_pid == 0)
			return;
		if (si.si_pid == s->init.pid.n)
			on_init(s, &si);
		else if (si.si_code != CLD_STOPPED && si.si_code != CLD_CONTINUED)
			sv_joins_reaped(&s->control.joins, sp_hpid_of(si.si_pid), si.si_code,
					si.si_status);
	}
}

static void on_order(struct super *s, const struct sv_tell *t)
{
	switch ((enum sv_order)t->order) {
	case SV_ORDER_END:
		if (t->arg > 0 && t->arg <= 64)
			s->end_by = t->arg;
		break;
	case SV_ORDER_FORWARD:
		/* Our child, not reaped: its number is its own. */
		if (!s->exit.known && t->arg > 0 && t->arg <= 64)
			kill(s->init.pid.n, t->arg);
		break;
	case SV_ORDER_CONT:
	case SV_ORDER_STOP:
		sv_follow_order(&s->follow, (enum sv_order)t->order);
		break;
	}
}

static void on_front(struct super *s)
{
	struct sv_tell t;
	ssize_t n;

	while ((n = recv(s->b->ctl_super, &t, sizeof(t), MSG_DONTWAIT)) > 0)
		if (n == sizeof(t))
			on_order(s, &t);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		s->front_gone = true;
}

/* Nothing arrives when the exec went well; its end of file closes the link. */
static void on_report(struct super *s)
{
	struct sv_fail fail;

	if (read(s->init.link, &fail, sizeof(fail)) == sizeof(fail)) {
		fail.text[sizeof(fail.text) - 1] = '\0';
		s->b->shared->fail = fail;
		s->b->shared->err = -EIO;
		s->failed = true;
	}
	sv_fd_done(&s->init.link);
}

/* The resident tells nobody that the program runs; it only writes it down. */
static void look_for_start(struct super *s)
{
	if (s->started || s->init.link >= 0)
		return;
	if (atomic_load(&s->b->seg->init_running)) {
		s->started = true;
		atomic_store(&s->b->shared->started, 1);
		sv_ring(s->b);
	} else if (s->start_poll < START_POLL_MAX_MSEC) {
		s->start_poll *= 2;
	}
}

static int next_timeout(const struct super *s)
{
	long long msec = sv_follow_pause(&s->follow);

	if (!s->started && s->init.link < 0 && (msec < 0 || s->start_poll < msec))
		msec = s->start_poll;
	if (sv_channel_timeout(&s->channel) == 0)
		return 0;
	if (sv_tree_timeout(&s->tree) >= 0 && (msec < 0 || sv_tree_timeout(&s->tree) < msec))
		msec = sv_tree_timeout(&s->tree);
	return sv_clock_pause(&s->clock, msec);
}

static void on_control(struct super *s, const struct pollfd *p)
{
	sv_control_serve(&s->control, p);
	if (s->control.end_by)
		s->end_by = s->control.end_by;
	if (s->control.asked)
		sv_ring(s->b);
	s->control.asked = false;
}

static void watch(struct super *s)
{
	enum { SIG, CTL, FRONT, REPORT, TREE, CHANNEL };
	struct pollfd p[CHANNEL + 1 + SV_CLIENTS + SV_CONTROL_POLL];

	while (!s->exit.known && !s->end_by && !s->front_gone && !s->failed) {
		sp_hpid init;
		size_t n, control;

		p[SIG] = (struct pollfd){.fd = s->sigfd, .events = POLLIN};
		p[CTL] = (struct pollfd){.fd = s->b->ctl_super, .events = POLLIN};
		p[FRONT] = (struct pollfd){.fd = s->front_pidfd, .events = POLLIN};
		p[REPORT] = (struct pollfd){.fd = s->init.link, .events = POLLIN};
		p[TREE] = (struct pollfd){.fd = s->tree.epoll, .events = POLLIN};
		control = CHANNEL + sv_channel_poll(&s->channel, p + CHANNEL);
		n = control + sv_control_poll(&s->control, p + control);
		if (poll(p, n, next_timeout(s)) < 0)
			continue;
		if (p[REPORT].revents)
			on_report(s);
		if (p[SIG].revents)
			on_children(s);
		if (p[FRONT].revents)
			s->front_gone = true;
		if (p[CTL].revents)
			on_front(s);
		sv_channel_serve(&s->channel, p + CHANNEL);
		sv_tree_serve(&s->tree);
		on_control(s, p + control);
		look_for_start(s);
		init = s->exit.known ? SP_HPID_NONE : s->init.pid;
		sv_follow_look(&s->follow, s->b, init);
		if (!s->end_by)
			s->end_by = sv_clock_look(&s->clock, s->b, init);
	}
}

static void conclude(struct super *s)
{
	struct sv_outcome *o = &s->b->shared->outcome;
	int32_t err = atomic_load(&s->b->seg->init_errno);

	o->timed_out = s->clock.expired;
	if (s->end_by) {
		o->sig = s->end_by;
		return;
	}
	if (s->exit.code != CLD_EXITED) {
		uint32_t reboot = atomic_load(&s->b->seg->init_reboot);

		o->sig = s->exit.known ? s->exit.status : SIGKILL;
		/* kernel/pid_namespace.c:reboot_pid_ns */
		if (o->sig == SIGKILL && (reboot == SIGHUP || reboot == SIGINT))
			o->sig = (int)reboot;
		return;
	}
	o->code = s->exit.status;
	if (!atomic_load(&s->b->seg->init_running) && err > 0 && err < 4096)
		o->exec_errno = err;
}

_Noreturn void sv_supervise(struct sv_boot *b)
{
	/* Not on a stack whose limit may be the smallest there is. */
	static struct super s = {.init = {.link = -1, .porter = -1}, .start_poll = 1};
	int r;

	s.b = b;
	s.channel.listener = s.front_pidfd = -1;
	r = set_up(&s, &b->shared->fail);
	if (r < 0) {
		b->shared->err = r;
		s.failed = true;
	} else {
		watch(&s);
	}
	if (s.tree.root)
		sv_ns_shut(s.tree.root);
	sv_end(b->seg, s.exit.known ? SP_HPID_NONE : s.init.pid, &s.exit, NULL);
	if (!s.failed)
		conclude(&s);
	/* Written down before anybody is told: who hears of the end finds it. */
	sv_record_end(&b->record, &b->shared->outcome, !s.failed && !b->shared->outcome.exec_errno);
	sv_control_end(&s.control, &b->shared->outcome);
	sv_leave(b, s.failed ? SV_FAILED : SV_DONE);
}
