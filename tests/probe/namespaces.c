/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about PID namespaces and the machine by somebody without rights: which mistake is named first.
 */
#include "probe.h"

#define MAGIC 0xfee1deadul

static void all(void)
{
	struct probe_clone_args a = {.exit_signal = SIGCHLD};
	uint64_t request[8] = {64};
	int tids[2] = {77, 78};

	a.set_tid = (uint64_t)(uintptr_t)tids;
	a.set_tid_size = 1;
	say("clone3 set_tid %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	a.set_tid_size = 2;
	say("clone3 two set_tid %s", rc(SC(SYS_clone3, &a, sizeof(a))));
	say("reboot %s, wrong magic %s", rc(SC(SYS_reboot, MAGIC, 672274793, 0x01234567, NULL)),
	    rc(SC(SYS_reboot, 1, 2, 3, NULL)));
	say("listns %s %s %s", rc(SC(470, NULL, NULL, 0, 0)), rc(SC(470, WILD, NULL, 0, 0)),
	    rc(SC(470, request, NULL, 0, 1)));
	say("next pid %s", reap(fork() ?: (_exit(0), 0)));
}

int main(void)
{
	all();
	in_child("in a child", all);
	return 0;
}
