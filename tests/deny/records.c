/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel itself would write into memory or a file, in its own numbers, where nobody could convert
 * it: events that record who, io_uring, accounting.
 */
#include "deny.h"

/* struct perf_event_attr up to PERF_ATTR_SIZE_VER0 */
struct attr {
	uint32_t type, size;
	uint64_t config, period, sample_type, read_format, flags;
	uint64_t rest[2];
};

static long event(uint64_t sample_type, uint64_t flags)
{
	struct attr a = {
		.type = 1,
		.size = sizeof(a),
		.period = 100000,
		.sample_type = sample_type,
		.flags = flags | 1 << 5 | 1 << 6, /* exclude_kernel, exclude_hv */
	};
	long r = SC(298, &a, 0, -1, -1, 0);

	/* Where users may not even count, what is refused cannot be told from that. */
	return r == -EACCES ? -EOPNOTSUPP : r;
}

#define RING "perf mmap ring: "
#define RECORDS \
	RING "RECORD_COMM/MMAP/MMAP2/FORK/EXIT/ITRACE_START/SWITCH_CPU_WIDE/LOST/READ/NAMESPACES"

static void uring(const char *kind, const char *name, const char *field)
{
	uint32_t params[30] = {0};

	deny(kind, name, field, SC(425, 1, params));
	deny(kind, name, field, SC(426, -1, 1, 0, 0, NULL, 0));
	deny(kind, name, field, SC(427, -1, 0, NULL, 0));
}

int main(void)
{
	static const int bits[] = {8, 9, 11, 13, 17, 23, 28};

	deny("memory", RING "PERF_SAMPLE_TID", "pid, tid", event(1 << 1, 0));
	deny("memory", RING "PERF_SAMPLE_TID", "pid, tid", event(1 << 0 | 1 << 1, 1));
	for (size_t i = 0; i < COUNT(bits); i++)
		deny("memory", RECORDS, "pid, ppid, tid, ptid, next_prev_pid/tid",
		     event(1, 1ull << bits[i]));
	deny("syscall-op", "read/mmap perf fd", "see memory rows", event(1 << 1, 0));
	deny("syscall", "acct (163)", "acct file ac_pid, ac_ppid", SC(SYS_acct, NULL));
	deny("fs-file", "acct file records", "ac_pid, ac_ppid (v3)", SC(SYS_acct, "."));
	uring("syscall", "io_uring_enter / setup (426,425)", "all op rows below");
	uring("syscall-op", "io_uring IORING_OP_WAITID",
	      "sqe.fd=id, sqe.len=idtype, addr2=infop si_pid");
	uring("syscall-op", "io_uring OPENAT/OPENAT2/STATX/UNLINKAT... on /proc paths", "path");
	uring("syscall-op", "io_uring READ/READV/READ_MULTISHOT/SPLICE on proc, signalfd, uffd, fanotify, fuse fds",
	      "data");
	uring("syscall-op", "io_uring WRITE to cgroup.procs, ns_last_pid, tasks", "data");
	uring("syscall-op", "io_uring SENDMSG/RECVMSG", "SCM_CREDENTIALS");
	uring("syscall-op", "io_uring URING_CMD SOCKET_URING_OP_GETSOCKOPT",
	      "SO_PEERCRED, SO_PEERPIDFD");
	uring("syscall-op", "io_uring BIND / CONNECT", "netlink nl_pid, unix path");
	uring("syscall-op", "io_uring worker names iou-wrk-N, iou-sqp-N", "comm text");
	uring("memory", "io_uring CQE/infop written by kernel", "si_pid of WAITID");
	return 0;
}
