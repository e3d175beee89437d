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

/* include/uapi/asm-generic/ipcbuf.h: struct ipc64_perm */
struct ax_ipc_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid, mode;
	uint16_t seq, pad0;
	uint32_t pad1;
	uint64_t unused[2];
};

/* struct shmid64_ds */
struct ax_shmid_ds {
	struct ax_ipc_perm perm;
	uint64_t segsz;
	int64_t atime, dtime, ctime;
	int32_t cpid, lpid;
	uint64_t nattch, unused[2];
};

/* struct msqid64_ds */
struct ax_msqid_ds {
	struct ax_ipc_perm perm;
	int64_t stime, rtime, ctime;
	uint64_t cbytes, qnum, qbytes;
	int32_t lspid, lrpid;
	uint64_t unused[2];
};

/* include/uapi/asm-generic/siginfo.h: struct sigevent */
struct ax_sigevent {
	uint64_t value;
	int32_t signo, notify, tid;
	int32_t pad[11];
};

/* include/uapi/linux/pidfd.h: struct pidfd_info of the first version, and what of its mask we ask for */
struct ax_pidfd_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define AX_PIDFD_GET_INFO 0xc000ff0bu /* without the size */
#define AX_PIDFD_INFO_PID 1u
#define AX_PIDFD_THREAD 0x80 /* pidfd_open: O_EXCL */

_Static_assert(sizeof(struct ax_stat) == 144, "uapi");
_Static_assert(sizeof(struct ax_sigevent) == 64, "uapi");
_Static_assert(sizeof(struct ax_pidfd_info) == 64, "uapi");
_Static_assert(sizeof(struct ax_mm_map) == 104, "uapi");
_Static_assert(sizeof(struct ax_msghdr) == 56, "uapi");

#endif
