/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the resident, so that front and supervisor are tested apart from it: takes the hand-over,
 * publishes number 1 and executes the program with the kernel's numbers. STANDIN_HANDLED, _IGNORED
 * and _BLOCKED (signal numbers, separated by commas) are what it claims about number 1.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/pid.h"
#include "resident/handover.h"

static uint64_t signals(const char *name)
{
	char *at = getenv(name);
	uint64_t set = 0;

	while (at && *at) {
		char *end;
		long sig = strtol(at, &end, 10);

		if (end == at)
			break;
		set |= 1ull << (sig - 1);
		at = *end == ',' ? end + 1 : end;
	}
	return set;
}

int main(int argc, char **argv)
{
	struct sp_segment *seg;
	struct rs_handover h;
	struct sp_ref ref;

	if (argc < 3 || rs_handover_parse(argv[0], &h) < 0 || !(h.flags & RS_HO_FIRST))
		return 125;
	seg = mmap(NULL, SP_SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)h.segment_fd, 0);
	if (seg == MAP_FAILED || sp_ns_check(seg, SP_SEGMENT_SIZE) < 0)
		return 124;
	ref = sp_pid_find_any(seg, sp_vpid_of(1));
	if (sp_pid_publish(seg, &ref, sp_hpid_of(getpid())) < 0)
		return 123;
	seg->init_hid = (uint32_t)getpid();
	seg->init_handled = signals("STANDIN_HANDLED");
	seg->init_ignored = signals("STANDIN_IGNORED");
	seg->init_blocked = signals("STANDIN_BLOCKED");
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	seg->init_running = 1;
	execv(argv[1], argv + RS_HO_SLOTS);
	seg->init_running = 0;
	seg->init_errno = errno;
	return errno == ENOENT || errno == ENOTDIR ? 127 : 126;
}
