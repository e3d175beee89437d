/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking and proving a signal scope, and the guarded kill(-1). Without a scope that call would end
 * the user's whole session, so its permission lives in one variable here, is written in one place
 * after a proof, names the process that made the proof, and is checked again by a signal that must be refused.
 *
 * A build with -DSV_FAULT (tests only) can break each step; a release has no such switch.
 */
#include "supervisor/landlock.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/fault.h"
#include "supervisor/util.h"

/* linux/landlock.h of Debian 12 does not know scopes yet. */
#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION_FLAG 1u
#define SCOPE_SIGNAL (1ull << 1)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* The result of the proof. Written by sv_scope_enter only. */
static struct {
	sp_hpid holder;	 /* process that proved its scope, none: nobody */
	sp_hpid witness; /* process outside that refused it */
} proven;

int sv_scope_abi(void)
{
	long abi = syscall(NR_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION_FLAG);

	return abi < 0 ? sv_errno() : (int)abi;
}

static int restrict_self(void)
{
	struct ruleset_attr attr = {.scoped = SCOPE_SIGNAL};
	sv_auto_fd fd = -1;

	if (sv_fault(SV_FAULT_RESTRICT))
		return -EOPNOTSUPP;
	if (sv_scope_abi() < SV_SCOPE_ABI)
		return -EOPNOTSUPP;
	fd = (int)syscall(NR_LANDLOCK_CREATE_RULESET, &attr, sizeof(attr), 0);
	if (fd < 0)
		return sv_errno();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return sv_errno();
	if (sv_fault(SV_FAULT_NOSCOPE))
		return 0;
	if (syscall(NR_LANDLOCK_RESTRICT_SELF, fd, 0) < 0)
		return sv_errno();
	return 0;
}

/* 1: may be signalled; 0: refused; otherwise -errno. */
static int may_signal(sp_hpid to)
{
	if (kill(to.n, 0) == 0)
		return 1;
	return errno == EPERM ? 0 : sv_errno();
}

int sv_scope_enter(sp_hpid outside)
{
	int r;

	proven.holder = SP_HPID_NONE;
	/* A witness that other rules protect already would prove nothing. */
	if (outside.n < 1 || outside.n == getpid() || may_signal(outside) != 1)
		return -EINVAL;
	r = restrict_self();
	if (r < 0)
		return r;
	if (may_signal(outside) != 0)
		return -EPERM;
	proven.witness = outside;
	proven.holder = sp_hpid_of(getpid());
	return 0;
}

int sv_scope_enter_alone(void)
{
	int gate[2], r, err;
	sp_hpid witness;

	if (pipe(gate) < 0)
		return sv_errno();
	witness = sp_hpid_of(fork());
	if (witness.n < 0) {
		err = sv_errno();
		close(gate[0]);
		close(gate[1]);
		return err;
	}
	if (witness.n == 0) {
		char c;

		close(gate[1]);
		while (read(gate[0], &c, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(gate[0]);
	r = sv_scope_enter(witness);
	/* Its number may name anybody from now on. */
	proven.witness = SP_HPID_NONE;
	close(gate[1]);
	while (waitpid(witness.n, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

bool sv_scope_holds(void)
{
	return proven.holder.n > 0 && proven.holder.n == getpid();
}

int sv_scope_kill_all(void)
{
	if (!sv_scope_holds())
		return -EPERM;
	/* While the witness is our parent its number cannot have been given to another process. */
	if (proven.witness.n > 0 && proven.witness.n == getppid() && may_signal(proven.witness) != 0)
		return -EPERM;
	if (sv_fault(SV_FAULT_DRYRUN)) {
		sv_fault_note("kill-all");
		return -EPERM;
	}
	kill(-1, SIGKILL);
	return 0;
}
