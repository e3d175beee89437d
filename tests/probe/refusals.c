/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of several mistakes in a call is found first: credentials in more control data than a socket takes, signal
 * information that cannot be read for nobody, a header of which only the first word is there, a child's signal that looks
 * like a flag.
 */
#include "probe.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char control[65536] __attribute__((aligned(8)));

static void send_long(const char *what, int fd, void *base, size_t room)
{
	struct iovec v = {base, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
	struct mmsghdr many[2] = {{m, 0}, {m, 0}};

	say("%s, %zu: %s %s", what, room, rc(SC(SYS_sendmsg, fd, &m, MSG_DONTWAIT)),
	    rc(SC(SYS_sendmmsg, fd, many, 2, MSG_DONTWAIT)));
}

int main(void)
{
	struct cmsghdr *c = (struct cmsghdr *)control;
	struct ucred u = {getpid(), getuid(), getgid()};
	size_t rooms[] = {32, 0x7fffffff, 0x80000000ul, ~0ul};
	char text[] = "x", *end;
	siginfo_t si = {0};
	int sv[2], word = 0;
	struct probe_clone_args strange[] = {
		{.exit_signal = 0x20000000 | SIGCHLD}, /* CLONE_NEWPID */
		{.exit_signal = 0x10000},	       /* CLONE_THREAD */
		{.exit_signal = 1ul << 32 | SIGCHLD},
		{.exit_signal = 65},
		{.exit_signal = SIGCHLD,
		 .flags = 0x8000 /* CLONE_PARENT */,
		 .set_tid = (uint64_t)WILD,
		 .set_tid_size = 1},
		{.exit_signal = SIGCHLD, .flags = 0x10000, .set_tid = (uint64_t)WILD, .set_tid_size = 1},
		{.exit_signal = 65, .set_tid = (uint64_t)WILD, .set_tid_size = 1},
	};

	*c = (struct cmsghdr){.cmsg_len = 28, .cmsg_level = SOL_SOCKET, .cmsg_type = 2};
	memcpy(c + 1, &u, sizeof(u));
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv))
		die("socketpair");
	for (size_t i = 0; i < COUNT(rooms); i++) {
		send_long("socket", sv[0], text, rooms[i]);
		send_long("socket, wild text", sv[0], WILD, rooms[i]);
		send_long("nothing", 99, text, rooms[i]);
		send_long("no socket", 0, text, rooms[i]);
	}
	for (int n = -1; n <= 0; n++) {
		say("tgsigqueueinfo %d: %s %s", n, rc(SC(SYS_rt_tgsigqueueinfo, getpid(), n, 0, WILD)),
		    rc(SC(SYS_rt_tgsigqueueinfo, n, getpid(), 0, &si)));
		say("tgkill %d: %s %s %s", n, rc(SC(SYS_tgkill, getpid(), n, 0)),
		    rc(SC(SYS_tgkill, n, getpid(), 0)), rc(SC(SYS_tkill, n, 99)));
	}
	for (size_t i = 0; i < COUNT(strange); i++)
		say("clone3, signal %llx: %s", (unsigned long long)strange[i].exit_signal,
		    rc(SC(SYS_clone3, &strange[i], sizeof(strange[i]))));
	end = (char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) +
	      4096;
	munmap(end, 4096);
	for (int known = 0; known < 2; known++) {
		word = known ? 0x20080522 : 1;
		memcpy(end - 4, &word, 4);
		say("capget: %s", rc(SC(SYS_capget, end - 4, control)));
		memcpy(&word, end - 4, 4);
		say("version %x", (unsigned int)word);
	}
	return 0;
}
