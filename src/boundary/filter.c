/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the seccomp program described in filter.h. Neighbouring numbers of equal treatment are one
 * range; the search tree's leaves are a constant answer or a jump to the code block of the treatment,
 * of which each kind exists once. The program is made once per tree: ranges are found by scanning
 * the table whenever they are wanted, which saves the memory of a list on a small stack.
 */
#include "boundary/filter.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/errno.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "boundary/table.h"

#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT */
#define NEGATIVE \
	0x80000000u   /* no call: the kernel says so itself, unless a tracer has left a result */
#define SYSCALL_LEN 2 /* bytes of the instruction: the filter sees the address behind it */

/* A jump to the block of `entry`, which is placed later; real jumps are never that long. */
#define TO_BLOCK(entry) (0x80000000u | (entry))
#define TO_GATE 0xffffffffu

/* Larger lower halves of a search node are out of reach of a conditional jump, see emit_search. */
#define FAR 100

struct builder {
	struct sock_filter *out;
	unsigned max, len;
	int error;
};

/* Entries: one a number, then one for those without a row, one for x32, one for negative ones. */
#define ENTRIES (BD_SYSCALL_MAX + 4u)

static uint32_t number_of(unsigned entry)
{
	return entry == ENTRIES - 1 ? NEGATIVE : entry == ENTRIES - 2 ? X32_BIT : entry;
}

static const struct bd_when *when_of(unsigned entry)
{
	static const struct bd_when enosys = {BD_ERRNO, 0, ENOSYS}, never = {BD_NEVER, 0, 0};
	const struct bd_when *w;

	if (entry >= ENTRIES - 2)
		return entry == ENTRIES - 1 ? &never : &enosys;
	w = entry <= BD_SYSCALL_MAX ? &bd_when_of[entry] : &bd_when_unknown;
	return w->op == BD_WATCH || w->op == BD_WATCH_ANY ? &never : w;
}

static int same(unsigned a, unsigned b)
{
	const struct bd_when *x = when_of(a), *y = when_of(b);

	return x->op == y->op && x->arg == y->arg && x->value == y->value;
}

/* The first entry that is treated like this one: it names the block. */
static unsigned block_of(unsigned entry)
{
	unsigned first = 0;

	while (!same(first, entry))
		first++;
	return first;
}

/* Where the n-th range after the one that starts at entry starts; ENTRIES behind the last. */
static unsigned skip_ranges(unsigned entry, unsigned n)
{
	while (n--)
		do
			entry++;
		while (entry < ENTRIES && same(entry, entry - 1));
	return entry;
}

static unsigned count_ranges(void)
{
	unsigned n = 0;

	for (unsigned entry = 0; entry < ENTRIES; entry = skip_ranges(entry, 1))
		n++;
	return n;
}

static unsigned emit(struct builder *b, unsigned code, unsigned jt, unsigned jf, uint32_t k)
{
	if (b->len >= b->max) {
		b->error = -E2BIG;
		return 0;
	}
	b->out[b->len] = (struct sock_filter){(uint16_t)code, (uint8_t)jt, (uint8_t)jf, k};
	return b->len++;
}

static void emit_load(struct builder *b, size_t offset)
{
	emit(b, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_test(struct builder *b, unsigned op, unsigned jt, unsigned jf, uint32_t k)
{
	emit(b, BPF_JMP | op | BPF_K, jt, jf, k);
}

static void emit_ret(struct builder *b, uint32_t action)
{
	emit(b, BPF_RET | BPF_K, 0, 0, action);
}

static void emit_leaf(struct builder *b, unsigned entry)
{
	const struct bd_when *w = when_of(entry);

	switch ((enum bd_when_op)w->op) {
	case BD_NEVER:
	case BD_WATCH:
	case BD_WATCH_ANY:
		emit_ret(b, SECCOMP_RET_ALLOW);
		break;
	case BD_ERRNO:
		emit_ret(b, SECCOMP_RET_ERRNO | (w->value & SECCOMP_RET_DATA));
		break;
	case BD_ALWAYS:
		emit(b, BPF_JMP | BPF_JA, 0, 0, TO_GATE);
		break;
	case BD_ARG_NZ:
	case BD_ARG_MASK:
	case BD_ARG_IN:
	case BD_ARG_OUT:
	case BD_ZERO:
		emit(b, BPF_JMP | BPF_JA, 0, 0, TO_BLOCK(block_of(entry)));
		break;
	}
}

/*
 * The search over all ranges: the lower half of a node follows its comparison directly, the upper
 * half waits on a stack. A range takes one leaf and one comparison, so a lower half of FAR ranges is
 * within the 8 bits of a conditional jump; a larger one is jumped over by an unconditional one.
 */
static void emit_search(struct builder *b)
{
	struct {
		unsigned entry, ranges, jump; /* reached from the instruction `jump` */
	} todo[16];
	unsigned depth = 0, entry = 0, ranges = count_ranges();

	while (!b->error) {
		unsigned lower = ranges / 2, jump;

		if (lower) {
			unsigned middle = skip_ranges(entry, lower);

			jump = emit(b, BPF_JMP | BPF_JGE | BPF_K, 0, lower > FAR, number_of(middle));
			if (lower > FAR)
				jump = emit(b, BPF_JMP | BPF_JA, 0, 0, 0);
			todo[depth].entry = middle;
			todo[depth].ranges = ranges - lower;
			todo[depth++].jump = jump;
			ranges = lower;
			continue;
		}
		emit_leaf(b, entry);
		if (!depth--)
			return;
		entry = todo[depth].entry;
		ranges = todo[depth].ranges;
		jump = todo[depth].jump;
		if (b->error)
			return;
		if (BPF_OP(b->out[jump].code) == BPF_JA)
			b->out[jump].k = b->len - jump - 1;
		else
			b->out[jump].jt = (uint8_t)(b->len - jump - 1);
	}
}

/* Gives the jumps to a block, or to the gate, the place of the next instruction. */
static void place(struct builder *b, uint32_t target)
{
	for (unsigned i = 0; i < b->len; i++)
		if (BPF_CLASS(b->out[i].code) == BPF_JMP && BPF_OP(b->out[i].code) == BPF_JA &&
		    b->out[i].k == target)
			b->out[i].k = b->len - i - 1;
}

/* The tests of one argument: to the gate if there is something to convert. Little endian. */
static void emit_set(struct builder *b, size_t arg, uint32_t set)
{
	unsigned first = b->len, behind;
	uint32_t mask = ~0u;

	for (unsigned i = 0; i < bd_set_member_count; i++) {
		const struct bd_set_member *m = &bd_set_members[i];

		if (m->set != set)
			continue;
		if (m->mask != mask) {
			if (mask != ~0u)
				emit_load(b, arg);
			if (m->mask != ~0u)
				emit(b, BPF_ALU | BPF_AND | BPF_K, 0, 0, m->mask);
			mask = m->mask;
		}
		emit_test(b, BPF_JEQ, 0, 0, m->value);
	}
	/* A match goes to the jump behind the tests, the last one that does not over it. */
	behind = b->len;
	if (behind == first || behind - first > 255) { /* more is out of reach of a conditional jump */
		b->error = -E2BIG;
		return;
	}
	for (unsigned i = first; i < behind && !b->error; i++)
		if (BPF_CLASS(b->out[i].code) == BPF_JMP)
			b->out[i].jt = (uint8_t)(behind - i - 1);
	if (!b->error)
		b->out[behind - 1].jf = 1;
}

static void emit_block(struct builder *b, const struct bd_when *w)
{
	size_t arg = offsetof(struct seccomp_data, args) + 8u * w->arg;

	emit_load(b, arg);
	switch ((enum bd_when_op)w->op) {
	case BD_ARG_NZ:
		emit_test(b, BPF_JEQ, 0, 2, 0);
		emit_load(b, arg + 4);
		emit_test(b, BPF_JEQ, 1, 0, 0);
		break;
	case BD_ARG_MASK:
		emit_test(b, BPF_JSET, 0, 1, w->value);
		break;
	case BD_ARG_IN:
		emit_set(b, arg, w->value);
		break;
	case BD_ARG_OUT:
		emit_set(b, arg, w->value);
		emit_ret(b, SECCOMP_RET_ALLOW);
		emit(b, BPF_JMP | BPF_JA, 0, 0, TO_GATE);
		return;
	case BD_ZERO:
		emit_test(b, BPF_JEQ, 0, 5, 0);
		emit_load(b, arg + 4);
		emit_test(b, BPF_JEQ, 0, 3, 0);
		emit_load(b, offsetof(struct seccomp_data, args) + 8u * w->value);
		emit_test(b, BPF_JEQ, 0, 1, 0);
		break;
	case BD_NEVER:
	case BD_ALWAYS:
	case BD_ERRNO:
	case BD_WATCH:
	case BD_WATCH_ANY:
		break;
	}
	emit(b, BPF_JMP | BPF_JA, 0, 0, TO_GATE);
	emit_ret(b, SECCOMP_RET_ALLOW);
}

static void emit_blocks(struct builder *b)
{
	for (unsigned entry = 0; entry < ENTRIES && !b->error; entry++) {
		const struct bd_when *w = when_of(entry);

		if (w->op == BD_NEVER || w->op == BD_ERRNO || w->op == BD_ALWAYS ||
		    block_of(entry) != entry)
			continue;
		place(b, TO_BLOCK(entry));
		emit_block(b, w);
	}
}

/* The gate: what is to trap does, unless the resident itself makes the call. */
static void emit_gate(struct builder *b, const struct bd_trap *t)
{
	const size_t ip = offsetof(struct seccomp_data, instruction_pointer);

	place(b, TO_GATE);
	emit_load(b, ip + 4);
	emit_test(b, BPF_JEQ, 0, 4, (uint32_t)(t->text_start >> 32));
	emit_load(b, ip);
	emit_test(b, BPF_JGE, 0, 2, (uint32_t)t->text_start + SYSCALL_LEN);
	emit_test(b, BPF_JGT, 1, 0, (uint32_t)t->text_end);
	emit_ret(b, SECCOMP_RET_ALLOW);
	emit_ret(b, SECCOMP_RET_TRAP | t->magic);
}

static int is_sound(const struct bd_trap *t)
{
	return t->text_start < t->text_end && t->text_end - t->text_start >= SYSCALL_LEN &&
	       t->text_start >> 32 == t->text_end >> 32;
}

int bd_filter_build(struct sock_filter *out, unsigned max, const struct bd_trap *t)
{
	struct builder b = {.out = out, .max = max};

	if (!is_sound(t))
		return -EINVAL;
	emit_load(&b, offsetof(struct seccomp_data, arch));
	emit_test(&b, BPF_JEQ, 1, 0, AUDIT_ARCH_X86_64);
	emit_ret(&b, SECCOMP_RET_ERRNO | ENOSYS);
	emit_load(&b, offsetof(struct seccomp_data, nr));
	emit_search(&b);
	emit_blocks(&b);
	emit_gate(&b, t);
	return b.error ? b.error : (int)b.len;
}

/* --- watched descriptors ---------------------------------------------------------------------- */

#define F_DUPFD_CLOEXEC_ 1030 /* include/uapi/linux/fcntl.h; F_DUPFD is 0 */

/* The argument of a call that is a descriptor watched in this way; BD_NO_ARG. */
static unsigned watched_arg(const struct bd_when *w, enum bd_watch_mode mode)
{
	if (w->op != BD_WATCH)
		return BD_NO_ARG;
	return mode == BD_WATCH_READ ? w->arg : w->value;
}

/* To the gate if argument `arg` is a watched descriptor. */
static void emit_range(struct builder *b, unsigned arg, const struct bd_watch *w)
{
	emit_load(b, offsetof(struct seccomp_data, args) + 8u * arg);
	emit_test(b, BPF_JGE, 0, 2, w->first);
	emit_test(b, BPF_JGT, 1, 0, w->last);
	emit(b, BPF_JMP | BPF_JA, 0, 0, TO_GATE);
	emit_ret(b, SECCOMP_RET_ALLOW);
}

/*
 * Each number is tested on its own: those that are not in question are on the kernel's bitmap of constant
 * actions, and `read` comes first. Blocks are named by the argument they look at.
 */
int bd_watch_build(struct sock_filter *out, unsigned max, const struct bd_trap *t,
		   const struct bd_watch *w)
{
	enum { FCNTL = 8, ANY, QUERY };
	struct builder b = {.out = out, .max = max};
	unsigned used = 0;

	if (!is_sound(t) || w->first > w->last)
		return -EINVAL;
	emit_load(&b, offsetof(struct seccomp_data, arch));
	emit_test(&b, BPF_JEQ, 1, 0, AUDIT_ARCH_X86_64);
	emit_ret(&b, SECCOMP_RET_ALLOW);
	emit_load(&b, offsetof(struct seccomp_data, nr));
	for (unsigned nr = 0; nr <= BD_SYSCALL_MAX; nr++) {
		unsigned block = watched_arg(&bd_when_of[nr], w->mode);

		if (bd_when_of[nr].op == BD_WATCH_ANY)
			block = ANY;
		else if (nr == __NR_fcntl)
			block = FCNTL;
		else if (block == BD_NO_ARG)
			continue;
		used |= 1u << block;
		emit_test(&b, BPF_JEQ, 0, 1, nr);
		emit(&b, BPF_JMP | BPF_JA, 0, 0, TO_BLOCK(block));
	}
	emit_test(&b, BPF_JEQ, 0, 1, BD_WATCH_QUERY);
	emit(&b, BPF_JMP | BPF_JA, 0, 0, TO_BLOCK(QUERY));
	emit_ret(&b, SECCOMP_RET_ALLOW);

	for (unsigned arg = 0; arg < 6; arg++)
		if (used >> arg & 1) {
			place(&b, TO_BLOCK(arg));
			emit_range(&b, arg, w);
		}
	place(&b, TO_BLOCK(FCNTL));
	emit_load(&b, offsetof(struct seccomp_data, args[1]));
	emit_test(&b, BPF_JEQ, 2, 0, 0);
	emit_test(&b, BPF_JEQ, 1, 0, F_DUPFD_CLOEXEC_);
	emit_ret(&b, SECCOMP_RET_ALLOW);
	emit_range(&b, 0, w);
	place(&b, TO_BLOCK(QUERY));
	emit_load(&b, offsetof(struct seccomp_data, args[1]));
	emit_test(&b, BPF_JEQ, 0, 4, w->mode);
	emit_load(&b, offsetof(struct seccomp_data, args[0]));
	emit_test(&b, BPF_JGE, 0, 2, w->first);
	emit_test(&b, BPF_JGT, 1, 0, w->last);
	emit_ret(&b, SECCOMP_RET_ERRNO | BD_WATCHED);
	emit_ret(&b, SECCOMP_RET_ALLOW);
	place(&b, TO_BLOCK(ANY));
	emit_gate(&b, t);
	return b.error ? b.error : (int)b.len;
}
