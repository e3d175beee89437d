/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of the program's seccomp filters, one chain a thread as in the kernel (struct seccomp_filter). They
 * are shared by the tasks of one memory map, never changed and never freed: equal chains are one, so that
 * threads that come and go with the same filter need no more memory.
 */
#include "resident/filters.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/mman.h>

#include "arch/x86_64/syscall.h"
#include "boundary/bpf.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#define CHUNK 65536ul
#define SPAN (SP_FILTERS_END - SP_FILTERS_ADDR)
#define FILTER_MARK '/'

static _Atomic uint32_t busy; /* held with signals blocked */
static uint64_t used, mapped; /* bytes of the region */
static uint64_t trusted;      /* what lies below is not looked at */

void rs_filters_lock(void)
{
	rs_lock(&busy);
}

void rs_filters_unlock(void)
{
	atomic_store(&busy, 0);
}

void rs_filters_forked(void)
{
	if (!atomic_load(&busy))
		return;
	/* A sibling was at it: the copy of what it wrote may be half. */
	trusted = used;
	atomic_store(&busy, 0);
}

static uint64_t size_of(uint32_t n)
{
	return sizeof(struct rs_filter) + (uint64_t)n * sizeof(struct sock_filter);
}

static struct rs_filter *at(uint64_t offset)
{
	return (struct rs_filter *)(SP_FILTERS_ADDR + offset);
}

static bool grow(uint64_t need)
{
	if (need > SPAN)
		return false;
	while (mapped < need) {
		uint64_t addr = SP_FILTERS_ADDR + mapped;
		long r = sp_sys6(__NR_mmap, (long)addr, CHUNK, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE,
				 -1, 0);

		if (r != (long)addr)
			return false;
		mapped += CHUNK;
	}
	return true;
}

static bool same(const struct rs_filter *f, const struct rs_filter *prev,
		 const struct sock_filter *code, uint32_t n)
{
	return f->prev == prev && f->n == n && !memcmp(f->code, code, n * sizeof(*code));
}

struct rs_filter *rs_filter_add(struct rs_filter *prev, const struct sock_filter *code, uint32_t n,
				bool *fresh)
{
	struct rs_filter *f;

	*fresh = false;
	for (uint64_t off = trusted; off < used; off += size_of(at(off)->n))
		if (same(at(off), prev, code, n))
			return at(off);
	if (!grow(used + size_of(n)))
		return 0;
	f = at(used);
	memset(f, 0, sizeof(*f));
	f->prev = prev;
	f->n = n;
	f->depth = prev ? prev->depth + 1 : 1;
	memcpy(f->code, code, n * sizeof(*code));
	used += size_of(n);
	*fresh = true;
	return f;
}

void rs_filter_drop(const struct rs_filter *f)
{
	used -= size_of(f->n);
}

uint32_t rs_filters_run(struct rs_filter *head, const struct seccomp_data *sd)
{
	bool native = sd->arch == AUDIT_ARCH_X86_64 && (uint32_t)sd->nr < 64 * RS_FILTER_WORDS;
	uint32_t word = native ? (uint32_t)sd->nr / 64 : 0, ret = SECCOMP_RET_ALLOW;
	uint64_t bit = native ? 1ul << (sd->nr & 63) : 0;

	for (struct rs_filter *f = head; f; f = f->prev) {
		bool varies = !native;
		uint32_t v;

		if (atomic_load_explicit(&f->allowed[word], memory_order_relaxed) & bit)
			continue;
		v = bd_bpf_run(f->code, f->n, sd, &varies);
		if (!varies && (v & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
			atomic_fetch_or(&f->allowed[word], bit);
		ret = bd_bpf_stricter(ret, v);
	}
	return ret;
}

uint64_t rs_filters_room(const struct rs_area *a)
{
	uint64_t bytes = 0;

	for (const struct rs_filter *f = atomic_load(&a->filters); f; f = f->prev)
		bytes += 1 + (uint64_t)f->n * BD_BPF_PACKED_MAX;
	return bytes ? bytes + 1 : 0;
}

void rs_filters_pack(const struct rs_area *a, char *to)
{
	const struct rs_filter *head = atomic_load(&a->filters);

	/* The oldest first. */
	for (uint32_t depth = 1; head && depth <= head->depth; depth++) {
		const struct rs_filter *f = head;

		while (f->depth > depth)
			f = f->prev;
		*to++ = FILTER_MARK;
		for (uint32_t i = 0; i < f->n; i++)
			to += bd_bpf_pack(&f->code[i], to);
	}
	*to = '\0';
}

bool rs_filters_unpack(struct rs_area *a, const char *from)
{
	struct rs_filter *head = 0;

	while (*from == FILTER_MARK) {
		struct rs_filter *f;
		uint32_t n = 0;
		unsigned took;

		/* In place, where rs_filter_add would put it: nothing else is here yet. */
		if (!grow(used + size_of(BD_BPF_MAX)))
			return false;
		f = at(used);
		for (from++; n < BD_BPF_MAX && (took = bd_bpf_unpack(from, &f->code[n])); n++)
			from += took;
		if (!n)
			return false;
		f->prev = head;
		f->n = n;
		f->depth = head ? head->depth + 1 : 1;
		used += size_of(n);
		head = f;
	}
	atomic_store(&a->filters, head);
	return !*from;
}
