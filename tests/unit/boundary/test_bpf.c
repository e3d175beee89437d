/* build: src/boundary/bpf.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF, held against the kernel: what it accepts, what it answers, and that a wrapped filter answers
 * the same but for calls from the range.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boundary/bpf.h"

#define ROUNDS 400
#define LEN_MAX 24
#define START 0x550000001000ul
#define END 0x550000009000ul
#define NR 1234567 /* no call: ENOSYS when it is allowed */

static uint64_t seed = 88172645463325252ull;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return n ? (uint32_t)(seed >> 20) % n : 0;
}

static uint16_t masks[BD_BPF_MAX];

static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JSET | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_RET | BPF_X,
	BPF_MISC | 0x10,
};

/* Values that matter to somebody; errnos and nothing worse as verdicts, so that the child lives. */
static uint32_t value(uint16_t code, unsigned left)
{
	static const uint32_t odd[] = {0, 1, 31, 32, 15, 16, 0x7fff0000, 0x50001, 0xffffffff};

	switch (BPF_CLASS(code)) {
	case BPF_RET:
		return rnd(4) ? SECCOMP_RET_ERRNO | (1 + rnd(200)) : SECCOMP_RET_ALLOW;
	case BPF_JMP:
		return rnd(8) ? rnd(left + 1) : odd[rnd(9)];
	case BPF_ST:
	case BPF_STX:
		return rnd(12) ? rnd(4) : rnd(18);
	case BPF_LD:
	case BPF_LDX:
		if (BPF_MODE(code) == BPF_ABS)
			return rnd(12) ? 4 * rnd(16) : rnd(70);
		return rnd(2) ? rnd(4) : odd[rnd(9)];
	default:
		return rnd(3) ? rnd(64) : odd[rnd(9)];
	}
}

static unsigned any_program(struct sock_filter *p)
{
	unsigned n = 2 + rnd(LEN_MAX - 3);

	for (unsigned i = 0; i < n; i++) {
		/* Mostly what is allowed: the last few codes are not. */
		uint16_t code = codes[rnd(40) ? rnd(sizeof(codes) / sizeof(codes[0]) - 5)
					      : rnd(sizeof(codes) / sizeof(codes[0]))];
		unsigned left = n - i - 1;

		p[i] = (struct sock_filter){code, (uint8_t)rnd(left ? left + !rnd(20) : 1),
					    (uint8_t)rnd(left ? left + !rnd(20) : 1),
					    value(code, left ? left - 1 : 0)};
	}
	/* A verdict that is an action of its own kind: RET A through a mask. */
	if (rnd(10))
		p[n - 1] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | 77};
	return n;
}

/* RET A may say anything; the children of the comparison must survive it. */
static unsigned tame(struct sock_filter *p, unsigned n, struct sock_filter *out)
{
	unsigned at = 0;

	for (unsigned i = 0; i < n; i++) {
		out[at] = p[i];
		if (p[i].code == (BPF_RET | BPF_A))
			out[at] = (struct sock_filter){BPF_RET | BPF_K, 0, 0,
						       SECCOMP_RET_ERRNO | (300 + i)};
		at++;
	}
	return at;
}

struct told {
	int taken;  /* 0 or errno of the installation */
	int result; /* 0 or errno of the call */
};

/* What the kernel says, in a child. place: where the call is made from. */
static struct told ask(const struct sock_filter *p, unsigned n, const uint64_t args[6], char *place)
{
	struct told *t = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sock_fprog prog = {(unsigned short)n, (struct sock_filter *)(uintptr_t)p};
	struct told ret;
	int st = 0;
	pid_t pid;

	t->result = -1;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		long r;

		signal(SIGILL, SIG_DFL);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		t->taken = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) ? errno : 0;
		if (!t->taken) {
			register long r10 __asm__("r10") = (long)args[3];
			register long r8 __asm__("r8") = (long)args[4];
			register long r9 __asm__("r9") = (long)args[5];
			__asm__ volatile("call *%[place]"
					 : "=a"(r)
					 : "0"((long)NR), "D"(args[0]), "S"(args[1]), "d"(args[2]),
					   "r"(r10), [place] "r"(place), "r"(r8), "r"(r9)
					 : "rcx", "r11", "memory");
			t->result = (int)-r;
		}
		__builtin_trap(); /* exit may be refused */
	}
	while (waitpid(pid, &st, 0) < 0)
		;
	ret = *t;
	munmap(t, 4096);
	return ret;
}

/* `syscall; ret` at the start of the range, so that a call can come from there. */
static char *page(uint64_t at)
{
	char *p = mmap((void *)at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (char *)at)
		return NULL;
	memcpy(p, "\x0f\x05\xc3", 3);
	return p;
}

static int expected(uint32_t verdict)
{
	if ((verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
		return ENOSYS;
	if ((verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		return (int)(verdict & SECCOMP_RET_DATA);
	return -1; /* killed */
}

static void as_the_kernel(void **state)
{
	char *outside = page(0x560000000000ul), *inside = page(START);
	struct sock_filter p[LEN_MAX], q[LEN_MAX], w[BD_BPF_MAX];
	unsigned taken = 0;

	(void)state;
	assert_non_null(outside);
	assert_non_null(inside);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct seccomp_data sd = {.nr = NR, .arch = AUDIT_ARCH_X86_64};
		unsigned n = tame(p, any_program(p), q);
		bool varies = false;
		struct told t;
		int r, len;

		for (int i = 0; i < 6; i++)
			sd.args[i] = rnd(3) ? rnd(40) : (uint64_t)rnd(0) << 32 | 0xfffffff0u;
		sd.instruction_pointer = (uint64_t)outside + 2;
		r = bd_bpf_check(q, n, masks);
		t = ask(q, n, (const uint64_t *)sd.args, outside);
		assert_int_equal(r ? EINVAL : 0, t.taken);
		if (r)
			continue;
		taken++;
		assert_int_equal(t.result, expected(bd_bpf_run(q, n, &sd, &varies)));
		len = bd_bpf_wrap(w, BD_BPF_MAX, q, n, START, END);
		assert_true(len > 0);
		assert_int_equal(bd_bpf_check(w, (unsigned)len, masks), 0);
		assert_int_equal(ask(w, (unsigned)len, (const uint64_t *)sd.args, outside).result,
				 t.result);
		sd.instruction_pointer = START + 2;
		assert_int_equal(bd_bpf_run(w, (unsigned)len, &sd, &varies), SECCOMP_RET_ALLOW);
		if (round % 8 == 0)
			assert_int_equal(ask(w, (unsigned)len, (const uint64_t *)sd.args, inside).result,
					 ENOSYS);
	}
	assert_true(taken > ROUNDS / 8);
}

/* Wrapped both ways: the stubs of many values, and the test in front when there is no room. */
static void wrap_room(void **state)
{
	static struct sock_filter p[BD_BPF_MAX], w[BD_BPF_MAX];
	struct seccomp_data sd = {.nr = 1, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = 99};
	bool varies = false;
	unsigned n = 0;
	int len;

	(void)state;
	p[n++] = (struct sock_filter){BPF_LD | BPF_W | BPF_ABS, 0, 0, 0};
	for (unsigned i = 0; i < 1000; i++) {
		p[n++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 0, 1, i};
		p[n++] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | i};
	}
	p[n++] = (struct sock_filter){BPF_RET | BPF_A, 0, 0, 0};
	assert_int_equal(bd_bpf_check(p, n, masks), 0);
	for (unsigned max = n; max <= BD_BPF_MAX; max += 1 + (max > n + 20) * 500) {
		len = bd_bpf_wrap(w, max, p, n, START, END);
		if (max < n + 7) {
			assert_int_equal(len, -E2BIG);
			continue;
		}
		assert_true(len > 0 && len <= (int)max);
		assert_int_equal(bd_bpf_check(w, (unsigned)len, masks), 0);
		for (int nr = 0; nr < 1100; nr += 11) {
			sd.nr = nr;
			sd.instruction_pointer = 99;
			assert_int_equal(bd_bpf_run(w, (unsigned)len, &sd, &varies),
					 bd_bpf_run(p, n, &sd, &varies));
			sd.instruction_pointer = END;
			assert_int_equal(bd_bpf_run(w, (unsigned)len, &sd, &varies), SECCOMP_RET_ALLOW);
			sd.instruction_pointer = START + 1;
			assert_int_equal(bd_bpf_run(w, (unsigned)len, &sd, &varies),
					 bd_bpf_run(p, n, &sd, &varies));
			sd.instruction_pointer = END + 1;
			assert_int_equal(bd_bpf_run(w, (unsigned)len, &sd, &varies),
					 bd_bpf_run(p, n, &sd, &varies));
		}
	}
	assert_int_equal(bd_bpf_wrap(w, BD_BPF_MAX, p, n, END, START), -EINVAL);
	assert_int_equal(bd_bpf_wrap(w, BD_BPF_MAX, p, n, START, START + (1ul << 33)), -EINVAL);
}

/* What refuses nothing needs no exemption, and may be as long as the kernel allows. */
static void longest(void **state)
{
	static struct sock_filter p[BD_BPF_MAX], w[BD_BPF_MAX];

	(void)state;
	for (unsigned i = 0; i < BD_BPF_MAX; i++)
		p[i] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	assert_int_equal(bd_bpf_wrap(w, BD_BPF_MAX, p, BD_BPF_MAX, START, END), BD_BPF_MAX);
	assert_memory_equal(w, p, sizeof(p));
	p[7].k = SECCOMP_RET_LOG;
	assert_int_equal(bd_bpf_wrap(w, BD_BPF_MAX, p, BD_BPF_MAX, START, END), -E2BIG);
	assert_true(bd_bpf_wrap(w, BD_BPF_MAX, p, BD_BPF_MAX - 7, START, END) > 0);
}

/* The kernel caches what is allowed by number and architecture alone: the wrapping leaves that. */
static void allowed_stays_constant(void **state)
{
	static const struct sock_filter p[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 5},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct seccomp_data sd = {.nr = 6, .arch = AUDIT_ARCH_X86_64};
	struct sock_filter w[32];
	bool varies = false;
	int len = bd_bpf_wrap(w, 32, p, 4, START, END);

	(void)state;
	assert_true(len > 0);
	assert_int_equal(bd_bpf_run(w, (unsigned)len, &sd, &varies), SECCOMP_RET_ALLOW);
	assert_false(varies);
	sd.nr = 5;
	assert_int_equal(bd_bpf_run(w, (unsigned)len, &sd, &varies), SECCOMP_RET_KILL_PROCESS);
	assert_true(varies);
}

static void strictest(void **state)
{
	static const uint32_t order[] = {0x80000000, 0xffff1234, 0,	     0x00030001,
					 0x00050001, 0x00060000, 0x7fc00000, 0x7ff00001,
					 0x7ffc0000, 0x7fff0000};

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		for (unsigned j = 0; j < 10; j++) {
			uint32_t want = i <= j ? order[i] : order[j];

			if ((i == 0 && j == 1) || (i == 1 && j == 0))
				continue; /* both kill */
			assert_int_equal(bd_bpf_stricter(order[i], order[j]), want);
		}
	assert_int_equal(bd_bpf_stricter(0x00050001, 0x00050002), 0x00050001);
}

static void packing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct sock_filter a = {(uint16_t)rnd(256), (uint8_t)rnd(i % 2 ? 256 : 2),
					(uint8_t)rnd(i % 3 ? 256 : 2), rnd(i % 5 ? 0 : 300)},
				   b;
		char text[BD_BPF_PACKED_MAX + 1] = {0};
		unsigned n = bd_bpf_pack(&a, text);

		assert_true(n <= BD_BPF_PACKED_MAX && strlen(text) == n);
		assert_int_equal(bd_bpf_unpack(text, &b), n);
		assert_memory_equal(&a, &b, sizeof(a));
		if (n > 1) {
			text[n - 1] = '\0';
			assert_int_equal(bd_bpf_unpack(text, &b), 0);
		}
	}
	assert_int_equal(bd_bpf_unpack("", &(struct sock_filter){0}), 0);
	assert_int_equal(bd_bpf_unpack("/", &(struct sock_filter){0}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_kernel), cmocka_unit_test(wrap_room),
		cmocka_unit_test(longest),	 cmocka_unit_test(allowed_stays_constant),
		cmocka_unit_test(strictest),	 cmocka_unit_test(packing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
