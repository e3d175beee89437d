/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Laying out an empty namespace, and telling whether memory holds one. What else the header carries
 * is written by whoever creates the namespace, before its first task runs.
 */
#include <linux/errno.h>

#include "core/slot.h"

int sp_ns_create(void *mem, size_t size, int32_t pid_max)
{
	struct sp_segment *ns = mem;
	int32_t half = pid_max / 2;

	if (size != SP_SEGMENT_SIZE || pid_max < SP_PID_MAX_MIN || pid_max > SP_PID_MAX_DEFAULT)
		return -EINVAL;
	ns->magic = SP_LAYOUT_MAGIC;
	ns->version = SP_LAYOUT_VERSION;
	ns->size = SP_SEGMENT_SIZE;
	ns->pid_max = pid_max;
	/* The upper half is for what an ancestor sees of nested namespaces. */
	ns->seq_end = half > SP_PID_MAX_MIN ? half : SP_PID_MAX_MIN;
	ns->segment_fd = -1;
	ns->resident_fd = -1;
	ns->ns_id = 1;
	return 0;
}

int sp_ns_check(const void *mem, size_t size)
{
	const struct sp_segment *ns = mem;

	if (size != SP_SEGMENT_SIZE || ns->magic != SP_LAYOUT_MAGIC ||
	    ns->version != SP_LAYOUT_VERSION || ns->size != size)
		return -EINVAL;
	if (ns->pid_max < SP_PID_MAX_MIN || ns->pid_max > SP_PID_MAX_DEFAULT)
		return -EINVAL;
	if (ns->seq_end < SP_PID_MAX_MIN || ns->seq_end > ns->pid_max)
		return -EINVAL;
	return 0;
}
