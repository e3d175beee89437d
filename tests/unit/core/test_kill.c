/* build: src/core/*.c faults small plain asan */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGKILL at every place: each operation runs in a process of its own that kills itself before its
 * first, second, third ... atomic operation or named fault point. After each death the audit is silent, a
 * sweep reclaims what was left, and the namespace works on.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "support.h"

void (*sp_fault_hook)(enum sp_fault point, const volatile void *where);

static struct sp_segment *ns;
static long left;	     /* points until the end */
static uint32_t *points_met; /* shared: how often a named point was the last one */

static void die_here(enum sp_fault point, const volatile void *where)
{
	if (left-- > 0)
		return;
	points_met[point]++;
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static sp_hpid self(void)
{
	return sp_hpid_of(getpid());
}

/* ---- what is killed ---- */

static struct sp_ref target; /* prepared before */

static int op_reserve(void)
{
	struct sp_ref ref;

	return sp_pid_reserve(ns, SP_VPID_NONE, self(), &ref);
}

static int op_reserve_cancel(void)
{
	struct sp_ref ref;
	int r = sp_pid_reserve(ns, SP_VPID_NONE, self(), &ref);

	sp_pid_cancel(ns, ref);
	return r;
}

static int op_birth(void)
{
	struct sp_ref ref;
	int r = sp_pid_reserve(ns, SP_VPID_NONE, self(), &ref);

	return r ? r : sp_pid_publish(ns, &ref, self());
}

static int op_charge(void)
{
	struct sp_ref ref;
	int r = sp_pid_reserve(ns, SP_VPID_NONE, self(), &ref);

	return r ? r : sp_pid_charge(ns);
}

static int op_thread_skips(void)
{
	struct sp_ref ref;

	/* 3 is the host tid of the leader. */
	return sp_pid_reserve(ns, sp_vpid_of(1), self(), &ref);
}

static int op_refused(void)
{
	struct sp_ref ref;
	int r = sp_pid_reserve(ns, sp_vpid_of(1), self(), &ref);

	r = r ? r : sp_pid_publish(ns, &ref, sp_hpid_of(1));
	return r == -EEXIST ? 0 : -1;
}

static int op_evict(void)
{
	struct sp_ref ref;
	int r = sp_pid_reserve(ns, SP_VPID_NONE, self(), &ref);

	return r ? r : sp_pid_publish(ns, &ref, sp_hpid_of(900));
}

static int op_spill(void)
{
	struct sp_ref ref;
	int r = sp_pid_reserve(ns, SP_VPID_NONE, self(), &ref);

	return r ? r : sp_pid_publish(ns, &ref, sp_hpid_of(50 + 9 * (int32_t)SP_HIDX_BUCKETS));
}

static int op_retire(void)
{
	sp_pid_retire(ns, target);
	return 0;
}

static int op_leader_ends(void)
{
	sp_pid_set_flags(ns, &target, SP_F_LEADER);
	sp_pid_retire(ns, target);
	sp_pid_release(ns, sp_pid_find_any(ns, sp_ref_number(target)));
	return 0;
}

static int op_sweep(void)
{
	struct sp_ref refs[4];

	return sp_ns_sweep(ns, 1000, refs, 4) == 4 ? 0 : -1;
}

static void prepare(void)
{
	ns = fresh(1000);
	born(ns, 0, 3);
	target = born(ns, 0, 900);
	for (int32_t i = 0; i < 4; i++)
		born(ns, 0, 50 + i * (int32_t)SP_HIDX_BUCKETS);
	audit_ok(ns);
	ns->pids_limit = 100; /* nobody comes near, but it is counted */
	sp_store(&ns->cursor, 2);
}

/* What a sweeper does that knows every task but init and the dead child to be gone. */
static void reclaim(void)
{
	struct sp_ref refs[16];
	size_t n;

	while ((n = sp_ns_sweep(ns, SP_CAPACITY, refs, 16)) > 1) {
		for (size_t i = 0; i < n; i++) {
			enum sp_state s = sp_word_state(refs[i].word);

			if (s == SP_LIVE && number(refs[i]) == 1)
				continue;
			if (s == SP_RESERVED || s == SP_CLAIMED) {
				assert_true(sp_ref_by(ns, refs[i]).n > 0);
				assert_int_equal(kill(sp_ref_by(ns, refs[i]).n, 0), -1);
				assert_int_equal(errno, ESRCH);
			}
			if (s == SP_LIVE)
				sp_pid_set_flags(ns, &refs[i], 0), sp_pid_retire(ns, refs[i]);
			sp_pid_release(ns, refs[i]);
			audit_ok(ns);
		}
	}
}

/* Entries that are neither free nor those of the preparation: a killed operation leaves one at most. */
static size_t leaked(void)
{
	struct sp_ref refs[32];
	size_t n, count = 0;

	sp_store(&ns->sweep, 0);
	n = sp_ns_sweep(ns, SP_CAPACITY, refs, 32);
	for (size_t i = 0; i < n; i++) {
		enum sp_state s = sp_word_state(refs[i].word);

		count += s == SP_CLAIMED || s == SP_RESERVED;
	}
	return count;
}

static void kill_everywhere(int (*op)(void), long at_least)
{
	long step = 0;

	for (;; step++) {
		int status;
		pid_t pid;

		prepare();
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			left = step;
			sp_fault_hook = die_here;
			_exit(op() ? 2 : 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		audit_ok(ns);
		assert_true(leaked() <= 1);
		reclaim();
		assert_int_equal(find(ns, 1), 1);
		/* It works on, and the number is free again at the latest after a wrap. */
		sp_store(&ns->cursor, 1);
		assert_int_equal(number(born(ns, 0, 800)), 2);
		assert_int_equal(by_hid(ns, 800), 2);
		audit_ok(ns);
		done(ns);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			break;
		}
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
	print_message("# killed at %ld places\n", step);
	assert_true(step >= at_least);
}

#define KILL_TEST(name, at_least)                     \
	static void name(void **state)                \
	{                                             \
		kill_everywhere(op_##name, at_least); \
	}
KILL_TEST(reserve, 20)
KILL_TEST(reserve_cancel, 22)
KILL_TEST(birth, 30)
KILL_TEST(charge, 22)
KILL_TEST(thread_skips, 25)
KILL_TEST(refused, 30)
KILL_TEST(evict, 30)
KILL_TEST(spill, 30)
KILL_TEST(retire, 2)
KILL_TEST(leader_ends, 5)
KILL_TEST(sweep, 5)

static void every_named_point_was_met(void **state)
{
#define NAME(name) #name,
	static const char *const names[] = {SP_FAULTS(NAME)};

	for (int i = 0; i < SP_FAULT_COUNT; i++) {
		if (!points_met[i])
			print_message("# nobody was killed at %s\n", names[i]);
		assert_true(points_met[i] > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserve),	cmocka_unit_test(reserve_cancel),
		cmocka_unit_test(birth),	cmocka_unit_test(charge),
		cmocka_unit_test(thread_skips), cmocka_unit_test(refused),
		cmocka_unit_test(evict),	cmocka_unit_test(spill),
		cmocka_unit_test(retire),	cmocka_unit_test(leader_ends),
		cmocka_unit_test(sweep),	cmocka_unit_test(every_named_point_was_met),
	};

	points_met = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
