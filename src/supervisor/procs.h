/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel says about host processes: who descends from whom, who are our children. All answers
 * come from the kernel, none from a segment, which its members may have written.
 */
#ifndef SUPERVISOR_PROCS_H
#define SUPERVISOR_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ids.h"

/* A pidfd of the process, or -errno. */
sp_must_check int sv_pidfd(sp_hpid pid);

/* Whether /proc is a procfs that speaks of our own PID namespace. */
bool sv_proc_usable(void);

/* The parent, by /proc; none when the process is gone or hidden. */
sp_hpid sv_proc_parent(sp_hpid pid);

/* When the process began, in clock ticks after boot (proc(5)); 0 when /proc does not say. */
uint64_t sv_proc_start(sp_hpid pid);

/* True when /proc shows an unbroken line of parents from pid up to ancestor (or pid is ancestor). */
bool sv_proc_descends(sp_hpid pid, sp_hpid ancestor);

/* Whether pid is a child of ours that is not reaped, by the kernel's word alone. */
bool sv_is_child(sp_hpid pid);

/*
 * Our own living or unreaped children, at most max; the number found, or -errno. A child that is not
 * reaped keeps its number, so it may be signalled by it. Without /proc a thorough search takes half a
 * second, and one that is not thorough may overlook some.
 */
sp_must_check int sv_proc_children(sp_hpid *ret, size_t max, bool thorough);

#endif
