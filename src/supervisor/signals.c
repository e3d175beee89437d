/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking over and giving back the caller's signal state; see signals.h. A program started through
 * subpid must find what it would have found without: `nohup subpid run ...`, `trap "" INT`.
 */
#include "supervisor/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_SIGNAL 64
#define LIBC_FIRST 32 /* 32 and 33 belong to the C library, which refuses them in its own calls */
#define LIBC_LAST 33

/* Raised by the process's own instructions: blocking them would turn a crash into a hang. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};

struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

uint64_t sv_sigmask(int how, uint64_t set)
{
	uint64_t old = 0;

	syscall(SYS_rt_sigprocmask, how, &set, &old, sizeof(old));
	return old;
}

void sv_signals_take(struct sv_caller *ret)
{
	uint64_t all = ~0ull;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		all &= ~sv_sig_bit(faults[i]);
	ret->ignored = 0;
	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		struct kernel_sigaction old = {0};

		if (syscall(SYS_rt_sigaction, sig, NULL, &old, sizeof(uint64_t)) == 0 &&
		    old.handler == SIG_IGN)
			ret->ignored |= sv_sig_bit(sig);
	}
	ret->mask = sv_sigmask(SIG_BLOCK, all);
	/* Inherited as ignored it would make every wait fail with ECHILD. */
	signal(SIGCHLD, SIG_DFL);
}

void sv_signals_give(const struct sv_caller *c)
{
	for (int sig = 1; sig <= LAST_SIGNAL; sig++) {
		bool ignored = (c->ignored & sv_sig_bit(sig)) && sig != SIGSYS;

		if (sig != SIGKILL && sig != SIGSTOP && (sig < LIBC_FIRST || sig > LIBC_LAST))
			signal(sig, ignored ? SIG_IGN : SIG_DFL);
	}
	sv_sigmask(SIG_SETMASK, c->mask & ~sv_sig_bit(SIGSYS));
}

bool sv_sig_ends(int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return false;
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (sig == faults[i])
			return false;
	return true;
}
