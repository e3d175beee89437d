/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of bpf(2) that name a task: with rights a query for a tracepoint's descriptor, a link to one
 * process's probes and an iterator over one task; without them the refusals.
 */
#include "probe.h"

#ifndef SYS_bpf
#define SYS_bpf 321
#endif
/* include/uapi/linux/bpf.h */
enum {
	PROG_LOAD = 5,
	RAW_TRACEPOINT_OPEN = 17,
	GET_INFO = 15,
	TASK_FD_QUERY = 20,
	LINK_CREATE = 28,
	ITER_CREATE = 33,
};
enum { PROG_KPROBE = 2, PROG_RAW_TRACEPOINT = 17, PROG_TRACING = 26 };
enum { TRACE_ITER = 28, UPROBE_MULTI = 48 };

static union {
	uint32_t w[64];
	uint64_t d[32];
} attr;

static long bpf(int cmd, size_t size)
{
	return SC(SYS_bpf, cmd, &attr, size);
}

static long load(uint32_t type, uint32_t attach, uint32_t btf_id)
{
	/* r0 = 0; exit */
	static const uint64_t code[] = {0x00000000000000b7ull, 0x95ull};

	memset(&attr, 0, sizeof(attr));
	attr.w[0] = type;
	attr.w[1] = 2;
	attr.d[1] = (uint64_t)code;
	attr.d[2] = (uint64_t) "GPL";
	attr.w[17] = attach;
	attr.w[27] = btf_id;
	return bpf(PROG_LOAD, 128);
}

/* The function's number in the kernel's type information: struct btf_header, struct btf_type. */
static uint32_t btf_function(const char *want)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	size_t have = 0, size = 32 << 20;
	char *all = malloc(size);
	uint32_t *h = (uint32_t *)all, id = 0, found = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, all + have, size - have)) > 0)
		have += (size_t)n;
	close(fd);
	if (have < 24)
		return 0;
	{
		char *types = all + h[1] + h[2], *end = types + h[3], *names = all + h[1] + h[4];
		/* Bytes behind a type: fixed, and for each member. */
		static const int fixed[20] = {[1] = 4, [3] = 12, [14] = 4, [17] = 4};
		static const int each[20] = {
			[4] = 12, [5] = 12, [6] = 8, [13] = 8, [15] = 12, [19] = 12};

		while (types < end) {
			uint32_t *t = (uint32_t *)types, kind = t[1] >> 24 & 31,
				 members = t[1] & 0xffff;

			id++;
			if (kind == 12 && !strcmp(names + t[0], want))
				found = id;
			types += 12 + (kind < 20 ? fixed[kind] + each[kind] * (int)members : 0);
		}
	}
	free(all);
	return found;
}

static void query(int pid, long fd)
{
	char name[32] = "";
	long r;

	memset(&attr, 0, sizeof(attr));
	attr.w[0] = (uint32_t)pid;
	attr.w[1] = (uint32_t)fd;
	attr.w[3] = sizeof(name);
	attr.d[2] = (uint64_t)name;
	r = bpf(TASK_FD_QUERY, 48);
	say("query of %d: %s type %u name %s length %u pid stays %d", pid, rc(r), attr.w[7], name,
	    attr.w[3], attr.w[0] == (uint32_t)pid);
}

static void tracepoint(void)
{
	long prog = load(PROG_RAW_TRACEPOINT, 0, 0), link;
	pid_t child;

	say("raw tracepoint program: %s", prog < 0 ? rc(prog) : "loaded");
	memset(&attr, 0, sizeof(attr));
	attr.d[0] = (uint64_t) "sched_process_exit";
	attr.w[2] = (uint32_t)prog;
	link = bpf(RAW_TRACEPOINT_OPEN, 16);
	say("link: %s", link < 0 ? rc(link) : "made");
	child = sleeper();
	query(getpid(), link);
	query(child, link);
	query(99999, link);
	query(0, link);
	query(-1, link);
	end(child);
	query(child, link);
	close((int)link);
	close((int)prog);
}

static void show_link(long link, int words)
{
	uint32_t info[32];
	long r;

	memset(info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.w[0] = (uint32_t)link;
	attr.w[1] = sizeof(info);
	attr.d[1] = (uint64_t)info;
	r = bpf(GET_INFO, 16);
	say("info: %s kind %u numbers %u %u", rc(r), info[0], info[words], info[words + 1]);
}

static void marked(void)
{
	__asm__ volatile("nop");
}

static unsigned long offset_of(void *p)
{
	char line[512];
	unsigned long from, to, off, ret = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &off) == 3 &&
		    (unsigned long)p >= from && (unsigned long)p < to)
			ret = (unsigned long)p - from + off;
	if (f)
		fclose(f);
	return ret;
}

static void uprobes(int pid)
{
	long prog = load(PROG_KPROBE, UPROBE_MULTI, 0), link;
	unsigned long offset = offset_of((void *)marked);

	say("probes of %d: %s", pid, prog < 0 ? rc(prog) : "loaded");
	memset(&attr, 0, sizeof(attr));
	attr.w[0] = (uint32_t)prog;
	attr.w[2] = UPROBE_MULTI;
	attr.d[2] = (uint64_t) "/proc/self/exe";
	attr.d[3] = (uint64_t)&offset;
	attr.w[12] = 1;
	attr.w[14] = (uint32_t)pid;
	link = bpf(LINK_CREATE, 64);
	say("link: %s", link < 0 ? rc(link) : "made");
	show_link(link, 14);
	if (link >= 0)
		close((int)link);
	close((int)prog);
}

static void iterator(uint32_t btf, uint32_t tid, uint32_t pid)
{
	long prog = load(PROG_TRACING, TRACE_ITER, btf), link;
	uint32_t which[4] = {tid, pid, 0, 0};

	say("iterator over %u %u: %s", tid, pid, prog < 0 ? rc(prog) : "loaded");
	memset(&attr, 0, sizeof(attr));
	attr.w[0] = (uint32_t)prog;
	attr.w[2] = TRACE_ITER;
	attr.d[2] = (uint64_t)which;
	attr.w[6] = 12;
	link = bpf(LINK_CREATE, 64);
	say("link: %s", link < 0 ? rc(link) : "made");
	show_link(link, 8);
	if (link >= 0)
		close((int)link);
	close((int)prog);
}

int main(void)
{
	uint32_t task = btf_function("bpf_iter_task");
	pid_t child = sleeper();

	tracepoint();
	uprobes(getpid());
	uprobes(child);
	uprobes(99999);
	uprobes(0);
	iterator(task, (uint32_t)child, 0);
	iterator(task, 0, (uint32_t)child);
	iterator(task, 0, 0);
	say("wild %s", rc(SC(SYS_bpf, TASK_FD_QUERY, WILD, 48)));
	say("no size %s", rc(SC(SYS_bpf, TASK_FD_QUERY, &attr, 0)));
	say("far too long %s", rc(SC(SYS_bpf, LINK_CREATE, &attr, 100000)));
	say("command %s", rc(SC(SYS_bpf, 0xdeadbeef00000014ul, &attr, 48)));
	end(child);
	marked();
	return 0;
}
