/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the host task behind an entry still the one that was published? A process carries the inode of its pidfd
 * (pidfs, unique for the boot, since 6.9) or, on older kernels, its start time. To ask for that costs a twentieth of
 * a fork, and most children end without anybody asking. So a child is noted by the tick in which its parent
 * had it (a stamp), which its start cannot be behind and that of a task with its recycled number is; the first who
 * asks puts the real identity in its place. Also the sweep that retires entries of tasks nobody announces:
 * threads, and children reaped by the kernel itself.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "arch/x86_64/syscall.h"
#include "arch/x86_64/uapi.h"
#include "base/fmt.h"
#include "resident/resident.h"

static uint64_t pidfd_inode(long fd)
{
	struct ax_stat st;

	return sp_sys2(__NR_fstat, fd, (long)&st) ? 0 : st.ino;
}

long rs_pidfd_info(long fd, struct ax_pidfd_info *info)
{
	return sp_sys3(__NR_ioctl, fd, (long)(AX_PIDFD_GET_INFO | sizeof(*info) << 16), (long)info);
}

#define STARTTIME 22 /* clock ticks after boot: proc(5) */

/* Fields are counted behind the last ')', because the name in front of it may be anything. */
uint64_t rs_stat_field(int32_t hid, int wanted)
{
	char buf[768], path[32];
	struct sp_text t;
	long fd, n, i;
	int field = 2;
	uint64_t v = 0;

	sp_text_init(&t, path, sizeof(path));
	sp_text_str(&t, "/proc/");
	sp_text_dec(&t, hid);
	sp_text_str(&t, "/stat");
	fd = sp_sys3(__NR_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	n = sp_sys3(__NR_read, fd, (long)buf, sizeof(buf));
	sp_sys1(__NR_close, fd);
	for (i = n - 1; i >= 0 && buf[i] != ')'; i--)
		;
	for (; i >= 0 && i < n && field < wanted; i++)
		field += buf[i] == ' ';
	for (; i >= 0 && i < n && buf[i] >= '0' && buf[i] <= '9'; i++)
		v = v * 10 + (uint64_t)(buf[i] - '0');
	return v;
}

static bool have_pidfs(void)
{
	return atomic_load(&RS_NS->flags) & SP_SEG_PIDFS;
}

/* Of a process that has a pidfd open at fd, or that is alive. */
static uint64_t identity(int32_t hid, long fd)
{
	return have_pidfs() ? pidfd_inode(fd) : rs_stat_field(hid, STARTTIME);
}

#define CLOCK_BOOTTIME_ 7
#define TICK_NS 10000000ul /* USER_HZ is 100, whatever the kernel's own: proc(5), starttime */
#define BOOT_TICKS 6000	   /* what number 1 may have taken from its start to here */

static uint64_t now_in_ticks(void)
{
	uint64_t ts[2] = {0, 0};

	sp_sys2(__NR_clock_gettime, CLOCK_BOOTTIME_, (long)ts);
	return ts[0] * 100 + ts[1] / TICK_NS;
}

static void note(struct sp_ref ref, uint64_t v)
{
	if (sp_ref_valid(RS_NS, ref))
		atomic_store(&sp_entry_at(RS_NS, ref.slot)->ident, v);
}

void rs_ident_note_exactly(struct sp_ref ref)
{
	int32_t hid = sp_ref_hpid(RS_NS, ref).n;
	long fd = have_pidfs() ? sp_sys2(__NR_pidfd_open, hid, 0) : -1;

	if (have_pidfs() && fd < 0)
		return; /* no descriptor free: unknown, the table has to do */
	note(ref, identity(hid, fd));
	if (fd >= 0)
		sp_sys1(__NR_close, fd);
}

void rs_ident_note(struct sp_ref ref)
{
	if (atomic_load(&RS_NS->flags) & SP_SEG_STAMPS)
		note(ref, SP_IDENT_STAMP | now_in_ticks());
	else
		rs_ident_note_exactly(ref);
}

void rs_ident_note_init(struct sp_ref ref)
{
	uint64_t started = rs_stat_field(sp_ref_hpid(RS_NS, ref).n, STARTTIME), now = now_in_ticks();

	rs_ident_note_exactly(ref);
	if (started && started <= now && now - started < BOOT_TICKS)
		atomic_fetch_or(&RS_NS->flags, SP_SEG_STAMPS);
}

void rs_ident_clocks_differ(void)
{
	if (atomic_load(&RS_NS->flags) & SP_SEG_STAMPS)
		atomic_fetch_and(&RS_NS->flags, ~(uint32_t)SP_SEG_STAMPS);
}

/*
 * Whether the process behind fd, which has the host number now, is the one of the entry. A stamp that was right is
 * replaced. What cannot be found out counts as right: the table has to do.
 */
static bool is_same(struct sp_ref ref, int32_t hid, long fd)
{
	_Atomic uint64_t *ident = &sp_entry_at(RS_NS, ref.slot)->ident;
	uint64_t want = atomic_load(ident), have;

	if (!want || sp_word_flags(ref.word) & SP_F_THREAD)
		return true;
	if (!(want & SP_IDENT_STAMP)) {
		have = identity(hid, fd);
		return !have || have == want;
	}
	have = rs_stat_field(hid, STARTTIME);
	if (!have || !(atomic_load(&RS_NS->flags) & SP_SEG_STAMPS))
		return true;
	if (have > (want & ~SP_IDENT_STAMP))
		return false;
	have = identity(hid, fd);
	if (have && sp_ref_valid(RS_NS, ref))
		atomic_compare_exchange_strong(ident, &want, have);
	return true;
}

bool rs_ident_is_init(int fd)
{
	struct sp_ref init = sp_pid_find(RS_NS, sp_vpid_of(1));
	uint64_t v = have_pidfs() && init.slot != SP_NO_SLOT ? pidfd_inode(fd) : 0;

	return v && v == atomic_load(&sp_entry_at(RS_NS, init.slot)->ident);
}

long rs_ident_pidfd(struct sp_ref ref, uint32_t flags)
{
	int32_t hid = sp_ref_hpid(RS_NS, ref).n;
	long fd = sp_sys2(__NR_pidfd_open, hid, flags);

	if (fd < 0)
		return fd;
	/* The entry was live after the descriptor pinned the task, so the two belong together. */
	if (is_same(ref, hid, fd) && sp_ref_valid(RS_NS, ref))
		return fd;
	sp_sys1(__NR_close, fd);
	return -ESRCH;
}

long rs_keeper_pidfd(struct sp_ref ref, uint32_t flags)
{
	long fd = sp_sys2(__NR_pidfd_open, sp_ref_keeper(RS_NS, ref).n, flags);

	if (fd < 0 || sp_ref_valid(RS_NS, ref))
		return fd;
	sp_sys1(__NR_close, fd);
	return -ESRCH;
}

bool rs_ref_gone(struct sp_ref ref)
{
	int32_t hid = rs_ref_waited(ref);
	struct sp_ref leader;

	switch (sp_word_state(ref.word)) {
	case SP_CLAIMED:
		return sp_sys2(__NR_kill, sp_ref_by(RS_NS, ref).n, 0) == -ESRCH;
	case SP_RESERVED:
		if (sp_sys2(__NR_kill, sp_ref_by(RS_NS, ref).n, 0) != -ESRCH)
			return false;
		return !hid || sp_sys2(__NR_kill, hid, 0) == -ESRCH;
	case SP_LIVE:
		/* Another live entry with this host number: ours is a predecessor of it. */
		if (!sp_vpid_eq(sp_pid_number(RS_NS, sp_hpid_of(hid)), sp_ref_number(ref)))
			return true;
		if (!(sp_word_flags(ref.word) & SP_F_THREAD))
			return sp_sys2(__NR_kill, hid, 0) == -ESRCH;
		leader = sp_pid_find(RS_NS, rs_ref_group(ref));
		if (leader.slot == SP_NO_SLOT)
			return true;
		return sp_sys3(__NR_tgkill, sp_ref_hpid(RS_NS, leader).n, hid, 0) == -ESRCH;
	case SP_DEAD:
		return sp_sys2(__NR_kill, -sp_ref_hpid(RS_NS, ref).n, 0) == -ESRCH;
	case SP_FREE:
	default:
		return false;
	}
}

/* A dead session leader's number stays while a member of the session lives: kernel/pid.c, PIDTYPE_SID. */
static bool session_in_use(int32_t sid)
{
	struct sp_ref refs[32];
	sp_vpid from = sp_vpid_of(1);
	size_t n;

	do {
		n = sp_ns_list(RS_NS, from, refs, 32);
		for (size_t i = 0; i < n; i++) {
			if (sp_word_state(refs[i].word) == SP_LIVE &&
			    sp_sys1(__NR_getsid, sp_ref_hpid(RS_NS, refs[i]).n) == sid)
				return true;
			from = sp_vpid_of(sp_ref_number(refs[i]).n + 1);
		}
	} while (n == 32);
	return false;
}

static void sweep_out(struct sp_ref ref)
{
	if (!rs_ref_gone(ref))
		return;
	if (sp_word_state(ref.word) == SP_LIVE)
		sp_pid_retire(RS_NS, ref);
	else if (!(sp_word_flags(ref.word) & SP_F_SESSION) ||
		 !session_in_use(sp_ref_hpid(RS_NS, ref).n))
		sp_pid_release(RS_NS, ref);
}

void rs_sweep(void)
{
	struct sp_ref refs[3];
	size_t n = sp_ns_sweep(RS_NS, 64, refs, 3);

	for (size_t i = 0; i < n; i++)
		sweep_out(refs[i]);
}

void rs_sweep_all(void)
{
	struct sp_ref refs[32];
	sp_vpid from = sp_vpid_of(1);
	size_t n;

	do {
		n = sp_ns_list(RS_NS, from, refs, 32);
		for (size_t i = 0; i < n; i++) {
			from = sp_vpid_of(sp_ref_number(refs[i]).n + 1);
			sweep_out(refs[i]);
		}
	} while (n == 32);
}

void rs_sweep_number(sp_vpid n)
{
	struct sp_ref ref;

	/* LIVE becomes DEAD, and that FREE. */
	for (int step = 0; step < 2; step++) {
		ref = sp_pid_find_any(RS_NS, n);
		if (ref.slot != SP_NO_SLOT)
			sweep_out(ref);
	}
}
