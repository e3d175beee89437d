/* SPDX-License-Identifier: Apache-2.0 */
/* A stopped tracee's memory, for the tracer's resident. */
#include <asm/unistd.h>
#include <linux/errno.h>

#include "arch/x86_64/syscall.h"
#include "resident/patch.h"
#include "resident/trace_stop.h"

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

/* As rs_patch_leave: a tracee on its way from a patched site is at its `syscall`. */
void rs_stop_leave(struct rs_stop *s)
{
	uint64_t pages[RS_ISLAND_PAGES], at;
	struct rs_site site;
	struct rs_regs saved;

	if (!(atomic_load(&RS_NS->flags) & SP_SEG_PATCH))
		return;
	at = rs_patch_between(s->r.ip, s->r.ax, s->r.r11);
	if (at == RS_NO_SITE && !rs_in_text(s->r.ip) &&
	    !rs_peek(s->t->hid, pages, (uint64_t)rs_patch.pages, sizeof(pages)))
		at = rs_patch_island(pages, s->r.ip);
	if (at >= sizeof(rs_patch_sites) || at % sizeof(site) ||
	    rs_peek(s->t->hid, &site, (uint64_t)rs_patch_sites + at, sizeof(site)))
		return;
	if (rs_patch_is_saved(s->r.ip)) {
		if (rs_peek(s->t->hid, &saved, s->r.ax, sizeof(saved)))
			return;
		s->r.di = saved.rdi;
		s->r.si = saved.rsi;
		s->r.sp = saved.rsp;
	}
	s->r.ip = site.ret - 2;
	s->r.ax = site.nr;
	rs_stop_set_regs(s);
}
