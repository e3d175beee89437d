/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a path names in a procfs that is mounted at /proc, decided from its text alone.
 *
 * A path is a base (the root of procfs, a process, its task directory, a thread) and a rest that the
 * kernel resolves below it. Empty components, `.` and those `..` that follow a base are folded: /proc/..,
 * /proc/N/.., task/... `..` behind any other name is not: the name may be a link, or not be there. Note what
 * links do: /proc/self/.. is /proc, /proc/thread-self/.. is /proc/self/task.
 *
 * What text cannot show: symbolic links from elsewhere into procfs, other procfs mounts, and what lies
 * behind a link of procfs (/proc/self/root/proc): there `through` says where to go on.
 */
#ifndef BOUNDARY_PROCPATH_H
#define BOUNDARY_PROCPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"

enum bd_proc_kind {
	BD_PROC_NOT,   /* not under /proc */
	BD_PROC_ROOT,  /* /proc itself */
	BD_PROC_OTHER, /* /proc/REST without a process: uptime, sys/..., names such as 007 or +1 */
	BD_PROC_SELF,  /* /proc/self[/task[/T]][/REST] */
	BD_PROC_THREAD_SELF, /* /proc/thread-self[/REST] */
	BD_PROC_PID,	     /* /proc/N[/task[/T]][/REST] */
};

enum bd_proc_task {
	BD_TASK_NONE, /* the process itself */
	BD_TASK_DIR,  /* its directory task; with a rest: a name in there that is no number */
	BD_TASK_ONE,  /* the thread `tid` in it */
};

/*
 * Names that need more than a converted base. P: below a process, T: below a thread, R: below the
 * root. A `*` stands for one component.
 */
#define BD_LEAVES(LEAF)                                     \
	LEAF(STAT, "stat", P | T)                           \
	LEAF(STATUS, "status", P | T)                       \
	LEAF(CHILDREN, "children", T)                       \
	LEAF(EXE, "exe", P | T)                             \
	LEAF(CWD, "cwd", P | T)                             \
	LEAF(ROOT_LINK, "root", P | T)                      \
	LEAF(CMDLINE, "cmdline", P | T)                     \
	LEAF(COMM, "comm", P | T)                           \
	LEAF(ENVIRON, "environ", P | T)                     \
	LEAF(AUXV, "auxv", P | T)                           \
	LEAF(MAPS, "maps", P | T)                           \
	LEAF(SMAPS, "smaps", P | T)                         \
	LEAF(NUMA_MAPS, "numa_maps", P | T)                 \
	LEAF(MOUNTS, "mounts", P | T | R)                   \
	LEAF(MOUNTINFO, "mountinfo", P | T)                 \
	LEAF(MOUNTSTATS, "mountstats", P)                   \
	LEAF(FD_DIR, "fd", P | T)                           \
	LEAF(FD, "fd/*", P | T)                             \
	LEAF(FDINFO_DIR, "fdinfo", P | T)                   \
	LEAF(MAP_FILES_DIR, "map_files", P)                 \
	LEAF(FDINFO, "fdinfo/*", P | T)                     \
	LEAF(NS_DIR, "ns", P | T)                           \
	LEAF(NS_PID, "ns/pid", P | T)                       \
	LEAF(NS_PID_CHILDREN, "ns/pid_for_children", P | T) \
	LEAF(SCHED, "sched", P | T)                         \
	LEAF(TIMERS, "timers", P)                           \
	LEAF(SYSCALL, "syscall", P | T)                     \
	LEAF(LOADAVG, "loadavg", R)                         \
	LEAF(LOCKS, "locks", R)                             \
	LEAF(KEYS, "keys", R)                               \
	LEAF(PID_MAX, "sys/kernel/pid_max", R)              \
	LEAF(NS_LAST_PID, "sys/kernel/ns_last_pid", R)      \
	LEAF(CAD_PID, "sys/kernel/cad_pid", R)              \
	LEAF(MEMFD_NOEXEC, "sys/vm/memfd_noexec", R)        \
	LEAF(SYSVIPC_SHM, "sysvipc/shm", R)                 \
	LEAF(SYSVIPC_MSG, "sysvipc/msg", R)                 \
	LEAF(NETLINK, "net/netlink", P | T | R)             \
	LEAF(FLOWLABEL, "net/ip6_flowlabel", P | T | R)     \
	LEAF(SOUND_PCM, "asound/*/*/*/status", R)           \
	LEAF(SOUND_MIDI, "asound/*/*", R)

enum bd_proc_leaf {
	BD_LEAF_NONE,	  /* nothing special: the kernel's answer stands */
	BD_LEAF_DIR,	  /* no rest: the directory of a process or thread, or the link self */
	BD_LEAF_TASK_DIR, /* no rest: a task directory */
#define LEAF(name, text, where) BD_LEAF_##name,
	BD_LEAVES(LEAF)
#undef LEAF
};

struct bd_procpath {
	uint8_t kind; /* enum bd_proc_kind */
	uint8_t task; /* enum bd_proc_task */
	uint8_t leaf; /* enum bd_proc_leaf */
	bool slash;   /* the text ends so that only a directory will do: `/`, `/.` or `/..` */
	bool unsure;  /* BD_PROC_NOT, but `..` behind a directory elsewhere may lead to /proc */
	sp_vpid pid;  /* of BD_PROC_PID */
	sp_vpid tid;  /* of BD_TASK_ONE */
	sp_vpid via; /* a process the text passes through and leaves again; it must exist. 0: none */
	sp_vpid via_tid; /* the same for a thread (of the process pid) */
	size_t rest;	 /* offset in the text where the rest starts; its length if there is none */
	/*
	 * Offset of the first component that is not looked at any more: it is behind a name that may be a link, or is
	 * `..` behind a name or another process than via. What goes before it is the base and rest. 0: none.
	 */
	size_t through;
	size_t left; /* offset behind the first `..` that left the root of procfs. 0: none */
};

/*
 * path: len bytes without a NUL. at: where a relative path starts: the result for its directory
 * (root, process, task directory or thread), or NULL if that is not on procfs. No result is an
 * error: what is not understood is BD_PROC_NOT or has leaf BD_LEAF_NONE.
 */
void bd_procpath_parse(const struct bd_procpath *at, const char *path, size_t len,
		       struct bd_procpath *ret_p);

#endif
