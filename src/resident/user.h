/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Program memory: the only way to it. A bad pointer gives -EFAULT, as the kernel's copy would.
 */
#ifndef RESIDENT_USER_H
#define RESIDENT_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

sp_must_check long rs_user_read(void *dst, uint64_t src, size_t n);
sp_must_check long rs_user_write(uint64_t dst, const void *src, size_t n);

/* Whether n bytes at dst can be written: 0 or -EFAULT. */
sp_must_check long rs_user_writable(uint64_t dst, size_t n);

/*
 * Copies the string at src, at most cap bytes with its NUL. Returns its length without the NUL, -EFAULT, or
 * -ENAMETOOLONG when there is no NUL within cap.
 */
sp_must_check long rs_user_string(char *dst, uint64_t src, size_t cap);

#endif
