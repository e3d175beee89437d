/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Program memory, with the kernel's judgement of it: each page is asked for before it is touched.
 * The questions are calls that fail with EFAULT on a bad address and do nothing on a good one, because the resident
 * cannot own SIGSEGV while a program has it blocked (posix_spawn's child blocks everything).
 */
#include "resident/user.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/futex.h>

#include "arch/x86_64/syscall.h"
#include "base/mem.h"

#define PAGE 4096ul
#define USER_END 0x7ffffffff000ul

static uint32_t probe_word;

/* kernel/signal.c:sys_rt_sigprocmask copies the set in before it refuses `how`. */
static long probe_read(uint64_t at, uint64_t to)
{
	long r = sp_sys4(__NR_rt_sigprocmask, 99, (long)(at & ~7ul), 0, 8);

	(void)to;
	return r == -EFAULT ? r : 0;
}

/* kernel/futex: FUTEX_WAKE_OP adds 0 to the word, and so needs it writable. */
static long probe_write(uint64_t at, uint64_t to)
{
	long op = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_LT, -2048);
	long r = sp_sys6(__NR_futex, (long)&probe_word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0,
			 (long)(at & ~3ul), op);

	(void)to;
	return r == -EFAULT ? r : 0;
}

/* Asks about [at, at + n), page by page: one(from, to) with both in the same page. */
static long probe(uint64_t at, size_t n, long (*one)(uint64_t, uint64_t))
{
	uint64_t end = at + n;

	if (!n)
		return 0;
	/* Nothing is mapped below vm.mmap_min_addr, and NULL means "no set" to the question. */
	if (end < at || end > USER_END || at < PAGE)
		return -EFAULT;
	while (at < end) {
		uint64_t next = (at & ~(PAGE - 1)) + PAGE;
		long r = one(at, next < end ? next : end);

		if (r)
			return r;
		at = next;
	}
	return 0;
}

long rs_user_read(void *dst, uint64_t src, size_t n)
{
	long r = probe(src, n, probe_read);

	if (!r)
		memcpy(dst, (const void *)src, n);
	return r;
}

/*
 * Cheaper where whole words of the page are to be overwritten anyway: the kernel stores the mask in one
 * of them.
 */
static long probe_overwrite(uint64_t from, uint64_t to)
{
	uint64_t word = (from + 7) & ~7ul;

	if (word + 8 > to)
		return probe_write(from, to);
	return sp_sys4(__NR_rt_sigprocmask, 0, 0, (long)word, 8) ? -EFAULT : 0;
}

long rs_user_write(uint64_t dst, const void *src, size_t n)
{
	long r = probe(dst, n, probe_overwrite);

	if (!r)
		memcpy((void *)dst, src, n);
	return r;
}

long rs_user_writable(uint64_t dst, size_t n)
{
	return probe(dst, n, probe_write);
}

long rs_user_string(char *dst, uint64_t src, size_t cap)
{
	size_t n = 0;

	while (n < cap) {
		uint64_t at = src + n;
		size_t room = PAGE - (at & (PAGE - 1));
		long r = probe(at, 1, probe_read);

		if (r)
			return r;
		for (; room && n < cap; room--, n++) {
			dst[n] = ((const char *)src)[n];
			if (!dst[n])
				return (long)n;
		}
	}
	return -ENAMETOOLONG;
}
