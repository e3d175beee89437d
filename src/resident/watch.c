/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which descriptors are watched. The truth is the kernel's: a query call asks the filters themselves, so that
 * nothing has to be remembered over fork, exec and threads.
 */
#include "resident/watch.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/seccomp.h"
#include "resident/user.h"

/*
 * Numbers are watched one by one at first, since a filter costs less than a trap of what is not meant. A
 * program that goes through many gets blocks of them, then all: a process has at most some dozens of
 * filters, whatever it does. The standard descriptors are in no block.
 */
#define BLOCK 16
#define SINGLES 8 /* watched numbers of a block before the block is */
#define BLOCKS 4  /* such blocks before all are */
#define OTHERS 24 /* watched numbers elsewhere before all are */
#define LOW 1024
#define STANDARD 3

/* include/linux/miscdevice.h; a CUSE server speaks as a FUSE server does. */
#define MISC_MAJOR 10
#define FUSE_MINOR 229
#define CUSE_MINOR 203

/* In struct statx: stx_mode (its lower half), stx_rdev_major. */
#define STX_MODE 7
#define STX_RDEV 32

static bool is_watched(uint32_t fd, enum bd_watch_mode mode)
{
	return sp_sys2(BD_WATCH_QUERY, fd, mode) == -BD_WATCHED;
}

/* The range that is to be watched with fd. */
static void choose(uint32_t fd, struct bd_watch *w)
{
	unsigned int blocks = 0, others = 0, here = 0;

	for (uint32_t first = 0; first < LOW && fd >= STANDARD && fd < LOW; first += BLOCK) {
		unsigned int n = 0;

		for (uint32_t i = first < STANDARD ? STANDARD : first; i < first + BLOCK; i++)
			n += is_watched(i, w->mode);
		if (n >= BLOCK - STANDARD)
			blocks++;
		else
			others += n;
		if (fd - first < BLOCK)
			here = n;
	}
	if (fd >= LOW) {
		w->first = LOW;
		w->last = UINT32_MAX;
	} else if (blocks >= BLOCKS || others >= OTHERS) {
		w->first = STANDARD;
		w->last = LOW - 1;
	} else if (here >= SINGLES) {
		w->first = fd & ~(BLOCK - 1u);
		w->last = w->first + BLOCK - 1;
		if (w->first < STANDARD)
			w->first = STANDARD;
	}
}

/* Other threads take the caller's filters, as far as theirs are the same but for the new one. */
static long install(const struct bd_watch *w)
{
	const struct bd_trap trap = {(uint64_t)rs_text_start, (uint64_t)rs_text_end, RS_TRAP_MAGIC};
	struct sock_filter code[BD_WATCH_MAX];
	struct {
		uint16_t len;
		struct sock_filter *filter;
	} prog;
	unsigned long flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	int n = bd_watch_build(code, BD_WATCH_MAX, &trap, w);
	long r;

	if (n < 0)
		return -ENOMEM;
	prog.len = (uint16_t)n;
	prog.filter = code;
	/* A vfork child is a process of its own; and the program's filters must not spread to other threads. */
	if (!rs_area_here()->level && rs_seccomp_uniform(rs_area_here()))
		flags |= SECCOMP_FILTER_FLAG_TSYNC;
	r = sp_sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, (long)flags, (long)&prog);
	if (r > 0)
		r = sp_sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			    (long)&prog);
	if (r)
		r = sp_sys6(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&prog, 0, 0, 0);
	return r ? -ENOMEM : 0;
}

long rs_watch(int fd, enum bd_watch_mode mode)
{
	struct bd_watch w = {(uint32_t)fd, (uint32_t)fd, mode};

	if (is_watched((uint32_t)fd, mode))
		return 0;
	choose((uint32_t)fd, &w);
	return install(&w);
}

long rs_watch_link(int fd, char *buf, size_t cap)
{
	char name[48];
	struct sp_text t;

	sp_text_init(&t, name, sizeof(name));
	sp_text_str(&t, "/proc/thread-self/fd/");
	sp_text_dec(&t, fd);
	return sp_sys3(__NR_readlink, (long)name, (long)buf, (long)cap);
}

long rs_watch_info(int fd)
{
	char name[48];
	struct sp_text t;

	sp_text_init(&t, name, sizeof(name));
	sp_text_str(&t, "/proc/thread-self/fdinfo/");
	sp_text_dec(&t, fd);
	return sp_sys3(__NR_open, (long)name, O_RDONLY | O_CLOEXEC, 0);
}

#define UFFDIO_WAKE_ 0x8010aa02u
#define PERF_EVENT_IOC_ID_ 0x80082407u
#define FIONREAD_ 0x541bu

/*
 * Without /proc: what a descriptor can be is told by harmless requests that its kind refuses in its own way.
 * inotify remains in the company of fanotify, and what reads in 8 bytes in that of signalfd: their
 * records tell (watch_read.c).
 */
static enum bd_data kind_by_requests(int fd)
{
	uint64_t word;

	if (sp_sys3(__NR_ioctl, fd, UFFDIO_WAKE_, 0) != -ENOTTY)
		return BD_DATA_UFFD;
	if (!sp_sys3(__NR_ioctl, fd, FIONREAD_, (long)&word))
		return BD_DATA_FANOTIFY;
	return sp_sys3(__NR_ioctl, fd, PERF_EVENT_IOC_ID_, (long)&word) == -ENOTTY ? BD_DATA_SIGNALFD
										   : BD_DATA_NONE;
}

/*
 * By its name. Only of a file that may take numbers its file system is asked for, because that may be a
 * request to a server, which in the worst case is this process.
 */
static __attribute__((noinline)) enum bd_data kind_by_link(int fd, bool regular,
							   const struct bd_idfile **ret_file)
{
	const struct bd_idfile *file;
	uint64_t fs[16]; /* struct statfs has 120 bytes; its first word is f_type */
	char buf[800];
	long n = rs_watch_link(fd, buf, sizeof(buf));

	if (n <= 0)
		return regular ? BD_DATA_NONE : kind_by_requests(fd);
	if (buf[0] != '/')
		return bd_data_of_link(buf, (size_t)n);
	file = regular ? bd_idfile_next(NULL, buf, (size_t)n) : NULL;
	if (!file || sp_sys2(__NR_fstatfs, fd, (long)fs))
		return BD_DATA_NONE;
	while (file && file->magic != (uint32_t)fs[0])
		file = bd_idfile_next(file, buf, (size_t)n);
	*ret_file = file;
	return file ? BD_DATA_NUMBERS : BD_DATA_NONE;
}

/* Type of the file and, of a device, which one; as it is known here, where a server need not be asked. */
static bool look(int fd, uint32_t *ret_type, uint32_t ret_dev[2])
{
	uint32_t x[64]; /* struct statx */
	struct ax_stat st;

	if (!sp_sys6(__NR_statx, fd, (long)"", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE,
		     (long)x, 0)) {
		*ret_type = x[STX_MODE] & S_IFMT;
		ret_dev[0] = x[STX_RDEV];
		ret_dev[1] = x[STX_RDEV + 1];
		return true;
	}
	/* Containers may refuse the newer call. */
	if (sp_sys2(__NR_fstat, fd, (long)&st))
		return false;
	*ret_type = st.mode & S_IFMT;
	ret_dev[0] = (uint32_t)(st.rdev >> 8) & 0xfff; /* include/linux/kdev_t.h:new_encode_dev */
	ret_dev[1] = (uint32_t)((st.rdev & 0xff) | (st.rdev >> 12 & 0xfff00));
	return true;
}

enum bd_data rs_watch_kind(int fd, const struct bd_idfile **ret_file)
{
	uint32_t type, dev[2];

	if (!look(fd, &type, dev))
		return BD_DATA_NONE;
	if (type == S_IFCHR)
		return dev[0] == MISC_MAJOR && (dev[1] == FUSE_MINOR || dev[1] == CUSE_MINOR)
			       ? BD_DATA_FUSE
			       : BD_DATA_NONE;
	return type && type != S_IFREG ? BD_DATA_NONE : kind_by_link(fd, type, ret_file);
}

long rs_watch_as(int fd, enum bd_data kind)
{
	long r = 0;

	if (kind != BD_DATA_NONE)
		r = rs_watch(fd, BD_WATCH_READ);
	if (!r && (kind == BD_DATA_NUMBERS || kind == BD_DATA_FUSE))
		r = rs_watch(fd, BD_WATCH_WRITE);
	return r;
}

long rs_watch_received(int fd)
{
	const struct bd_idfile *file;

	return rs_watch_as(fd, rs_watch_kind(fd, &file));
}

bool rs_watch_is(int fd)
{
	return is_watched((uint32_t)fd, BD_WATCH_READ) || is_watched((uint32_t)fd, BD_WATCH_WRITE);
}

bool rs_watch_opens(const char *path, size_t len, uint64_t flags)
{
	if (flags & O_PATH)
		return false;
	if (len == 9 && (sp_has_prefix(path, "/dev/fuse") || sp_has_prefix(path, "/dev/cuse")))
		return true;
	return (flags & O_ACCMODE) != O_RDONLY && bd_idfile_next(NULL, path, len);
}
