/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A FUSE server with one thread that is sent a descriptor of a file it serves itself: to receive it asks the server
 * nothing, since it could not answer.
 *
 * device: /dev/fuse
 */
#include "probe.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* include/uapi/linux/fuse.h */
enum { GETATTR = 3, OPEN = 14, INIT = 26 };

static int dev, passed[2];

static void answer(uint64_t unique, const void *body, uint32_t n)
{
	struct {
		uint32_t len;
		int32_t error;
		uint64_t unique;
		char body[128];
	} out = {16 + n, n ? 0 : -ENOSYS, unique, ""};

	memcpy(out.body, body, n);
	if (SC(SYS_write, dev, &out, 16 + n) != (long)(16 + n))
		say("no answer taken");
}

/* One request: what it was. */
static uint32_t serve(void)
{
	static _Alignas(8) char buf[1 << 18];
	uint32_t o[32] = {0}, opcode;
	uint64_t unique;

	if (SC(SYS_read, dev, buf, sizeof(buf)) < 40)
		die("read");
	memcpy(&opcode, buf + 4, 4);
	memcpy(&unique, buf + 8, 8);
	switch (opcode) {
	case INIT:
		o[0] = 7;
		o[1] = 31;
		o[2] = o[5] = 65536;
		answer(unique, o, 64);
		break;
	case GETATTR: /* the only file is a plain one, and to be asked about each time */
		o[4] = 1;
		o[19] = S_IFREG | 0600;
		o[20] = 1;
		o[21] = getuid();
		o[22] = getgid();
		answer(unique, o, 104);
		break;
	case OPEN:
		answer(unique, o, 16);
		break;
	default:
		answer(unique, o, 0);
	}
	return opcode;
}

static void client(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 'x';
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = open("mnt", O_RDONLY);

	close(dev);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (fd < 0 || sendmsg(passed[1], &m, 0) != 1)
		say("client: %s", err(errno));
	_exit(0);
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

int main(void)
{
	char text[100], control[64], byte;
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 64};
	int uid = (int)getuid(), gid = (int)getgid();
	pid_t child;
	int dir;

	/* CLONE_NEWUSER, CLONE_NEWNS */
	if (SC(SYS_unshare, 0x10020000)) {
		say("no user namespace");
		return 0;
	}
	snprintf(text, sizeof(text), "%d %d 1\n", uid, uid);
	put_file("/proc/self/uid_map", text);
	put_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "%d %d 1\n", gid, gid);
	put_file("/proc/self/gid_map", text);
	close(open("mnt", O_CREAT | O_WRONLY, 0600));
	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0) {
		say("/dev/fuse: %s", err(errno));
		return 0;
	}
	snprintf(text, sizeof(text), "fd=%d,rootmode=100600,user_id=%d,group_id=%d", dev, uid, gid);
	if (mount("probe", "mnt", "fuse", 0, text)) {
		say("mount: %s", err(errno));
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, passed))
		die("socketpair");
	child = fork_or_die();
	if (!child)
		client();
	while (serve() != OPEN)
		;
	for (;;) {
		struct pollfd p[2] = {{.fd = dev, .events = POLLIN},
				      {.fd = passed[0], .events = POLLIN}};

		poll(p, 2, -1);
		if (p[1].revents)
			break;
		serve();
	}
	say("received %s", lrc(recvmsg(passed[0], &m, 0)));
	say("with a descriptor: %d", m.msg_controllen > 0);
	/* Whether one of the descriptors is on procfs is found out without a question, too. */
	dir = open(".", O_RDONLY | O_DIRECTORY);
	say("beside it: %s", lrc(openat(dir, "nothing", O_RDONLY)));
	close(dev);
	umount2("mnt", MNT_DETACH);
	return 0;
}
