/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program holds as the file of a PID namespace: nsfile.c. In a tree of one namespace it is the kernel's own.
 */
#ifndef RESIDENT_NSFILE_H
#define RESIDENT_NSFILE_H

#include "boundary/procpath.h"
#include "resident/resident.h"
#include "resident/text.h"

/* The planned open of a name that is ns/pid of a task. */
long rs_nsfile_open(struct rs_frame *f, struct rs_area *a, const struct bd_procpath *p, bool cloexec);

/* Whether a link's text is that of such a file, and the inode that is to be seen. */
bool rs_nsfile_link(const char *text, size_t len, uint64_t *ret_ino);
/* The same for a link. */
bool rs_nsfile_stands(const char *link, uint64_t *ret_ino);

/* The namespace a descriptor is the file of. 0, -EINVAL if it is none, -errno. */
sp_must_check long rs_ns_of_fd(int fd, uint64_t *ret_ns);

/* ioctl(2) NS_GET_*; -ENOTTY: not such a file, the kernel answers. */
long rs_nsfile_ioctl(struct rs_frame *f, struct rs_area *a);

#endif
