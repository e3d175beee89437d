/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking and signalling a namespace's tasks from its supervisor; see members.h. The segment may have been
 * written by its members: its answers are bounded, and a process is signalled only if it descends
 * from us, through a descriptor that was taken before that question.
 */
#include "supervisor/members.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "core/pid.h"
#include "supervisor/procs.h"
#include "supervisor/util.h"

#define BATCH 256
#define STARTTIME 22 /* field of /proc/N/stat: proc(5) */

/* Calls `each` for every entry that is LIVE or DEAD, until it says otherwise. */
static void walk(struct sp_segment *seg, bool (*each)(void *, struct sp_segment *, struct sp_ref),
		 void *arg)
{
	struct sp_ref refs[BATCH];
	sp_vpid from = sp_vpid_of(1);
	size_t n;

	while ((n = sp_ns_list(seg, from, refs, BATCH)) > 0) {
		for (size_t i = 0; i < n; i++)
			if ((sp_word_state(refs[i].word) == SP_LIVE ||
			     sp_word_state(refs[i].word) == SP_DEAD) &&
			    !each(arg, seg, refs[i]))
				return;
		/* Numbers only grow, whatever a member writes: the walk ends. */
		if (sp_ref_number(refs[n - 1]).n < from.n || n < BATCH)
			return;
		from = sp_vpid_of(sp_ref_number(refs[n - 1]).n + 1);
	}
}

struct list {
	struct sv_task *task;
	size_t n, room;
};

static bool add(void *arg, struct sp_segment *seg, struct sp_ref ref)
{
	const struct sp_entry *e = sp_entry_at(seg, ref.slot);
	struct list *l = arg;
	struct sv_task t = {
		.number = sp_ref_number(ref).n,
		.group = (int32_t)atomic_load(&e->tgid),
		.host = sp_ref_hpid(seg, ref).n,
		.flags = sp_word_flags(ref.word) & SP_F_THREAD ? SV_TASK_THREAD : 0,
		.ident = atomic_load(&e->ident),
	};

	if (sp_word_state(ref.word) == SP_DEAD)
		t.flags |= SV_TASK_DEAD;
	if (t.ident & SP_IDENT_STAMP) {
		t.flags |= SV_TASK_STAMP;
		t.ident = atomic_load(&seg->flags) & SP_SEG_STAMPS ? t.ident & ~SP_IDENT_STAMP : 0;
	}

	if (!sp_ref_valid(seg, ref))
		return true;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct sv_task *more = realloc(l->task, room * sizeof(*more));

		if (!more)
			return false;
		l->task = more;
		l->room = room;
	}
	l->task[l->n++] = t;
	return true;
}

int sv_members_list(struct sp_segment *seg, struct sv_task **ret, size_t *ret_n)
{
	struct list l = {NULL, 0, 0};

	walk(seg, add, &l);
	*ret = l.task;
	*ret_n = l.n;
	return 0;
}

struct count {
	int32_t processes, threads;
};

static bool count(void *arg, struct sp_segment *seg, struct sp_ref ref)
{
	struct count *c = arg;

	(void)seg;
	if (sp_word_state(ref.word) == SP_DEAD)
		return true;
	if (sp_word_flags(ref.word) & SP_F_THREAD)
		c->threads++;
	else
		c->processes++;
	return true;
}

void sv_members_count(struct sp_segment *seg, int32_t *ret_processes, int32_t *ret_threads)
{
	struct count c = {0, 0};

	walk(seg, count, &c);
	*ret_processes = c.processes;
	*ret_threads = c.processes + c.threads;
}

static uint64_t start_time(sp_hpid pid)
{
	char path[32], text[1024], *p;
	sv_auto_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid.n);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')');
	for (int field = 2; p && field < STARTTIME; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p, NULL, 10) : 0;
}

/* Whether the process behind pidfd is the one that was registered; unknown counts as yes. */
static bool same_identity(struct sp_segment *seg, sp_hpid pid, int pidfd, uint64_t want)
{
	uint32_t flags = atomic_load(&seg->flags);
	struct stat st;
	uint64_t have = 0;

	if (want & SP_IDENT_STAMP) {
		/* It had started by then, and who has its number now started later. */
		return !(flags & SP_SEG_STAMPS) || start_time(pid) <= (want & ~SP_IDENT_STAMP);
	}
	if (!(flags & SP_SEG_PIDFS))
		have = start_time(pid);
	else if (pidfd >= 0 && fstat(pidfd, &st) == 0)
		have = st.st_ino;
	return !want || !have || have == want;
}

static bool is_below(sp_hpid pid)
{
	if (pid.n <= 1 || pid.n == getpid())
		return false;
	return sv_is_child(pid) || !sv_proc_usable() || sv_proc_descends(pid, sp_hpid_of(getpid()));
}

static int signal_ref(struct sp_segment *seg, struct sp_ref ref, int sig)
{
	sp_hpid pid = sp_ref_hpid(seg, ref);
	uint64_t ident = atomic_load(&sp_entry_at(seg, ref.slot)->ident);
	/* Taken before the questions: while they are answered, pid still is who we ask about. */
	sv_auto_fd pidfd = sv_pidfd(pid);
	long r;

	if (pidfd == -ESRCH)
		return -ESRCH;
	if (!is_below(pid) || !same_identity(seg, pid, pidfd, ident) || !sp_ref_valid(seg, ref))
		return -ESRCH;
	r = pidfd >= 0 ? syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) : kill(pid.n, sig);
	return r < 0 ? sv_errno() : 0;
}

int sv_member_signal(struct sp_segment *seg, sp_vpid number, int sig)
{
	struct sp_ref ref = sp_pid_find(seg, number);

	if (ref.slot != SP_NO_SLOT && sp_word_flags(ref.word) & SP_F_THREAD)
		ref = sp_pid_find(
			seg, sp_vpid_of((int32_t)atomic_load(&sp_entry_at(seg, ref.slot)->tgid)));
	return ref.slot == SP_NO_SLOT ? -ESRCH : signal_ref(seg, ref, sig);
}

static bool signal_one(void *arg, struct sp_segment *seg, struct sp_ref ref)
{
	const int *sig = arg;
	int r;

	if (sp_word_state(ref.word) == SP_LIVE && !(sp_word_flags(ref.word) & SP_F_THREAD) &&
	    sp_ref_number(ref).n != 1) {
		r = signal_ref(seg, ref, *sig);
		(void)r; /* gone meanwhile */
	}
	return true;
}

/* Who is born meanwhile has a higher number, and the walk gets there. */
void sv_members_signal(struct sp_segment *seg, int sig)
{
	walk(seg, signal_one, &sig);
}
