/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two kinds of number. A vpid is what a task is called inside a namespace, an hpid is what the
 * kernel calls it. They are distinct one-member structs so that the compiler refuses to mix them; a
 * bare int that holds a pid exists only at the system call instruction and in the codecs.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>

/* Number of a task in its namespace: 1 .. pid_max-1; 0 means "not visible here" (pid_namespaces(7)). */
typedef struct {
	int32_t n;
} sp_vpid;

/* Number of a task (thread) as the host kernel knows it; 0 means none. */
typedef struct {
	int32_t n;
} sp_hpid;

#define SP_VPID_NONE ((sp_vpid){0})
#define SP_HPID_NONE ((sp_hpid){0})

static inline sp_vpid sp_vpid_of(int32_t n)
{
	return (sp_vpid){n};
}

static inline sp_hpid sp_hpid_of(int32_t n)
{
	return (sp_hpid){n};
}

static inline bool sp_vpid_eq(sp_vpid a, sp_vpid b)
{
	return a.n == b.n;
}

static inline bool sp_hpid_eq(sp_hpid a, sp_hpid b)
{
	return a.n == b.n;
}

#endif
