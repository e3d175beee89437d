/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracees of this process: an array in memory of its own, which exists only once something is traced. All
 * tasks that share memory share the tables; each process has one of its own.
 */
#include <asm/unistd.h>
#include <linux/mman.h>

#include "arch/x86_64/syscall.h"
#include "resident/trace.h"

#define TABLES 8u
#define FIRST_BYTES 16384ul

static struct table {
	_Atomic int32_t owner; /* host tgid, 0: unused */
	uint32_t high;	       /* entries ever used */
	uint32_t room;
	uint64_t bytes;
	struct rs_tracee *at;
} tables[TABLES];
static _Atomic uint32_t used; /* tables in use, ever: 0 keeps the page clean */
static _Atomic uint32_t lock;

void rs_trace_lock(void)
{
	rs_lock(&lock);
}

void rs_trace_unlock(void)
{
	atomic_store(&lock, 0);
}

static struct table *mine(const struct rs_area *a)
{
	for (uint32_t i = 0; i < atomic_load(&used) && i < TABLES; i++)
		if (atomic_load(&tables[i].owner) == a->htgid.n)
			return &tables[i];
	return 0;
}

bool rs_trace_used(const struct rs_area *a)
{
	return atomic_load(&used) && mine(a);
}

struct rs_tracee *rs_tracee_at(const struct rs_area *a, uint32_t i, bool *end)
{
	struct table *t = mine(a);

	*end = !t || i >= t->high;
	return *end || !t->at[i].hid ? 0 : &t->at[i];
}

struct rs_tracee *rs_tracee_find(const struct rs_area *a, int32_t hid)
{
	struct table *t = mine(a);

	for (uint32_t i = 0; t && i < t->high; i++)
		if (t->at[i].hid == hid)
			return &t->at[i];
	return 0;
}

bool rs_traces(const struct rs_area *a, int32_t hid)
{
	uint64_t mask;
	bool r;

	if (!rs_trace_used(a))
		return false;
	mask = rs_mask_set(RS_MASK_ALL);
	rs_trace_lock();
	r = rs_tracee_find(a, hid);
	rs_trace_unlock();
	rs_mask_set(mask);
	return r;
}

static struct table *make(const struct rs_area *a)
{
	uint32_t n = atomic_load(&used);
	struct table *t = 0;
	long r;

	for (uint32_t i = 0; i < n && !t; i++) {
		int32_t owner = atomic_load(&tables[i].owner);

		if (!owner || sp_sys2(__NR_kill, owner, 0) == -3 /* ESRCH */)
			t = &tables[i];
	}
	if (!t) {
		if (n == TABLES)
			return 0;
		t = &tables[n];
	}
	if (!t->at) {
		r = sp_sys6(__NR_mmap, 0, FIRST_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (sp_is_err(r))
			return 0;
		t->at = (struct rs_tracee *)r;
		t->bytes = FIRST_BYTES;
		t->room = (uint32_t)(FIRST_BYTES / sizeof(*t->at));
	}
	t->high = 0;
	atomic_store(&t->owner, a->htgid.n);
	if (t == &tables[n])
		atomic_store(&used, n + 1);
	return t;
}

static bool grow(struct table *t)
{
	long r = sp_sys4(__NR_mremap, (long)t->at, (long)t->bytes, (long)(2 * t->bytes),
			 MREMAP_MAYMOVE);

	if (sp_is_err(r))
		return false;
	t->at = (struct rs_tracee *)r;
	t->bytes *= 2;
	t->room = (uint32_t)(t->bytes / sizeof(*t->at));
	return true;
}

struct rs_tracee *rs_tracee_add(const struct rs_area *a, int32_t hid)
{
	struct table *t = mine(a);
	struct rs_tracee *e = 0;

	if (!t)
		t = make(a);
	if (!t)
		return 0;
	for (uint32_t i = 0; i < t->high && !e; i++)
		if (!t->at[i].hid || t->at[i].hid == hid)
			e = &t->at[i];
	if (!e) {
		if (t->high == t->room && !grow(t))
			return 0;
		e = &t->at[t->high++];
	}
	memset(e, 0, sizeof(*e));
	e->tracer = a->htid.n;
	e->req = AX_CONT;
	e->hid = hid;
	return e;
}

void rs_tracee_drop(const struct rs_area *a, int32_t hid)
{
	struct rs_tracee *e = rs_tracee_find(a, hid);

	if (e)
		e->hid = 0;
}

void rs_trace_forget(void)
{
	for (uint32_t i = 0; i < atomic_load(&used) && i < TABLES; i++)
		if (tables[i].at)
			sp_sys2(__NR_munmap, (long)tables[i].at, (long)tables[i].bytes);
	if (atomic_load(&used)) {
		memset(tables, 0, sizeof(tables));
		atomic_store(&used, 0);
		rs_trace_unlock();
	}
}
