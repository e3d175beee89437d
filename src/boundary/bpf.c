/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF over struct seccomp_data: see bpf.h.
 */
#include "boundary/bpf.h"

#include <linux/errno.h>

#define SYSCALL_LEN 2 /* the filter sees the address behind the instruction */

/* Instructions that kernel/seccomp.c:seccomp_check_filter lets through, apart from their operands. */
static bool known(uint16_t code)
{
	switch (code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
	case BPF_ALU | BPF_NEG:
	case BPF_JMP | BPF_JA:
		return true;
	default:
		break;
	}
	switch (code & ~(unsigned int)BPF_X) {
	case BPF_ALU | BPF_ADD | BPF_K:
	case BPF_ALU | BPF_SUB | BPF_K:
	case BPF_ALU | BPF_MUL | BPF_K:
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_ALU | BPF_OR | BPF_K:
	case BPF_ALU | BPF_XOR | BPF_K:
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		return true;
	default:
		return false;
	}
}

static bool uses_mem(uint16_t code)
{
	return code == (BPF_LD | BPF_MEM) || code == (BPF_LDX | BPF_MEM) || code == BPF_ST ||
	       code == BPF_STX;
}

static bool operands_ok(const struct sock_filter *f, unsigned left)
{
	if (f->code == (BPF_LD | BPF_W | BPF_ABS))
		return f->k < sizeof(struct seccomp_data) && !(f->k & 3);
	if (uses_mem(f->code))
		return f->k < BPF_MEMWORDS;
	if (f->code == (BPF_ALU | BPF_DIV | BPF_K))
		return f->k != 0;
	if (f->code == (BPF_ALU | BPF_LSH | BPF_K) || f->code == (BPF_ALU | BPF_RSH | BPF_K))
		return f->k < 32;
	if (f->code == (BPF_JMP | BPF_JA))
		return f->k < left;
	if (BPF_CLASS(f->code) == BPF_JMP)
		return f->jt < left && f->jf < left;
	return true;
}

/* No word of memory is read before it was written, on any path: check_load_and_stores. */
static int memory_ok(const struct sock_filter *p, unsigned n, uint16_t *masks)
{
	uint16_t valid = 0;

	for (unsigned i = 0; i < n; i++)
		masks[i] = 0xffff;
	for (unsigned i = 0; i < n; i++) {
		const struct sock_filter *f = &p[i];

		valid &= masks[i];
		if (f->code == BPF_ST || f->code == BPF_STX) {
			valid |= (uint16_t)(1u << f->k);
		} else if (uses_mem(f->code)) {
			if (!(valid & 1u << f->k))
				return -EINVAL;
		} else if (f->code == (BPF_JMP | BPF_JA)) {
			masks[i + 1 + f->k] &= valid;
			valid = 0xffff;
		} else if (BPF_CLASS(f->code) == BPF_JMP) {
			masks[i + 1 + f->jt] &= valid;
			masks[i + 1 + f->jf] &= valid;
			valid = 0xffff;
		}
	}
	return 0;
}

int bd_bpf_check(const struct sock_filter *p, unsigned n, uint16_t *masks)
{
	if (!n || n > BD_BPF_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if (!known(p[i].code) || !operands_ok(&p[i], n - i - 1))
			return -EINVAL;
	if (BPF_CLASS(p[n - 1].code) != BPF_RET)
		return -EINVAL;
	return memory_ok(p, n, masks);
}

/* Shifts count modulo 32, as the kernel's do after its translation. *zero: a division by it. */
static uint32_t alu(uint16_t code, uint32_t a, uint32_t b, bool *zero)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		*zero = !b;
		return b ? a / b : 0;
	case BPF_AND:
		return a & b;
	case BPF_OR:
		return a | b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	default:
		return 0 - a; /* BPF_NEG */
	}
}

static bool holds(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGE:
		return a >= b;
	case BPF_JGT:
		return a > b;
	default:
		return a & b; /* BPF_JSET */
	}
}

uint32_t bd_bpf_run(const struct sock_filter *p, unsigned n, const struct seccomp_data *sd, bool *varies)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = {0};

	for (unsigned i = 0; i < n; i++) {
		const struct sock_filter *f = &p[i];
		uint32_t operand = BPF_SRC(f->code) == BPF_X ? x : f->k;
		bool zero = false;

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			if (BPF_MODE(f->code) == BPF_ABS) {
				a = *(const uint32_t *)((const char *)sd + f->k);
				*varies |= f->k >= offsetof(struct seccomp_data, instruction_pointer);
			} else {
				a = BPF_MODE(f->code) == BPF_MEM   ? mem[f->k]
				    : BPF_MODE(f->code) == BPF_LEN ? (uint32_t)sizeof(*sd)
								   : f->k;
			}
			break;
		case BPF_LDX:
			x = BPF_MODE(f->code) == BPF_MEM   ? mem[f->k]
			    : BPF_MODE(f->code) == BPF_LEN ? (uint32_t)sizeof(*sd)
							   : f->k;
			break;
		case BPF_ST:
			mem[f->k] = a;
			break;
		case BPF_STX:
			mem[f->k] = x;
			break;
		case BPF_ALU:
			a = alu(f->code, a, operand, &zero);
			if (zero)
				return SECCOMP_RET_KILL_THREAD; /* the filter ends with 0 */
			break;
		case BPF_JMP:
			if (BPF_OP(f->code) == BPF_JA)
				i += f->k;
			else
				i += holds(f->code, a, operand) ? f->jt : f->jf;
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? a : f->k;
		default: /* BPF_MISC */
			if (BPF_MISCOP(f->code) == BPF_TAX)
				x = a;
			else
				a = x;
			break;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

struct writer {
	struct sock_filter *out;
	unsigned max, len;
};

static void put(struct writer *w, unsigned code, unsigned jt, unsigned jf, uint32_t k)
{
	if (w->len < w->max)
		w->out[w->len] = (struct sock_filter){(uint16_t)code, (uint8_t)jt, (uint8_t)jf, k};
	w->len++;
}

#define TEST_LEN 5u
/* Goes on behind itself if the call comes from the range, otherwise `skip` further. Loses A. */
static void put_test(struct writer *w, uint64_t start, uint64_t end, unsigned skip)
{
	const size_t ip = offsetof(struct seccomp_data, instruction_pointer);

	put(w, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)ip + 4);
	put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 3 + skip, (uint32_t)(start >> 32));
	put(w, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)ip);
	put(w, BPF_JMP | BPF_JGE | BPF_K, 0, 1 + skip, (uint32_t)start + SYSCALL_LEN);
	put(w, BPF_JMP | BPF_JGT | BPF_K, skip, 0, (uint32_t)end);
}

static bool allows(const struct sock_filter *ret)
{
	return BPF_RVAL(ret->code) == BPF_K && (ret->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
}

/* The shortest way: the test first, for filters that leave no room for the other one. */
static int wrap_front(struct writer *w, const struct sock_filter *p, unsigned n, uint64_t start,
		      uint64_t end)
{
	w->len = 0;
	put_test(w, start, end, 1);
	put(w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	put(w, BPF_LD | BPF_IMM, 0, 0, 0); /* A is 0 at first */
	for (unsigned i = 0; i < n; i++)
		put(w, p[i].code, p[i].jt, p[i].jf, p[i].k);
	return w->len <= w->max ? (int)w->len : -E2BIG;
}

/* Where the stub that returns k starts in out; written if it is not there yet. */
static unsigned stub(struct writer *w, unsigned first, uint32_t k)
{
	unsigned known_len = w->len < w->max ? w->len : w->max;

	for (unsigned i = first; i + 1 < known_len; i += 2)
		if (w->out[i].k == k)
			return i;
	put(w, BPF_LD | BPF_IMM, 0, 0, k);
	put(w, BPF_JMP | BPF_JA, 0, 0, 0);
	return w->len - 2;
}

/*
 * Every return of something else than ALLOW becomes a jump behind the program, so no other jump
 * changes. There each value has a stub that loads it and jumps on to the test, which is last.
 */
int bd_bpf_wrap(struct sock_filter *out, unsigned max, const struct sock_filter *p, unsigned n,
		uint64_t start, uint64_t end)
{
	struct writer w = {out, max, 0};
	bool refuses = false;
	unsigned gate;

	if (start >= end || start >> 32 != end >> 32)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		/* A division by 0 ends the program in the middle. */
		if (p[i].code == (BPF_ALU | BPF_DIV | BPF_X))
			return wrap_front(&w, p, n, start, end);
		put(&w, p[i].code, p[i].jt, p[i].jf, p[i].k);
		refuses |= BPF_CLASS(p[i].code) == BPF_RET && !allows(&p[i]);
	}
	if (!refuses)
		return w.len <= max ? (int)w.len : -E2BIG;
	for (unsigned i = 0; i < n && w.len <= max; i++) {
		if (p[i].code == (BPF_RET | BPF_K) && !allows(&p[i])) {
			unsigned at = stub(&w, n, p[i].k);

			out[i] = (struct sock_filter){BPF_JMP | BPF_JA, 0, 0, at - i - 1};
		}
	}
	gate = w.len;
	if (gate + TEST_LEN + 4 > max)
		return wrap_front(&w, p, n, start, end);
	for (unsigned i = n; i < gate; i += 2)
		out[i + 1].k = gate - (i + 1) - 1;
	for (unsigned i = 0; i < n; i++)
		if (p[i].code == (BPF_RET | BPF_A))
			out[i] = (struct sock_filter){BPF_JMP | BPF_JA, 0, 0, gate - i - 1};
	put(&w, BPF_ST, 0, 0, 0);
	put_test(&w, start, end, 1);
	put(&w, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	put(&w, BPF_LD | BPF_MEM, 0, 0, 0);
	put(&w, BPF_RET | BPF_A, 0, 0, 0);
	return (int)w.len;
}

/* A byte that says which of seven are not 0, then those. */
unsigned bd_bpf_pack(const struct sock_filter *insn, char *to)
{
	const uint8_t raw[7] = {(uint8_t)insn->code,
				insn->jt,
				insn->jf,
				(uint8_t)insn->k,
				(uint8_t)(insn->k >> 8),
				(uint8_t)(insn->k >> 16),
				(uint8_t)(insn->k >> 24)};
	unsigned n = 1, mask = 0x80;

	for (unsigned i = 0; i < 7; i++) {
		if (!raw[i])
			continue;
		mask |= 1u << i;
		to[n++] = (char)raw[i];
	}
	to[0] = (char)mask;
	return n;
}

unsigned bd_bpf_unpack(const char *from, struct sock_filter *ret)
{
	unsigned mask = (uint8_t)from[0], n = 1;
	uint8_t raw[7] = {0};

	if (!(mask & 0x80))
		return 0;
	for (unsigned i = 0; i < 7; i++) {
		if (!(mask & 1u << i))
			continue;
		raw[i] = (uint8_t)from[n++];
		if (!raw[i])
			return 0;
	}
	ret->code = raw[0];
	ret->jt = raw[1];
	ret->jf = raw[2];
	ret->k = raw[3] | (uint32_t)raw[4] << 8 | (uint32_t)raw[5] << 16 | (uint32_t)raw[6] << 24;
	return n;
}
