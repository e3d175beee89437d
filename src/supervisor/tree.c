/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces come and go: a segment for each, a keeper that is watched by a pidfd, and the end. A keeper ends after
 * the last member of its domain; who still lives then came in by setns, or the keeper was killed. They are found in the
 * registry, proven to be nobody else's, and killed, again and again until none is left.
 */
#include "supervisor/tree.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "core/pid.h"
#include "supervisor/landlock.h"
#include "supervisor/procs.h"
#include "supervisor/segment.h"
#include "supervisor/util.h"

#define BATCH 256
#define EVENTS 64
#define LAYERS_MAX 12 /* of the kernel's 16; the rest is the programs' own */
#define LOOK_AGAIN_MSEC 10
#define LINK 1u		/* in what epoll tells: the connection, not the pidfd */
#define UNREGISTERED 64 /* generations of processes that are in no registry yet */
/* Above what the kernel gives its first namespaces (include/linux/proc_ns.h), below 2^32. */
#define INO_FIRST 0xf8000000u

static struct sv_ns *add(struct sv_tree *t, struct sv_ns *parent)
{
	struct sv_ns *ns;

	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 16;
		struct sv_ns **more = realloc(t->ns, room * sizeof(*more));

		if (!more)
			return NULL;
		t->ns = more;
		t->room = room;
	}
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return NULL;
	ns->id = ++t->last_id;
	ns->ino = INO_FIRST + (uint32_t)ns->id % (UINT32_MAX - INO_FIRST);
	ns->parent = parent;
	ns->fd = ns->file = ns->keeper_pidfd = ns->link = -1;
	if (parent) {
		ns->depth = parent->depth + 1;
		ns->layers = parent->layers < LAYERS_MAX ? parent->layers + 1 : parent->layers;
		parent->children++;
	}
	t->ns[t->n++] = ns;
	return ns;
}

int sv_tree_open(struct sv_tree *t, const struct sv_boot *b, struct sv_fail *fail)
{
	struct sv_ns *root;

	memset(t, 0, sizeof(*t));
	t->boot = b;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll < 0)
		return sv_failed(fail, sv_errno(), "cannot create an epoll descriptor");
	root = add(t, NULL);
	if (!root)
		return sv_failed(fail, -ENOMEM, "cannot get memory");
	root->layers = b->seg->layers;
	root->seg = b->seg;
	root->fd = b->segment_fd;
	root->state = SV_NS_LIVE;
	root->keeper = sp_hpid_of(getpid());
	root->ino = b->seg->ns_ino;
	memcpy(&t->model, b->seg, sizeof(t->model));
	return 0;
}

struct sv_ns *sv_tree_find(const struct sv_tree *t, uint64_t id)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->ns[mid]->id == id)
			return t->ns[mid]->seg ? t->ns[mid] : NULL;
		if (t->ns[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool sv_ns_within(const struct sv_ns *ns, const struct sv_ns *top)
{
	while (ns && ns->depth > top->depth)
		ns = ns->parent;
	return ns == top;
}

static void forget(struct sv_tree *t, struct sv_ns *ns)
{
	for (;;) {
		struct sv_ns *parent = ns->parent;
		size_t i = 0;

		if (ns->state != SV_NS_OVER || ns->children || !parent)
			return;
		while (t->ns[i] != ns)
			i++;
		memmove(&t->ns[i], &t->ns[i + 1], (--t->n - i) * sizeof(t->ns[0]));
		free(ns);
		parent->children--;
		ns = parent;
	}
}

static void over(struct sv_tree *t, struct sv_ns *ns)
{
	/* The parent's is over only after ours, or its members have nobody to ask for any more. */
	if (ns->parent->seg)
		atomic_fetch_sub(&ns->parent->seg->below, 1);
	munmap(ns->seg, SP_SEGMENT_SIZE);
	ns->seg = NULL;
	sv_fd_done(&ns->fd);
	sv_fd_done(&ns->file);
	sv_fd_done(&ns->keeper_pidfd);
	sv_fd_done(&ns->link);
	if (ns->state == SV_NS_ENDING)
		t->ending--;
	ns->state = SV_NS_OVER;
	forget(t, ns);
}

/* The header's part that a namespace has from its parent's, and what is its own. */
static int fill_header(struct sv_tree *t, struct sv_ns *ns)
{
	const uint32_t kept = SP_SEG_NOPROC | SP_SEG_PIDFS | SP_SEG_NO_MM_MAP | SP_SEG_FILTERED |
			      SP_SEG_STRICT | SP_SEG_PATCH | SP_SEG_PATCH_EAGER;
	struct sp_segment *seg = ns->seg, *model = &t->model;
	struct stat st;

	if (fstat(ns->fd, &st) < 0)
		return sv_errno();
	seg->ns_id = ns->id;
	seg->ns_ino = ns->ino;
	seg->depth = ns->depth;
	seg->layers = ns->layers;
	seg->segment_fd = model->segment_fd;
	seg->resident_fd = model->resident_fd;
	seg->segment_ino = st.st_ino;
	seg->segment_dev = st.st_dev;
	seg->resident_ino = model->resident_ino;
	seg->resident_dev = model->resident_dev;
	seg->pidns_ino = model->pidns_ino;
	seg->pidns_dev = model->pidns_dev;
	seg->sock_len = model->sock_len;
	memcpy(seg->sock_name, model->sock_name, sizeof(seg->sock_name));
	/* Some are found out after the first exec. */
	atomic_store(&seg->flags, atomic_load(&ns->parent->seg->flags) & kept);
	return 0;
}

static int make_segment(struct sv_tree *t, struct sv_ns *ns)
{
	struct sp_ref ref;
	int r = sv_segment_create(&ns->fd, &ns->seg, t->model.pid_max);

	if (r == 0)
		r = fill_header(t, ns);
	if (r == 0)
		r = sp_pid_reserve(ns->seg, SP_VPID_NONE, sp_hpid_of(getpid()), &ref);
	return r;
}

int sv_tree_new(struct sv_tree *t, struct sv_ns *parent, struct sv_ns **ret)
{
	struct sv_ns *ns;
	int r;

	if (parent->state != SV_NS_LIVE || atomic_load(&parent->seg->closing))
		return -ENOMEM;
	ns = add(t, parent);
	if (!ns)
		return -ENOMEM;
	r = make_segment(t, ns);
	if (r < 0) {
		if (ns->seg)
			munmap(ns->seg, SP_SEGMENT_SIZE);
		ns->seg = NULL;
		sv_fd_done(&ns->fd);
		ns->state = SV_NS_OVER;
		forget(t, ns);
		return r == -EMFILE || r == -ENFILE ? -ENOSPC : r;
	}
	atomic_fetch_add(&parent->seg->below, 1);
	*ret = ns;
	return 0;
}

static int announce(struct sv_tree *t, int fd, uint64_t what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = what};

	return epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? sv_errno() : 0;
}

int sv_tree_keeper(struct sv_tree *t, struct sv_ns *ns, sp_hpid keeper, int link)
{
	sv_auto_fd fd = -1;
	int r;

	if (ns->state != SV_NS_NEW)
		return -EBUSY;
	fd = sv_pidfd(keeper);
	if (fd < 0)
		return fd == -EMFILE ? -ENOSPC : fd;
	r = announce(t, fd, ns->id << 1);
	if (r == 0)
		r = announce(t, link, ns->id << 1 | LINK);
	if (r < 0)
		return r;
	ns->keeper_pidfd = sv_fd_steal(&fd);
	ns->link = link;
	ns->keeper = keeper;
	ns->state = SV_NS_LIVE;
	return 0;
}

void sv_tree_drop(struct sv_tree *t, struct sv_ns *ns)
{
	if (ns->state == SV_NS_NEW)
		over(t, ns);
}

void sv_tree_close(struct sv_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->ns[i]->seg)
			atomic_store(&t->ns[i]->seg->closing, 1);
}

/* ---- who is whose -------------------------------------------------------------------------- */

/* A task of ns itself, not of one below, by its registry. */
static bool has(const struct sv_ns *ns, sp_hpid pid)
{
	struct sp_ref ref;

	if (!ns->seg)
		return false;
	ref = sp_pid_find_host(ns->seg, pid);
	return ref.slot != SP_NO_SLOT && !(sp_word_flags(ref.word) & SP_F_NESTED) &&
	       sp_hpid_eq(sp_ref_hpid(ns->seg, ref), pid);
}

static struct sv_ns *registered(const struct sv_tree *t, sp_hpid pid)
{
	/* The deepest come last, mostly; who is above writes nothing into their registry. */
	for (size_t i = t->n; i-- > 0;)
		if (has(t->ns[i], pid) || (t->ns[i]->seg && sp_hpid_eq(t->ns[i]->keeper, pid)))
			return t->ns[i];
	return NULL;
}

struct sv_ns *sv_tree_member(const struct sv_tree *t, sp_hpid pid, struct sv_ns *hint)
{
	sp_hpid self = sp_hpid_of(getpid());

	if (hint && has(hint, pid))
		return hint;
	for (int i = 0; i < UNREGISTERED && pid.n > 1 && !sp_hpid_eq(pid, self); i++) {
		struct sv_ns *ns = registered(t, pid);

		if (ns)
			return ns;
		pid = sv_proc_parent(pid);
	}
	return NULL;
}

bool sv_tree_ours(const struct sv_tree *t, sp_hpid pid)
{
	if (pid.n <= 1 || pid.n == getpid() || sp_hpid_eq(pid, t->boot->front))
		return false;
	/* Nobody outside of our domain can be signalled. */
	if (sv_scope_holds())
		return kill(pid.n, 0) == 0;
	return sv_is_child(pid) || sv_proc_descends(pid, sp_hpid_of(getpid()));
}

/* Somebody else's as well, or a keeper: a forged entry kills nobody. */
static bool only_in(const struct sv_tree *t, const struct sv_ns *ns, sp_hpid pid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->ns[i] != ns && t->ns[i]->seg &&
		    (sp_hpid_eq(t->ns[i]->keeper, pid) || has(t->ns[i], pid)))
			return false;
	return true;
}

/* ---- the end ------------------------------------------------------------------------------- */

static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* True when it lived. */
static bool kill_one(const struct sv_tree *t, const struct sv_ns *ns, sp_hpid pid)
{
	/* Taken before the questions: while they are answered, pid is the process we ask about. */
	sv_auto_fd pidfd = sv_pidfd(pid);

	if (pidfd == -ESRCH || pidfd == -EINVAL)
		return false;
	if (pidfd >= 0 && has_ended(pidfd))
		return false;
	if (!sv_tree_ours(t, pid) || !only_in(t, ns, pid))
		return false;
	if (pidfd >= 0)
		return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0;
	return kill(pid.n, SIGKILL) == 0;
}

bool sv_ns_kill(const struct sv_tree *t, struct sv_ns *ns)
{
	struct sp_ref refs[BATCH];
	sp_vpid from = sp_vpid_of(1);
	bool none = true;
	size_t n;

	atomic_store(&ns->seg->closing, 1);
	while ((n = sp_ns_list(ns->seg, from, refs, BATCH)) > 0) {
		for (size_t i = 0; i < n; i++)
			if (sp_word_state(refs[i].word) == SP_LIVE &&
			    !(sp_word_flags(refs[i].word) & (SP_F_THREAD | SP_F_NESTED)) &&
			    kill_one(t, ns, sp_ref_hpid(ns->seg, refs[i])))
				none = false;
		/* Numbers only grow, whatever a member writes: the walk ends. */
		if (sp_ref_number(refs[n - 1]).n < from.n || n < BATCH)
			break;
		from = sp_vpid_of(sp_ref_number(refs[n - 1]).n + 1);
	}
	return none;
}

static void keeper_ended(struct sv_tree *t, struct sv_ns *ns)
{
	if (ns->state != SV_NS_LIVE || !ns->parent)
		return;
	epoll_ctl(t->epoll, EPOLL_CTL_DEL, ns->keeper_pidfd, NULL);
	sv_fd_done(&ns->link);
	ns->state = SV_NS_ENDING;
	t->ending++;
	ns->due = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct sv_ns *below = t->ns[i];

		if (!below->seg || !sv_ns_within(below, ns))
			continue;
		atomic_store(&below->seg->closing, 1);
		if (below != ns && below->state == SV_NS_LIVE)
			syscall(SYS_pidfd_send_signal, below->keeper_pidfd, SIGKILL, NULL, 0);
	}
}

static void serve_ending(struct sv_tree *t)
{
	long long now = sv_now_msec();

	for (size_t i = t->n; i-- > 0 && t->ending;) {
		struct sv_ns *ns = t->ns[i];

		if (ns->state != SV_NS_ENDING || now < ns->due)
			continue;
		if (sv_ns_kill(t, ns)) {
			over(t, ns);
			/* More than one may have gone. */
			if (i > t->n)
				i = t->n;
			continue;
		}
		ns->due = now + LOOK_AGAIN_MSEC;
	}
}

void sv_tree_serve(struct sv_tree *t)
{
	struct epoll_event e[EVENTS];
	int n = epoll_wait(t->epoll, e, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		struct sv_ns *ns = sv_tree_find(t, e[i].data.u64 >> 1);

		if (ns && e[i].data.u64 & LINK)
			t->on_link(t, ns);
		else if (ns)
			keeper_ended(t, ns);
	}
	if (t->ending)
		serve_ending(t);
}

long long sv_tree_timeout(const struct sv_tree *t)
{
	return t->ending ? LOOK_AGAIN_MSEC : -1;
}
