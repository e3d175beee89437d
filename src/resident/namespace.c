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
#include "resident/below.h"
#include "resident/handlers.h"
#include "resident/nest.h"
#include "resident/nsfile.h"
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

/* Of CLONE_NEWPID the kernel learns nothing: it changes only where this thread's next children are born. */
long rs_h_unshare(struct rs_frame *f, struct rs_area *a)
{
	uint64_t flags = (uint64_t)f->a[0], children = RS_CHILDREN_NEW;
	long r;

	if (flags & CLONE_NEWTIME)
		rs_ident_clocks_differ();
	if (!(flags & CLONE_NEWPID))
		return rs_call(f, rs_finish_raw);
	if (flags & ~(uint64_t)UNSHARE_KNOWN || a->children)
		return -EINVAL;
	rs_block(f);
	r = flags & CLONE_NEWNET ? rs_nest_ahead(&children) : 0;
	if (!r && flags != CLONE_NEWPID)
		r = sp_sys1(__NR_unshare, (long)(flags & ~(uint64_t)CLONE_NEWPID));
	if (!r)
		a->children = children;
	else if (children != RS_CHILDREN_NEW)
		rs_nest_forget(children);
	return rs_unblock(f, r);
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

/* The namespace of the process that a pidfd names, 0 if it is not of one below. */
static uint64_t below_of(int fd, struct sp_ref *ret_ref)
{
	struct rs_ask q = {.op = RS_OP_NSOF, .ns = RS_NS->ns_id};
	int32_t n = rs_has_below() ? rs_pidfd_number(fd) : 0;
	struct rs_short answer;

	*ret_ref = n > 0 ? sp_pid_find(RS_NS, sp_vpid_of(n)) : SP_REF_NONE;
	if (ret_ref->slot == SP_NO_SLOT || !(sp_word_flags(ret_ref->word) & SP_F_NESTED))
		return 0;
	q.arg = sp_ref_hpid(RS_NS, *ret_ref).n;
	return rs_super(&q, &answer, NULL) || answer.result ? 0 : answer.ns;
}

/* By a pidfd, one of a number 1's keeper too; first what else is joined, because that may fail. */
static long join_below(struct rs_area *a, int fd, uint32_t flags)
{
	struct sp_ref ref;
	uint64_t ns = below_of(fd, &ref);
	long own, r = 0;

	if (!ns)
		return -EPERM;
	if (flags != CLONE_NEWPID) {
		own = sp_ref_keeper(RS_NS, ref).n ? rs_ident_pidfd(ref, 0) : fd;
		r = own < 0 ? own : sp_sys2(__NR_setns, own, (long)(flags & ~(uint32_t)CLONE_NEWPID));
		if (own >= 0 && own != fd)
			sp_sys1(__NR_close, own);
	}
	if (!r)
		a->children = ns;
	return r;
}

/*
 * Children of whoever joins the kernel's PID namespace it is in already have numbers as before; in another of the
 * kernel's they would be out of reach. Those below in the tree are ours to join.
 */
long rs_h_setns(struct rs_frame *f, struct rs_area *a)
{
	int fd = (int)f->a[0];
	uint32_t flags = (uint32_t)f->a[1];
	long type = sp_sys3(__NR_ioctl, fd, NS_GET_NSTYPE, 0), r;
	bool nsfs = type >= 0, pidfd;
	uint64_t ns;

	if ((nsfs ? (uint32_t)type : flags) & CLONE_NEWTIME)
		rs_ident_clocks_differ();
	if (!nsfs && (!flags || flags & CLONE_NEWPID)) {
		rs_block(f);
		r = rs_ns_of_fd(fd, &ns);
		if (!r && flags & ~(uint32_t)CLONE_NEWPID)
			r = -EINVAL;
		else if (!r)
			a->children = ns == RS_NS->ns_id ? (uint64_t)RS_CHILDREN_OWN : ns;
		if (r != -EINVAL)
			return rs_unblock(f, r);
		rs_unblock(f, RS_REWIND);
	}
	if (nsfs ? type != CLONE_NEWPID : !(flags & CLONE_NEWPID))
		return rs_proc_call_forget(f); /* a mount namespace brings another root */
	if (nsfs && flags && flags != CLONE_NEWPID)
		return rs_call(f, rs_finish_raw); /* EINVAL */
	rs_block(f);
	/* What is neither, or of a process that has ended, the kernel refuses itself. */
	pidfd = !nsfs && is_pidfd(fd) && !has_ended(fd);
	if (pidfd) {
		r = join_below(a, fd, flags);
		if (r != -EPERM || !of_own_pidns(fd, true))
			return rs_unblock(f, r);
		flags &= ~(uint32_t)CLONE_NEWPID;
	} else if (nsfs && !of_own_pidns(fd, false)) {
		return rs_unblock(f, -EPERM);
	}
	/* Its own, which to the kernel it has never left. */
	r = nsfs || !flags ? 0 : sp_sys2(__NR_setns, f->a[0], flags);
	if (!r)
		a->children = RS_CHILDREN_OWN;
	return rs_unblock(f, r);
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
