/* build: src/boundary/procview.c src/boundary/procview_name.c src/boundary/procview_task.c src/boundary/procpath.c src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which text has which number where: a row for each in the kernel's own format, and the names of the files.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "unit/boundary/procview.h"

/* In the kernel's formats; made up, because no machine has them all. */
static void table(void **state)
{
	static const struct {
		enum bd_text text;
		const char *in, *out;
	} rows[] = {
		{BD_TEXT_NONE, "Pid:\t123 123\n", "Pid:\t123 123\n"},
		{BD_TEXT_SCHED, "a (b) (123, #threads: 5)\n-----\nx  :  123\n",
		 "a (b) (130, #threads: 5)\n-----\nx  :  123\n"},
		{BD_TEXT_SCHED, " (1, #threads: (123, #threads: 1)\n",
		 " (1, #threads: (130, #threads: 1)\n"},
		{BD_TEXT_SCHED, "a\nb (123, #threads: 1)\n", "a\nb (130, #threads: 1)\n"},
		{BD_TEXT_SCHED, "abcdefghijklmno (9, #threads: 1)\n",
		 "abcdefghijklmno (0, #threads: 1)\n"},
		{BD_TEXT_SCHED, "x", "x"},
		{BD_TEXT_SCHED, "", ""},
		{BD_TEXT_TIMERS,
		 "ID: 123\nsignal: 123/0000000000000123\nnotify: signal/pid.123\nClockID: 0\n"
		 "ID: 1\nsignal: 14/0\nnotify: signal/tid.60\nClockID: -2\n",
		 "ID: 123\nsignal: 123/0000000000000123\nnotify: signal/pid.128\nClockID: 0\n"
		 "ID: 1\nsignal: 14/0\nnotify: signal/tid.65\nClockID: -2\n"},
		/* ~123 << 3 | 2, ~123 << 3 | 6; ~5 << 3 | 3 is a descriptor's */
		{BD_TEXT_TIMERS, "ClockID: -990\nClockID: -986\nClockID: -45\nClockID: -\n",
		 "ClockID: -1030\nClockID: -1026\nClockID: -45\nClockID: -\n"},
		{BD_TEXT_TIMERS, "ClockID: -326\n", "ClockID: -6\n"},
		{BD_TEXT_FDINFO, "pos:\t0\nflags:\t02000002\nino:\t123\nPid:\t123\nNSpid:\t123\t4\n",
		 "pos:\t0\nflags:\t02000002\nino:\t123\nPid:\t130\nNSpid:\t130\t4\n"},
		{BD_TEXT_FDINFO, "Pid:\t-1\nNSpid:\t-1\nSqThread:\t-1\ntid:\t123\npid:\t0\n",
		 "Pid:\t-1\nNSpid:\t-1\nSqThread:\t-1\ntid:\t130\npid:\t0\n"},
		{BD_TEXT_FDINFO,
		 "lock:\t1: POSIX  ADVISORY  WRITE 123 fe:00:123 0 EOF\n"
		 "lock:\t2: OFDLCK ADVISORY  READ -1 fe:00:123 0 EOF\n"
		 "lock:\t3: FLOCK  ADVISORY  WRITE 9 fe:00:123 0 EOF\n",
		 "lock:\t1: POSIX  ADVISORY  WRITE 132 fe:00:123 0 EOF\n"
		 "lock:\t2: OFDLCK ADVISORY  READ -1 fe:00:123 0 EOF\n"
		 "lock:\t3: FLOCK  ADVISORY  WRITE 0 fe:00:123 0 EOF\n"},
		{BD_TEXT_LOADAVG, "0.20 0.18 0.12 1/80 11206\n", "0.20 0.18 0.12 1/80 77\n"},
		{BD_TEXT_LOCKS,
		 "1: POSIX  ADVISORY  WRITE 123 fe:00:123 0 EOF\n"
		 "1: -> POSIX  ADVISORY  WRITE 124 fe:00:123 0 EOF\n"
		 "1:  -> POSIX  ADVISORY  READ 9 fe:00:123 5 99\n"
		 "2: FLOCK  ADVISORY  WRITE 9 fe:00:123 0 EOF\n"
		 "2: -> FLOCK  ADVISORY  WRITE 123 fe:00:123 0 EOF\n"
		 "3: OFDLCK ADVISORY  READ -1 fe:00:123 0 EOF\n"
		 "4: LEASE  ACTIVE    READ 123 fe:00:123 0 EOF\n"
		 "5: POSIX  *NOINODE* READ 123 <none>:0 0 EOF\n",
		 "1: POSIX  ADVISORY  WRITE 132 fe:00:123 0 EOF\n"
		 "1: -> POSIX  ADVISORY  WRITE 133 fe:00:123 0 EOF\n"
		 "1:  -> POSIX  ADVISORY  READ 0 fe:00:123 5 99\n"
		 "3: OFDLCK ADVISORY  READ -1 fe:00:123 0 EOF\n"
		 "4: LEASE  ACTIVE    READ 132 fe:00:123 0 EOF\n"
		 "5: POSIX  *NOINODE* READ 132 <none>:0 0 EOF\n"},
		{BD_TEXT_SYSVIPC_SHM,
		 "       key      shmid perms                  size  cpid  lpid nattch   uid\n"
		 "         0        123  1600                   123   123    60      2   123\n"
		 "        -5          1   600                   123 99998 999999      2     0\n"
		 "         0          1   600                   123     9     0      0     0\n",
		 "       key      shmid perms                  size  cpid  lpid nattch   uid\n"
		 "         0        123  1600                   123   128    65      2   123\n"
		 "        -5          1   600                   123 100003 1000004      2     0\n"
		 "         0          1   600                   123     0     0      0     0\n"},
		{BD_TEXT_SYSVIPC_MSG,
		 "       key      msqid perms      cbytes       qnum lspid lrpid   uid\n"
		 "         1        123   644         123        123   123     0   123\n",
		 "       key      msqid perms      cbytes       qnum lspid lrpid   uid\n"
		 "         1        123   644         123        123   128     0   123\n"},
		{BD_TEXT_NETLINK,
		 "sk               Eth Pid        Groups   Rmem\n"
		 "0000000070a601ba 0   0          00000000 0\n"
		 "0000000070a601ba 16  123        00000123 123\n",
		 "sk               Eth Pid        Groups   Rmem\n"
		 "0000000070a601ba 0   0          00000000 0\n"
		 "0000000070a601ba 16  130        00000123 123\n"},
		{BD_TEXT_FLOWLABEL,
		 "Label S Owner  Users  Linger Expires  Dst\n"
		 "0007B 2 123    123    6      12345678 00\n0007B 2 99998  1\n"
		 "0007B 3 123    1      6      12345678 00\n",
		 "Label S Owner  Users  Linger Expires  Dst\n"
		 "0007B 2 128    123    6      12345678 00\n0007B 2 100003 1\n"
		 "0007B 3 123    1      6      12345678 00\n"},
		{BD_TEXT_SOUND, "state: RUNNING\nowner_pid   : 123\ntrigger_time: 123.5\n",
		 "state: RUNNING\nowner_pid   : 128\ntrigger_time: 123.5\n"},
		{BD_TEXT_SOUND, "Output 0\n  Tx bytes     : 123\n  Owner PID    : 123\n",
		 "Output 0\n  Tx bytes     : 123\n  Owner PID    : 128\n"},
		{BD_TEXT_PID_MAX, "32768\n", "99\n"},
		{BD_TEXT_LAST_PID, "123456\n", "77\n"},
		{BD_TEXT_ONE_NUMBER, "1\n", "0\n"},
		{BD_TEXT_ONE_NUMBER, "<none>\n", "<none>\n"},
		{BD_TEXT_MEMBERS, "9\n123\n124\n", "130\n131\n"},
		{BD_TEXT_MEMBERS_0, "9\n123\n124\n", "0\n130\n131\n"},
		{BD_TEXT_MQUEUE, "QSIZE:123        NOTIFY:0     SIGNO:12    NOTIFY_PID:123   \n",
		 "QSIZE:123        NOTIFY:0     SIGNO:12    NOTIFY_PID:128   \n"},
		{BD_TEXT_MQUEUE, "QSIZE:0          NOTIFY:2     SIGNO:0     NOTIFY_PID:4000000\n",
		 "QSIZE:0          NOTIFY:2     SIGNO:0     NOTIFY_PID:4000005\n"},
		{BD_TEXT_MOUNTS,
		 "proc /proc/123/fd proc rw 0 0\nx /proc/123/task/124/fd ext4 rw 0 0\n"
		 "x /proc/9 ext4 rw 0 0\nx /proc/123x ext4 rw,pgrp=123 0 0\nx /a/proc/123 b rw 0 "
		 "0\n"
		 "systemd-1 /m autofs rw,fd=123,pgrp=123,timeout=0 0 0\n",
		 "proc /proc/128/fd proc rw 0 0\nx /proc/128/task/129/fd ext4 rw 0 0\n"
		 "x /proc/9 ext4 rw 0 0\nx /proc/123x ext4 rw,pgrp=123 0 0\nx /a/proc/123 b rw 0 "
		 "0\n"
		 "systemd-1 /m autofs rw,fd=123,pgrp=132,timeout=0 0 0\n"},
		{BD_TEXT_MOUNTS,
		 "1 2 0:5 /123/fd /m rw shared:123 - proc proc rw\n1 2 0:5 /123 /m rw - ext4 /d "
		 "rw\n"
		 "1 2 0:5 / /proc rw - autofs systemd-1 pgrp=123,x\n",
		 "1 2 0:5 /128/fd /m rw shared:123 - proc proc rw\n1 2 0:5 /123 /m rw - ext4 /d "
		 "rw\n"
		 "1 2 0:5 / /proc rw - autofs systemd-1 pgrp=132,x\n"},
		{BD_TEXT_MOUNTS,
		 "9 2 0:4 pid:[4026531836] /n rw - nsfs nsfs rw\n9 2 0:4 pid:[4026531837] /n rw - "
		 "nsfs nsfs rw\n"
		 "pid:[4026531836] pid:[4026531836] nsfs rw 0 0\n",
		 "9 2 0:4 pid:[5] /n rw - nsfs nsfs rw\n9 2 0:4 pid:[4026531837] /n rw - nsfs nsfs "
		 "rw\n"
		 "pid:[4026531836] pid:[4026531836] nsfs rw 0 0\n"},
		{BD_TEXT_MAPS,
		 "400000-401000 r-xp 00000000 fe:00 1   /bin/x\nSize:    4 kB\nVmFlags: rd ex\n"
		 "550000000000-550000401000 rw-s 00000000 00:01 6   /memfd:subpid (deleted)\nSize: "
		 "1 kB\n"
		 "550000000000-550000012000 r-xp 00000000 fe:00 5   /x\nVmFlags: rd\n"
		 "550040100000-550040200000 rw-p 00000000 00:00 0   [heap]\nSize: 9 kB\n"
		 "550080000000-550080010000 rw-p 00000000 00:00 0 \nSize: 2 kB\n"
		 "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \nSize: 3 kB\n",
		 "400000-401000 r-xp 00000000 fe:00 1   /bin/x\nSize:    4 kB\nVmFlags: rd ex\n"
		 "550040100000-550040200000 rw-p 00000000 00:00 0   [heap]\nSize: 9 kB\n"
		 "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \nSize: 3 kB\n"},
		{BD_TEXT_MAPS, "550000020000-550040200000 rw-p 00000000 00:00 0     [heap]\n",
		 "550000020000-550040200000 rw-p 00000000 00:00 0     [heap]\n"},
		{BD_TEXT_NUMA_MAPS,
		 "00400000 default file=/bin/x mapped=1\n550000000000 default file=/memfd:x\n"
		 "550000020000 default anon=1\n550000030000 default heap anon=1\n7f00 default\n",
		 "00400000 default file=/bin/x mapped=1\n550000030000 default heap anon=1\n7f00 "
		 "default\n"},
		{BD_TEXT_SYSCALL, "running\n", "running\n"},
		{BD_TEXT_SYSCALL, "0 0x3 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n",
		 "0 0x3 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n"},
	};
	static const struct bd_call in_wait = {61, {~0ull, 1, 2, 0, 0xab, 5}, 0x7ffe, 0x4000},
				    no_call = {-1, {0}, 0x7ffe, 0x4000};
	struct bd_map calls = map;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(view(rows[i].text, &map, rows[i].in), 0);
		assert_string_equal(result, rows[i].out);
	}
	calls.call = &in_wait;
	assert_int_equal(view(BD_TEXT_SYSCALL, &calls, "0 0x3 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n"), 0);
	assert_string_equal(result, "61 0xffffffffffffffff 0x1 0x2 0x0 0xab 0x5 0x7ffe 0x4000\n");
	assert_int_equal(view(BD_TEXT_SYSCALL, &calls, "running\n"), 0);
	assert_string_equal(result, "running\n");
	calls.call = &no_call;
	assert_int_equal(view(BD_TEXT_SYSCALL, &calls, "-1 0x6 0x7\n"), 0);
	assert_string_equal(result, "-1 0x7ffe 0x4000\n");
}

/* Whether numbers of members ascend decides whether they have to be sorted. */
static void order_of_members(void **state)
{
	static const struct {
		const char *in;
		bool unordered;
	} rows[] = {{"100\n101\n150\n", false},
		    {"100\n99\n150\n", false},
		    {"150\n101\n", true},
		    {"100\n100\n", true},
		    {"", false}};
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bd_view v = {.map = &map, .text = BD_TEXT_MEMBERS};
		struct sp_text t;

		sp_text_init(&t, out, sizeof(out));
		assert_int_equal(bd_view_piece(&v, rows[i].in, strlen(rows[i].in), true, &t),
				 strlen(rows[i].in));
		assert_int_equal(v.unordered, rows[i].unordered);
	}
}

static enum bd_text text_at(const char *path)
{
	struct bd_procpath p;

	bd_procpath_parse(NULL, path, strlen(path), &p);
	return bd_text_of(&p);
}

static void leaves(void **state)
{
	static const struct {
		const char *path;
		enum bd_text text;
	} rows[] = {
		{"/proc/self/stat", BD_TEXT_STAT},
		{"/proc/thread-self/status", BD_TEXT_STATUS},
		{"/proc/5/task/6/children", BD_TEXT_CHILDREN},
		{"/proc/5/task/6/sched", BD_TEXT_SCHED},
		{"/proc/5/smaps", BD_TEXT_MAPS},
		{"/proc/5/numa_maps", BD_TEXT_NUMA_MAPS},
		{"/proc/5/fdinfo/3", BD_TEXT_FDINFO},
		{"/proc/5/timers", BD_TEXT_TIMERS},
		{"/proc/mounts", BD_TEXT_MOUNTS},
		{"/proc/self/mountinfo", BD_TEXT_MOUNTS},
		{"/proc/net/ip6_flowlabel", BD_TEXT_FLOWLABEL},
		{"/proc/5/net/ip6_flowlabel", BD_TEXT_FLOWLABEL},
		{"/proc/net/netlink", BD_TEXT_NETLINK},
		{"/proc/5/task/6/net/netlink", BD_TEXT_NETLINK},
		{"/proc/asound/card0/pcm0p/sub0/status", BD_TEXT_SOUND},
		{"/proc/asound/card0/midi0", BD_TEXT_SOUND},
		{"/proc/sys/kernel/pid_max", BD_TEXT_PID_MAX},
		{"/proc/sys/kernel/ns_last_pid", BD_TEXT_LAST_PID},
		{"/proc/sys/vm/memfd_noexec", BD_TEXT_SETTING},
		{"/proc/stat", BD_TEXT_NONE},
		{"/proc/self/statm", BD_TEXT_NONE},
		{"/proc/self/comm", BD_TEXT_NONE},
		{"/proc/self/stat/", BD_TEXT_NONE},
		{"/etc/mtab", BD_TEXT_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_at(rows[i].path) != rows[i].text)
			fail_msg("%s", rows[i].path);
	assert_int_equal(bd_text_elsewhere("cgroup.procs", 12, 0x63677270), BD_TEXT_MEMBERS_0);
	assert_int_equal(bd_text_elsewhere("/a/cgroup.threads", 17, 0x63677270), BD_TEXT_MEMBERS_0);
	assert_int_equal(bd_text_elsewhere("a/cgroup.procs", 14, 0x27e0eb), BD_TEXT_MEMBERS);
	assert_int_equal(bd_text_elsewhere("tasks", 5, 0x7655821), BD_TEXT_MEMBERS);
	assert_int_equal(bd_text_elsewhere("tasks", 5, 0xef53), BD_TEXT_NONE);
	assert_int_equal(bd_text_elsewhere("x", 1, 0x19800202), BD_TEXT_MQUEUE);
	assert_int_equal(bd_text_elsewhere("/s/journal_task", 15, 0x62656572), BD_TEXT_ONE_NUMBER);
	assert_true(bd_text_may_be_elsewhere("cgroup.procs", 12));
	assert_true(bd_text_may_be_elsewhere("/x/tasks", 8));
	assert_true(bd_text_may_be_elsewhere("/dev/mqueue/q", 13));
	assert_false(bd_text_may_be_elsewhere("/x/mytasks", 10));
	assert_false(bd_text_may_be_elsewhere("/x/tasks/", 9));
	assert_false(bd_text_may_be_elsewhere("", 0));
	assert_false(bd_text_may_be_elsewhere("/usr/lib/libc.so.6", 18));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(order_of_members),
		cmocka_unit_test(leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
