/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of procfs that carry ids, converted: bytes in, bytes out. Nothing is looked up here; the
 * numbers come through a map.
 *
 *   stat      fields 1 (pid), 4 (ppid), 5 (pgrp), 6 (session), 8 (tpgid; -1 stays); the signal sets
 *             in 31 to 34
 *   status    Tgid, Pid, PPid, TracerPid; the first column of NStgid, NSpid, NSpgid, NSsid. Ngid is
 *             the kernel's global number in its own namespaces too and stays. The signal sets in
 *             SigPnd, ShdPnd, SigBlk, SigIgn, SigCgt.
 *   children  a list of numbers; what is outside is left out
 *
 * Elsewhere than in children a number that is outside becomes 0, as in a kernel namespace.
 */
#ifndef BOUNDARY_PROCVIEW_H
#define BOUNDARY_PROCVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fmt.h"
#include "base/ids.h"
#include "boundary/procpath.h"

/* What becomes of the kernel's signal set: what is kept of it, and what is there anyway. */
struct bd_sigset_view {
	uint64_t keep, set;
};

/* The sets of one task as its program believes them, where the kernel's are the resident's. */
struct bd_signals {
	struct bd_sigset_view pending; /* of the thread */
	struct bd_sigset_view shared;  /* pending for the process; status only */
	struct bd_sigset_view blocked, ignored, caught;
};

/* Both answer SP_VPID_NONE for what is outside; they are never asked for 0. */
struct bd_map {
	sp_vpid (*number)(void *ctx, sp_hpid hid); /* of a task */
	sp_vpid (*group)(void *ctx, sp_hpid hid);  /* of a process group or session */
	void *ctx;
	const struct bd_signals *signals; /* NULL: the kernel's sets are right */
};

/* Whether a text is one of the above. */
bool bd_procview_has(enum bd_proc_leaf leaf);

/*
 * A text may be converted in pieces: of len bytes read so far (more to come), how many make a
 * piece. 0: none yet. A stat text is never cut; it fits BD_STAT_MAX bytes.
 */
#define BD_STAT_MAX 2048
size_t bd_procview_cut(enum bd_proc_leaf leaf, const char *in, size_t len);

/* A piece of len bytes may grow to this many, NUL included: "1 " becomes ten digits and a space. */
#define BD_PROCVIEW_ROOM(len) ((len)*6 + 64)

/*
 * Appends the converted piece to out. 0; -EINVAL if it is not such a text; -E2BIG if out is too
 * small. out holds a part of the result in both cases.
 */
sp_must_check int bd_procview(enum bd_proc_leaf leaf, const struct bd_map *map, const char *in,
			      size_t len, struct sp_text *out);

#endif
