/* build: src/boundary/procview.c src/boundary/procview_task.c src/boundary/procpath.c src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of procfs: made-up ones with everything awkward in them, and all that this machine has.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boundary/procview.h"

/* Numbers from 100 on are inside, as 7 more; groups as 9 more. */
static sp_vpid number(void *ctx, sp_hpid hid)
{
	assert_true(hid.n != 0);
	++*(unsigned *)ctx;
	return sp_vpid_of(hid.n >= 100 ? hid.n + 7 : 0);
}

static sp_vpid group(void *ctx, sp_hpid hid)
{
	assert_true(hid.n != 0);
	++*(unsigned *)ctx;
	return sp_vpid_of(hid.n >= 100 ? hid.n + 9 : 0);
}

static sp_vpid past(void *ctx, sp_hpid hid)
{
	assert_true(hid.n != 0);
	++*(unsigned *)ctx;
	return sp_vpid_of(hid.n >= 50 ? hid.n + 5 : 0);
}

static sp_vpid same(void *ctx, sp_hpid hid)
{
	(void)ctx;
	return sp_vpid_of(hid.n);
}

static unsigned asked;
static const struct bd_map map = {
	.number = number, .group = group, .past = past, .ctx = &asked, .last = {77}, .pid_max = 99};
static const struct bd_map identity = {.number = same, .group = same, .past = same};

/* 31 is never shown; what a program believes is there in its place. */
#define SYS (1ull << 30)
static const struct bd_signals signals = {
	.pending = {0xffff, 0x10000},
	.shared = {~0ull, SYS},
	.blocked = {0, 0x8000000000000201},
	.ignored = {~0x1000ull, 0},
	.caught = {~SYS, 0x4},
};
static const struct bd_signals untouched = {{~0ull, 0}, {~0ull, 0}, {~0ull, 0}, {~0ull, 0}, {~0ull, 0}};
static const struct bd_map believing = {
	.number = same, .group = same, .past = same, .signals = &signals};
static const struct bd_map unbelieving = {
	.number = same, .group = same, .past = same, .signals = &untouched};

static char result[1 << 20];

/* in without a NUL behind it, out of exactly cap bytes: the sanitizer guards both ends. */
static int view_into(enum bd_text leaf, const struct bd_map *m, const char *in, size_t len, size_t cap)
{
	struct bd_view v = {.map = m, .text = leaf};
	char *copy = malloc(len ? len : 1), *buf = malloc(cap);
	struct sp_text out;
	long r;

	memcpy(copy, in, len);
	sp_text_init(&out, buf, cap);
	r = bd_view_piece(&v, copy, len, true, &out);
	assert_true(r < 0 || r == (long)len);
	assert_true(out.len < cap && strlen(buf) == out.len);
	assert_true(r < 0 || v.changed == (out.len != len || memcmp(buf, in, len) != 0));
	assert_true(cap <= sizeof(result));
	memcpy(result, buf, out.len + 1);
	free(buf);
	free(copy);
	return r < 0 ? (int)r : 0;
}

static int view(enum bd_text leaf, const struct bd_map *m, const char *in)
{
	return view_into(leaf, m, in, strlen(in), BD_PROCVIEW_ROOM(strlen(in)));
}

static void stat_texts(void **state)
{
	static const char *const rows[][2] = {
		{"123 (sh) S 120 121 122 34817 125 4194304 1 2 3\n",
		 "130 (sh) S 127 130 131 34817 134 4194304 1 2 3\n"},
		{"123 (sh) S 1 1 1 0 -1 4194304\n", "130 (sh) S 0 0 0 0 -1 4194304\n"},
		{"123 (sh) S 0 0 0 0 0 4194304\n", "130 (sh) S 0 0 0 0 0 4194304\n"},
		{"123 (a b) c) (d) R 120 5 122 0 -1 1\n", "130 (a b) c) (d) R 127 0 131 0 -1 1\n"},
		{"123 () 1 2 3 4 5) Z 120 121 122 0 0 1\n",
		 "130 () 1 2 3 4 5) Z 127 130 131 0 0 1\n"},
		{"123 () Z 120 121 122 0 0 1\n", "130 () Z 127 130 131 0 0 1\n"},
		{"5 (x\ny) T 120 121 122 0 99 \n", "0 (x\ny) T 127 130 131 0 0 \n"},
	};
	static const char *const bad[] = {
		"",
		"123",
		"123 ",
		"123 (",
		"123 (sh",
		"123 (sh)",
		"123 (sh) S",
		"123 (sh) S 1 1 1 0 -1",
		"x (sh) S 1 1 1 0 -1 1",
		"123 sh S 1 1 1 0 -1 1",
		"123  (sh) S 1 1 1 0 -1 1",
		"123 (sh)S 1 1 1 0 -1 1",
		"123 (sh) S x 1 1 0 -1 1",
		"123 (sh) S 01 1 1 0 -1 1",
		"123 (sh) S  1 1 0 -1 1",
		"123 (sh) S 99999999999 1 1 0 -1 1",
		"-5 (sh) S 1 1 1 0 -1 1",
		"123 ) S 1 1 1 0 -1 1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(view(BD_TEXT_STAT, &map, rows[i][0]), 0);
		assert_string_equal(result, rows[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (view(BD_TEXT_STAT, &map, bad[i]) != -EINVAL)
			fail_msg("taken for a stat text: %s", bad[i]);
}

static void status_texts(void **state)
{
	static const char in[] =
		"Name:\tPid:\t123\nUmask:\t0022\nTgid:\t120\nNgid:\t120\nPid:\t123\n"
		"PPid:\t1\nTracerPid:\t0\nUid:\t1000\t1000\t1000\t1000\n"
		"Groups:\t120 123 \nNStgid:\t120\nNSpid:\t123\t5\t120\nNSpgid:\t130\n"
		"NSsid:\t2\nVmPeak:\t    120 kB\nPid: 120\nSigQ:\t120/123\n";
	static const char want[] =
		"Name:\tPid:\t123\nUmask:\t0022\nTgid:\t127\nNgid:\t120\nPid:\t130\n"
		"PPid:\t0\nTracerPid:\t0\nUid:\t1000\t1000\t1000\t1000\n"
		"Groups:\t120 123 \nNStgid:\t127\nNSpid:\t130\t5\t120\nNSpgid:\t139\n"
		"NSsid:\t0\nVmPeak:\t    120 kB\nPid: 120\nSigQ:\t120/123\n";

	(void)state;
	assert_int_equal(view(BD_TEXT_STATUS, &map, in), 0);
	assert_string_equal(result, want);
	assert_int_equal(view(BD_TEXT_STATUS, &map, ""), 0);
	assert_string_equal(result, "");
	assert_int_equal(view(BD_TEXT_STATUS, &map, "Pid:\t123"), 0);
	assert_string_equal(result, "Pid:\t130");
	assert_int_equal(view(BD_TEXT_STATUS, &map, "\n\nPid:\t0\n"), 0);
	assert_string_equal(result, "\n\nPid:\t0\n");
	/* What is no number is copied. */
	assert_int_equal(view(BD_TEXT_STATUS, &map, "Pid:\t\nPid:\t12x\nPid:\t-1\nPid:\t"), 0);
	assert_string_equal(result, "Pid:\t\nPid:\t12x\nPid:\t-1\nPid:\t");
}

static void signal_sets(void **state)
{
	static const char in[] =
		"SigQ:\t1/2\nSigPnd:\tffffffffffffffff\nShdPnd:\t0000000000000001\n"
		"SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001002\n"
		"SigCgt:\t00000001c0000001\nCapInh:\t00000000ffffffff\n";
	static const char want[] =
		"SigQ:\t1/2\nSigPnd:\t000000000001ffff\nShdPnd:\t0000000040000001\n"
		"SigBlk:\t8000000000000201\nSigIgn:\t0000000000000002\n"
		"SigCgt:\t0000000180000005\nCapInh:\t00000000ffffffff\n";
	static const char *const bad[] = {
		"SigBlk:\t\n",
		"SigBlk:\t000000000000000\n",
		"SigBlk:\t00000000000000000\n",
		"SigBlk:\t000000000000000G\n",
		"SigBlk:\t000000000000000A\n",
		"SigBlk:\t 00000000000000\n",
		"SigBlk:\t",
	};
	/* Fields 9 to 30, as many as there are, then the four sets and what is behind them. */
	static const char stat[] =
		"1 (a) S 0 1 1 0 -1 4194304 " /* 9 */
		"10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 18446744073709551615 26 "
		"27 28 29 30 ";

	(void)state;
	assert_int_equal(view(BD_TEXT_STATUS, &believing, in), 0);
	assert_string_equal(result, want);
	assert_int_equal(view(BD_TEXT_STATUS, &unbelieving, in), 0);
	assert_string_equal(result, in);
	assert_int_equal(view(BD_TEXT_STATUS, &identity, "SigBlk:\tx\n"), 0);
	assert_int_equal(view(BD_TEXT_STATUS, &believing, "SigBlk:\t0000000000000000"), 0);
	assert_string_equal(result, "SigBlk:\t8000000000000201");
	assert_int_equal(
		view(BD_TEXT_STATUS, &believing, "SigBlk:\nSigBlk\nXSigBlk:\tz\nSigBlk: z\n"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (view(BD_TEXT_STATUS, &believing, bad[i]) != -EINVAL)
			fail_msg("taken for a signal set: %s", bad[i]);

	for (int more = 0; more < 2; more++) {
		char text[512], wanted[512];

		snprintf(text, sizeof(text), "%s2147483647 2147483647 4098 1073741825 %s", stat,
			 more ? "18446744073709551615 0 0\n" : "");
		snprintf(wanted, sizeof(wanted), "%s131071 513 2 5 %s", stat,
			 more ? "18446744073709551615 0 0\n" : "");
		assert_int_equal(view(BD_TEXT_STAT, &believing, text), 0);
		assert_string_equal(result, wanted);
		assert_int_equal(view(BD_TEXT_STAT, &unbelieving, text), 0);
		assert_string_equal(result, text);
	}
	assert_int_equal(view(BD_TEXT_STAT, &believing, "1 (a) S 0 1 1 0 -1 9 10\n"), 0);
	assert_string_equal(result, "1 (a) S 0 1 1 0 -1 9 10\n");
	assert_int_equal(view(BD_TEXT_STAT, &believing, stat), 0);
	assert_string_equal(result, stat);
	for (size_t i = 0; i < 4; i++) {
		static const char *const sets[] = {"x 0 0 0 0\n", "0 2147483648 0 0 0\n",
						   "0 0  0 0\n", "0 0 0 1"};
		char text[512];

		snprintf(text, sizeof(text), "%s%s", stat, sets[i]);
		assert_int_equal(view(BD_TEXT_STAT, &believing, text), -EINVAL);
	}
}

static void children_texts(void **state)
{
	(void)state;
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, "120 5 123 "), 0);
	assert_string_equal(result, "127 130 ");
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, "120"), 0);
	assert_string_equal(result, "127 ");
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, "0 1 2 "), 0);
	assert_string_equal(result, "");
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, ""), 0);
	assert_string_equal(result, "");
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, " "), -EINVAL);
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, "120\n"), -EINVAL);
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, "120  123 "), -EINVAL);
	assert_int_equal(view(BD_TEXT_CHILDREN, &map, "120 x"), -EINVAL);
}

static void restrictions(void **state)
{
	static const struct bd_restrictions none = {false, false, 0}, ours = {false, false, 1},
					    more = {true, false, 1}, counted = {true, true, 4},
					    zero = {true, true, 0};
	static const struct {
		const struct bd_restrictions *r;
		const char *in, *out;
	} rows[] = {
		{&ours, "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n",
		 "NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n"},
		{&more, "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n",
		 "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n"},
		{&ours, "Seccomp:\t2\nSeccomp_filters:\t0\n", "Seccomp:\t0\nSeccomp_filters:\t0\n"},
		{&ours, "Seccomp:\t1\nSeccomp_filters:\t1\n", "Seccomp:\t1\nSeccomp_filters:\t0\n"},
		/* before 5.9 */
		{&ours, "Seccomp:\t2\nSpeculation_Store_Bypass:\tx\n",
		 "Seccomp:\t0\nSpeculation_Store_Bypass:\tx\n"},
		{&none, "Seccomp:\t2\nSpeculation_Store_Bypass:\tx\n",
		 "Seccomp:\t2\nSpeculation_Store_Bypass:\tx\n"},
		{&counted, "Seccomp:\t2\nSeccomp_filters:\t9\n", "Seccomp:\t2\nSeccomp_filters:\t4\n"},
		{&zero, "Seccomp:\t2\nSeccomp_filters:\t9\n", "Seccomp:\t0\nSeccomp_filters:\t0\n"},
		{&zero, "Seccomp:\t2\nSpeculation_Store_Bypass:\tx\n",
		 "Seccomp:\t0\nSpeculation_Store_Bypass:\tx\n"},
		{&ours, "Seccomp:\t2", "Seccomp:\t2"},
		{&ours, "Seccomp:\t22\nSeccomp_filters:\t-1\n", "Seccomp:\t22\nSeccomp_filters:\t-1\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bd_map m = identity;

		m.restrictions = rows[i].r;
		assert_int_equal(view(BD_TEXT_STATUS, &m, rows[i].in), 0);
		assert_string_equal(result, rows[i].out);
	}
}

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
		 "proc /proc/130/fd proc rw 0 0\nx /proc/130/task/131/fd ext4 rw 0 0\n"
		 "x /proc/9 ext4 rw 0 0\nx /proc/123x ext4 rw,pgrp=123 0 0\nx /a/proc/123 b rw 0 "
		 "0\n"
		 "systemd-1 /m autofs rw,fd=123,pgrp=132,timeout=0 0 0\n"},
		{BD_TEXT_MOUNTS,
		 "1 2 0:5 /123/fd /m rw shared:123 - proc proc rw\n1 2 0:5 /123 /m rw - ext4 /d "
		 "rw\n"
		 "1 2 0:5 / /proc rw - autofs systemd-1 pgrp=123,x\n",
		 "1 2 0:5 /130/fd /m rw shared:123 - proc proc rw\n1 2 0:5 /123 /m rw - ext4 /d "
		 "rw\n"
		 "1 2 0:5 / /proc rw - autofs systemd-1 pgrp=132,x\n"},
		{BD_TEXT_MAPS,
		 "400000-401000 r-xp 00000000 fe:00 1   /bin/x\nSize:    4 kB\nVmFlags: rd ex\n"
		 "550000000000-550000401000 rw-s 00000000 00:01 6   /memfd:subpid (deleted)\nSize: "
		 "1 kB\n"
		 "550040000000-550040012000 r-xp 00000000 fe:00 5   /x\nVmFlags: rd\n"
		 "550040100000-550040200000 rw-p 00000000 00:00 0   [heap]\nSize: 9 kB\n"
		 "550080000000-550080010000 rw-p 00000000 00:00 0 \nSize: 2 kB\n"
		 "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \nSize: 3 kB\n",
		 "400000-401000 r-xp 00000000 fe:00 1   /bin/x\nSize:    4 kB\nVmFlags: rd ex\n"
		 "550040100000-550040200000 rw-p 00000000 00:00 0   [heap]\nSize: 9 kB\n"
		 "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \nSize: 3 kB\n"},
		{BD_TEXT_MAPS, "550040020000-550040200000 rw-p 00000000 00:00 0     [heap]\n",
		 "550040020000-550040200000 rw-p 00000000 00:00 0     [heap]\n"},
		{BD_TEXT_NUMA_MAPS,
		 "00400000 default file=/bin/x mapped=1\n550000000000 default file=/memfd:x\n"
		 "550040020000 default anon=1\n550040030000 default heap anon=1\n7f00 default\n",
		 "00400000 default file=/bin/x mapped=1\n550040030000 default heap anon=1\n7f00 "
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

/* A text is all there or it is said not to be; whatever the room. */
static void every_size_of_room(void **state)
{
	static const struct {
		enum bd_text leaf;
		const char *in;
	} rows[] = {
		{BD_TEXT_STAT, "123 (sh) S 120 121 122 34817 125 4194304 1 2 3\n"},
		{BD_TEXT_STATUS, "Name:\tx\nTgid:\t120\nPid:\t123\nNSpid:\t123\n"},
		{BD_TEXT_CHILDREN, "120 123 99 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char whole[128];
		size_t len;

		assert_int_equal(view(rows[i].leaf, &map, rows[i].in), 0);
		strcpy(whole, result);
		len = strlen(whole);
		for (size_t cap = 1; cap <= len + 1; cap++) {
			int r = view_into(rows[i].leaf, &map, rows[i].in, strlen(rows[i].in), cap);

			assert_int_equal(r, cap <= len ? -E2BIG : 0);
			assert_int_equal(strncmp(result, whole, cap - 1), 0);
		}
	}
}

/* Reads in steps of `step` bytes as a caller with a small buffer does. */
static void in_pieces(enum bd_text leaf, const char *in, size_t step, char *out, size_t cap)
{
	struct bd_view v = {.map = &map, .text = leaf};
	char buf[BD_LINE_MAX + 256];
	size_t have = 0, len = strlen(in), pos = 0;
	struct sp_text text;

	sp_text_init(&text, out, cap);
	while (pos < len || have) {
		size_t more = len - pos < step ? len - pos : step;
		long cut;

		assert_true(have + more <= sizeof(buf));
		memcpy(buf + have, in + pos, more);
		have += more;
		pos += more;
		cut = bd_view_piece(&v, buf, have, pos == len, &text);
		assert_true(cut >= 0 && (size_t)cut <= have);
		assert_true(cut || have < BD_LINE_MAX);
		memmove(buf, buf + cut, have - (size_t)cut);
		have -= (size_t)cut;
	}
}

static void pieces_make_the_whole(void **state)
{
	char list[4096] = "", status[16384], out[32768];
	size_t n = 0;

	(void)state;
	for (unsigned i = 95; i < 400; i += 3)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%u ", i);
	snprintf(status, sizeof(status), "Name:\tx\nTgid:\t120\nGroups:\t%s%s%s%s\nNSpid:\t123\t5\nx\n",
		 list, list, list, list);
	for (size_t step = 1; step < 200; step++) {
		assert_int_equal(view(BD_TEXT_CHILDREN, &map, list), 0);
		in_pieces(BD_TEXT_CHILDREN, list, step, out, sizeof(out));
		assert_string_equal(out, result);
		assert_int_equal(view(BD_TEXT_STATUS, &map, status), 0);
		in_pieces(BD_TEXT_STATUS, status, step, out, sizeof(out));
		assert_string_equal(out, result);
	}
}

static size_t slurp(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while (len < cap - 1 && (n = read(fd, buf + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	buf[len] = '\0';
	return len;
}

static int field(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	assert_non_null(p);
	return atoi(p + strlen(key));
}

static int seven(int n)
{
	return n >= 100 ? n + 7 : 0;
}

static int nine(int n)
{
	return n >= 100 ? n + 9 : 0;
}

static void check_process(const char *dir)
{
	static char in[65536];
	char path[300];
	int a[6], b[6];
	size_t len;

	snprintf(path, sizeof(path), "%s/stat", dir);
	len = slurp(path, in, sizeof(in));
	if (len) {
		assert_int_equal(view(BD_TEXT_STAT, &identity, in), 0);
		assert_string_equal(result, in);
		assert_int_equal(view(BD_TEXT_STAT, &unbelieving, in), 0);
		assert_string_equal(result, in);
		assert_int_equal(view(BD_TEXT_STAT, &map, in), 0);
		assert_int_equal(sscanf(strrchr(in, ')'), ") %*c %d %d %d %d %d", a, a + 1, a + 2,
					a + 3, a + 4),
				 5);
		assert_int_equal(sscanf(strrchr(result, ')'), ") %*c %d %d %d %d %d", b, b + 1,
					b + 2, b + 3, b + 4),
				 5);
		assert_int_equal(atoi(result), seven(atoi(in)));
		assert_int_equal(b[0], seven(a[0]));
		assert_int_equal(b[1], nine(a[1]));
		assert_int_equal(b[2], nine(a[2]));
		assert_int_equal(b[3], a[3]);
		assert_int_equal(b[4], a[4] == -1 ? -1 : nine(a[4]));
		assert_true(len <= BD_STAT_MAX);
	}
	snprintf(path, sizeof(path), "%s/status", dir);
	if (slurp(path, in, sizeof(in))) {
		assert_int_equal(view(BD_TEXT_STATUS, &identity, in), 0);
		assert_string_equal(result, in);
		assert_int_equal(view(BD_TEXT_STATUS, &unbelieving, in), 0);
		assert_string_equal(result, in);
		assert_int_equal(view(BD_TEXT_STATUS, &believing, in), 0);
		assert_non_null(strstr(result, "\nSigBlk:\t8000000000000201\n"));
		assert_int_equal(view(BD_TEXT_STATUS, &map, in), 0);
		assert_int_equal(field(result, "\nTgid:\t"), seven(field(in, "\nTgid:\t")));
		assert_int_equal(field(result, "\nPid:\t"), seven(field(in, "\nPid:\t")));
		assert_int_equal(field(result, "\nPPid:\t"), seven(field(in, "\nPPid:\t")));
		assert_int_equal(field(result, "\nNSpid:\t"), seven(field(in, "\nNSpid:\t")));
		assert_int_equal(field(result, "\nNSsid:\t"), nine(field(in, "\nNSsid:\t")));
		assert_string_equal(strstr(result, "\nVmPeak") ?: "", strstr(in, "\nVmPeak") ?: "");
	}
}

static void this_machine(void **state)
{
	static const char *const names[] = {"x", ") S 1 2 3 4 5", "a\nPid:\t1", "(", ")) )", ""};
	static const struct {
		const char *path;
		enum bd_text text;
	} files[] = {
		{"/proc/self/sched", BD_TEXT_SCHED},
		{"/proc/self/timers", BD_TEXT_TIMERS},
		{"/proc/self/maps", BD_TEXT_MAPS},
		{"/proc/self/smaps", BD_TEXT_MAPS},
		{"/proc/self/numa_maps", BD_TEXT_NUMA_MAPS},
		{"/proc/self/syscall", BD_TEXT_SYSCALL},
		{"/proc/self/fdinfo/0", BD_TEXT_FDINFO},
		{"/proc/self/mounts", BD_TEXT_MOUNTS},
		{"/proc/self/mountinfo", BD_TEXT_MOUNTS},
		{"/proc/self/mountstats", BD_TEXT_MOUNTS},
		{"/proc/locks", BD_TEXT_LOCKS},
		{"/proc/sysvipc/shm", BD_TEXT_SYSVIPC_SHM},
		{"/proc/sysvipc/msg", BD_TEXT_SYSVIPC_MSG},
		{"/proc/net/ip6_flowlabel", BD_TEXT_FLOWLABEL},
		{"/sys/fs/cgroup/cgroup.procs", BD_TEXT_MEMBERS_0},
		{"/sys/fs/cgroup/unified/cgroup.procs", BD_TEXT_MEMBERS_0},
	};
	static char in[65536];
	const struct bd_map whole = identity;
	DIR *d = opendir("/proc");
	unsigned seen = 0;
	char path[300];
	struct dirent *e;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s", e->d_name);
		check_process(path);
		seen++;
	}
	closedir(d);
	assert_true(seen >= 1);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!slurp(files[i].path, in, sizeof(in)))
			continue;
		assert_int_equal(view(files[i].text, &whole, in), 0);
		assert_string_equal(result, in);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		prctl(PR_SET_NAME, names[i]);
		check_process("/proc/self");
	}
	/* Forty children and this thread's list of them. */
	for (unsigned i = 0; i < 40; i++) {
		pid_t child = fork();

		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (getppid() != 1)
				pause();
			_exit(0);
		}
		prctl(PR_SET_NAME, "parent");
	}
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	assert_true(slurp(path, in, sizeof(in)) > 40);
	assert_int_equal(view(BD_TEXT_CHILDREN, &identity, in), 0);
	assert_string_equal(result, in);
	for (char *p = in, *end; *p; p = end + 1) {
		kill((pid_t)strtol(p, &end, 10), SIGKILL);
		assert_int_equal(*end, ' ');
	}
	for (unsigned i = 0; i < 40; i++)
		assert_true(wait(NULL) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_texts),	      cmocka_unit_test(status_texts),
		cmocka_unit_test(signal_sets),	      cmocka_unit_test(children_texts),
		cmocka_unit_test(restrictions),	      cmocka_unit_test(table),
		cmocka_unit_test(order_of_members),   cmocka_unit_test(leaves),
		cmocka_unit_test(every_size_of_room), cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
