/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the seccomp program described in filter.h. Numbers are first merged into ranges of equal
 * treatment; the search tree's leaves are a constant answer or a jump to the code block of the
 * treatment, of which each kind exists once.
 */
#include "boundary/filter.h"

#include <linux/audit.h>
#include <linux/errno.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "boundary/table.h"

#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT; negative numbers are above it as well */
#define SYSCALL_LEN 2	    /* bytes of the instruction: the filter sees the address behind it */

#define MAX_RANGES (BD_SYSCALL_MAX + 3)
#define MAX_BLOCKS 48
#define GATE MAX_BLOCKS	/* the block that tests where the call comes from */
#define NO_BLOCK 0xff

struct builder {
	struct sock_filter *out;
	unsigned max, len;
	int error;
	uint64_t text_start, text_end;
	uint16_t magic;

	unsigned ranges;
	uint32_t first[MAX_RANGES]; /* first number of the range; it ends where the next one starts */
	uint8_t block_of[MAX_RANGES]; /* NO_BLOCK: answered at the leaf */

	unsigned blocks;
	uint16_t block_rep[MAX_BLOCKS]; /* a range that is treated this way */
	unsigned jumps; /* to blocks, which are placed last */
	uint16_t jump_at[MAX_RANGES + MAX_BLOCKS];
	uint8_t jump_to[MAX_RANGES + MAX_BLOCKS];
};

static const struct bd_when when_allow = {BD_NEVER, 0, 0};
static const struct bd_when when_enosys = {BD_ERRNO, 0, ENOSYS};

static const struct bd_when *when_for(uint32_t nr)
{
	if (nr >= X32_BIT)
		return &when_enosys;
	return nr <= BD_SYSCALL_MAX ? &bd_when_of[nr] : &bd_when_unknown;
}

static int same(const struct bd_when *a, const struct bd_when *b)
{
	return a->op == b->op && a->arg == b->arg && a->value == b->value;
}

static unsigned emit(struct builder *b, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (b->len >= b->max) {
		b->error = -E2BIG;
		return 0;
	}
	b->out[b->len] = (struct sock_filter){code, jt, jf, k};
	return b->len++;
}

static void emit_load(struct builder *b, size_t offset)
{
	emit(b, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_ret(struct builder *b, const struct bd_when *w)
{
	uint32_t action = SECCOMP_RET_ALLOW;

	if (w->op == BD_ERRNO)
		action = SECCOMP_RET_ERRNO | (w->value & SECCOMP_RET_DATA);
	emit(b, BPF_RET | BPF_K, 0, 0, action);
}

static int is_constant(const struct bd_when *w)
{
	return w->op == BD_NEVER || w->op == BD_ERRNO;
}

/* Little endian: the low half of argument i, `upper` its high half. */
static size_t arg_offset(unsigned i, int upper)
{
	return offsetof(struct seccomp_data, args) + 8 * i + (upper ? 4 : 0);
}

static void collect_ranges(struct builder *b)
{
	static const uint32_t tail[] = {BD_SYSCALL_MAX + 1, X32_BIT};
	const struct bd_when *last = NULL;

	for (uint32_t i = 0; i <= BD_SYSCALL_MAX + 2; i++) {
		uint32_t nr = i <= BD_SYSCALL_MAX ? i : tail[i - BD_SYSCALL_MAX - 1];
		const struct bd_when *w = when_for(nr);
		unsigned block = 0;

		if (last && same(w, last))
			continue;
		last = w;
		b->first[b->ranges] = nr;
		b->block_of[b->ranges] = NO_BLOCK;
		if (!is_constant(w)) {
			while (block < b->blocks &&
			       !same(w, when_for(b->first[b->block_rep[block]])))
				block++;
			if (block == b->blocks) {
				if (block == MAX_BLOCKS) {
					b->error = -E2BIG;
					return;
				}
				b->block_rep[b->blocks++] = (uint16_t)b->ranges;
			}
			b->block_of[b->ranges] = (uint8_t)block;
		}
		b->ranges++;
	}
}

static void emit_jump(struct builder *b, unsigned block)
{
	b->jump_to[b->jumps] = (uint8_t)block;
	b->jump_at[b->jumps++] = (uint16_t)emit(b, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void emit_leaf(struct builder *b, unsigned range)
{
	if (b->block_of[range] == NO_BLOCK) {
		emit_ret(b, when_for(b->first[range]));
		return;
	}
	emit_jump(b, b->block_of[range]);
}

/*
 * The search over ranges [from, to): the lower half follows its comparison directly. Where the
 * upper half is further than the 8 bits of a conditional jump reach, an unconditional one is put in
 * between; whether it is needed is known only afterwards, so the lower half is emitted again then.
 */
static void emit_tree(struct builder *b, unsigned from, unsigned to)
{
	unsigned middle = from + (to - from) / 2;
	unsigned test, start, jumps = b->jumps;

	if (to - from == 1) {
		emit_leaf(b, from);
		return;
	}
	test = emit(b, BPF_JMP | BPF_JGE | BPF_K, 0, 0, b->first[middle]);
	start = b->len;
	emit_tree(b, from, middle);
	if (b->error)
		return;
	if (b->len - start <= 255) {
		b->out[test].jt = (uint8_t)(b->len - start);
	} else {
		unsigned far;

		b->len = start;
		b->jumps = jumps;
		b->out[test].jf = 1;
		far = emit(b, BPF_JMP | BPF_JA, 0, 0, 0);
		emit_tree(b, from, middle);
		if (b->error)
			return;
		b->out[far].k = b->len - far - 1;
	}
	emit_tree(b, middle, to);
}

/* What follows a test that failed: nothing to convert. What follows one that held: the gate. */
static void emit_block(struct builder *b, const struct bd_when *w)
{
	unsigned left = 0;

	switch (w->op) {
	case BD_ARG_NZ:
		emit_load(b, arg_offset(w->arg, 0));
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0);
		emit_load(b, arg_offset(w->arg, 1));
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
		break;
	case BD_ARG_MASK:
		emit_load(b, arg_offset(w->arg, 0));
		emit(b, BPF_JMP | BPF_JSET | BPF_K, 0, 1, w->value);
		break;
	case BD_ARG_IN:
		for (unsigned i = 0; i < bd_set_member_count; i++)
			left += bd_set_members[i].set == w->value;
		if (!left || left > 255) { /* more is out of reach of a conditional jump */
			b->error = -E2BIG;
			return;
		}
		emit_load(b, arg_offset(w->arg, 0));
		for (unsigned i = 0; i < bd_set_member_count; i++) {
			if (bd_set_members[i].set != w->value)
				continue;
			left--;
			emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)left, left ? 0 : 1,
			     bd_set_members[i].value);
		}
		break;
	default:
		break;
	}
	emit_jump(b, GATE);
	emit_ret(b, &when_allow);
}

/* A call that is to trap, unless the resident itself makes it. */
static void emit_gate(struct builder *b)
{
	uint64_t first = b->text_start + SYSCALL_LEN;
	size_t ip = offsetof(struct seccomp_data, instruction_pointer);

	emit_load(b, ip + 4);
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)(first >> 32));
	emit_load(b, ip);
	emit(b, BPF_JMP | BPF_JGE | BPF_K, 0, 2, (uint32_t)first);
	emit(b, BPF_JMP | BPF_JGT | BPF_K, 1, 0, (uint32_t)b->text_end);
	emit_ret(b, &when_allow);
	emit(b, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP | b->magic);
}

int bd_filter_build(struct sock_filter *out, unsigned max, uint64_t text_start, uint64_t text_end,
		    uint16_t magic)
{
	struct builder b = {
		.out = out,
		.max = max,
		.text_start = text_start,
		.text_end = text_end,
		.magic = magic,
	};
	unsigned place[GATE + 1];

	if (text_start >= text_end || text_end - text_start < SYSCALL_LEN ||
	    text_start >> 32 != text_end >> 32)
		return -EINVAL;

	collect_ranges(&b);
	emit_load(&b, offsetof(struct seccomp_data, arch));
	emit(&b, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
	emit_ret(&b, &when_enosys);
	emit_load(&b, offsetof(struct seccomp_data, nr));
	if (!b.error)
		emit_tree(&b, 0, b.ranges);
	for (unsigned i = 0; i < b.blocks && !b.error; i++) {
		const struct bd_when *w = when_for(b.first[b.block_rep[i]]);

		place[i] = b.len;
		if (w->op != BD_ALWAYS)
			emit_block(&b, w);
	}
	place[GATE] = b.len;
	emit_gate(&b);
	if (b.error)
		return b.error;
	for (unsigned i = 0; i < b.jumps; i++) {
		unsigned at = b.jump_at[i], to = b.jump_to[i];

		if (to != GATE && when_for(b.first[b.block_rep[to]])->op == BD_ALWAYS)
			to = GATE;
		out[at].k = place[to] - at - 1;
	}
	return (int)b.len;
}
