/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device requests whose structure has the number of a process in a fixed place. Requests carry the structure's size, so
 * one that is too short for the place does not occur.
 */
#ifndef BOUNDARY_DEVIOCTL_H
#define BOUNDARY_DEVIOCTL_H

#include <stdbool.h>
#include <stdint.h>

struct bd_devioctl {
	uint32_t request;
	uint16_t offset;
	uint8_t width; /* 4 or 8 bytes, signed */
	bool in;       /* the program names the process; else the kernel does */
};

/* NULL if the request is not of that kind. */
const struct bd_devioctl *bd_devioctl_find(uint32_t request);

int64_t bd_devioctl_get(const struct bd_devioctl *d, const void *structure);
void bd_devioctl_put(const struct bd_devioctl *d, void *structure, int64_t number);

#endif
