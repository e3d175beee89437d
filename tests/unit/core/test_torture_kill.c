/* build: src/core/*.c faults small plain asan */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes over one shared mapping, killed at random moments while the others go on and sweep up
 * after them. When all are dead the audit is silent and a sweep leaves an empty namespace.
 */
#include <sys/wait.h>

#include "torture.h"

void (*sp_fault_hook)(enum sp_fault point, const volatile void *where);

#define WORKERS 4

static struct sp_segment *ns;
static struct pool *pool;

/* Whose numbers the test itself still has to take back before a sweep may; -1: everybody's. */
static _Atomic int32_t *unburied;

static bool gone(int32_t by)
{
	int32_t not_yet = atomic_load(unburied);

	return not_yet != -1 && not_yet != by && kill(by, 0) && errno == ESRCH;
}

static pid_t start(uint32_t id, uint64_t seed)
{
	pid_t pid = fork();
	struct worker w;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	torture_init(&w, ns, pool, id, getpid(), seed);
	w.gone = gone;
	sp_fault_hook = torture_hook;
	while (!atomic_load(&pool->failures))
		torture_step(&w);
	_exit(1);
}

static void end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* The numbers and host tids of the dead; without them the pool would run dry. */
static void bury(uint32_t id)
{
	for (size_t n = 0; n < sizeof(pool->owner) / sizeof(pool->owner[0]); n++) {
		uint32_t owner = atomic_load(&pool->owner[n]);
		struct sp_ref ref = sp_pid_find(ns, sp_vpid_of((int32_t)n));

		if (!n || (owner & ~T_ASKING) != id + 1)
			continue;
		/* Its owner is the process that died, unless it was evicted by the pool's next user. */
		atomic_compare_exchange_strong(&pool->owner[n], &owner, 0);
		if (ref.slot == SP_NO_SLOT)
			continue;
		sp_pid_retire(ns, ref);
	}
}

static void workers_are_killed(void **state)
{
	uint64_t seed = 99;
	pid_t pids[WORKERS];
	struct sp_ref refs[16];
	double stop = seconds() + 3;
	uint32_t id = 0, ids[WORKERS];
	long kills = 0, rounds = 0;
	size_t n;

	ns = fresh(1200);
	pool = mmap(NULL, sizeof(*pool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(pool != MAP_FAILED);
	unburied = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(unburied != MAP_FAILED);
	while (seconds() < stop && !pool->failures) {
		/* Nobody alive holds anything: no number is owned, no host tid in use. */
		memset(pool->owner, 0, sizeof(pool->owner));
		memset(pool->hid_used, 0, sizeof(pool->hid_used));
		for (int i = 0; i < WORKERS; i++)
			pids[i] = start(ids[i] = id++, rnd(&seed));
		for (uint32_t k = rnd(&seed) % 20; k; k--) {
			int i = (int)(rnd(&seed) % WORKERS);

			usleep(rnd(&seed) % 2000);
			atomic_store(unburied, pids[i]);
			end(pids[i]);
			kills++;
			bury(ids[i]);
			atomic_store(unburied, 0);
			pids[i] = start(ids[i] = id++, rnd(&seed));
		}
		atomic_store(unburied, -1);
		for (int i = 0; i < WORKERS; i++)
			end(pids[i]);
		atomic_store(unburied, 0);
		kills += WORKERS;
		audit_ok(ns);
		sp_store(&ns->sweep, rnd(&seed));
		while ((n = sp_ns_sweep(ns, SP_CAPACITY, refs, 16))) {
			for (size_t i = 0; i < n; i++) {
				enum sp_state s = sp_word_state(refs[i].word);

				if (s == SP_RESERVED || s == SP_CLAIMED)
					assert_true(gone(sp_ref_by(ns, refs[i]).n));
				sp_pid_retire(ns, refs[i]);
				sp_pid_release(ns, refs[i]);
				refs[i] = sp_pid_find_any(ns, sp_ref_number(refs[i]));
				sp_pid_release(ns, refs[i]);
			}
		}
		audit_ok(ns);
		rounds++;
	}
	print_message("# %ld rounds, %ld kills, %lu births, %lu swept by others %s\n", rounds, kills,
		      (unsigned long)pool->births, (unsigned long)pool->reclaimed, pool->failure);
	assert_int_equal(pool->failures, 0);
	assert_true(kills > 50 && pool->births > 1000);
	assert_true(pool->reclaimed > 0);
	munmap(pool, sizeof(*pool));
	done(ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(workers_are_killed)};

	return cmocka_run_group_tests_name("torture", tests, NULL, NULL);
}
