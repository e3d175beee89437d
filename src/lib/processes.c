/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a container: numbers from its supervisor, the rest from the kernel. A process that
 * ends on the way is not listed, and one that came under the same host number neither.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/internal.h"
#include "supervisor/util.h"

#define ARGS_MAX (256u << 10)

struct owned {
	struct subpid_process p;
	char comm[64];
	char *text; /* of the arguments */
	const char **args;
};

struct tasks {
	struct sv_task *task;
	size_t n;
	bool pidfs;
};

void subpid_processes_free(struct subpid_process **list)
{
	for (struct subpid_process **p = list; p && *p; p++) {
		struct owned *o = (struct owned *)*p;

		free(o->text);
		free(o->args);
		free(o);
	}
	free(list);
}

static int fetch(subpid *s, const char *name, struct tasks *ret);

/* What a container inside of another calls a host number is a number in that one. */
static int by_way_of_parent(subpid *s, const struct lib_box *b, struct tasks *t)
{
	char name[SV_NAME_MAX + 1];
	struct tasks around = {0};
	int r = lib_parent(s, b, name);

	if (r == 0)
		r = fetch(s, name, &around);
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		int number = t->task[i].host;

		t->task[i].host = 0;
		t->task[i].ident = 0;
		for (size_t k = 0; k < around.n; k++)
			if (around.task[k].number == number && !(around.task[k].flags & SV_TASK_DEAD))
				t->task[i].host = around.task[k].host;
	}
	free(around.task);
	return r;
}

static int fetch(subpid *s, const char *name, struct tasks *ret)
{
	lib_auto_box b = LIB_BOX_NONE;
	struct sv_info info = {0};
	sv_auto_fd fd = -1;
	struct stat st;
	int r = lib_box_open(s, name, &b);

	if (r < 0)
		return r;
	r = lib_ask(&b, SV_OP_INFO, 0, 0, NULL, NULL, &info, sizeof(info), NULL);
	if (r == 0)
		r = lib_ask(&b, SV_OP_TASKS, 0, 0, NULL, NULL, NULL, 0, &fd);
	if (r == -ECONNREFUSED)
		return lib_failed(s, 0, "container '%s' has ended", name), r;
	if (r == -ETIMEDOUT)
		return lib_failed(s, 0, "container '%s' does not answer", name), r;
	if (r < 0 || fd < 0 || fstat(fd, &st) < 0)
		return lib_failed(s, r < 0 ? r : -EPROTO, "%s", name);
	ret->n = (size_t)st.st_size / sizeof(*ret->task);
	ret->task = malloc((size_t)st.st_size + 1);
	ret->pidfs = info.flags & SV_INFO_PIDFS;
	if (!ret->task)
		return lib_failed(s, -ENOMEM, "%s", name);
	if (pread(fd, ret->task, ret->n * sizeof(*ret->task), 0) !=
	    (ssize_t)(ret->n * sizeof(*ret->task))) {
		free(ret->task);
		return lib_failed(s, -EPROTO, "%s", name);
	}
	if (b.peer != info.front && !b.own && by_way_of_parent(s, &b, ret) < 0) {
		free(ret->task);
		return lib_failed(s, 0, "container '%s' is in another PID namespace", name), -EREMOTE;
	}
	for (size_t i = 0; b.own && i < ret->n; i++) {
		/* Inside, its numbers are ours. */
		ret->task[i].host = ret->task[i].number;
		ret->task[i].ident = 0;
	}
	return 0;
}

/* The number inside of a host number, in any state; 0: not inside. */
static int inside(const struct tasks *t, int host)
{
	for (size_t i = 0; i < t->n && host > 0; i++)
		if (t->task[i].host == host)
			return t->task[i].number;
	return 0;
}

static ssize_t read_file(int pid, const char *name, char *buf, size_t size)
{
	char path[48];
	sv_auto_fd fd = -1;
	size_t got = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (got < size - 1) {
		ssize_t n = read(fd, buf + got, size - 1 - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	buf[got] = '\0';
	return (ssize_t)got;
}

static int64_t uptime_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * sysconf(_SC_CLK_TCK) + t.tv_nsec / (1000000000 / sysconf(_SC_CLK_TCK));
}

/* The keeper of a namespace has no number: who is above it is the parent that its number 1 is seen with. */
static int parent_inside(const struct tasks *t, int host)
{
	char text[1024], *p;
	int number = inside(t, host), above;

	if (number || host <= 1 || read_file(host, "stat", text, sizeof(text)) <= 0)
		return number;
	p = strrchr(text, ')');
	return p && sscanf(p + 1, " %*c %d", &above) == 1 ? inside(t, above) : 0;
}

/* Field numbers as in proc(5); *ret_start: ticks after boot. */
static bool read_stat(struct owned *o, const struct tasks *t, uint64_t *ret_start)
{
	char text[1024], *open, *close;
	long long v[25] = {0};
	long hz = sysconf(_SC_CLK_TCK);
	int field = 3;

	if (read_file(o->p.host_pid, "stat", text, sizeof(text)) <= 0)
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close[1] != ' ')
		return false;
	snprintf(o->comm, sizeof(o->comm), "%.*s", (int)(close - open - 1), open + 1);
	o->p.state = close[2];
	for (char *p = close + 3; *p == ' ' && field < 24;)
		v[++field] = strtoll(p + 1, &p, 10);
	o->p.host_ppid = (int)v[4];
	o->p.ppid = parent_inside(t, (int)v[4]);
	o->p.pgid = inside(t, (int)v[5]);
	o->p.sid = inside(t, (int)v[6]);
	o->p.cpu_msec = (v[14] + v[15]) * 1000 / hz;
	o->p.threads = (int)v[20];
	o->p.age_msec = (uptime_ticks() - v[22]) * 1000 / hz;
	o->p.rss_kib = v[24] * (sysconf(_SC_PAGESIZE) / 1024);
	*ret_start = (uint64_t)v[22];
	return true;
}

static bool read_args(struct owned *o)
{
	char *buf = malloc(ARGS_MAX);
	ssize_t len = buf ? read_file(o->p.host_pid, "cmdline", buf, ARGS_MAX) : -1;
	size_t n = 0;

	if (len < 0)
		len = 0;
	o->text = buf ? realloc(buf, (size_t)len + 1) : NULL;
	if (!o->text)
		return false;
	o->text[len] = '\0';
	for (ssize_t i = 0; i < len; i++)
		n += i == 0 || !o->text[i - 1];
	o->args = calloc(n + 1, sizeof(*o->args));
	if (!o->args)
		return false;
	n = 0;
	for (ssize_t i = 0; i < len; i++)
		if (i == 0 || !o->text[i - 1])
			o->args[n++] = o->text + i;
	o->p.args = o->args;
	o->p.comm = o->comm;
	return true;
}

/* Whether what we read was about the process that the supervisor spoke of. */
static bool is_same(const struct tasks *t, const struct sv_task *task, uint64_t start)
{
	sv_auto_fd fd = -1;
	struct stat st;

	if (!task->ident)
		return true;
	if (task->flags & SV_TASK_STAMP)
		return start <= task->ident;
	if (!t->pidfs)
		return start == task->ident;
	fd = (int)syscall(SYS_pidfd_open, task->host, 0);
	if (fd < 0)
		return errno != ESRCH && errno != EINVAL;
	return fstat(fd, &st) < 0 || st.st_ino == task->ident;
}

static struct owned *look(const struct tasks *t, const struct sv_task *task)
{
	struct owned *o = calloc(1, sizeof(*o));
	uint64_t start = 0;

	if (!o)
		return NULL;
	o->p.pid = task->number;
	o->p.host_pid = task->host;
	if (read_stat(o, t, &start) && read_args(o) && is_same(t, task, start))
		return o;
	free(o->text);
	free(o->args);
	free(o);
	return NULL;
}

int subpid_processes(subpid *s, const char *name, struct subpid_process ***ret)
{
	struct tasks t = {0};
	int n = 0, r = fetch(s, name, &t);

	*ret = NULL;
	if (r < 0)
		return r;
	*ret = calloc(t.n + 1, sizeof(**ret));
	for (size_t i = 0; *ret && i < t.n; i++) {
		struct owned *o;

		if (t.task[i].flags & (SV_TASK_THREAD | SV_TASK_DEAD))
			continue;
		o = look(&t, &t.task[i]);
		if (o)
			(*ret)[n++] = &o->p;
	}
	free(t.task);
	return *ret ? n : lib_failed(s, -ENOMEM, "%s", name);
}

int subpid_to_host(subpid *s, const char *name, int pid)
{
	struct tasks t = {0};
	int r = fetch(s, name, &t), found = -ESRCH;

	if (r < 0)
		return r;
	for (size_t i = 0; i < t.n; i++)
		if (t.task[i].number == pid && !(t.task[i].flags & SV_TASK_DEAD))
			found = t.task[i].host;
	free(t.task);
	return found < 0 ? (lib_failed(s, 0, "no process %d in container '%s'", pid, name), found)
			 : found;
}

int subpid_from_host(subpid *s, const char *name, int host_pid)
{
	struct tasks t = {0};
	int r = fetch(s, name, &t), found = -ESRCH;

	if (r < 0)
		return r;
	for (size_t i = 0; i < t.n; i++)
		if (t.task[i].host == host_pid && !(t.task[i].flags & SV_TASK_DEAD))
			found = t.task[i].number;
	free(t.task);
	return found < 0 ? (lib_failed(s, 0, "process %d is not in container '%s'", host_pid, name),
			    found)
			 : found;
}
