/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between front and number 1 of a namespace inside a namespace; see inside.h. All numbers here are those
 * that this program sees: it is itself a program in a namespace.
 */
#include "supervisor/inside.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "resident/handover.h"
#include "supervisor/control.h"
#include "supervisor/procs.h"
#include "supervisor/stop.h"
#include "supervisor/tty.h"
#include "supervisor/tell.h"
#include "supervisor/util.h"

struct inside {
	struct sv_boot *b;
	pid_t init;
	int sigfd, front_pidfd;
	int end_by;
	bool front_gone, exited;
	struct sv_follow follow;
	struct sv_clock clock;
	struct sv_control control;
};

static _Noreturn void become_program(const struct sv_boot *b, int link)
{
	const struct sv_job *job = b->job;
	int err;

	if (job->new_session)
		setsid();
	if (b->foreground)
		syscall(RS_HYPER_NR, RS_HYPER_FOREGROUND);
	setrlimit(RLIMIT_NOFILE, &b->nofile);
	setrlimit(RLIMIT_FSIZE, &b->fsize);
	sv_signals_give(&b->caller);
	execve(job->path, job->argv, job->envp);
	err = errno;
	if (write(link, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(err == ENOENT ? 127 : 126);
}

static int fork_init(struct inside *s, struct sv_fail *fail)
{
	struct clone_args args = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
	s->init = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (s->init == 0)
		become_program(s->b, s->b->link_w);
	sv_fd_done(&s->b->link_w);
	if (s->init > 0) {
		atomic_store(&s->b->shared->inside_init, (uint32_t)s->init);
		return 0;
	}
	if (errno == EPERM)
		return sv_failed(fail, 0,
				 "this is already inside a subpid namespace, and a namespace "
				 "inside a namespace is not in this version");
	return sv_failed(fail, sv_errno(), "cannot make a namespace inside this one");
}

static void let_go(struct inside *s)
{
	const int keep[] = {s->b->ctl_super,  s->b->wake_w,	 s->front_pidfd,
			    s->sigfd,	      s->b->link_r,	 s->b->record.root,
			    s->b->record.dir, s->b->record.lock, s->b->record.ctl};

	sv_let_go(keep, sizeof(keep) / sizeof(keep[0]));
}

static int set_up(struct inside *s, struct sv_fail *fail)
{
	struct sv_boot *b = s->b;
	int r;

	sv_fd_done(&b->ctl_front);
	sv_fd_done(&b->wake_r);
	sv_ignore_terminal();
	s->sigfd = sv_children_fd();
	if (s->sigfd < 0)
		return sv_failed(fail, sv_errno(), "cannot create a signalfd");
	/* Our parent until now, or the number may be another's. Its socket tells us as well. */
	s->front_pidfd = sv_pidfd(b->front);
	if (getppid() != b->front.n)
		return sv_failed(fail, -ESRCH, "the front is gone");
	r = fork_init(s, fail);
	if (r == 0)
		r = sv_announce(b->job, s->init, fail);
	if (r < 0)
		return r;
	sv_clock_start(&s->clock, b->job);
	sv_control_begin(&s->control, b, sp_hpid_of(s->init), -1);
	/* Number 1 stays in the caller's session and group. */
	setsid();
	let_go(s);
	return 0;
}

static void on_init(struct inside *s, const siginfo_t *si)
{
	struct sv_shared *sh = s->b->shared;

	if (si->si_code == CLD_STOPPED || si->si_code == CLD_CONTINUED) {
		sv_tell_stop(s->b, si);
	} else {
		s->exited = true;
		if (si->si_code == CLD_EXITED)
			sh->outcome.code = si->si_status;
		else
			sh->outcome.sig = si->si_status;
	}
}

static void on_children(struct inside *s)
{
	struct signalfd_siginfo taken;

	while (read(s->sigfd, &taken, sizeof(taken)) > 0)
		;
	for (;;) {
		siginfo_t si = {0};

		if (waitid(P_ALL, 0, &si, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | __WALL) < 0 ||
		    si.si_pid == 0)
			return;
		if (si.si_pid == s->init)
			on_init(s, &si);
	}
}

static void on_front(struct inside *s)
{
	struct sv_tell t;
	ssize_t n;

	while ((n = recv(s->b->ctl_super, &t, sizeof(t), MSG_DONTWAIT)) > 0) {
		bool signal = n == sizeof(t) && t.arg > 0 && t.arg <= 64;

		if (n == sizeof(t) && (t.order == SV_ORDER_CONT || t.order == SV_ORDER_STOP))
			sv_follow_order(&s->follow, (enum sv_order)t.order);
		else if (signal && t.order == SV_ORDER_END)
			s->end_by = t.arg;
		else if (signal && t.order == SV_ORDER_FORWARD && !s->exited)
			kill(s->init, t.arg);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		s->front_gone = true;
}

/* The program runs when the link ends without a word. */
static void on_link(struct inside *s)
{
	int err;
	ssize_t n = read(s->b->link_r, &err, sizeof(err));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n == sizeof(err))
		s->b->shared->outcome.exec_errno = err;
	else if (!s->exited)
		atomic_store(&s->b->shared->started, 1);
	sv_fd_done(&s->b->link_r);
	sv_ring(s->b);
}

static void on_control(struct inside *s, const struct pollfd *p)
{
	sv_control_serve(&s->control, p);
	if (s->control.end_by)
		s->end_by = s->control.end_by;
	if (s->control.asked)
		sv_ring(s->b);
	s->control.asked = false;
}

static void watch(struct inside *s)
{
	while (!s->exited && !s->end_by && !s->front_gone) {
		sp_hpid init;
		struct pollfd p[4 + SV_CONTROL_POLL] = {
			{.fd = s->sigfd, .events = POLLIN},
			{.fd = s->b->ctl_super, .events = POLLIN},
			{.fd = s->front_pidfd, .events = POLLIN},
			{.fd = s->b->link_r, .events = POLLIN},
		};
		size_t n = 4 + sv_control_poll(&s->control, p + 4);

		if (poll(p, n, sv_clock_pause(&s->clock, sv_follow_pause(&s->follow))) < 0)
			continue;
		if (p[0].revents)
			on_children(s);
		if (p[1].revents)
			on_front(s);
		if (p[2].revents)
			s->front_gone = true;
		if (p[3].revents)
			on_link(s);
		on_control(s, p + 4);
		init = sp_hpid_of(s->exited ? 0 : s->init);
		sv_follow_look(&s->follow, s->b, init);
		if (!s->end_by)
			s->end_by = sv_clock_look(&s->clock, s->b, init);
	}
}

/* The wait returns when nothing of the namespace is left. */
static void end(pid_t init, bool (*done)(void *), void *arg)
{
	siginfo_t si;

	kill(init, SIGKILL);
	while (!done(arg) && waitid(P_PID, (id_t)init, &si, WEXITED | __WALL) < 0 && errno == EINTR)
		;
}

static bool has_exited(void *arg)
{
	return ((const struct inside *)arg)->exited;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

_Noreturn void sv_inside(struct sv_boot *b)
{
	struct inside s = {.b = b, .sigfd = -1, .front_pidfd = -1};
	struct sv_shared *sh = b->shared;
	enum sv_ended how = SV_DONE;
	int r = set_up(&s, &sh->fail);

	if (r < 0) {
		sh->err = r;
		how = SV_FAILED;
		if (s.init > 0)
			end(s.init, has_exited, &s);
	} else {
		watch(&s);
		if (!s.exited)
			end(s.init, has_exited, &s);
		if (b->link_r >= 0)
			on_link(&s);
		if (s.end_by)
			sh->outcome = (struct sv_outcome){.sig = s.end_by};
		sh->outcome.timed_out = s.clock.expired;
	}
	/* Written down before anybody is told: who hears of the end finds it. */
	sv_record_end(&b->record, &sh->outcome, how == SV_DONE && !sh->outcome.exec_errno);
	sv_control_end(&s.control, &sh->outcome);
	sv_leave(b, how);
}

void sv_inside_end(const struct sv_boot *b)
{
	pid_t init = (pid_t)atomic_load(&b->shared->inside_init);

	if (init > 0)
		end(init, never, NULL);
}

bool sv_inside_runs(const struct sv_boot *b)
{
	struct pollfd p = {.fd = b->link_r};

	return atomic_load(&b->shared->started) ||
	       (poll(&p, 1, 0) == 1 && p.revents & POLLHUP && !(p.revents & POLLIN));
}

struct sv_dispositions sv_inside_dispositions(const struct sv_boot *b)
{
	struct sv_dispositions d = {0, 0, 0};
	uint64_t sets[3];

	if (syscall(RS_HYPER_NR, RS_HYPER_SETS, atomic_load(&b->shared->inside_init), sets) == 0)
		d = (struct sv_dispositions){sets[0], sets[1], sets[2]};
	return d;
}

bool sv_is_inside(void)
{
	return syscall(RS_HYPER_NR) == RS_HYPER_VERSION;
}
