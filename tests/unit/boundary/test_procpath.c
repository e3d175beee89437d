/* build: src/boundary/procpath.c src/base/fmt.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths in procfs: a table of texts, and random texts judged by the kernel: what the parser's result
 * names, put together again, must be the very file that the kernel finds for the text.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "boundary/procpath.h"

#define PROC_MAGIC 0x9fa0

struct row {
	const char *path;
	enum bd_proc_kind kind;
	int pid; /* of BD_PROC_PID */
	enum bd_proc_task task;
	int tid;
	enum bd_proc_leaf leaf;
	const char *rest;
	bool slash;
};

#define NO BD_PROC_NOT, 0, BD_TASK_NONE, 0, BD_LEAF_NONE, "", false
#define KIND(k, leaf, rest, slash) BD_PROC_##k, 0, BD_TASK_NONE, 0, BD_LEAF_##leaf, rest, slash
#define PID(n, leaf, rest, slash) BD_PROC_PID, n, BD_TASK_NONE, 0, BD_LEAF_##leaf, rest, slash

static const struct row rows[] = {
	{"", NO},
	{"/", NO},
	{"proc", NO},
	{"self/stat", NO},
	{"/etc/passwd", NO},
	{"/procs/1", NO},
	{"/pro", NO},
	{"/usr/proc/1/stat", NO},
	{"/proc/..", NO},
	{"/proc/../etc", NO},
	{"/proc/self/../../etc", NO},
	{"/proc/1/../../etc", KIND(ROOT, NONE, "../etc", false)},
	{"/proc", KIND(ROOT, NONE, "", false)},
	{"/proc/", KIND(ROOT, NONE, "", true)},
	{"//proc//.", KIND(ROOT, NONE, "", true)},
	{"/../proc", KIND(ROOT, NONE, "", false)},
	{"/./proc/./", KIND(ROOT, NONE, "", true)},
	{"/proc/self/..", KIND(ROOT, NONE, "", true)},
	{"/proc/uptime", KIND(OTHER, NONE, "uptime", false)},
	{"/proc/loadavg", KIND(OTHER, LOADAVG, "loadavg", false)},
	{"/proc/sys/../loadavg", KIND(OTHER, NONE, "sys/../loadavg", false)},
	{"/proc//sys//kernel/./pid_max", KIND(OTHER, PID_MAX, "sys//kernel/./pid_max", false)},
	{"/proc/sys/vm/../kernel/pid_max", KIND(OTHER, NONE, "sys/vm/../kernel/pid_max", false)},
	{"/proc/sys/kernel/pid_max/x", KIND(OTHER, NONE, "sys/kernel/pid_max/x", false)},
	{"/proc/007", KIND(OTHER, NONE, "007", false)},
	{"/proc/+1/stat", KIND(OTHER, NONE, "+1/stat", false)},
	{"/proc/-1", KIND(OTHER, NONE, "-1", false)},
	{"/proc/1x", KIND(OTHER, NONE, "1x", false)},
	{"/proc/99999999999", KIND(OTHER, NONE, "99999999999", false)},
	{"/proc/4294967297", KIND(OTHER, NONE, "4294967297", false)},
	{"/proc/stat", KIND(OTHER, NONE, "stat", false)},
	{"/proc/net/tcp", KIND(OTHER, NONE, "net/tcp", false)},
	{"/proc/net", KIND(OTHER, NONE, "net", false)},
	{"/proc/net/../stat", KIND(OTHER, NONE, "net/../stat", false)},
	{"/proc/net/stat/../../stat", KIND(OTHER, NONE, "net/stat/../../stat", false)},
	{"/proc/self", KIND(SELF, DIR, "", false)},
	{"/proc/self/", KIND(SELF, DIR, "", true)},
	{"/proc/self/.", KIND(SELF, DIR, "", true)},
	{"/proc/self/stat", KIND(SELF, STAT, "stat", false)},
	{"/proc/self/stat/", KIND(SELF, STAT, "stat/", true)},
	{"/proc/self//./status", KIND(SELF, STATUS, "status", false)},
	{"/proc/self/stat/../status", KIND(SELF, NONE, "stat/../status", false)},
	{"/proc/self/cwd/../1/stat", KIND(SELF, NONE, "cwd/../1/stat", false)},
	{"/proc/self/fd/3", KIND(SELF, FD, "fd/3", false)},
	{"/proc/self/fd", KIND(SELF, FD_DIR, "fd", false)},
	{"/proc/self/fd/../stat", KIND(SELF, NONE, "fd/../stat", false)},
	{"/proc/self/fd/3/../stat", KIND(SELF, NONE, "fd/3/../stat", false)},
	{"/proc/self/net/dev/../../stat", KIND(SELF, NONE, "net/dev/../../stat", false)},
	{"/proc/self/children", KIND(SELF, NONE, "children", false)},
	{"/proc/selfish", KIND(OTHER, NONE, "selfish", false)},
	{"/proc/thread-self", KIND(THREAD_SELF, DIR, "", false)},
	{"/proc/thread-self/children", KIND(THREAD_SELF, CHILDREN, "children", false)},
	{"/proc/thread-self/task", KIND(THREAD_SELF, NONE, "task", false)},
	{"/proc/thread-self/..", BD_PROC_SELF, 0, BD_TASK_DIR, 0, BD_LEAF_TASK_DIR, "", true},
	{"/proc/thread-self/../../comm", KIND(SELF, COMM, "comm", false)},
	{"/proc/thread-self/../7/stat", BD_PROC_SELF, 0, BD_TASK_ONE, 7, BD_LEAF_STAT, "stat", false},
	{"/proc/0", PID(0, DIR, "", false)},
	{"/proc/1", PID(1, DIR, "", false)},
	{"/proc/1/", PID(1, DIR, "", true)},
	{"/proc/12/../34/exe", PID(34, EXE, "exe", false)},
	{"/proc/2147483647/ns/pid", PID(2147483647, NS_PID, "ns/pid", false)},
	{"/proc/5/ns/pid_for_children", PID(5, NS_PID_CHILDREN, "ns/pid_for_children", false)},
	{"/proc/5/ns", PID(5, NS_DIR, "ns", false)},
	{"/proc/5/ns/mnt", PID(5, NONE, "ns/mnt", false)},
	{"/proc/5/stat/x", PID(5, NONE, "stat/x", false)},
	{"/proc/5/...", PID(5, NONE, "...", false)},
	{"/proc/5/x..", PID(5, NONE, "x..", false)},
	{"/proc/5/cwd/..", PID(5, NONE, "cwd/..", true)},
	{"/proc/5/timers", PID(5, TIMERS, "timers", false)},
	{"/proc/5/task", BD_PROC_PID, 5, BD_TASK_DIR, 0, BD_LEAF_TASK_DIR, "", false},
	{"/proc/5/task/", BD_PROC_PID, 5, BD_TASK_DIR, 0, BD_LEAF_TASK_DIR, "", true},
	{"/proc/5/task/06", BD_PROC_PID, 5, BD_TASK_DIR, 0, BD_LEAF_NONE, "06", false},
	{"/proc/5/task/x/../6", BD_PROC_PID, 5, BD_TASK_DIR, 0, BD_LEAF_NONE, "x/../6", false},
	{"/proc/5/task/6", BD_PROC_PID, 5, BD_TASK_ONE, 6, BD_LEAF_DIR, "", false},
	{"/proc/5/task/6/children", BD_PROC_PID, 5, BD_TASK_ONE, 6, BD_LEAF_CHILDREN, "children", false},
	{"/proc/5/task/6/timers", BD_PROC_PID, 5, BD_TASK_ONE, 6, BD_LEAF_NONE, "timers", false},
	{"/proc/5/task/6/../8/status", BD_PROC_PID, 5, BD_TASK_ONE, 8, BD_LEAF_STATUS, "status", false},
	{"/proc/5/task/6/../../stat", PID(5, STAT, "stat", false)},
	{"/proc/self/task/6/fd/1", BD_PROC_SELF, 0, BD_TASK_ONE, 6, BD_LEAF_FD, "fd/1", false},
};

static struct bd_procpath parse(const struct bd_procpath *at, const char *path)
{
	struct bd_procpath p;
	size_t len = strlen(path);
	char *copy = malloc(len ? len : 1); /* no NUL: reading behind the end is an error */

	memset(&p, 0xa5, sizeof(p));
	memcpy(copy, path, len);
	bd_procpath_parse(at, copy, len, &p);
	free(copy);
	return p;
}

static void texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct bd_procpath p = parse(NULL, r->path);

		if (p.kind != r->kind || p.task != r->task || p.leaf != r->leaf ||
		    p.slash != r->slash || (r->kind == BD_PROC_PID && p.pid.n != r->pid) ||
		    (r->task == BD_TASK_ONE && p.tid.n != r->tid) || p.unsure ||
		    p.rest > strlen(r->path) || strcmp(r->path + p.rest, r->rest))
			fail_msg("%s: kind %d pid %d task %d tid %d leaf %d slash %d unsure %d "
				 "rest %zu",
				 r->path, p.kind, p.pid.n, p.task, p.tid.n, p.leaf, p.slash,
				 p.unsure, p.rest);
	}
}

static void unsure_outside(void **state)
{
	(void)state;
	assert_true(parse(NULL, "/tmp/../proc/1/stat").unsure);
	assert_true(parse(NULL, "/tmp/../a/proc").unsure);
	assert_false(parse(NULL, "/tmp/../etc").unsure);
	assert_false(parse(NULL, "/tmp/proc/../etc").unsure);
	assert_false(parse(NULL, "/../proc/1").unsure);
}

static void passed_processes(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL, "/proc/12/../34/exe").via.n, 12);
	assert_int_equal(parse(NULL, "/proc/12/task/../../self").via.n, 12);
	assert_int_equal(parse(NULL, "/proc/12/exe").via.n, 0);
	assert_int_equal(parse(NULL, "/proc/self/../1").via.n, 0);
}

static size_t through(const char *path)
{
	struct bd_procpath p = parse(NULL, path);

	assert_true(!p.through ||
		    (p.leaf == BD_LEAF_NONE && p.kind >= BD_PROC_ROOT && p.rest <= p.through));
	return p.through;
}

static void links_on_the_way(void **state)
{
	(void)state;
	assert_int_equal(through("/proc/5/cwd"), 0);
	assert_int_equal(through("/proc/5/cwd/"), 0);
	assert_int_equal(through("/proc/5/cwd/."), 0);
	assert_int_equal(through("/proc/5/cwd/x"), 12);
	assert_int_equal(through("/proc/5/root//./proc/7"), 16);
	assert_int_equal(through("/proc/self/fd/3/../5"), 16);
	assert_int_equal(through("/proc/self/task/5/cwd/.."), 22);
	assert_int_equal(through("/proc/5/fd/../cwd"), 11);
	assert_int_equal(through("/proc/5/net/dev/x"), 0);
	/* Only one process and one thread that must exist are remembered. */
	assert_int_equal(through("/proc/5/../6/../6/../7"), 13);
	assert_int_equal(through("/proc/5/../5/../7"), 0);
	assert_int_equal(through("/proc/5/task/6/../7/../8"), 20);
	assert_int_equal(through("/proc/5/task/6/../../stat"), 0);
	assert_int_equal(through("/proc/5/task/6/../../../stat"), 21);
	assert_int_equal(parse(NULL, "/proc/5/task/6/../7").via_tid.n, 6);
	assert_int_equal(through("/proc/sys/kernel/x/y"), 0);
	/* Names nobody knows may be links, too. */
	assert_int_equal(through("/proc/5/new/../../7"), 12);
	assert_int_equal(through("/proc/5/task/x/../../7"), 15);
}

static void leaving(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL, "/proc/5/../stat").left, 0);
	assert_int_equal(parse(NULL, "/proc/..").left, 8);
	assert_int_equal(parse(NULL, "/proc/../etc").left, 8);
	assert_int_equal(parse(NULL, "/proc/self/../../proc/7").left, 16);
	assert_int_equal(parse(NULL, "/proc/self/../../proc/7").pid.n, 7);
	/* Whether 5 is there cannot be remembered. */
	assert_int_equal(through("/proc/5/../../proc/7"), 11);
	assert_int_equal(parse(NULL, "/etc/../usr").left, 0);
}

static void relative(void **state)
{
	struct bd_procpath root = parse(NULL, "/proc"), process = parse(NULL, "/proc/5");
	struct bd_procpath task = parse(NULL, "/proc/5/task"),
			   thread = parse(NULL, "/proc/5/task/6");
	struct bd_procpath other = parse(NULL, "/proc/sys"), file = parse(NULL, "/proc/5/fd");
	struct bd_procpath p;

	(void)state;
	p = parse(&root, "7/stat");
	assert_true(p.kind == BD_PROC_PID && p.pid.n == 7 && p.leaf == BD_LEAF_STAT && p.rest == 2);
	p = parse(&root, ".");
	assert_true(p.kind == BD_PROC_ROOT && p.slash);
	p = parse(&root, "uptime");
	assert_true(p.kind == BD_PROC_OTHER && p.rest == 0);
	p = parse(&process, "stat");
	assert_true(p.kind == BD_PROC_PID && p.pid.n == 5 && p.leaf == BD_LEAF_STAT && p.rest == 0);
	p = parse(&process, "task/6/children");
	assert_true(p.task == BD_TASK_ONE && p.tid.n == 6 && p.leaf == BD_LEAF_CHILDREN);
	p = parse(&process, "../7");
	assert_true(p.pid.n == 7 && p.via.n == 5);
	p = parse(&process, "../../etc");
	assert_true(p.kind == BD_PROC_ROOT && p.via.n == 5 && p.through == 3);
	p = parse(&task, "6/stat");
	assert_true(p.kind == BD_PROC_PID && p.tid.n == 6 && p.leaf == BD_LEAF_STAT);
	p = parse(&thread, "../..");
	assert_true(p.pid.n == 5 && p.task == BD_TASK_NONE && p.leaf == BD_LEAF_DIR && p.slash);
	p = parse(&thread, "children");
	assert_int_equal(p.leaf, BD_LEAF_CHILDREN);
	p = parse(&process, "/etc/../usr");
	assert_int_equal(p.kind, BD_PROC_NOT);
	p = parse(&process, "/proc/9");
	assert_int_equal(p.pid.n, 9);
	assert_int_equal(parse(&process, "").kind, BD_PROC_NOT);
	assert_int_equal(parse(&other, "kernel").kind, BD_PROC_NOT);
	assert_int_equal(parse(&file, "3").kind, BD_PROC_NOT);
	assert_int_equal(parse(NULL, "7/stat").kind, BD_PROC_NOT);
}

/* The text a result stands for, as a caller would put it together (with the host's numbers). */
static void compose(const struct bd_procpath *p, const char *path, char *out, size_t cap)
{
	size_t n = (size_t)snprintf(out, cap, "/proc");

	if (p->kind == BD_PROC_SELF)
		n += (size_t)snprintf(out + n, cap - n, "/self");
	else if (p->kind == BD_PROC_THREAD_SELF)
		n += (size_t)snprintf(out + n, cap - n, "/thread-self");
	else if (p->kind == BD_PROC_PID)
		n += (size_t)snprintf(out + n, cap - n, "/%d", p->pid.n);
	if (p->task != BD_TASK_NONE)
		n += (size_t)snprintf(out + n, cap - n, "/task");
	if (p->task == BD_TASK_ONE)
		n += (size_t)snprintf(out + n, cap - n, "/%d", p->tid.n);
	if (path[p->rest] || p->slash)
		snprintf(out + n, cap - n, "/%s", path + p->rest);
}

static void kernel_agrees(void **state)
{
	char self[16], parent[16];
	const char *const words[] = {
		"proc", "proc",	  "self", "thread-self", self,	   parent, "task",   "stat",
		"fd",	"0",	  "net",  "snmp",	 "..",	   "..",   ".",	     "",
		"ns",	"pid",	  "attr", "current",	 "uptime", "sys",  "kernel", "pid_max",
		"exe",	"status", "bus",  "children",	 "usr",	   "bin",  "..",     "1",
	};
	const size_t count = sizeof(words) / sizeof(words[0]);
	struct {
		const char *path;
		struct bd_procpath at;
		int fd;
	} starts[5] = {{"/", {0}, 0}, {"/proc", {0}, 0}};
	char names[3][64];
	unsigned seed = 20260101, found = 0, on_proc = 0, bases = 5;

	(void)state;
	snprintf(self, sizeof(self), "%d", getpid());
	snprintf(parent, sizeof(parent), "%d", getppid());
	snprintf(names[0], 64, "/proc/%s", self);
	snprintf(names[1], 64, "/proc/%s/task", self);
	snprintf(names[2], 64, "/proc/%s/task/%s", self, self);
	for (unsigned i = 0; i < bases; i++) {
		if (i >= 2)
			starts[i].path = names[i - 2];
		starts[i].fd = open(starts[i].path, O_PATH | O_DIRECTORY);
		assert_true(starts[i].fd >= 0);
		starts[i].at = parse(NULL, starts[i].path);
	}
	for (unsigned round = 0; round < 60000; round++) {
		char path[256], again[512];
		unsigned n = 1 + (unsigned)rand_r(&seed) % 7;
		unsigned s = (unsigned)rand_r(&seed) % bases;
		struct bd_procpath p;
		struct stat st, st2;
		struct statfs fs;
		size_t len = 0;
		int fd, fd2;

		if (s == 0)
			len = (size_t)snprintf(path, sizeof(path), "/proc/");
		for (unsigned i = 0; i < n; i++)
			len += (size_t)snprintf(path + len, sizeof(path) - len, "%s%s",
						words[(unsigned)rand_r(&seed) % count],
						i + 1 < n || rand_r(&seed) % 8 == 0 ? "/" : "");
		p = parse(s ? &starts[s].at : NULL, path);
		assert_true(p.rest <= len);
		fd = openat(starts[s].fd, path, O_PATH | O_NOFOLLOW);
		if (fd < 0)
			continue;
		found++;
		assert_int_equal(fstatfs(fd, &fs), 0);
		assert_int_equal(fstat(fd, &st), 0);
		if (p.kind == BD_PROC_NOT) {
			if (fs.f_type == PROC_MAGIC && !p.unsure)
				fail_msg("%s + %s is on procfs", starts[s].path, path);
			close(fd);
			continue;
		}
		on_proc++;
		compose(&p, path, again, sizeof(again));
		fd2 = open(again, O_PATH | O_NOFOLLOW);
		if (fd2 < 0)
			fail_msg("%s + %s -> %s: %s", starts[s].path, path, again, strerror(errno));
		assert_int_equal(fstat(fd2, &st2), 0);
		if (st.st_dev != st2.st_dev || st.st_ino != st2.st_ino)
			fail_msg("%s + %s -> %s: not the same file", starts[s].path, path, again);
		close(fd2);
		close(fd);
	}
	for (unsigned i = 0; i < bases; i++)
		close(starts[i].fd);
	print_message("# %u of the paths exist, %u of them on procfs\n", found, on_proc);
	assert_true(found > 1000 && on_proc > 1000);
}

/* Any bytes: no crash, offsets within the text. */
static void any_bytes(void **state)
{
	static const char alphabet[] = "/./../procself0123task-x";
	struct bd_procpath at = parse(NULL, "/proc/5/task");
	unsigned seed = 4;

	(void)state;
	for (unsigned round = 0; round < 50000; round++) {
		size_t len = (size_t)rand_r(&seed) % 40;
		char *text = malloc(len ? len : 1);
		struct bd_procpath p;

		for (size_t i = 0; i < len; i++)
			text[i] =
				round % 3
					? (char)alphabet[(unsigned)rand_r(&seed) % (sizeof(alphabet) - 1)]
					: (char)(1 + rand_r(&seed) % 255);
		bd_procpath_parse(round & 1 ? &at : NULL, text, len, &p);
		assert_true(p.rest <= len && p.kind <= BD_PROC_PID && p.task <= BD_TASK_ONE);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(unsure_outside),
		cmocka_unit_test(passed_processes),
		cmocka_unit_test(links_on_the_way),
		cmocka_unit_test(leaving),
		cmocka_unit_test(relative),
		cmocka_unit_test(kernel_agrees),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
