/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about PID namespaces as such: making and joining one, ending one's own by reboot(2), and opening a process by
 * its file handle, which must not reach outside.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "resident/handlers.h"
#include "resident/proc.h"
#include "resident/resident.h"
#include "resident/watch.h"

#define NS_GET_NSTYPE 0xb703	       /* include/uapi/linux/nsfs.h */
#define PIDFD_GET_PID_NAMESPACE 0xff05 /* include/uapi/linux/pidfd.h */

/* The flags unshare(2) knows: kernel/fork.c:check_unshare_flags. */
#define UNSHARE_KNOWN                                                                     \
	(CLONE_THREAD | CLONE_FS | CLONE_NEWNS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | \
	 CLONE_SYSVSEM | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUSER |     \
	 CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME)

/* What is wrong with the flags or with having threads is said before the rights are looked at. */
long rs_h_unshare(struct rs_frame *f, struct rs_area *a)
{
	uint64_t flags = (uint64_t)f->a[0];
	long r = 0;

	(void)a;
	if (flags & CLONE_NEWTIME)
		rs_ident_clocks_differ();
	if (!(flags & CLONE_NEWPID))
		return rs_call(f, rs_finish_raw);
	if (flags & ~(uint64_t)UNSHARE_KNOWN)
		return -EINVAL;
	if (flags & (CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM))
		r = sp_sys1(__NR_unshare, CLONE_THREAD);
	return r ? r : -EPERM;
}

static bool is_pidfd(int fd)
{
	long r = sp_sys4(__NR_pidfd_send_signal, fd, 0, 0, 0);

	return !r || r == -ESRCH || r == -EPERM;
}

static bool has_ended(int pidfd)
{
	long ns = sp_sys3(__NR_ioctl, pidfd, PIDFD_GET_PID_NAMESPACE, 0);

	if (ns >= 0)
		sp_sys1(__NR_close, ns);
	return ns == -ESRCH;
}

/* The PID namespace that fd is or whose member fd (a pidfd) names is the one the kernel has us in. */
static bool of_own_pidns(int fd, bool pidfd)
{
	struct ax_stat theirs, ours;
	long ns = fd;
	bool same;

	same = !sp_sys2(__NR_stat, (long)"/proc/thread-self/ns/pid", (long)&ours);
	if (!same) {
		long self = sp_sys2(__NR_pidfd_open, sp_sys0(__NR_getpid), 0);
		long own = sp_sys3(__NR_ioctl, self, PIDFD_GET_PID_NAMESPACE, 0);

		same = !sp_sys2(__NR_fstat, own, (long)&ours);
		if (self >= 0)
			sp_sys1(__NR_close, self);
		if (own >= 0)
			sp_sys1(__NR_close, own);
	}
	if (pidfd)
		ns = sp_sys3(__NR_ioctl, fd, PIDFD_GET_PID_NAMESPACE, 0);
	same = same && !sp_sys2(__NR_fstat, ns, (long)&theirs) && ours.ino == theirs.ino &&
	       ours.dev == theirs.dev;
	if (pidfd && ns >= 0)
		sp_sys1(__NR_close, ns);
	return same;
}

/*
 * Children of whoever joins the kernel's PID namespace it is in already have numbers as before; in any other they
 * would be out of reach.
 */
long rs_h_setns(struct rs_frame *f, struct rs_area *a)
{
	int fd = (int)f->a[0];
	uint32_t flags = (uint32_t)f->a[1];
	long type = sp_sys3(__NR_ioctl, fd, NS_GET_NSTYPE, 0);
	bool nsfs = type >= 0;

	(void)a;
	if ((nsfs ? (uint32_t)type : flags) & CLONE_NEWTIME)
		rs_ident_clocks_differ();
	if (nsfs ? type != CLONE_NEWPID : !(flags & CLONE_NEWPID))
		return rs_proc_call_forget(f); /* a mount namespace brings another root */
	if (nsfs && flags && flags != CLONE_NEWPID)
		return rs_call(f, rs_finish_raw); /* EINVAL */
	rs_block(f);
	/* What is neither, or of a process that has ended, the kernel refuses itself. */
	if ((nsfs || (is_pidfd(fd) && !has_ended(fd))) && !of_own_pidns(fd, !nsfs))
		return rs_unblock(f, -EPERM);
	return rs_unblock(f, sp_sys2(__NR_setns, f->a[0], f->a[1]));
}

/* A pidfd whose process is not here: fs/pidfs.c:pidfs_fh_to_dentry does not find it. */
static bool is_stranger(long fd)
{
	struct ax_pidfd_info info = {.mask = AX_PIDFD_INFO_PID};

	return !rs_pidfd_info(fd, &info) && info.mask & AX_PIDFD_INFO_PID &&
	       !rs_out_pid((int32_t)info.pid);
}

/* In the frame's scratch. */
enum { S_DONE, S_RESULT };

/* Once, with signals blocked: the descriptor must not be closed twice. */
static long finish_handle(struct rs_frame *f)
{
	uint64_t mask;

	if (f->raw < 0)
		return f->raw;
	mask = rs_hush();
	if (!f->scratch[S_DONE]) {
		f->scratch[S_RESULT] = (uint64_t)f->raw;
		if (is_stranger(f->raw)) {
			sp_sys1(__NR_close, f->raw);
			f->scratch[S_RESULT] = (uint64_t)-ESTALE;
		} else if (rs_watch_received((int)f->raw)) {
			sp_sys1(__NR_close, f->raw);
			f->scratch[S_RESULT] = (uint64_t)-ENOMEM;
		}
		f->scratch[S_DONE] = 1;
	}
	rs_unhush(mask);
	return (long)f->scratch[S_RESULT];
}

/* May wait: a pipe has handles too. */
long rs_h_open_by_handle_at(struct rs_frame *f, struct rs_area *a)
{
	(void)a;
	f->scratch[S_DONE] = 0;
	return rs_call(f, finish_handle);
}

/*
 * kernel/pid_namespace.c:reboot_pid_ns: number 1 is killed, its status says by what, and the caller ends. Asked
 * with a wrong magic the kernel only says whether the caller may.
 */
long rs_h_reboot(struct rs_frame *f, struct rs_area *a)
{
	struct sp_ref init = sp_pid_find(RS_NS, sp_vpid_of(1));
	long r = sp_sys4(__NR_reboot, 0, 0, 0, 0);
	uint32_t sig;

	(void)a;
	if (r != -EINVAL)
		return r < 0 ? r : -EPERM;
	if ((uint32_t)f->a[0] != LINUX_REBOOT_MAGIC1)
		return -EINVAL;
	switch ((uint32_t)f->a[1]) {
	case LINUX_REBOOT_MAGIC2:
	case LINUX_REBOOT_MAGIC2A:
	case LINUX_REBOOT_MAGIC2B:
	case LINUX_REBOOT_MAGIC2C:
		break;
	default:
		return -EINVAL;
	}
	switch ((uint32_t)f->a[2]) {
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
		sig = SIGHUP;
		break;
	case LINUX_REBOOT_CMD_POWER_OFF:
	case LINUX_REBOOT_CMD_HALT:
		sig = SIGINT;
		break;
	default:
		return -EINVAL;
	}
	if (init.slot == SP_NO_SLOT)
		return -EPERM; /* the namespace is ending */
	rs_block(f);
	atomic_store(&RS_NS->init_reboot, sig);
	sp_sys2(__NR_kill, sp_ref_hpid(RS_NS, init).n, SIGKILL);
	for (;;)
		sp_sys1(__NR_exit, 0);
}
