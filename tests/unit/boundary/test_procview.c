/* build: src/boundary/procview.c src/boundary/procview_name.c src/boundary/procview_task.c src/boundary/procpath.c src/base/fmt.c */
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

#include "unit/boundary/procview.h"

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
		/* between its end and its father's wait: fs/proc/array.c:do_task_stat */
		{"123 (x) X 0 -1 -1 0 -1 4\n", "130 (x) X 0 -1 -1 0 -1 4\n"},
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
		{"/proc/net/netlink", BD_TEXT_NETLINK},
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
		cmocka_unit_test(restrictions),

		cmocka_unit_test(every_size_of_room), cmocka_unit_test(pieces_make_the_whole),
		cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
