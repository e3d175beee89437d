/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names stand for texts of procview.h.
 */
#include "base/mem.h"
#include "boundary/procview.h"

enum bd_text bd_text_of(const struct bd_procpath *p)
{
	static const uint8_t texts[] = {
		[BD_LEAF_STAT] = BD_TEXT_STAT,
		[BD_LEAF_STATUS] = BD_TEXT_STATUS,
		[BD_LEAF_CHILDREN] = BD_TEXT_CHILDREN,
		[BD_LEAF_SYSCALL] = BD_TEXT_SYSCALL,
		[BD_LEAF_SCHED] = BD_TEXT_SCHED,
		[BD_LEAF_TIMERS] = BD_TEXT_TIMERS,
		[BD_LEAF_FDINFO] = BD_TEXT_FDINFO,
		[BD_LEAF_MAPS] = BD_TEXT_MAPS,
		[BD_LEAF_SMAPS] = BD_TEXT_MAPS,
		[BD_LEAF_NUMA_MAPS] = BD_TEXT_NUMA_MAPS,
		[BD_LEAF_MOUNTS] = BD_TEXT_MOUNTS,
		[BD_LEAF_MOUNTINFO] = BD_TEXT_MOUNTS,
		[BD_LEAF_MOUNTSTATS] = BD_TEXT_MOUNTS,
		[BD_LEAF_LOADAVG] = BD_TEXT_LOADAVG,
		[BD_LEAF_LOCKS] = BD_TEXT_LOCKS,
		[BD_LEAF_SYSVIPC_SHM] = BD_TEXT_SYSVIPC_SHM,
		[BD_LEAF_SYSVIPC_MSG] = BD_TEXT_SYSVIPC_MSG,
		[BD_LEAF_NETLINK] = BD_TEXT_NETLINK,
		[BD_LEAF_FLOWLABEL] = BD_TEXT_FLOWLABEL,
		[BD_LEAF_SOUND_PCM] = BD_TEXT_SOUND,
		[BD_LEAF_SOUND_MIDI] = BD_TEXT_SOUND,
		[BD_LEAF_PID_MAX] = BD_TEXT_PID_MAX,
		[BD_LEAF_NS_LAST_PID] = BD_TEXT_LAST_PID,
		[BD_LEAF_CAD_PID] = BD_TEXT_ONE_NUMBER,
		[BD_LEAF_MEMFD_NOEXEC] = BD_TEXT_SETTING,
	};

	return !p->slash && p->leaf < sizeof(texts) ? (enum bd_text)texts[p->leaf] : BD_TEXT_NONE;
}

#define CGROUP1_MAGIC 0x27e0eb /* linux/magic.h */
#define CGROUP2_MAGIC 0x63677270
#define RESCTRL_MAGIC 0x7655821
#define MQUEUE_MAGIC 0x19800202
#define SYSFS_MAGIC 0x62656572

static bool ends(const char *path, size_t len, const char *name)
{
	size_t n = sp_strnlen(name, len + 1);

	return n <= len && !memcmp(path + len - n, name, n) && (n == len || path[len - n - 1] == '/');
}

enum bd_text bd_text_elsewhere(const char *name, size_t len, uint64_t magic)
{
	if (magic == MQUEUE_MAGIC)
		return BD_TEXT_MQUEUE;
	if (magic == SYSFS_MAGIC && (ends(name, len, "journal_task") || ends(name, len, "pid_target")))
		return BD_TEXT_ONE_NUMBER;
	if (magic == CGROUP2_MAGIC &&
	    (ends(name, len, "cgroup.procs") || ends(name, len, "cgroup.threads")))
		return BD_TEXT_MEMBERS_0;
	if ((magic == CGROUP1_MAGIC && ends(name, len, "cgroup.procs")) ||
	    ((magic == CGROUP1_MAGIC || magic == RESCTRL_MAGIC) && ends(name, len, "tasks")))
		return BD_TEXT_MEMBERS;
	return BD_TEXT_NONE;
}

bool bd_text_is_on(uint64_t magic)
{
	return magic == CGROUP1_MAGIC || magic == CGROUP2_MAGIC || magic == RESCTRL_MAGIC ||
	       magic == MQUEUE_MAGIC || magic == SYSFS_MAGIC;
}

bool bd_text_may_be_elsewhere(const char *path, size_t len)
{
	/* The last letter tells nearly all other names apart. */
	if (!len)
		return false;
	if (path[len - 1] == 's' && (ends(path, len, "cgroup.procs") ||
				     ends(path, len, "cgroup.threads") || ends(path, len, "tasks")))
		return true;
	if (path[len - 1] == 'k' && ends(path, len, "journal_task"))
		return true;
	if (path[len - 1] == 't' && ends(path, len, "pid_target")) /* DAMON */
		return true;
	/* Names of queues are anybody's; the file system is where mq_overview(7) has it. */
	return len > 12 && path[0] == '/' && path[1] == 'd' && !memcmp(path, "/dev/mqueue/", 12);
}
