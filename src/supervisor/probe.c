/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of probe.h. What changes a process for good (a seccomp filter) or may end it (a call
 * that an outer filter kills) happens in a child.
 */
#include "supervisor/probe.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/map.h"
#include "core/layout.h"
#include "resident/handover.h"
#include "supervisor/fault.h"
#include "supervisor/procs.h"
#include "supervisor/signals.h"
#include "supervisor/util.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* How far the child came; it may be killed on the way. */
enum stage { ST_NONE, ST_ASKED, ST_NESTED, ST_NO_NNP, ST_NO_FILTER, ST_NO_TRAP, ST_GOOD };

static volatile sig_atomic_t trapped;

static void on_sigsys(int sig)
{
	(void)sig;
	trapped = 1;
}

/* A filter that traps one harmless call, as the tree's filter will. */
static int install_trap(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	if (sv_fault(SV_FAULT_NOSECCOMP))
		return -EPERM;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0 ? sv_errno() : 0;
}

struct shared {
	_Atomic int stage;
	_Atomic int err;
};

static _Noreturn void child(struct shared *s, bool ask)
{
	int r;

	/* An outer filter may kill unknown calls: the second child does not ask. */
	if (ask && syscall(RS_HYPER_NR, 0) == RS_HYPER_VERSION) {
		s->stage = ST_NESTED;
		_exit(0);
	}
	s->stage = ST_ASKED;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		s->err = errno;
		s->stage = ST_NO_NNP;
		_exit(0);
	}
	signal(SIGSYS, on_sigsys);
	sv_sigmask(SIG_UNBLOCK, sv_sig_bit(SIGSYS));
	r = install_trap();
	if (r < 0) {
		s->err = -r;
		s->stage = ST_NO_FILTER;
		_exit(0);
	}
	syscall(SYS_getppid);
	s->stage = trapped ? ST_GOOD : ST_NO_TRAP;
	_exit(0);
}

/* Also looks whether two pidfds (the child's and ours) differ in their inode. */
static int run_child(struct shared *s, bool ask, bool *ret_pidfs)
{
	sv_auto_fd mine = -1;
	sv_auto_fd its = -1;
	struct stat a, b;
	sp_hpid pid = sp_hpid_of(fork());

	if (pid.n < 0)
		return sv_errno();
	if (pid.n == 0)
		child(s, ask);
	mine = sv_pidfd(sp_hpid_of(getpid()));
	its = sv_pidfd(pid);
	*ret_pidfs = mine >= 0 && its >= 0 && fstat(mine, &a) == 0 && fstat(its, &b) == 0 &&
		     a.st_ino != b.st_ino;
	while (waitpid(pid.n, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

int sv_probe_seccomp(struct sv_features *ret, struct sv_fail *fail)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int stage, err, r;

	if (s == MAP_FAILED)
		return sv_failed(fail, sv_errno(), "cannot get memory");
	r = run_child(s, true, &ret->pidfs);
	if (r == 0 && s->stage == ST_NONE)
		r = run_child(s, false, &ret->pidfs);
	stage = s->stage;
	err = s->err;
	munmap(s, sizeof(*s));
	if (r < 0)
		return sv_failed(fail, r, "cannot fork");
	switch ((enum stage)stage) {
	case ST_GOOD:
		return 0;
	case ST_NESTED:
		ret->inside = true;
		return 0;
	case ST_NO_NNP:
		return sv_failed(fail, -err, "no_new_privs is refused here");
	case ST_NO_FILTER:
		return sv_failed(fail, -err, "a seccomp filter is refused here");
	case ST_NO_TRAP:
		return sv_failed(fail, 0, "a seccomp filter has no effect here");
	case ST_NONE:
	case ST_ASKED:
		break;
	}
	return sv_failed(fail, 0, "a seccomp filter cannot be tried here: the attempt was killed");
}

int sv_probe_window(struct sv_fail *fail)
{
	static const struct {
		unsigned long addr, size;
	} parts[] = {
		{SP_SEGMENT_ADDR, SP_SEGMENT_SIZE},
		{SP_AREAS_ADDR, 1ul << 20},
		{SP_RESIDENT_ADDR, SP_RESIDENT_END - SP_RESIDENT_ADDR},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		/* An address that exists only as a number. */
		void *want = (void *)parts[i].addr; /* NOLINT */
		void *got = mmap(want, parts[i].size, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				 -1, 0);
		int err = got == MAP_FAILED ? sv_errno() : 0;

		if (got != MAP_FAILED)
			munmap(got, parts[i].size);
		if (err == -ENOMEM)
			return sv_failed(fail, err,
					 "the limit of address space leaves no room for the "
					 "resident (ulimit -v)");
		if (err || got != want || sv_fault(SV_FAULT_WINDOW))
			return sv_failed(fail, 0, "the resident's addresses from %#lx are taken",
					 parts[i].addr);
	}
	return 0;
}

bool sv_probe_proc(void)
{
	sv_auto_fd fd = -1;
	struct statfs fs;

	if (sv_fault(SV_FAULT_NOPROC) || statfs("/proc/self", &fs) < 0 ||
	    (unsigned long)fs.f_type != PROC_SUPER_MAGIC)
		return false;
	fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return fd >= 0;
}

int sv_probe(struct sv_features *ret, struct sv_fail *fail)
{
	int r;

	ret->inside = false;
	r = sv_probe_seccomp(ret, fail);
	if (r < 0 || ret->inside)
		return r;
	r = sv_probe_window(fail);
	if (r < 0)
		return r;
	ret->proc = sv_probe_proc();
	return 0;
}
