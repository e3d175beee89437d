/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The own PID namespace is joined with no descriptor free.
 *
 * nofile: 20
 * privileged: yes
 */
#include "probe.h"

#ifndef CLONE_NEWPID
#define CLONE_NEWPID 0x20000000
#endif

int main(void)
{
	int ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	while (dup(0) >= 0)
		;
	say("joined %s", rc(SC(SYS_setns, ns, 0)));
	say("joined %s", rc(SC(SYS_setns, ns, CLONE_NEWPID)));
	say("other %s", rc(SC(SYS_setns, ns, 0x40000000)));
	return 0;
}
