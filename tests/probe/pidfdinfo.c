/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pidfd tells by ioctl: the numbers of a process, its parent and its thread group, in every size; its namespaces;
 * its handle. And what the file of a PID namespace tells.
 */
#include "probe.h"
#include <sys/ioctl.h>
#include <sys/mman.h>

#define GET_INFO(size) (0xc000ff0bul | (unsigned long)(size) << 16)
#define NS_USERNS 0xb701
#define NS_PARENT 0xb702
#define NS_TYPE 0xb703
#define NS_NUMBER(n) (0x8004b700ul | (n)) /* 6 .. 9 */
#define NS_ID 0x8008b70dul
#define PIDFD_NS(n) (0xff00ul | (n)) /* 1 .. 10 */
#define THREAD_PIDFD O_EXCL
#define JUNK 0xdeadbeef00000000ul
#define EXIT 8ul

struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t code;
	uint32_t more[1024];
};

static struct gate up, down;
static int tid;

static void show(const char *what, long fd)
{
	static const unsigned int sizes[] = {0,	 8,   63,  64,	65,  72,   80,
					     96, 511, 512, 513, 600, 2000, 4095};

	if (fd < 0) {
		say("%s: %s", what, rc(fd));
		return;
	}
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct info in;
		unsigned int used = 0;
		long r;

		memset(&in, 0xa5, sizeof(in));
		in.mask = 1;
		r = SC(SYS_ioctl, fd, GET_INFO(sizes[i]) | JUNK, &in);
		for (unsigned int at = sizeof(in); !used && at--;)
			if (((unsigned char *)&in)[at] != 0xa5)
				used = at + 1;
		say("%s: size %u: %s", what, sizes[i], rc(r));
		if (!r)
			say("  mask %d pid %u tgid %u ppid %u uid %d, %u bytes, beyond %x",
			    (int)in.mask & 1, in.pid, in.tgid, in.ppid,
			    in.ruid == getuid() && in.suid == geteuid(), used,
			    sizes[i] >= 128 ? in.more[14] : 0);
	}
}

static void exited(const char *what, long fd)
{
	struct info in = {.mask = EXIT}, plain = {.mask = 1};
	long r = SC(SYS_ioctl, fd, GET_INFO(64), &in);
	long s = SC(SYS_ioctl, fd, GET_INFO(64), &plain);

	say("%s: %s exited %d code %d pid %u %u %u, without %s", what, rc(r), !!(in.mask & EXIT),
	    in.mask & EXIT ? in.code : 0, in.pid, in.tgid, in.ppid, rc(s));
}

static void *thread(void *arg)
{
	tid = (int)SC(SYS_gettid);
	gate_open(up);
	gate_pass(down);
	return NULL;
}

struct handle {
	unsigned int bytes;
	int type;
	unsigned char data[128];
};

static void handles(long self, long child)
{
	struct handle h = {.bytes = 128};
	struct info in = {.mask = 1};
	int mount;
	long r, fd;

	r = SC(SYS_name_to_handle_at, child, "", &h, &mount, 0x1000);
	say("handle: %s, %u bytes", rc(r), r ? 0 : h.bytes);
	fd = SC(SYS_open_by_handle_at, self, &h, 0);
	if (fd >= 0) {
		r = SC(SYS_ioctl, fd, GET_INFO(64), &in);
		say("opened: %s pid %u", rc(r), in.pid);
		close((int)fd);
	} else {
		say("opened: %s", rc(fd));
	}
	h.data[0] ^= 0xff;
	h.data[4] ^= 0xff;
	say("wrong %s", rc(SC(SYS_open_by_handle_at, self, &h, 0)));
	h.bytes = 500;
	say("long %s, null %s, bad %s %s", rc(SC(SYS_open_by_handle_at, self, &h, 0)),
	    rc(SC(SYS_open_by_handle_at, self, NULL, 0)), rc(SC(SYS_open_by_handle_at, -1, &h, 0)),
	    rc(SC(SYS_open_by_handle_at, AT_FDCWD, &h, 0)));
}

static void namespace(pid_t child)
{
	static const int numbers[] = {0, 1, -1, 999, INT_MAX, INT_MIN};
	int ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC),
	    net = open("/proc/self/ns/net", O_RDONLY);
	uint64_t id = 0;
	long fd;

	if (ns < 0 || net < 0)
		die("ns");
	say("type %s, parent %s", rc(SC(SYS_ioctl, ns, NS_TYPE)), rc(SC(SYS_ioctl, ns, NS_PARENT)));
	fd = SC(SYS_ioctl, ns, NS_USERNS);
	say("user namespace %s", fd >= 0 ? "opened" : rc(fd));
	say("id %s, set %d", rc(SC(SYS_ioctl, ns, NS_ID, &id)), id != 0);
	for (int n = 6; n <= 9; n++) {
		for (size_t i = 0; i < COUNT(numbers); i++)
			say("number %d of %d: %s", n, numbers[i],
			    rc(SC(SYS_ioctl, ns, NS_NUMBER(n), numbers[i])));
		say("  self %s child %s junk %s, thread %s, of net %s, of a pipe %s",
		    rc(SC(SYS_ioctl, ns, NS_NUMBER(n), getpid())),
		    rc(SC(SYS_ioctl, ns, NS_NUMBER(n), child)),
		    rc(SC(SYS_ioctl, ns, NS_NUMBER(n) | JUNK, (unsigned long)child | JUNK)),
		    rc(SC(SYS_ioctl, ns, NS_NUMBER(n), tid)),
		    rc(SC(SYS_ioctl, net, NS_NUMBER(n), child)),
		    rc(SC(SYS_ioctl, up.r, NS_NUMBER(n), child)));
	}
	/* Its own PID namespace it may join without rights: nestunshare. */
	say("setns net %s, wrong kind %s", rc(SC(SYS_setns, net, 0)),
	    rc(SC(SYS_setns, net, 0x20000000)));
	say("setns wrong kind %s, of a pipe %s %s, bad %s", rc(SC(SYS_setns, ns, 0x40000000)),
	    rc(SC(SYS_setns, up.r, 0)), rc(SC(SYS_setns, up.r, 0x20000000)),
	    rc(SC(SYS_setns, -1, 0x20000000)));
	close(ns);
	close(net);
}

static void all(void)
{
	long self = SC(SYS_pidfd_open, getpid(), 0), fd, t;
	pid_t child = sleeper();
	pthread_t th;
	struct info *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct info in = {.mask = 1};

	up = gate_new();
	down = gate_new();
	show("self", self);
	fd = SC(SYS_pidfd_open, child, 0);
	show("child", fd);
	for (int n = 1; n <= 10; n++) {
		long ns = SC(SYS_ioctl, fd, PIDFD_NS(n), 0);

		say("namespace %d: %s, argument %s", n, ns >= 0 ? "opened" : rc(ns),
		    rc(SC(SYS_ioctl, fd, PIDFD_NS(n), 1)));
		if (ns >= 0)
			close((int)ns);
	}
	say("setns by pidfd: %s", rc(SC(SYS_setns, fd, 0)));
	say("bad: null %s wild %s read-only %s, size 4 %s",
	    rc(SC(SYS_ioctl, fd, GET_INFO(64), NULL)), rc(SC(SYS_ioctl, fd, GET_INFO(64), WILD)),
	    rc(SC(SYS_ioctl, fd, GET_INFO(64), ro)), rc(SC(SYS_ioctl, fd, GET_INFO(4), WILD)));
	say("of a pipe %s, closed %s", rc(SC(SYS_ioctl, up.r, GET_INFO(64), &in)),
	    rc(SC(SYS_ioctl, 999, GET_INFO(64), &in)));
	pthread_create(&th, NULL, thread, NULL);
	gate_pass(up);
	t = SC(SYS_pidfd_open, tid, THREAD_PIDFD);
	show("thread", t);
	handles(self, fd);
	namespace(child);
	gate_open(down);
	pthread_join(th, NULL);
	exited("running", fd);
	kill(child, SIGTERM);
	await_zombie(child);
	show("zombie", fd);
	exited("zombie", fd);
	end(child);
	exited("reaped", fd);
	handles(self, fd);
	if (t >= 0)
		close((int)t);
	close((int)fd);
	close((int)self);
}

/* A child's parent is outside its own view nowhere here, but number 1 has none. */
static void parent(void)
{
	show("parent", SC(SYS_pidfd_open, getppid(), 0));
}

int main(void)
{
	all();
	in_child("parent", parent);
	in_child("in a child", all);
	return 0;
}
