/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error conventions below the supervisor: a function returns 0 or a value on success and a negative
 * errno on failure. There is no errno variable and nothing is logged.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define sp_must_check __attribute__((warn_unused_result))

/* The kernel's own range for errors in a return register: arch/x86/entry, IS_ERR_VALUE. */
static inline int sp_is_err(long r)
{
	return (unsigned long)r >= (unsigned long)-4095L;
}

#endif
