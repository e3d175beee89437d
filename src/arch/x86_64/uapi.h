/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel structures of the x86-64 ABI that have no usable user header without a C library.
 */
#ifndef ARCH_X86_64_UAPI_H
#define ARCH_X86_64_UAPI_H

#include <stdint.h>

/* arch/x86/include/uapi/asm/stat.h */
struct ax_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad0;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	uint64_t atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	int64_t unused[3];
};

/* include/uapi/linux/prctl.h: struct prctl_mm_map */
struct ax_mm_map {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv; /* address */
	uint32_t auxv_size, exe_fd;
};

struct ax_iovec {
	uint64_t base, len;
};

/* struct user_msghdr, include/linux/socket.h */
struct ax_msghdr {
	uint64_t name;
	uint32_t namelen, pad0;
	uint64_t iov, iovlen;
	uint64_t control, controllen;
	uint32_t flags, pad1;
};

struct ax_cmsghdr {
	uint64_t len;
	int32_t level, type;
};

struct ax_sockaddr_un {
	uint16_t family;
	char path[108];
};

_Static_assert(sizeof(struct ax_stat) == 144, "uapi");
_Static_assert(sizeof(struct ax_mm_map) == 104, "uapi");
_Static_assert(sizeof(struct ax_msghdr) == 56, "uapi");

#endif
