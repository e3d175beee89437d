/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A FUSE server inside: who asks, who wants a lock, and who holds one by the server's answer. Read by read
 * and by readv, answered by write and by writev. In a user and mount namespace of its own, where the
 * machine allows that.
 *
 * device: /dev/fuse
 */
#include "probe.h"

#include <sys/mount.h>
#include <sys/uio.h>

/* include/uapi/linux/fuse.h */
enum {
	LOOKUP = 1,
	FORGET = 2,
	GETATTR = 3,
	OPEN = 14,
	RELEASE = 18,
	FLUSH = 25,
	INIT = 26,
	GETLK = 31,
	SETLK = 32,
	SETLKW = 33,
	INTERRUPT = 36,
};

struct request {
	uint32_t len, opcode;
	uint64_t unique, nodeid;
	uint32_t uid, gid, pid, pad;
	uint64_t fh, owner, start, end; /* of a lock */
	uint32_t type, lk_pid;
};

struct attr {
	uint64_t ino, size, blocks, atime, mtime, ctime;
	uint32_t atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, pad;
};

static int dev, uid, gid;
static int by_splice, pipe_ends[2];
static pid_t holder;

static void fill(struct attr *a, uint64_t node)
{
	memset(a, 0, sizeof(*a));
	a->ino = node;
	a->mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0644;
	a->nlink = 1;
	a->uid = (uint32_t)uid;
	a->gid = (uint32_t)gid;
}

static void answer(uint64_t unique, int error, const void *body, size_t n, int pieces)
{
	struct {
		uint32_t len;
		int32_t error;
		uint64_t unique;
		char body[256];
	} out = {(uint32_t)(16 + n), error, unique, ""};
	struct iovec v[3] = {{&out, 16}, {out.body, n / 2}, {out.body + n / 2, n - n / 2}};
	long r;

	memcpy(out.body, body, n);
	r = pieces ? SC(SYS_writev, dev, v, 3) : SC(SYS_write, dev, &out, 16 + n);
	if (r != (long)(16 + n))
		say("answer %s", rc(r));
}

static void serve_one(const struct request *q, int pieces)
{
	union {
		uint32_t w[64];
		struct {
			uint64_t valid;
			uint32_t nsec, pad;
			struct attr attr;
		} attr;
		struct {
			uint64_t node, generation, valid, attr_valid;
			uint32_t nsec, attr_nsec;
			struct attr attr;
		} entry;
		struct {
			uint64_t start, end;
			uint32_t type, pid;
		} lock;
	} o;

	memset(&o, 0, sizeof(o));
	switch (q->opcode) {
	case FORGET:
	case INTERRUPT:
		return;
	case INIT:
		o.w[0] = 7;
		o.w[1] = 31;
		o.w[2] = 65536;
		o.w[3] = 2; /* FUSE_POSIX_LOCKS */
		o.w[5] = 65536;
		answer(q->unique, 0, &o, 64, pieces);
		return;
	case LOOKUP:
		o.entry.node = 2;
		fill(&o.entry.attr, 2);
		answer(q->unique, 0, &o, sizeof(o.entry), pieces);
		return;
	case GETATTR:
		fill(&o.attr.attr, q->nodeid);
		answer(q->unique, 0, &o, sizeof(o.attr), pieces);
		return;
	case OPEN:
		answer(q->unique, 0, &o, 16, pieces);
		return;
	case GETLK:
		o.lock.end = 99;
		o.lock.type = F_WRLCK;
		o.lock.pid = (uint32_t)holder;
		answer(q->unique, 0, &o, sizeof(o.lock), pieces);
		return;
	case SETLK:
	case SETLKW:
	case RELEASE:
	case FLUSH:
		answer(q->unique, 0, &o, 0, pieces);
		return;
	default:
		answer(q->unique, -ENOSYS, &o, 0, pieces);
	}
}

static void *server(void *arg)
{
	static _Alignas(8) char buf[1 << 18];
	struct request q;
	int vector = 0;

	(void)arg;
	for (;;) {
		struct iovec v[3] = {{buf, 35}, {buf + 35, 40}, {buf + 75, sizeof(buf) - 75}};
		long n;

		if (by_splice) {
			n = SC(SYS_splice, dev, NULL, pipe_ends[1], NULL, sizeof(buf), 0);
			if (n > 0 && SC(SYS_read, pipe_ends[0], buf, sizeof(buf)) != n)
				say("not all of it");
		} else {
			n = vector ? SC(SYS_readv, dev, v, 3) : SC(SYS_read, dev, buf, sizeof(buf));
		}

		if (n == -ENODEV)
			return NULL;
		if (n < 40) {
			say("read %s", rc(n));
			return NULL;
		}
		memcpy(&q, buf, sizeof(q));
		if (q.opcode >= GETLK && q.opcode <= SETLKW)
			say("lock request %u: pid %u owner %u", q.opcode, q.pid, q.lk_pid);
		else if (q.opcode != FORGET && q.opcode != RELEASE && q.opcode != INIT &&
			 q.opcode != GETATTR)
			say("request %u: pid %u", q.opcode, q.pid);
		serve_one(&q, vector);
		vector = !vector;
	}
}

static void *in_thread(void *arg)
{
	struct stat st;

	(void)arg;
	say("stat %s", lrc(stat("mnt/in-thread", &st)));
	return NULL;
}

static void client(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_len = 10};
	pthread_t t;
	int fd;

	fd = open("mnt/file", O_RDWR);
	say("open %s", lrc(fd >= 0 ? 0 : fd));
	for (int i = 0; i < 4; i++) {
		l.l_type = F_WRLCK;
		l.l_pid = 0;
		say("F_GETLK %s", lrc(fcntl(fd, F_GETLK, &l)));
		say("type %d pid %d", l.l_type, l.l_pid);
	}
	l.l_type = F_WRLCK;
	say("F_SETLK %s", lrc(fcntl(fd, F_SETLK, &l)));
	say("F_SETLKW %s", lrc(fcntl(fd, F_SETLKW, &l)));
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
	close(fd);
}

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -1;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return r;
}

static void mounted(void)
{
	char text[100];
	pid_t child;
	pthread_t t;

	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0) {
		say("/dev/fuse: %s", err(errno));
		return;
	}
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=%d,group_id=%d", dev, uid, gid);
	if (mount("probe", "mnt", "fuse", 0, text)) {
		say("mount: %s", err(errno));
		return;
	}
	holder = sleeper();
	pthread_create(&t, NULL, server, NULL);
	child = fork_or_die();
	if (!child) {
		client();
		_exit(0);
	}
	say("client %s", reap(child));
	end(holder);
	say("umount %s", lrc(umount2("mnt", MNT_DETACH)));
	pthread_join(t, NULL);
	close(dev);
}

int main(void)
{
	char text[100];

	uid = (int)getuid();
	gid = (int)getgid();
	/* CLONE_NEWUSER, CLONE_NEWNS */
	if (SC(SYS_unshare, 0x10020000)) {
		say("no user namespace");
		return 0;
	}
	snprintf(text, sizeof(text), "%d %d 1\n", uid, uid);
	if (put_file("/proc/self/uid_map", text))
		say("no map");
	put_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%d %d 1\n", gid, gid);
	if (put_file("/proc/self/gid_map", text))
		say("no map of groups");
	mkdir("mnt", 0700);
	mounted();
	if (pipe(pipe_ends))
		die("pipe");
	say("pipe of %s", rc(SC(SYS_fcntl, pipe_ends[1], 1031, 1 << 18)));
	by_splice = 1;
	say("by splice");
	mounted();
	return 0;
}
