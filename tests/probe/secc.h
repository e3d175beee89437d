/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probes of seccomp share: the kernel's structures, which musl has no header for, and filters made of
 * a few lines.
 */
#ifndef SECC_H
#define SECC_H

#include "probe.h"
#include <ucontext.h>

struct insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
struct fprog {
	uint16_t len, pad[3];
	const struct insn *filter;
};

#define MODE_STRICT 0
#define MODE_FILTER 1
#define GET_ACTION_AVAIL 2
#define GET_NOTIF_SIZES 3
#define F_TSYNC 1
#define F_LOG 2
#define F_SPEC_ALLOW 4
#define F_LISTENER 8
#define F_TSYNC_ESRCH 16
#define F_KILLABLE 32

#define KILL_PROCESS 0x80000000u
#define KILL_THREAD 0u
#define TRAP 0x00030000u
#define ERRNO 0x00050000u
#define NOTIF 0x7fc00000u
#define TRACE 0x7ff00000u
#define LOG 0x7ffc0000u
#define ALLOW 0x7fff0000u

#define ARCH_64 0xc000003eu

#define LD(off)                 \
	{                       \
		0x20, 0, 0, off \
	}
#define LD_NR LD(0)
#define LD_ARCH LD(4)
#define LD_ARG(i) LD(16 + 8 * (i))
#define JEQ(k, t, f)          \
	{                     \
		0x15, t, f, k \
	}
#define RET(k)                \
	{                     \
		0x06, 0, 0, k \
	}

/* Number nr gets the verdict, everything else is allowed. */
#define ONE(nr, verdict) LD_NR, JEQ(nr, 0, 1), RET(verdict), RET(ALLOW)

MAYBE static long filter_n(unsigned int flags, const struct insn *p, size_t n)
{
	struct fprog prog = {(uint16_t)n, {0}, p};

	return SC(SYS_seccomp, MODE_FILTER, flags, &prog);
}
#define FILTER(flags, ...)                                       \
	({                                                       \
		const struct insn p_[] = {__VA_ARGS__};          \
		filter_n(flags, p_, sizeof(p_) / sizeof(p_[0])); \
	})

MAYBE static long no_new_privs(void)
{
	return SC(SYS_prctl, 38, 1);
}

/* One number gets a verdict from now on. */
MAYBE static void deny(long nr, uint32_t verdict)
{
	long r;

	no_new_privs();
	r = FILTER(0, ONE((uint32_t)nr, verdict));
	if (r)
		say("filter: %s", rc(r));
}

struct sysinfo {
	int signo, err, code, pad;
	void *call_addr;
	int syscall;
	unsigned int arch;
};

static volatile struct {
	struct sysinfo si;
	long rax, rip_ok, count;
	uint64_t mask;
} seen;
static long answer = -4242;

/* Notes what a trap says, and gives the call a result. */
MAYBE static void on_sys(int sig, siginfo_t *info, void *uc)
{
	ucontext_t *c = uc;
	struct sysinfo *si = (struct sysinfo *)info;
	const unsigned char *ip = (const unsigned char *)c->uc_mcontext.gregs[REG_RIP];

	memcpy((void *)&seen.si, si, sizeof(*si));
	seen.rax = (long)c->uc_mcontext.gregs[REG_RAX];
	seen.rip_ok = si->call_addr == ip && ip[-2] == 0x0f && ip[-1] == 0x05;
	memcpy((void *)&seen.mask, &c->uc_sigmask, 8);
	seen.count++;
	c->uc_mcontext.gregs[REG_RAX] = answer;
}

MAYBE static void catch_sys(int flags)
{
	struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO | flags};

	sigaction(SIGSYS, &sa, NULL);
}

MAYBE static void show_trap(const char *name, long r)
{
	say("%s = %ld: count %ld signal %d errno %d code %d syscall %d arch %x rax %ld place %s "
	    "mask %s",
	    name, r, seen.count, seen.si.signo, seen.si.err, seen.si.code, seen.si.syscall,
	    seen.si.arch, seen.rax, seen.rip_ok ? "right" : "wrong", mask_text(seen.mask));
	memset((void *)&seen, 0, sizeof(seen));
}

#endif
