/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's own seccomp filters: classic BPF as kernel/seccomp.c and net/core/filter.c take it. The
 * resident installs each one so that its own calls pass, keeps the original, and asks that about the
 * calls that trap to it. A checked filter only jumps forward, so a run ends and stays inside.
 */
#ifndef BOUNDARY_BPF_H
#define BOUNDARY_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BD_BPF_MAX 4096u     /* BPF_MAXINSNS */
#define BD_BPF_PACKED_MAX 8u /* bytes of one packed instruction, at most */

/*
 * Whether the kernel would take it: 0 or -EINVAL. masks: room for n words, without meaning
 * afterwards.
 */
sp_must_check int bd_bpf_check(const struct sock_filter *p, unsigned n, uint16_t *masks);

/*
 * The verdict of a checked filter. *varies becomes true if it looked at more than number and
 * architecture, otherwise it is left alone.
 */
uint32_t bd_bpf_run(const struct sock_filter *p, unsigned n, const struct seccomp_data *sd,
		    bool *varies);

/* The stricter verdict wins, among equals the first: kernel/seccomp.c:seccomp_run_filters. */
static inline uint32_t bd_bpf_stricter(uint32_t first, uint32_t next)
{
	return (int32_t)(next & SECCOMP_RET_ACTION_FULL) < (int32_t)(first & SECCOMP_RET_ACTION_FULL)
		       ? next
		       : first;
}

/*
 * The same filter, except that it allows every call whose `syscall` instruction lies in
 * [start, end). A verdict ALLOW is reached as before, so that the kernel can still cache it. Number of
 * instructions in out (room for max); -E2BIG if that is too small; -EINVAL if the range is not inside
 * one 4 GiB block.
 */
sp_must_check int bd_bpf_wrap(struct sock_filter *out, unsigned max, const struct sock_filter *p,
			      unsigned n, uint64_t start, uint64_t end);

/*
 * One instruction as bytes other than 0, for a string; the second returns how many it took, 0 if they are
 * none.
 */
unsigned bd_bpf_pack(const struct sock_filter *insn, char *to);
unsigned bd_bpf_unpack(const char *from, struct sock_filter *ret);

#endif
