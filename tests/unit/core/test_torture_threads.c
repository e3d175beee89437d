/* build: src/core/*.c faults small plain tsan -lpthread */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads in place of processes, for ThreadSanitizer sees no race across a shared mapping. Small tables
 * and a small pid_max: wraps, collisions, spills, exhaustion and refusals all the time.
 */
#include <pthread.h>

#include "torture.h"

void (*sp_fault_hook)(enum sp_fault point, const volatile void *where);

#define THREADS 4

static struct sp_segment *ns;
static struct pool pool;
static _Atomic bool stop;

static void *work(void *arg)
{
	struct worker w;
	uint32_t id = (uint32_t)(uintptr_t)arg;

	torture_init(&w, ns, &pool, id, 4000000 + (int32_t)id, 1234 + id * 77);
	while (!atomic_load(&stop) && !atomic_load(&pool.failures))
		torture_step(&w);
	for (int i = T_MINE - 1; i >= 0; i--)
		if (w.mine[i].slot != SP_NO_SLOT)
			t_death(&w, i);
	return NULL;
}

static void torture(int32_t pid_max)
{
	struct sp_ref refs[4];
	pthread_t threads[THREADS];
	double end = seconds() + 2;

	memset(&pool, 0, sizeof(pool));
	atomic_store(&stop, false);
	ns = fresh(pid_max);
	sp_fault_hook = torture_hook;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
	while (seconds() < end && !atomic_load(&pool.failures))
		usleep(20000);
	atomic_store(&stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	sp_fault_hook = NULL;
	print_message("# pid_max %d: %lu births, %lu refused, %lu exhausted %s\n", pid_max,
		      (unsigned long)pool.births, (unsigned long)pool.refused,
		      (unsigned long)pool.exhausted, pool.failure);
	assert_int_equal(pool.failures, 0);
	assert_true(pool.births > 1000);
	audit_ok(ns);
	/* Everybody ended in order: nothing is left. */
	assert_int_equal(sp_ns_sweep(ns, SP_CAPACITY, refs, 4), 0);
	done(ns);
}

static void tiny(void **state)
{
	torture(SP_PID_MAX_MIN);
	assert_true(pool.exhausted > 0);
}

static void small(void **state)
{
	torture(1200);
	assert_true(pool.refused > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(tiny), cmocka_unit_test(small)};

	return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
