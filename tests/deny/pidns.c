/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to make processes in another PID namespace that cannot be had.
 */
#include "deny.h"

#define VM 0x100ul
#define NEWPID 0x20000000ul

int main(void)
{
	static char stack[4096] __attribute__((aligned(16)));

	deny("syscall", "clone (56)", "arg0 CLONE_NEWPID with CLONE_VM",
	     SC(SYS_clone, NEWPID | VM | SIGCHLD, stack + sizeof(stack)));
	deny("ioctl", "ublk ctrl (uring_cmd) START_DEV data[0], GET_DEV_INFO ublksrv_pid", "s32",
	     SC(425, 8, NULL));
	return 0;
}
