/* SPDX-License-Identifier: Apache-2.0 */
/* A stopped tracee's memory, for the tracer's resident. */
#include <asm/unistd.h>
#include <linux/errno.h>

#include "arch/x86_64/syscall.h"
#include "resident/trace.h"

long rs_pt(long req, int32_t hid, uint64_t addr, uint64_t data)
{
	return sp_sys4(__NR_ptrace, req, hid, (long)addr, (long)data);
}

/* n is a multiple of 8. Word by word where process_vm_readv is refused. */
long rs_peek(int32_t hid, void *dst, uint64_t src, size_t n)
{
	struct {
		void *base;
		uint64_t len;
	} to = {dst, n}, from = {(void *)src, n};
	long r = sp_sys6(__NR_process_vm_readv, hid, (long)&to, 1, (long)&from, 1, 0);

	if (r == (long)n)
		return 0;
	for (size_t i = 0; i < n; i += 8) {
		r = rs_pt(AX_PEEKDATA, hid, src + i, (uint64_t)dst + i);
		if (r)
			return r;
	}
	return 0;
}

long rs_poke(int32_t hid, uint64_t dst, uint64_t word)
{
	return rs_pt(AX_POKEDATA, hid, dst, word);
}
