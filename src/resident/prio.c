/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getpriority, setpriority, ioprio_get, ioprio_set. "All of a user's tasks" are to the kernel those that the
 * caller's PID namespace has a number for: here they are asked one by one, and what they answer is put together
 * as kernel/sys.c and block/ioprio.c do it.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/ioprio.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "base/fmt.h"
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/resident.h"

#define AT_ONCE 16 /* references on the stack */

/* The first number behind "\nUid:" of /proc/HID/status: the real user; -1 where /proc does not say. */
static __attribute__((noinline)) int64_t user_in_proc(int32_t hid)
{
	static const char key[] = "\nUid:\t";
	char buf[768], path[32];
	struct sp_text t;
	size_t at = 0, k = 0;
	int64_t uid = -1;
	long fd, n;

	sp_text_init(&t, path, sizeof(path));
	sp_text_str(&t, "/proc/");
	sp_text_dec(&t, hid);
	sp_text_str(&t, "/status");
	fd = sp_sys3(__NR_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	n = sp_sys3(__NR_read, fd, (long)buf, sizeof(buf));
	sp_sys1(__NR_close, fd);
	for (; n > 0 && at < (size_t)n && k < sizeof(key) - 1; at++)
		k = buf[at] == key[k] ? k + 1 : buf[at] == key[0];
	if (k < sizeof(key) - 1)
		return -1;
	for (; at < (size_t)n && buf[at] >= '0' && buf[at] <= '9'; at++)
		uid = (uid < 0 ? 0 : uid * 10) + (buf[at] - '0');
	return uid;
}

/*
 * The real user of a live reference's task, -1 if the task is gone. Also proves that the task is the one the table
 * means: a priority must not be another's who got its host number.
 */
static int64_t user_of(struct sp_ref ref)
{
	int32_t hid = sp_ref_hpid(RS_NS, ref).n;
	bool thread = sp_word_flags(ref.word) & SP_F_THREAD;
	struct ax_pidfd_info info = {0};
	long fd, r = -ENOTTY;

	if (thread && rs_ref_gone(ref))
		return -1;
	fd = thread ? sp_sys2(__NR_pidfd_open, hid, AX_PIDFD_THREAD) : rs_ident_pidfd(ref, 0);
	if (fd == -ESRCH)
		return -1;
	if (fd >= 0) {
		r = rs_pidfd_info(fd, &info);
		sp_sys1(__NR_close, fd);
	}
	if (!r)
		return info.ruid;
	return r == -ESRCH ? -1 : user_in_proc(hid);
}

/* What a user's tasks are asked, and what they have answered so far. */
struct survey {
	const struct rs_frame *f;
	uint32_t uid;
	bool copy; /* in a helper with a descriptor table of its own */
	long result;
};

/* kernel/sys.c:set_one_prio: what fails last is the result, what succeeds makes an unknown user a known one. */
static void set_nice(struct survey *s, int32_t hid)
{
	long r = sp_sys3(__NR_setpriority, PRIO_PROCESS, hid, s->f->a[2]);

	if (r == -ESRCH)
		return;
	if (r || s->result == -ESRCH)
		s->result = r;
}

static void get_nice(struct survey *s, int32_t hid)
{
	long r = sp_sys2(__NR_getpriority, PRIO_PROCESS, hid);

	if (r > s->result)
		s->result = r;
}

static void set_io(struct survey *s, int32_t hid)
{
	long r;

	if (s->result && s->result != -ESRCH)
		return; /* the first failure ends it */
	r = sp_sys3(__NR_ioprio_set, IOPRIO_WHO_PROCESS, hid, s->f->a[2]);
	if (r != -ESRCH)
		s->result = r;
}

/* include/linux/ioprio.h:__get_task_ioprio: who has set none has what follows from policy and niceness. */
static long effective_io(int32_t hid)
{
	long r = sp_sys2(__NR_ioprio_get, IOPRIO_WHO_PROCESS, hid);
	long nice, policy;

	if (r < 0 || IOPRIO_PRIO_CLASS(r) != IOPRIO_CLASS_NONE)
		return r;
	nice = sp_sys2(__NR_getpriority, PRIO_PROCESS, hid); /* 40 .. 1 for -20 .. 19 */
	policy = sp_sys1(__NR_sched_getscheduler, hid);
	if (nice < 0 || policy < 0)
		return -ESRCH;
	policy &= ~(long)SCHED_RESET_ON_FORK;
	return IOPRIO_PRIO_VALUE(policy == SCHED_IDLE			      ? IOPRIO_CLASS_IDLE
				 : policy == SCHED_FIFO || policy == SCHED_RR ? IOPRIO_CLASS_RT
									      : IOPRIO_CLASS_BE,
				 (40 - nice) / 5);
}

static void get_io(struct survey *s, int32_t hid)
{
	long r = effective_io(hid);

	if (r >= 0 && (s->result == -ESRCH || r < s->result))
		s->result = r;
}

static void ask(struct survey *s, int32_t hid)
{
	switch (s->f->nr) {
	case __NR_setpriority:
		set_nice(s, hid);
		break;
	case __NR_getpriority:
		get_nice(s, hid);
		break;
	case __NR_ioprio_set:
		set_io(s, hid);
		break;
	default:
		get_io(s, hid);
		break;
	}
}

static void survey(void *arg)
{
	struct survey *s = arg;
	struct sp_ref refs[AT_ONCE];
	sp_vpid from = sp_vpid_of(1);
	size_t n;

	if (s->copy)
		rs_copy_free_some(1, -1);
	do {
		n = sp_ns_list(RS_NS, from, refs, AT_ONCE);
		for (size_t i = 0; i < n; i++) {
			from = sp_vpid_of(sp_ref_number(refs[i]).n + 1);
			if (sp_word_state(refs[i].word) == SP_LIVE && user_of(refs[i]) == s->uid)
				ask(s, sp_ref_hpid(RS_NS, refs[i]).n);
		}
	} while (n == AT_ONCE);
}

static long of_user(struct rs_frame *f, uint32_t uid)
{
	struct survey s = {.f = f, .uid = uid, .result = -ESRCH};
	long fd, r = 0;

	rs_block(f);
	rs_see_all();
	fd = sp_sys2(__NR_pidfd_open, sp_sys0(__NR_getpid), 0);
	s.copy = fd == -EMFILE;
	if (fd >= 0)
		sp_sys1(__NR_close, fd);
	if (s.copy)
		r = rs_copy_run(survey, &s);
	else
		survey(&s);
	return rs_unblock(f, r ? r : s.result);
}

/* which: process, group, user; numbered from `base`. */
static long who_call(struct rs_frame *f, struct rs_area *a, int base)
{
	int which = (int)f->a[0] - base;
	int32_t who = (int32_t)f->a[1];

	if (which == 0 && who)
		f->a[1] = rs_in_task(a, who);
	else if (which == 1 && who)
		f->a[1] = rs_in_group(who);
	return rs_call(f, rs_finish_raw);
}

long rs_h_prio(struct rs_frame *f, struct rs_area *a)
{
	uint32_t who = (uint32_t)f->a[1];

	if ((int)f->a[0] != PRIO_USER)
		return who_call(f, a, PRIO_PROCESS);
	return of_user(f, who ? who : (uint32_t)sp_sys0(__NR_getuid));
}

/* ioprio_set looks at the value first, and takes user 0 for the superuser: block/ioprio.c. */
long rs_h_ioprio(struct rs_frame *f, struct rs_area *a)
{
	uint32_t who = (uint32_t)f->a[1];
	bool set = f->nr == __NR_ioprio_set;
	long r;

	if ((int)f->a[0] != IOPRIO_WHO_USER)
		return who_call(f, a, IOPRIO_WHO_PROCESS);
	if (set) {
		r = sp_sys3(__NR_ioprio_set, IOPRIO_WHO_PROCESS, RS_NOBODY, f->a[2]);
		if (r != -ESRCH)
			return r;
	}
	return of_user(f, who || set ? who : (uint32_t)sp_sys0(__NR_getuid));
}
