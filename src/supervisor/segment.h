/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of one namespace's registry: a memfd whose size is sealed.
 */
#ifndef SUPERVISOR_SEGMENT_H
#define SUPERVISOR_SEGMENT_H

#include <stdint.h>

#include "base/err.h"
#include "core/layout.h"

/*
 * Made, mapped and laid out. 0, or -errno with what there is by then in *ret_fd and *ret (else -1 and
 * NULL); -EFBIG is the limit of files' sizes.
 */
sp_must_check int sv_segment_create(int *ret_fd, struct sp_segment **ret, int32_t pid_max);

#endif
