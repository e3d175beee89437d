/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: floor COMMAND ARGS...
 * Runs a command under the tree's filter with every trap replaced by "allow": as many instructions
 * and the same searches, installed with the same flags, but nothing is converted. What a call costs
 * here is what it costs to have a filter at all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/map.h"
#include "boundary/filter.h"

#define MAGIC 0x5350

int main(int argc, char **argv)
{
	static const struct bd_trap trap = {SP_RESIDENT_ADDR + 4096, SP_RESIDENT_ADDR + 65536, MAGIC};
	static struct sock_filter code[BD_FILTER_MAX];
	struct sock_fprog prog = {0, code};
	int n, traps = 0;

	if (argc < 2)
		return 125;
	n = bd_filter_build(code, BD_FILTER_MAX, &trap);
	for (int i = 0; i < n; i++)
		if (code[i].code == (BPF_RET | BPF_K) && code[i].k == (SECCOMP_RET_TRAP | MAGIC)) {
			code[i].k = SECCOMP_RET_ALLOW;
			traps++;
		}
	if (n < 0 || !traps) {
		fprintf(stderr, "floor: the filter is not what was expected (%d)\n", n);
		return 125;
	}
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) &&
	     prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))) {
		fprintf(stderr, "floor: %s\n", strerror(errno));
		return 125;
	}
	execv(argv[1], argv + 1);
	fprintf(stderr, "floor: %s: %s\n", argv[1], strerror(errno));
	return 127;
}
