/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which thread faulted: userfaultfd with the thread's number in its messages, and without.
 */
#include "probe.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef SYS_userfaultfd
#define SYS_userfaultfd 323
#endif
/* include/uapi/linux/userfaultfd.h */
#define UFFDIO_API 0xc018aa3ful
#define UFFDIO_REGISTER 0xc020aa00ul
#define UFFDIO_ZEROPAGE 0xc020aa04ul
#define UFFD_USER_MODE_ONLY 1
#define UFFD_FEATURE_EVENT_FORK 2ull
#define UFFD_FEATURE_THREAD_ID 256ull

struct message {
	uint8_t event, reserved[7];
	uint64_t flags, address;
	uint32_t ptid, pad;
};

static char *area;

static void *touches(void *arg)
{
	*(int *)arg = (int)SC(SYS_gettid);
	/* Reading is enough, and leaves the zero page. */
	*(int *)arg += ((volatile char *)area)[4096];
	return NULL;
}

static void answer(int fd, uint64_t at)
{
	uint64_t z[4] = {at & ~4095ull, 4096, 0, 0};

	say("zeropage %s", lrc(ioctl(fd, UFFDIO_ZEROPAGE, z)));
}

static void faults(const char *what, uint64_t features)
{
	uint64_t api[3] = {0xaa, features, 0}, reg[4];
	struct message m[4];
	int fd = (int)SC(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY), tid = 0;
	pthread_t t;
	long n;

	say("%s: %s", what, fd < 0 ? rc(fd) : "made");
	if (fd < 0)
		return;
	say("api %s", lrc(ioctl(fd, UFFDIO_API, api)));
	area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg[0] = (uint64_t)area;
	reg[1] = 4 * 4096;
	reg[2] = 1;
	reg[3] = 0;
	say("register %s", lrc(ioctl(fd, UFFDIO_REGISTER, reg)));
	pthread_create(&t, NULL, touches, &tid);
	n = SC(SYS_read, fd, m, sizeof(m));
	say("read %s event %x ptid %u", rc(n), m[0].event, n == 32 ? m[0].ptid : 0);
	answer(fd, m[0].address);
	pthread_join(t, NULL);
	say("thread was %d", tid);
	say("short %s", rc(SC(SYS_read, fd, m, 31)));
	munmap(area, 4 * 4096);
	close(fd);
}

/* A child's memory has a descriptor of its own, which comes with a message. */
static void forked(void)
{
	uint64_t api[3] = {0xaa, UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_THREAD_ID, 0}, reg[4];
	int fd = (int)SC(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY), got;
	struct gate reader = gate_new();
	struct message m;
	pid_t server, child;
	long n;
	int st;

	say("fork: api %s", lrc(ioctl(fd, UFFDIO_API, api)));
	if (fd < 0 || !api[1])
		return;
	area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* The fork of a process whose memory is registered waits until its message is read. */
	server = fork_or_die();
	if (!server) {
		gate_pass(reader);
		n = SC(SYS_read, fd, &m, sizeof(m));
		say("read %s event %x", rc(n), m.event);
		memcpy(&got, &m.flags, sizeof(got));
		n = SC(SYS_read, got, &m, sizeof(m));
		say("read %s event %x ptid %u", rc(n), m.event, m.ptid);
		answer(got, m.address);
		_exit(0);
	}
	reg[0] = (uint64_t)area;
	reg[1] = 4 * 4096;
	reg[2] = 1;
	reg[3] = 0;
	say("register %s", lrc(ioctl(fd, UFFDIO_REGISTER, reg)));
	gate_open(reader);
	child = fork_or_die();
	if (!child)
		_exit(((volatile char *)area)[4096]);
	say("server %s", reap(server));
	waitpid(child, &st, 0);
	say("child %d: %s", child, status_text(st));
	close(fd);
}

int main(void)
{
	faults("plain", 0);
	faults("with the thread's number", UFFD_FEATURE_THREAD_ID);
	faults("forks", UFFD_FEATURE_EVENT_FORK);
	forked();
	say("flags %s", rc(SC(SYS_userfaultfd, -1)));
	say("unused %s",
	    rc(SC(SYS_read, SC(SYS_userfaultfd, O_NONBLOCK | UFFD_USER_MODE_ONLY), area, 32)));
	return 0;
}
