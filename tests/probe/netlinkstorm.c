/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to generic netlink while signals rain, some of which leave the call for good: no descriptor remains.
 */
#include "probe.h"

#include <sys/socket.h>

#define ROUNDS 3000
#define GENERIC 16 /* NETLINK_GENERIC */

static sigjmp_buf out;
static volatile int armed, drops;

static void handler(int sig)
{
	(void)sig;
	if (armed && ++drops % 3 == 0)
		siglongjmp(out, 1);
}

int main(void)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval t = {{0, 70}, {0, 70}}, none = {0};
	struct {
		uint32_t len;
		uint16_t type, flags;
		uint32_t seq, port;
		uint8_t cmd, version, pad[2];
	} m = {sizeof(m), 0x7f00, 1, 0, 0, 1, 1, {0, 0}};
	uint16_t sa[6] = {AF_NETLINK};
	int s = socket(AF_NETLINK, SOCK_RAW, GENERIC);
	volatile int good = 0;
	char answer[256];
	int next;

	say("socket %s", s >= 0 ? "open" : lrc(s));
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	for (volatile int i = 0; i < ROUNDS; i++) {
		if (sigsetjmp(out, 1))
			continue;
		armed = 1;
		if (SC(SYS_sendto, s, &m, sizeof(m), 0, &sa, sizeof(sa)) == sizeof(m))
			good++;
		armed = 0;
		while (SC(SYS_recvfrom, s, answer, sizeof(answer), MSG_DONTWAIT) > 0)
			;
	}
	armed = 0;
	setitimer(ITIMER_REAL, &none, NULL);
	say("sent %d", good > 0);
	next = dup(0);
	say("the next descriptor is %d", next);
	return 0;
}
