/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs up to four tasks on the real code in every interleaving, up to a number of preemptions. Tasks
 * are contexts of one thread; the hook before each atomic operation may switch. Only operations on words
 * that more than one task touches, one of them writing, are places to switch: whatever else is
 * reordered cannot be told apart. Which words these are is learnt on the way; the search begins
 * anew when there is a new one. After each write the audit runs, so that every state in which
 * everybody may be killed is a sound one.
 *
 * SUBPID_DEEPER=N in the environment adds N preemptions to each scenario.
 *
 * Sequential consistency is assumed, as the code asks for it of the compiler and the processor.
 */
#ifndef TESTS_UNIT_CORE_EXPLORE_H
#define TESTS_UNIT_CORE_EXPLORE_H

#include <ucontext.h>

#include "base/fault.h"
#include "support.h"

#define X_TASKS 4
#define X_STACK (64 * 1024)
#define X_DEPTH 4096
#define X_WORDS (SP_SEGMENT_SIZE / 4)

struct scenario {
	void (*setup)(void);	      /* fills ns, the same each time */
	void (*tasks[X_TASKS])(void); /* run against each other */
	void (*check)(void);	      /* after each run */
	int preemptions;
};

static struct sp_segment *ns;

static struct {
	const struct scenario *s;
	ucontext_t main, ctx[X_TASKS];
	bool finished[X_TASKS];
	int count, current, preempted, allowed;
	bool busy;    /* tasks run: the hook works */
	bool written; /* an audit is due */
	struct {
		uint8_t options, chosen;
	} path[X_DEPTH];
	int depth, length;
	uint8_t readers[X_WORDS], writers[X_WORDS];
	bool grown;
	const char *failure;
	int failed_line;
	long runs, states;
} x;

static char x_stacks[X_TASKS][X_STACK] __attribute__((aligned(16)));

/* To be used in tasks and checks: cmocka's assertions would jump out of a foreign stack. */
#define CHECK(cond) ((cond) ? (void)0 : x_fail(#cond, __LINE__))

static void x_fail(const char *what, int line)
{
	if (x.failure)
		return;
	x.failure = what;
	x.failed_line = line;
}

static void x_audit(void)
{
	static char text[64];
	uint32_t slot;
	int broken;

	x.busy = false;
	broken = sp_ns_audit(ns, &slot);
	x.busy = true;
	x.states++;
	if (broken && !x.failure) {
		snprintf(text, sizeof(text), "audit: I%d at %u", broken, slot);
		x_fail(text, 0);
	}
}

static int x_choose(int options)
{
	int chosen = 0;

	if (options <= 1)
		return 0;
	if (x.depth < x.length) {
		if (x.path[x.depth].options != options)
			x_fail("the search is deterministic", __LINE__);
		chosen = x.path[x.depth].chosen;
	} else if (x.length < X_DEPTH) {
		x.path[x.length].options = (uint8_t)options;
		x.path[x.length++].chosen = 0;
	} else {
		x_fail("the path is long enough", __LINE__);
	}
	x.depth++;
	return chosen;
}

/* The n-th task that may run besides the current one. */
static int x_other(int n)
{
	for (int i = 0; i < x.count; i++)
		if (i != x.current && !x.finished[i] && n-- == 0)
			return i;
	return -1;
}

static int x_others(void)
{
	int n = 0;

	for (int i = 0; i < x.count; i++)
		n += i != x.current && !x.finished[i];
	return n;
}

static bool x_contended(enum sp_fault point, const volatile void *where)
{
	size_t i = (size_t)((const volatile char *)where - (const volatile char *)ns) / 4;
	uint8_t me = (uint8_t)(1 << x.current);
	bool before, after;

	if (i >= X_WORDS)
		return false;
#define X_SHARED \
	(x.writers[i] && ((x.readers[i] | x.writers[i]) & ((x.readers[i] | x.writers[i]) - 1)))
	before = X_SHARED;
	*(point == SP_FAULT_WRITE ? &x.writers[i] : &x.readers[i]) |= me;
	after = X_SHARED;
	x.grown |= before != after;
	return after;
}

static void x_hook(enum sp_fault point, const volatile void *where)
{
	int self = x.current, chosen;

	if (!x.busy || !where)
		return;
	if (x.written) {
		x.written = false;
		x_audit();
	}
	if (x_contended(point, where) && x.preempted < x.allowed) {
		chosen = x_choose(1 + x_others());
		if (chosen) {
			x.preempted++;
			x.current = x_other(chosen - 1);
			swapcontext(&x.ctx[self], &x.ctx[x.current]);
		}
	}
	x.written = point == SP_FAULT_WRITE;
}

static void x_enter(int i)
{
	x.s->tasks[i]();
	x.finished[i] = true;
}

static void x_run(const struct sp_segment *initial)
{
	memcpy(ns, initial, SP_SEGMENT_SIZE);
	x.preempted = x.depth = 0;
	x.written = x.grown = false;
	for (int i = 0; i < x.count; i++) {
		x.finished[i] = false;
		getcontext(&x.ctx[i]);
		x.ctx[i].uc_stack.ss_sp = x_stacks[i];
		x.ctx[i].uc_stack.ss_size = X_STACK;
		x.ctx[i].uc_link = &x.main;
		makecontext(&x.ctx[i], (void (*)(void))x_enter, 1, i);
	}
	for (int left = x.count; left; left--) {
		x.current = -1;
		x.current = x_other(x_choose(left));
		x.busy = true;
		swapcontext(&x.main, &x.ctx[x.current]);
		x_audit();
		x.written = x.busy = false;
	}
	x.s->check();
	x.runs++;
}

/* To the next path; false when there is none. */
static bool x_next(void)
{
	while (x.length) {
		if (++x.path[x.length - 1].chosen < x.path[x.length - 1].options)
			return true;
		x.length--;
	}
	return false;
}

static void explore_at(const struct scenario *s, const char *name)
{
	static struct sp_segment *initial;
	bool more;

	ns = fresh(1000);
	memset(&x, 0, sizeof(x));
	x.s = s;
	x.allowed = s->preemptions + (getenv("SUBPID_DEEPER") ? atoi(getenv("SUBPID_DEEPER")) : 0);
	while (x.count < X_TASKS && s->tasks[x.count])
		x.count++;
	sp_fault_hook = x_hook;
	s->setup();
	audit_ok(ns);
	initial = malloc(SP_SEGMENT_SIZE);
	memcpy(initial, ns, SP_SEGMENT_SIZE);
	do {
		x_run(initial);
		if (x.grown) {
			x.length = 0;
			more = true;
		} else {
			more = x_next();
		}
	} while (more && !x.failure);
	free(initial);
	sp_fault_hook = NULL;
	if (x.failure) {
		print_message("# %s, line %d, in run %ld of %s; switches at:", x.failure,
			      x.failed_line, x.runs, name);
		for (int i = 0; i < x.length; i++)
			if (x.path[i].chosen)
				print_message(" %d:%d", i, x.path[i].chosen);
		print_message("\n");
	} else {
		print_message("# %s: %ld interleavings, %ld states audited\n", name, x.runs, x.states);
	}
	done(ns);
	assert_null(x.failure);
	assert_true(x.runs > 1);
}

#define explore(s) explore_at(&(s), #s)

#endif
