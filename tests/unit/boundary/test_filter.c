/* build: src/boundary/filter.c src/boundary/table.c src/boundary/table_names.c */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter, three ways: run by a small interpreter over every number, argument and place and
 * compared with the table read directly; its length per path counted; and installed in a child.
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
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/map.h"
#include "boundary/filter.h"
#include "boundary/table.h"

#define TEXT_START (SP_RESIDENT_ADDR + 0x1000)
#define TEXT_END (SP_RESIDENT_ADDR + 0x9000)
#define MAGIC 0x5bd1
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* asm-generic/siginfo.h */
#endif

struct outcome {
	uint32_t action;
	unsigned steps;
	bool saw_args; /* loaded an argument or the instruction pointer */
};

static const struct bd_trap place_of_text = {TEXT_START, TEXT_END, MAGIC};
static struct sock_filter prog[BD_FILTER_MAX];
static int prog_len;

static int build(void **state)
{
	(void)state;
	prog_len = bd_filter_build(prog, BD_FILTER_MAX, &place_of_text);
	return prog_len > 0 ? 0 : -1;
}

/* Classic BPF as seccomp allows it, only what the filter uses; anything else fails the test. */
static struct outcome interpret(const struct seccomp_data *d)
{
	struct outcome o = {0};
	uint32_t a = 0;

	for (int pc = 0;; pc++) {
		const struct sock_filter *f = &prog[pc];
		bool cond;

		assert_in_range(pc, 0, prog_len - 1);
		o.steps++;
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k + 4 <= sizeof(*d) && f->k % 4 == 0);
			memcpy(&a, (const char *)d + f->k, 4);
			if (f->k >= offsetof(struct seccomp_data, instruction_pointer))
				o.saw_args = true;
			continue;
		case BPF_RET | BPF_K:
			o.action = f->k;
			return o;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += (int)f->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			cond = a == f->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			cond = a >= f->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			cond = a > f->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			cond = (a & f->k) != 0;
			break;
		default:
			fail_msg("instruction %d: code %#x", pc, f->code);
			return o;
		}
		pc += cond ? f->jt : f->jf;
	}
}

static struct outcome run(uint32_t nr, const uint64_t args[6], uint64_t ip)
{
	struct seccomp_data d = {
		.nr = (int)nr,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = ip,
	};

	memcpy(d.args, args, sizeof(d.args));
	return interpret(&d);
}

/* What the table says, written without any idea of ranges or jumps. */
static uint32_t expected(uint32_t nr, const uint64_t args[6], bool inside)
{
	const uint32_t trap = inside ? SECCOMP_RET_ALLOW : (SECCOMP_RET_TRAP | MAGIC);
	const struct bd_when *w;

	if (nr >= 0x80000000)
		return SECCOMP_RET_ALLOW;
	if (nr >= 0x40000000)
		return SECCOMP_RET_ERRNO | ENOSYS;
	w = nr <= BD_SYSCALL_MAX ? &bd_when_of[nr] : &bd_when_unknown;
	switch (w->op) {
	case BD_NEVER:
	case BD_WATCH:
	case BD_WATCH_ANY:
		return SECCOMP_RET_ALLOW;
	case BD_ALWAYS:
		return trap;
	case BD_ERRNO:
		return SECCOMP_RET_ERRNO | w->value;
	case BD_ARG_NZ:
		return args[w->arg] ? trap : SECCOMP_RET_ALLOW;
	case BD_ZERO:
		return !args[w->arg] && !(uint32_t)args[w->value] ? trap : SECCOMP_RET_ALLOW;
	case BD_ARG_MASK:
		return (uint32_t)args[w->arg] & w->value ? trap : SECCOMP_RET_ALLOW;
	case BD_ARG_IN:
		for (unsigned i = 0; i < bd_set_member_count; i++)
			if (bd_set_members[i].set == w->value &&
			    bd_set_members[i].value == ((uint32_t)args[w->arg] & bd_set_members[i].mask))
				return trap;
		return SECCOMP_RET_ALLOW;
	case BD_ARG_OUT:
		for (unsigned i = 0; i < bd_set_member_count; i++)
			if (bd_set_members[i].set == w->value &&
			    bd_set_members[i].value == ((uint32_t)args[w->arg] & bd_set_members[i].mask))
				return SECCOMP_RET_ALLOW;
		return trap;
	}
	fail();
	return 0;
}

static const uint64_t interesting[] = {
	0,
	1,
	2,
	0x540e,
	0x540f,
	0x5410,
	0x5411,
	0x5428,
	0x5429,
	0x542a,
	0x20000000,
	0x24000000,
	0x10000000,
	1000,
	6,
	0x86,
	0x18d,
	0x206,
	0xff0b,
	0xc040ff0b,
	0xffffff0b,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x20000000540f,
	0xdeadbeef00000000,
	0xffffffffffffffff,
	0xdeadbeef0000540f,
};
#define INTERESTING (sizeof(interesting) / sizeof(interesting[0]))

static const struct {
	uint64_t ip; /* behind the instruction, as seccomp sees it */
	bool inside;
} places[] = {
	{TEXT_START + 2, true},
	{TEXT_START + 3, true},
	{TEXT_END, true},
	{TEXT_END - 1, true},
	{(TEXT_START + TEXT_END) / 2, true},
	{TEXT_START + 1, false},
	{TEXT_START, false},
	{TEXT_END + 1, false},
	{TEXT_END + 2, false},
	{0x400080, false},
	{0x7ffff7ea0000, false},
	{TEXT_START + 2 + (1ULL << 32), false},
	{TEXT_START + 2 - (1ULL << 32), false},
	{(uint32_t)TEXT_START + 2, false},
	{0xffffffffff600002, false},
};
#define PLACES (sizeof(places) / sizeof(places[0]))

static void check(uint32_t nr, const uint64_t args[6])
{
	for (unsigned p = 0; p < PLACES; p++) {
		struct outcome o = run(nr, args, places[p].ip);
		uint32_t want = expected(nr, args, places[p].inside);

		if (o.action != want)
			fail_msg("nr %u args %#lx %#lx %#lx %#lx %#lx %#lx ip %#lx: %#x, not %#x",
				 nr, args[0], args[1], args[2], args[3], args[4], args[5],
				 places[p].ip, o.action, want);
	}
}

static void every_number_argument_and_place(void **state)
{
	static const uint32_t beyond[] = {
		BD_SYSCALL_MAX + 1, BD_SYSCALL_MAX + 2, 512,	    547,	20560,
		0x3fffffff,	    0x40000000,		0x40000001, 0x40000027, 0x400001ff,
		0x7fffffff,	    0x80000000,		0x80000027, 0xfffffffe, 0xffffffff,
	};

	(void)state;
	for (uint32_t i = 0; i <= BD_SYSCALL_MAX + sizeof(beyond) / sizeof(beyond[0]); i++) {
		uint32_t nr = i <= BD_SYSCALL_MAX ? i : beyond[i - BD_SYSCALL_MAX - 1];

		/* One argument at a time, the others all 0 and all junk. */
		for (unsigned arg = 0; arg < 6; arg++) {
			for (unsigned v = 0; v < INTERESTING; v++) {
				uint64_t args[6] = {0};

				args[arg] = interesting[v];
				check(nr, args);
				for (unsigned j = 0; j < 6; j++)
					if (j != arg)
						args[j] = 0xdeadbeefcafef00d;
				check(nr, args);
			}
		}
	}
}

static void other_architectures_are_enosys(void **state)
{
	static const uint32_t arches[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < sizeof(arches) / sizeof(arches[0]); i++) {
		for (uint32_t nr = 0; nr <= BD_SYSCALL_MAX + 100; nr++) {
			struct seccomp_data d = {
				.nr = (int)nr,
				.arch = arches[i],
				.instruction_pointer = TEXT_START + 2,
			};

			assert_int_equal(interpret(&d).action, SECCOMP_RET_ERRNO | ENOSYS);
		}
	}
}

/* --- the filter of watched descriptors -------------------------------------------------------- */

/* What the table says of one call, descriptor by descriptor. */
static uint32_t watch_expected(const struct bd_watch *w, uint32_t nr, const uint64_t args[6], bool inside)
{
	const struct bd_when *when;
	unsigned arg;

	if (nr == BD_WATCH_QUERY)
		return (uint32_t)args[1] == w->mode && (uint32_t)args[0] >= w->first &&
				       (uint32_t)args[0] <= w->last
			       ? SECCOMP_RET_ERRNO | BD_WATCHED
			       : SECCOMP_RET_ALLOW;
	if (nr > BD_SYSCALL_MAX || inside)
		return SECCOMP_RET_ALLOW;
	when = &bd_when_of[nr];
	if (when->op == BD_WATCH_ANY)
		return SECCOMP_RET_TRAP | MAGIC;
	if (nr == SYS_fcntl)
		arg = (uint32_t)args[1] == 0 || (uint32_t)args[1] == 1030 ? 0 : BD_NO_ARG;
	else if (when->op == BD_WATCH)
		arg = w->mode == BD_WATCH_READ ? when->arg : when->value;
	else
		arg = BD_NO_ARG;
	return arg != BD_NO_ARG && (uint32_t)args[arg] >= w->first && (uint32_t)args[arg] <= w->last
		       ? SECCOMP_RET_TRAP | MAGIC
		       : SECCOMP_RET_ALLOW;
}

static void watch_every_number_argument_and_place(void **state)
{
	static const struct bd_watch watches[] = {
		{0, 0, BD_WATCH_READ},		{4, 4, BD_WATCH_READ},
		{4, 4, BD_WATCH_WRITE},		{16, 31, BD_WATCH_WRITE},
		{0, 1023, BD_WATCH_READ},	{1024, UINT32_MAX, BD_WATCH_WRITE},
		{0, UINT32_MAX, BD_WATCH_READ},
	};
	static const uint64_t values[] = {
		0,
		1,
		2,
		3,
		4,
		5,
		15,
		16,
		31,
		32,
		1023,
		1024,
		1030,
		0xffffffff,
		0xdeadbeef00000004ull,
		0x100000010ull,
		1031,
		~0ull,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(watches) / sizeof(watches[0]); i++) {
		prog_len = bd_watch_build(prog, BD_WATCH_MAX, &place_of_text, &watches[i]);
		assert_in_range(prog_len, 20, BD_WATCH_MAX);
		for (uint32_t nr = 0; nr <= BD_SYSCALL_MAX + 2; nr++)
			for (unsigned v = 0; v < 6 * sizeof(values) / sizeof(values[0]); v++)
				for (unsigned p = 0; p < PLACES; p++) {
					uint64_t args[6] = {77, 77, 77, 77, 77, 77};
					uint32_t n = nr == BD_SYSCALL_MAX + 1 ? BD_WATCH_QUERY : nr;

					args[v % 6] = values[v / 6];
					args[(v + 1) % 6] = i % 2 ? watches[i].mode : 1030;
					assert_int_equal(run(n, args, places[p].ip).action,
							 watch_expected(&watches[i], n, args,
									places[p].inside));
				}
	}
	prog_len = bd_filter_build(prog, BD_FILTER_MAX, &place_of_text);
}

static void watch_bad_input(void **state)
{
	const struct bd_watch w = {3, 3, BD_WATCH_READ}, upside_down = {4, 3, BD_WATCH_READ};
	const struct bd_trap empty = {0x5000, 0x5000, MAGIC};
	struct sock_filter out[BD_WATCH_MAX];

	(void)state;
	assert_int_equal(bd_watch_build(out, BD_WATCH_MAX, &place_of_text, &upside_down), -EINVAL);
	assert_int_equal(bd_watch_build(out, BD_WATCH_MAX, &empty, &w), -EINVAL);
	assert_int_equal(bd_watch_build(out, 20, &place_of_text, &w), -E2BIG);
}

/* Else the kernel cannot keep the number in its bitmap of constant actions. */
static void constant_numbers_load_nothing_else(void **state)
{
	static const uint64_t args[6] = {1, 1, 1, 1, 1, 1};

	(void)state;
	for (uint32_t nr = 0; nr <= BD_SYSCALL_MAX; nr++) {
		uint8_t op = bd_when_of[nr].op;
		struct outcome o = run(nr, args, 0x400080);

		assert_int_equal(o.saw_args, op != BD_NEVER && op != BD_ERRNO && op != BD_WATCH &&
						     op != BD_WATCH_ANY);
	}
}

/* A bound that a linear search would break at once: 2 for the architecture, 1 load, the search ... */
static void paths_are_short(void **state)
{
	static const uint64_t args[6] = {1, 0x5429, 1, 1, 1, 1};
	unsigned worst_constant = 0, worst_trap = 0, sum = 0;

	(void)state;
	for (uint32_t nr = 0; nr <= BD_SYSCALL_MAX; nr++) {
		struct outcome o = run(nr, args, TEXT_END + 2);
		unsigned *worst = o.saw_args ? &worst_trap : &worst_constant;

		sum += o.steps;
		if (o.steps > *worst)
			*worst = o.steps;
	}
	print_message("# %d instructions; at most %u for an untouched number, %u for a trap, "
		      "%u on average\n",
		      prog_len, worst_constant, worst_trap, sum / (BD_SYSCALL_MAX + 1));
	assert_in_range(worst_constant, 4, 16);
	assert_in_range(worst_trap, 8, 28);
}

static void small_buffer_is_e2big(void **state)
{
	struct sock_filter *exact;

	(void)state;
	for (int max = 0; max < prog_len; max++) {
		/* Of exactly that size, so that the sanitizer sees a write behind it. */
		exact = malloc(sizeof(*exact) * (size_t)(max ? max : 1));
		assert_int_equal(bd_filter_build(exact, (unsigned)max, &place_of_text), -E2BIG);
		free(exact);
	}
	exact = malloc(sizeof(*exact) * (size_t)prog_len);
	assert_int_equal(bd_filter_build(exact, (unsigned)prog_len, &place_of_text), prog_len);
	assert_memory_equal(exact, prog, sizeof(*exact) * (size_t)prog_len);
	free(exact);
}

static int senseless(uint64_t start, uint64_t end)
{
	struct sock_filter out[BD_FILTER_MAX];
	const struct bd_trap trap = {start, end, 0};

	return bd_filter_build(out, BD_FILTER_MAX, &trap);
}

static void senseless_range_is_einval(void **state)
{
	(void)state;
	assert_int_equal(senseless(0x5000, 0x5000), -EINVAL);
	assert_int_equal(senseless(0x5000, 0x4000), -EINVAL);
	assert_int_equal(senseless(0x5000, 0x5001), -EINVAL);
	assert_int_equal(senseless(0xfffff000, 0x100001000), -EINVAL);
}

static volatile sig_atomic_t trapped_nr, trapped_magic, trapped_code;

static void on_sigsys(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	trapped_nr = si->si_syscall;
	trapped_magic = si->si_errno;
	trapped_code = si->si_code;
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

/* The gate of the installed filter: a getpid, and the return from the handler of its traps. */
__asm__(".pushsection .text\n"
	".globl test_gate_start, test_gate_end, test_restorer\n"
	"test_gate_start: syscall\n"
	"	ret\n"
	"test_restorer: mov $15, %eax\n"
	"	syscall\n"
	"test_gate_end: .popsection\n");
extern char test_gate_start[], test_gate_end[], test_restorer[];

static long gate_getpid(void)
{
	long ret;

	__asm__ volatile("call test_gate_start"
			 : "=a"(ret)
			 : "a"(SYS_getpid)
			 : "rcx", "r11", "memory");
	return ret;
}

/* As the kernel has it: the C library's own would return from outside of the gate. */
struct kernel_sigaction {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	char *restorer;
	uint64_t mask;
};

/* Raw: in front of a noreturn function AddressSanitizer makes calls that trap by now. */
#define LEAVE(code) syscall(SYS_exit_group, (code))
#define WANT(cond)                                                    \
	do {                                                          \
		if (!(cond))                                          \
			LEAVE(__LINE__ & 0xff ? __LINE__ & 0xff : 1); \
	} while (0)

static void in_child(void)
{
	struct kernel_sigaction sa = {
		.handler = on_sigsys,
		.flags = SA_SIGINFO | 0x04000000 /* SA_RESTORER */,
		.restorer = test_restorer,
	};
	const struct bd_trap gate = {(uintptr_t)test_gate_start, (uintptr_t)test_gate_end, MAGIC};
	struct sock_filter code[BD_FILTER_MAX];
	struct sock_fprog fprog = {.filter = code};
	long self = syscall(SYS_getpid);
	int status, n;

	n = bd_filter_build(code, BD_FILTER_MAX, &gate);
	WANT(n > 0);
	fprog.len = (unsigned short)n;
	WANT(!syscall(SYS_rt_sigaction, SIGSYS, &sa, NULL, 8));
	WANT(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	WANT(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog));

	WANT(syscall(SYS_getuid) >= 0 && !trapped_nr);
	WANT(syscall(SYS_getpid) == 4711);
	WANT(trapped_nr == SYS_getpid && trapped_magic == MAGIC && trapped_code == SYS_SECCOMP);
	trapped_nr = 0;
	WANT(gate_getpid() == self && !trapped_nr);

	WANT(syscall(SYS_sched_getscheduler, 0) >= 0 && !trapped_nr);
	WANT(syscall(SYS_sched_getscheduler, 1) == 4711 && trapped_nr == SYS_sched_getscheduler);
	trapped_nr = 0;
	WANT(syscall(SYS_ioctl, -1, 0x5413, NULL) == -1 && errno == EBADF && !trapped_nr);
	WANT(syscall(SYS_ioctl, -1, 0x540f, NULL) == 4711 && trapped_nr == SYS_ioctl);
	trapped_nr = 0;
	WANT(syscall(SYS_unshare, 0) == 0 && !trapped_nr);
	WANT(syscall(SYS_unshare, 0x20000000) == 4711 && trapped_nr == SYS_unshare);
	trapped_nr = 0;
	WANT(syscall(425, 1, 0) == -1 && errno == ENOSYS && !trapped_nr); /* io_uring_setup */
	WANT(syscall(0x40000000 | SYS_getpid) == -1 && errno == ENOSYS && !trapped_nr);
	WANT(syscall(20560) == 4711 && trapped_nr == 20560);
	trapped_nr = 0;
	WANT(syscall(SYS_wait4, -1, &status, 0, NULL) == 4711 && trapped_nr == SYS_wait4);
	LEAVE(0);
}

static void installed_in_a_child(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (!child)
		in_child();
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("child: status %#x (exit code is the failed line modulo 256)", status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_argument_and_place),
		cmocka_unit_test(other_architectures_are_enosys),
		cmocka_unit_test(watch_every_number_argument_and_place),
		cmocka_unit_test(watch_bad_input),
		cmocka_unit_test(constant_numbers_load_nothing_else),
		cmocka_unit_test(paths_are_short),
		cmocka_unit_test(small_buffer_is_e2big),
		cmocka_unit_test(senseless_range_is_einval),
		cmocka_unit_test(installed_in_a_child),
	};

	return cmocka_run_group_tests(tests, build, NULL);
}
