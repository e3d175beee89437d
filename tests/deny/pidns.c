/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID namespaces of the kernel's, which somebody with a user namespace of his own might make there.
 */
#include "deny.h"

#define NEWUSER 0x10000000ul
#define NEWPID 0x20000000ul

int main(void)
{
	deny("syscall", "unshare (272)", "arg0 CLONE_NEWPID", SC(SYS_unshare, NEWUSER | NEWPID));
	deny("syscall-op", "clone/unshare interplay pid_for_children",
	     "CLONE_THREAD refused while pid_for_children differs", SC(SYS_unshare, NEWPID));
	deny("ioctl", "ublk ctrl (uring_cmd) START_DEV data[0], GET_DEV_INFO ublksrv_pid", "s32",
	     SC(425, 8, NULL));
	return 0;
}
