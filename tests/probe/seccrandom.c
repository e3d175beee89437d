/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random filters, the same ones on both sides: one to three of them, made of tests of numbers and arguments and
 * some arithmetic, with every verdict that needs nobody else, over calls of every kind.
 */
#include "secc.h"

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (uint32_t)(seed >> 33) % n : 0;
}

static const struct {
	const char *name;
	long nr, a, b, c;
} calls[] = {
	{"getpid", SYS_getpid, 0, 0, 0},
	{"gettid", SYS_gettid, 0, 0, 0},
	{"getppid", SYS_getppid, 0, 0, 0},
	{"getuid", SYS_getuid, 0, 0, 0},
	{"kill 1", SYS_kill, 1, 0, 0},
	{"kill 0", SYS_kill, 0, 0, 0},
	{"kill nobody", SYS_kill, 7777, 0, 0},
	{"openat", SYS_openat, -100, (long)"/nowhere", 0},
	{"close", SYS_close, 77, 0, 0},
	{"wait4", SYS_wait4, -1, 0, WNOHANG},
	{"getpgid", SYS_getpgid, 1, 0, 0},
	{"getsid", SYS_getsid, 1, 0, 0},
	{"fcntl", SYS_fcntl, 77, F_GETOWN, 0},
	{"fcntl flags", SYS_fcntl, 77, F_GETFL, 0},
	{"getpriority", SYS_getpriority, 0, 1, 0},
	{"sched_getscheduler", SYS_sched_getscheduler, 1, 0, 0},
	{"tgkill", SYS_tgkill, 1, 1, 0},
	{"rt_sigprocmask", SYS_rt_sigprocmask, 99, 0, 0},
	{"clone", SYS_clone, 0x10000, 0, 0},
	{"dup", SYS_dup, 77, 0, 0},
};

/* What the probe itself must go on being able to do. */
static const uint32_t spared[] = {SYS_write, SYS_exit_group, SYS_rt_sigreturn, SYS_seccomp, SYS_prctl};

static uint32_t verdict(void)
{
	static const uint32_t list[] = {ALLOW, ALLOW, LOG,  ERRNO,	  ERRNO,
					ERRNO, TRAP,  TRAP, KILL_PROCESS, 0x00060000};
	uint32_t v = list[rnd(rnd(4) ? 8 : 10)];

	return v == ERRNO || v == TRAP ? v | rnd(130) : v;
}

static size_t random_filter(struct insn *p)
{
	size_t n = 0;

	p[n++] = (struct insn)LD_NR;
	for (size_t i = 0; i < COUNT(spared); i++) {
		p[n++] = (struct insn)JEQ(spared[i], 0, 1);
		p[n++] = (struct insn)RET(ALLOW);
	}
	for (uint32_t rules = rnd(12); rules; rules--) {
		uint32_t nr = (uint32_t)calls[rnd(COUNT(calls))].nr, arg = rnd(3), half = 4 * rnd(2);

		switch (rnd(5)) {
		case 0: /* by number */
			p[n++] = (struct insn)JEQ(nr, 0, 1);
			p[n++] = (struct insn)RET(verdict());
			break;
		case 1: /* by a range of numbers */
			p[n++] = (struct insn){0x35, 0, 2, rnd(120)};
			p[n++] = (struct insn){0x25, 1, 0, 60 + rnd(100)};
			p[n++] = (struct insn)RET(verdict());
			break;
		case 2: /* by number and argument */
			p[n++] = (struct insn)JEQ(nr, 0, 4);
			p[n++] = (struct insn)LD(16 + 8 * arg + half);
			p[n++] = (struct insn)JEQ(rnd(4) ? rnd(3) : 0xffffffff, 0, 1);
			p[n++] = (struct insn)RET(verdict());
			p[n++] = (struct insn)LD_NR;
			break;
		case 3: /* by arithmetic: M[2] = nr & m; A = M[2] ^ x */
			p[n++] = (struct insn){0x54, 0, 0, 1u << rnd(8)};
			p[n++] = (struct insn){0x02, 0, 0, 2};
			p[n++] = (struct insn){0x61, 0, 0, 2};
			p[n++] = (struct insn){0x20, 0, 0, 16};
			p[n++] = (struct insn){0x0c, 0, 0, 0};
			p[n++] = (struct insn){0x45, 0, 1, 1u << rnd(8)};
			p[n++] = (struct insn)RET(verdict());
			p[n++] = (struct insn)LD_NR;
			break;
		default: /* a computed errno */
			p[n++] = (struct insn)JEQ(nr, 0, 4);
			p[n++] = (struct insn)LD_ARG(0);
			p[n++] = (struct insn){0x54, 0, 0, 0x3f};
			p[n++] = (struct insn){0x44, 0, 0, ERRNO | 1};
			p[n++] = (struct insn){0x16, 0, 0, 0};
			break;
		}
	}
	p[n++] = (struct insn)RET(ALLOW);
	return n;
}

static volatile long trapped;

static void on_trap(int sig, siginfo_t *info, void *uc)
{
	struct sysinfo *si = (struct sysinfo *)info;

	trapped = si->err + 1000l * si->syscall;
	((ucontext_t *)uc)->uc_mcontext.gregs[REG_RAX] = -2000;
}

static void one(void)
{
	static struct insn p[200];
	struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	char line[1024];
	size_t at = 0;

	sigaction(SIGSYS, &sa, NULL);
	no_new_privs();
	for (uint32_t filters = 1 + rnd(3); filters; filters--) {
		long r = filter_n(0, p, random_filter(p));

		if (r)
			say("filter: %s", rc(r));
	}
	for (size_t i = 0; i < COUNT(calls); i++) {
		long r;

		trapped = 0;
		r = SC(calls[i].nr, calls[i].a, calls[i].b, calls[i].c);
		if (calls[i].nr == SYS_clone && !r)
			SC(SYS_exit_group, 0);
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %s", rc(r));
		if (trapped)
			at += (size_t)snprintf(line + at, sizeof(line) - at, "(%ld)", trapped);
		/* So that what comes before a death is seen. */
		if (i % 5 == 4 || i + 1 == COUNT(calls)) {
			say(" %s", line);
			at = 0;
			line[0] = 0;
		}
	}
	SC(SYS_exit_group, 0);
}

int main(int argc, char **argv)
{
	char name[32];

	for (uint32_t i = 1; i <= 120; i++) {
		seed = i * 7919;
		rnd(0);
		snprintf(name, sizeof(name), "seed %u", i);
		in_child(name, one);
	}
	return 0;
}
