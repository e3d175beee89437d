/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, finding and forgetting namespaces. Nothing here takes longer because there are many: an id says
 * where its namespace is, keepers are hashed.
 */
#include "supervisor/tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/atomic.h"
#include "supervisor/ending.h"
#include "supervisor/fault.h"
#include "supervisor/procs.h"
#include "supervisor/segment.h"
#include "supervisor/util.h"

/* The kernel's own inodes of namespaces count upwards from 0xf0000000. */
#define FIRST_INO 0xf8000000u
#define LAYERS_MAX 12 /* of the kernel's 16: the deeper ones share the last */
#define FIRST_SLOTS 64u
#define WALK_AGAIN 16
#define EVENTS 64
#define LINK 1u /* in what epoll tells: the connection, not the pidfd */

/* What a namespace has from its creator's header, although anybody may write that. */
#define FOUND_LATER (SP_SEG_NO_MM_MAP | SP_SEG_FILTERED)

static int grow(struct sv_tree *t)
{
	uint32_t slots = t->slots ? 2 * t->slots : FIRST_SLOTS;
	struct sv_ns **slot = realloc(t->slot, slots * sizeof(*slot));
	uint32_t *lives, *spare;

	if (!slot)
		return -ENOSPC;
	t->slot = slot;
	lives = realloc(t->lives, slots * sizeof(*lives));
	if (!lives)
		return -ENOSPC;
	t->lives = lives;
	spare = realloc(t->spare, slots * sizeof(*spare));
	if (!spare)
		return -ENOSPC;
	t->spare = spare;
	for (uint32_t i = slots; i-- > t->slots;) {
		slot[i] = NULL;
		lives[i] = 0;
		spare[t->spares++] = i;
	}
	t->slots = slots;
	return 0;
}

static struct sv_ns *add(struct sv_tree *t, struct sv_ns *parent)
{
	struct sv_ns *ns;
	uint32_t i;

	if (!t->spares && grow(t))
		return NULL;
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return NULL;
	i = t->spare[--t->spares];
	t->slot[i] = ns;
	ns->id = (uint64_t)t->lives[i] << 32 | (i + 1);
	ns->keeper_pidfd = ns->file = ns->link = ns->fd = -1;
	ns->parent = parent;
	if (parent) {
		ns->depth = parent->depth + 1;
		ns->layers = parent->layers < LAYERS_MAX ? parent->layers + 1 : parent->layers;
		ns->next = parent->first;
		if (ns->next)
			ns->next->prev = ns;
		parent->first = ns;
	}
	t->count++;
	return ns;
}

int sv_tree_open(struct sv_tree *t, const struct sv_boot *b, struct sv_fail *fail)
{
	memset(t, 0, sizeof(*t));
	t->boot = b;
	memcpy(&t->model, b->seg, sizeof(t->model));
	t->next_ino = FIRST_INO;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll < 0)
		return sv_failed(fail, sv_errno(), "cannot create an epoll descriptor");
	t->root = add(t, NULL);
	if (!t->root)
		return sv_failed(fail, -ENOMEM, "cannot get memory");
	t->root->seg = b->seg;
	t->root->fd = b->segment_fd;
	t->root->state = SV_NS_LIVE;
	t->root->ino = b->seg->ns_ino;
	t->root->layers = b->seg->layers;
	t->root->keeper = sp_hpid_of(getpid());
	return 0;
}

void sv_tree_free(struct sv_tree *t)
{
	while (t->root && t->root->first)
		sv_tree_forget(t, t->root->first);
	if (t->root) {
		t->root->seg = NULL;
		t->root->fd = -1;
		sv_tree_forget(t, t->root);
	}
	free(t->slot);
	free(t->lives);
	free(t->spare);
	sv_fd_done(&t->epoll);
	t->root = NULL;
}

static uint64_t unique_ino(struct sv_tree *t)
{
	uint32_t ino;

	do {
		if (!t->next_ino)
			t->next_ino = FIRST_INO;
		ino = t->next_ino++;
	} while (ino == t->model.pidns_ino);
	return ino;
}

static int fill_header(struct sv_tree *t, struct sv_ns *ns)
{
	const uint32_t fixed =
		SP_SEG_NOPROC | SP_SEG_PIDFS | SP_SEG_STRICT | SP_SEG_PATCH | SP_SEG_PATCH_EAGER;
	const struct sp_segment *model = &t->model;
	struct sp_segment *seg = ns->seg;
	struct sp_ref one;
	struct stat st;

	if (fstat(ns->fd, &st) < 0)
		return sv_errno();
	atomic_store(&seg->flags, (atomic_load(&model->flags) & fixed) |
					  (atomic_load(&ns->parent->seg->flags) & FOUND_LATER));
	seg->pids_limit = model->pids_limit;
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
	return sp_pid_reserve(seg, SP_VPID_NONE, sp_hpid_of(getpid()), &one);
}

int sv_tree_new(struct sv_tree *t, struct sv_ns *parent, struct sv_ns **ret)
{
	struct sv_ns *ns;

	if (parent->state != SV_NS_LIVE || sp_load(&parent->seg->closing))
		return -ENOMEM;
	ns = add(t, parent);
	if (!ns)
		return -ENOSPC;
	/* Before there is anybody to see, so that nobody takes it that there is none. */
	atomic_fetch_add(&parent->seg->below, 1);
	ns->ino = unique_ino(t);
	if (sv_segment_create(&ns->fd, &ns->seg, t->model.pid_max) < 0 || fill_header(t, ns) < 0) {
		sv_tree_forget(t, ns);
		return -ENOSPC;
	}
	*ret = ns;
	return 0;
}

static struct sv_ns **keeper_bucket(struct sv_tree *t, sp_hpid keeper)
{
	return &t->keepers[(uint32_t)keeper.n % SV_KEEPER_BUCKETS];
}

static int announce(struct sv_tree *t, int fd, uint64_t what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = what};

	return epoll_ctl(t->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? sv_errno() : 0;
}

int sv_tree_keeper(struct sv_tree *t, struct sv_ns *ns, sp_hpid keeper, int link)
{
	struct sv_ns **bucket = keeper_bucket(t, keeper);
	sv_auto_fd fd = -1;
	int r;

	if (ns->state != SV_NS_NEW || sv_tree_kept_by(t, keeper))
		return -EBUSY;
	if (sp_load(&ns->seg->closing))
		return -ENOMEM;
	fd = sv_pidfd(keeper);
	if (fd < 0)
		return fd == -EMFILE || fd == -ENFILE ? -ENOSPC : fd;
	/* An id of 64 bits never comes near that. */
	r = announce(t, fd, ns->id << 1);
	if (r == 0)
		r = announce(t, link, ns->id << 1 | LINK);
	if (r < 0)
		return r == -ENOSPC ? -ENOSPC : -ENOMEM;
	ns->keeper_pidfd = sv_fd_steal(&fd);
	ns->link = link;
	ns->keeper = keeper;
	ns->state = SV_NS_LIVE;
	ns->same_keeper = *bucket;
	*bucket = ns;
	return 0;
}

struct sv_ns *sv_tree_kept_by(struct sv_tree *t, sp_hpid keeper)
{
	struct sv_ns *ns = *keeper_bucket(t, keeper);

	if (sp_hpid_eq(keeper, t->root->keeper))
		return t->root;
	while (ns && !sp_hpid_eq(ns->keeper, keeper))
		ns = ns->same_keeper;
	return ns;
}

void sv_tree_drop(struct sv_tree *t, struct sv_ns *ns)
{
	if (ns->state == SV_NS_NEW)
		sv_tree_forget(t, ns);
}

static void unhash(struct sv_tree *t, struct sv_ns *ns)
{
	struct sv_ns **p;

	if (!ns->keeper.n)
		return;
	for (p = keeper_bucket(t, ns->keeper); *p; p = &(*p)->same_keeper)
		if (*p == ns) {
			*p = ns->same_keeper;
			return;
		}
}

#ifdef SV_FAULT
/* Test builds: nobody lives there, so all that is promised of a segment holds. */
static void audit(const struct sv_ns *ns)
{
	struct sv_fail text;
	uint32_t slot;
	int broken = ns->parent && ns->seg ? sp_ns_audit(ns->seg, &slot) : 0;

	if (broken) {
		sv_failed(&text, 0, "I%d of depth %u at %u", broken, ns->depth, slot);
		sv_fault_note(text.text);
	}
}
#else
static void audit(const struct sv_ns *ns)
{
	(void)ns;
}
#endif

static void forget_one(struct sv_tree *t, struct sv_ns *ns)
{
	uint32_t i = (uint32_t)ns->id - 1;

	audit(ns);
	if (ns->prev)
		ns->prev->next = ns->next;
	else if (ns->parent)
		ns->parent->first = ns->next;
	if (ns->next)
		ns->next->prev = ns->prev;
	if (ns->parent)
		atomic_fetch_sub(&ns->parent->seg->below, 1);
	sv_endings_remove(t, ns);
	unhash(t, ns);
	sv_fd_done(&ns->keeper_pidfd);
	sv_fd_done(&ns->link);
	sv_fd_done(&ns->file);
	if (ns->seg)
		munmap(ns->seg, SP_SEGMENT_SIZE);
	sv_fd_done(&ns->fd);
	t->slot[i] = NULL;
	t->lives[i]++;
	t->spare[t->spares++] = i;
	t->count--;
	free(ns);
}

void sv_tree_forget(struct sv_tree *t, struct sv_ns *ns)
{
	struct sv_ns *leaf = ns;

	/* From the leaves: no recursion, however deep it is. */
	for (;;) {
		struct sv_ns *up;

		while (leaf->first)
			leaf = leaf->first;
		up = leaf->parent;
		if (leaf == ns) {
			forget_one(t, ns);
			return;
		}
		forget_one(t, leaf);
		leaf = up;
	}
}

struct sv_ns *sv_tree_find(const struct sv_tree *t, uint64_t id)
{
	uint32_t i = (uint32_t)id - 1;

	if (i >= t->slots || !t->slot[i] || t->slot[i]->id != id)
		return NULL;
	return t->slot[i];
}

bool sv_ns_within(const struct sv_ns *ns, const struct sv_ns *top)
{
	while (ns && ns->depth > top->depth)
		ns = ns->parent;
	return ns == top;
}

struct sv_ns *sv_ns_after(const struct sv_ns *ns, const struct sv_ns *top)
{
	if (ns->first)
		return ns->first;
	while (ns != top && !ns->next)
		ns = ns->parent;
	return ns == top ? NULL : ns->next;
}

void sv_ns_shut(struct sv_ns *ns)
{
	for (struct sv_ns *n = ns; n; n = sv_ns_after(n, ns))
		sp_store(&n->seg->closing, 1);
}

size_t sv_walk_next(const struct sv_tree *t, struct sv_ns *top, struct sv_walk *w,
		    struct sv_ns **ret_ns, struct sp_ref *refs, size_t max)
{
	struct sv_ns *ns = sv_tree_find(t, w->id);

	/* Not begun; or the one it was at is gone, and where that was nobody knows. */
	if (!ns) {
		if (w->id && w->again++ == WALK_AGAIN)
			return 0;
		ns = top;
		w->from = 1;
	}
	while (ns) {
		size_t n = sp_ns_list(ns->seg, sp_vpid_of(w->from), refs, max);
		int32_t last = n ? sp_ref_number(refs[n - 1]).n : 0;

		w->id = ns->id;
		if (n && last >= w->from && last < INT32_MAX) {
			/* Numbers only grow, whatever a member writes: the walk ends. */
			w->from = last + 1;
			*ret_ns = ns;
			return n;
		}
		ns = sv_ns_after(ns, top);
		w->from = 1;
	}
	return 0;
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
			sv_ns_end(t, ns);
	}
	sv_endings_step(t);
}

int sv_tree_timeout(const struct sv_tree *t)
{
	return sv_endings_due(t);
}
