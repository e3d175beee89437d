/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the core: a fresh segment in shared memory, tasks without processes, and the audit
 * after each step.
 */
#ifndef TESTS_UNIT_CORE_SUPPORT_H
#define TESTS_UNIT_CORE_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/pid.h"
#include "core/slot.h"

#define ME sp_hpid_of(4000001)

static inline struct sp_segment *fresh(int32_t pid_max)
{
	struct sp_segment *ns = mmap(NULL, SP_SEGMENT_SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(ns != MAP_FAILED);
	assert_int_equal(sp_ns_create(ns, SP_SEGMENT_SIZE, pid_max), 0);
	return ns;
}

static inline void done(struct sp_segment *ns)
{
	munmap(ns, SP_SEGMENT_SIZE);
}

#define audit_ok(ns) audit_at(ns, __FILE__, __LINE__)

static inline void audit_at(struct sp_segment *ns, const char *file, int line)
{
	uint32_t slot;
	int broken = sp_ns_audit(ns, &slot);

	if (broken)
		print_error("I%d is broken at %u\n", broken, slot);
	_assert_int_equal(broken, 0, file, line);
}

static inline struct sp_ref reserved(struct sp_segment *ns, int32_t tgid)
{
	struct sp_ref ref;

	assert_int_equal(sp_pid_reserve(ns, sp_vpid_of(tgid), ME, &ref), 0);
	return ref;
}

/* A live task: tgid 0 for a process. */
static inline struct sp_ref born(struct sp_segment *ns, int32_t tgid, int32_t hid)
{
	struct sp_ref ref = reserved(ns, tgid);

	assert_int_equal(sp_pid_publish(ns, &ref, sp_hpid_of(hid)), 0);
	return ref;
}

static inline int32_t number(struct sp_ref ref)
{
	return sp_ref_number(ref).n;
}

static inline int32_t find(struct sp_segment *ns, int32_t n)
{
	return number(sp_pid_find(ns, sp_vpid_of(n)));
}

static inline int32_t find_any(struct sp_segment *ns, int32_t n)
{
	return number(sp_pid_find_any(ns, sp_vpid_of(n)));
}

static inline int32_t by_hid(struct sp_segment *ns, int32_t hid)
{
	return sp_pid_number(ns, sp_hpid_of(hid)).n;
}

static inline enum sp_state state_at(struct sp_segment *ns, struct sp_ref ref)
{
	return sp_word_state(sp_load(&sp_entry_at(ns, ref.slot)->word));
}

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Deterministic random numbers: the seed is in the test's output. */
static inline uint32_t rnd(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}

static inline const char *variant(void)
{
	const char *v = getenv("SUBPID_TEST_VARIANT");

	return v ? v : "plain";
}

#endif
