/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of the kernel that carry ids, converted: bytes in, bytes out. Nothing is looked up here; the
 * numbers come through a map. Which text has which number where is a table in procview.c; what the
 * table cannot say:
 *
 *   stat      fields 1 (pid), 4 (ppid), 5 (pgrp), 6 (session), 8 (tpgid); -1 stays; the signal sets
 *             in 31 to 34
 *   status    a column for each namespace down to the task's; the signal sets and what the resident needs of prctl(2): NoNewPrivs, Seccomp. Ngid is
 *             the kernel's global number in its own namespaces too and stays.
 *   children  a list of numbers; what is outside is left out
 *   syscall   of a task in a converted call: the call as its program made it
 *   maps, smaps, numa_maps   without the resident's own mappings
 *   locks     without locks whose holder is outside, and those who wait for them
 *
 * Elsewhere a number that is outside becomes 0, as in a kernel namespace.
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

enum bd_text {
	BD_TEXT_NONE, /* carries no id */
	BD_TEXT_STAT,
	BD_TEXT_STATUS,
	BD_TEXT_CHILDREN,
	BD_TEXT_SYSCALL,
	BD_TEXT_SCHED,
	BD_TEXT_TIMERS,
	BD_TEXT_FDINFO,
	BD_TEXT_MAPS,
	BD_TEXT_NUMA_MAPS,
	BD_TEXT_MOUNTS,
	BD_TEXT_LOADAVG,
	BD_TEXT_LOCKS,
	BD_TEXT_SYSVIPC_SHM,
	BD_TEXT_SYSVIPC_MSG,
	BD_TEXT_FLOWLABEL,
	BD_TEXT_NETLINK,
	BD_TEXT_SOUND,
	BD_TEXT_PID_MAX,
	BD_TEXT_LAST_PID,
	BD_TEXT_ONE_NUMBER, /* cad_pid, a journal's task */
	BD_TEXT_SETTING, /* nothing to convert, but a setting of the kernel's namespace: not to be written */
	BD_TEXT_MEMBERS,   /* cgroup v1, resctrl: what is outside is left out */
	BD_TEXT_MEMBERS_0, /* cgroup v2: what is outside is 0 */
	BD_TEXT_MQUEUE,
	BD_TEXT_CMDLINE, /* a caller's business: begins with what the hand-over of exec put there */
	BD_TEXTS,
};

/* The text that a name on procfs stands for. */
enum bd_text bd_text_of(const struct bd_procpath *p);
/* The same elsewhere, by the last component of the name and the magic of the file system it is on. */
enum bd_text bd_text_elsewhere(const char *name, size_t len, uint64_t magic);
/* Whether any file of a file system with that magic is such a text. */
bool bd_text_is_on(uint64_t magic);
/* Whether bd_text_elsewhere has to be asked about an absolute or relative path. */
bool bd_text_may_be_elsewhere(const char *path, size_t len);

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

/* What of a task's restrictions is its program's. */
struct bd_restrictions {
	bool no_new_privs;
	bool counted;	  /* filters is the number of the program's own seccomp filters */
	uint32_t filters; /* otherwise: how many of the kernel's count are ours, at least */
};

/* A system call as its program made it. */
struct bd_call {
	int64_t nr;
	uint64_t arg[6], sp, pc;
};

/* All answer SP_VPID_NONE for what is outside; they are never asked for 0. NULL members: see there. */
struct bd_map {
	sp_vpid (*number)(void *ctx, sp_hpid hid); /* of a task that lives */
	sp_vpid (*group)(void *ctx, sp_hpid hid);  /* of a process group or session */
	sp_vpid (*past)(void *ctx, sp_hpid hid); /* also of a task that is gone: the kernel remembers */
	sp_vpid (*parent)(void *ctx, sp_hpid hid); /* of the text's task. NULL: as number */
	/* Appends hid's numbers from the reader's namespace down to the task's. NULL, false: there is one, as number or group. */
	bool (*columns)(void *ctx, sp_hpid hid, struct sp_text *out);
	void *ctx;
	const struct bd_signals *signals;	    /* NULL: the kernel's sets are right */
	const struct bd_restrictions *restrictions; /* NULL: the kernel's are right */
	const struct bd_call *call;		    /* NULL: the kernel's is right */
	sp_vpid last;				    /* the number that was given out last */
	int32_t pid_max;
	uint64_t ns_kernel, ns_shown; /* inodes of the PID namespace: the kernel's, the one to be seen */
};

/*
 * A text is converted in pieces of any size. The state between them; zero-initialised but for the
 * first two.
 */
struct bd_view {
	const struct bd_map *map;
	enum bd_text text;
	bool changed;	/* output and input differ */
	bool unordered; /* members: a number was not greater than the one before */
	/* private */
	bool in_line, in_token, drop, started;
	bool autofs, procfs;
	uint32_t column;
	int32_t last;
	uint64_t rules; /* those that match the line, as bits */
};

/* The texts that are not taken in pieces (stat, syscall) fit this many bytes. */
#define BD_STAT_MAX 2048
/* With this many bytes any other text goes forward. */
#define BD_LINE_MAX 1024

/* len bytes may grow to this many, NUL included: "1 " becomes ten digits and a space; a call has nine words. */
#define BD_PROCVIEW_ROOM(len) ((len)*6 + 256)

/*
 * Appends to out what in, len bytes, becomes; end: nothing comes behind it. The number of bytes that
 * were used; 0: more is needed first (never when end, never from BD_LINE_MAX on but for stat and
 * syscall). -EINVAL if it is not such a text; -E2BIG if out is too small. out holds a part of the
 * result in both cases.
 */
sp_must_check long bd_view_piece(struct bd_view *v, const char *in, size_t len, bool end,
				 struct sp_text *out);

/* Whether what is mapped at an address is the resident's or its segment. */
bool bd_view_ours(uint64_t addr);

/* --- between procview*.c ------------------------------------------------------------------ */

typedef sp_vpid (*bd_lookup)(void *ctx, sp_hpid hid);

size_t bd_view_number(const struct bd_map *map, bd_lookup find, const char *in, size_t len,
		      sp_vpid *ret_number);
int bd_view_stat(struct bd_view *v, const char *in, size_t len, struct sp_text *out);
int bd_view_syscall(struct bd_view *v, const char *in, size_t len, struct sp_text *out);
int bd_view_children(struct bd_view *v, const char *in, size_t len, struct sp_text *out);
/* The line of status that starts at in, n bytes without its newline: the bytes that were used, 0: not special. */
long bd_view_status_line(struct bd_view *v, const char *in, size_t n, const char *end,
			 struct sp_text *out);
/* The head of sched: the bytes that were used. */
size_t bd_view_sched_head(struct bd_view *v, const char *in, size_t len, struct sp_text *out);

static inline size_t bd_span(const char *in, size_t len, char end)
{
	size_t n = 0;

	while (n < len && in[n] != end)
		n++;
	return n;
}

#endif
