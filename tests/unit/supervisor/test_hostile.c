/* build: src/core/*.c src/base/*.c src/supervisor/tree.c src/supervisor/tasks.c src/supervisor/ending.c src/supervisor/answer.c src/supervisor/segment.c src/supervisor/util.c -Wl,--wrap=kill -Wl,--wrap=syscall -lpthread */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces whose members write garbage, or well-made forgeries, into their segment: the supervisor neither crashes
 * nor hangs, shows nobody what is not below, and kills nobody above or beside. The processes are made up:
 * a table of parents stands for the kernel.
 *
 *   root (keeper: this process)  1000 init, 1001, 1002
 *     A  keeper 1100             1101 init, 1102 ... 1109
 *       B  keeper 1200           1201 init, 1202 ... 1209
 *         C  keeper 1300         1301 init, 1302 ... 1309
 *     D  keeper 1400             1401 init, 1402 ... 1409
 *   outside                      900 ... 909
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/slot.h"
#include "supervisor/answer.h"
#include "supervisor/ending.h"
#include "supervisor/segment.h"
#include "supervisor/tasks.h"
#include "world.h"

#define OUTSIDE 900
#define EACH 10
#define A_BASE 1100
#define B_BASE 1200
#define C_BASE 1300
#define D_BASE 1400

/* Their namespace's init, or the root's, is near enough. */
static int orphans_go_to(int pid)
{
	return proc[1101].lives && proc[pid].home != 'D' ? 1101 : 1000;
}

/* ---- the tree ---- */

static struct sv_tree t;
static struct sv_boot boot;
static uint64_t id_a, id_b, id_c, id_d;

static void birth(struct sp_segment *seg, int hid, bool reserved)
{
	struct sp_ref ref = sp_pid_find_any(seg, sp_vpid_of(1));

	if (!reserved)
		assert_int_equal(sp_pid_reserve(seg, SP_VPID_NONE, sp_hpid_of(hid), &ref), 0);
	assert_int_equal(sp_pid_publish(seg, &ref, sp_hpid_of(hid)), 0);
	sp_store(&sp_entry_at(seg, ref.slot)->ident, 100000 + (uint64_t)hid);
}

static void alive(int pid, int parent, char home)
{
	proc[pid].lives = true;
	proc[pid].hit = proc[pid].keeper = false;
	proc[pid].parent = parent;
	proc[pid].home = home;
}

static struct sv_ns *nested(struct sv_ns *parent, int creator, int base, char home)
{
	int nothing = eventfd(0, EFD_CLOEXEC);
	struct sp_ref ref;
	struct sv_ns *ns;

	alive(base, creator, home);
	proc[base].keeper = true;
	assert_int_equal(sv_tree_new(&t, parent, &ns), 0);
	assert_int_equal(sv_tree_keeper(&t, ns, sp_hpid_of(base), nothing), 0);
	for (int i = 1; i < EACH; i++) {
		alive(base + i, base + (i == 1 ? 0 : 1), home);
		birth(ns->seg, base + i, i == 1);
	}
	assert_int_equal(sp_pid_reserve(parent->seg, SP_VPID_NONE, sp_hpid_of(creator), &ref), 0);
	assert_int_equal(sp_pid_set_keeper(parent->seg, &ref, sp_hpid_of(base)), 0);
	assert_int_equal(sp_pid_publish(parent->seg, &ref, sp_hpid_of(base + 1)), 0);
	return ns;
}

static void on_end(struct sv_tree *tree, struct sv_ns *ns, int result)
{
}

static int setup(void **state)
{
	struct sv_ns *a, *b;
	struct sv_fail fail;

	self = getpid() < PIDS ? PIDS + getpid() : getpid();
	memset(proc, 0, sizeof(proc));
	memset(&boot, 0, sizeof(boot));
	hit_of_none = 0;
	boot.front = sp_hpid_of(899);
	assert_int_equal(sv_segment_create(&boot.segment_fd, &boot.seg, SP_PID_MAX_DEFAULT), 0);
	assert_int_equal(sv_tree_open(&t, &boot, &fail), 0);
	t.root->keeper = sp_hpid_of(self);
	t.on_end = on_end;
	for (int i = 0; i < EACH; i++)
		alive(OUTSIDE + i, 1, 0);
	alive(1000, self, 'r');
	alive(1001, 1000, 'r');
	alive(1002, 1000, 'r');
	for (int i = 1000; i < 1003; i++)
		birth(boot.seg, i, false);
	a = nested(t.root, 1001, A_BASE, 'A');
	b = nested(a, 1102, B_BASE, 'B');
	id_a = a->id;
	id_b = b->id;
	id_c = nested(b, 1202, C_BASE, 'C')->id;
	id_d = nested(t.root, 1002, D_BASE, 'D')->id;
	return 0;
}

static int teardown(void **state)
{
	sv_tree_free(&t);
	munmap(boot.seg, SP_SEGMENT_SIZE);
	close(boot.segment_fd);
	return 0;
}

static struct sp_segment *seg_of(uint64_t id)
{
	return sv_tree_find(&t, id)->seg;
}

static bool below_a(int pid)
{
	return pid > 0 && pid < PIDS && strchr("ABC", proc[pid].home) && proc[pid].home;
}

/* Nobody is in the segment of a namespace who is not of it or below. */
static void only_below(uint64_t id, const char *homes)
{
	struct sp_ref refs[512];
	size_t n = sp_ns_list(seg_of(id), sp_vpid_of(1), refs, 512);

	for (size_t i = 0; i < n; i++) {
		int pid = sp_ref_hpid(seg_of(id), refs[i]).n;

		if (sp_word_state(refs[i].word) != SP_LIVE)
			continue;
		if (pid <= 0 || pid >= PIDS || !proc[pid].home || !strchr(homes, proc[pid].home))
			fail_msg("%s is shown %d", homes, pid);
	}
}

static int see(uint64_t id)
{
	struct sv_seeing s = {.view = id};

	for (int i = 0; i < 100000; i++)
		if (sv_see_step(&t, &s))
			return s.found;
	fail_msg("a listing does not end");
	return 0;
}

static int32_t ask(uint32_t op, int peer, uint64_t id, int32_t arg, int32_t more)
{
	struct rs_ask q = {.op = op, .ns = id, .arg = arg, .more = {more}};
	struct sv_answer ans;
	uint64_t made = 0;

	sv_answer(&t, &q, sp_hpid_of(peer), -1, &made, &ans);
	assert_in_range(ans.a.n, 0, RS_ANSWER_MAX);
	return ans.a.result;
}

static void ended(uint64_t id)
{
	for (int i = 0; i < 200000 && sv_tree_find(&t, id); i++) {
		for (struct sv_ns *ns = t.ending; ns; ns = ns->next_ending)
			ns->due = 0;
		sv_endings_step(&t);
	}
	assert_null(sv_tree_find(&t, id));
}

/* The keeper is gone; what came from it is the upper init's. */
static void keeper_dies(uint64_t id, int keeper, int heir)
{
	proc[keeper].lives = false;
	for (int i = 0; i < PIDS; i++)
		if (proc[i].parent == keeper)
			proc[i].parent = heir;
	sv_ns_end(&t, sv_tree_find(&t, id));
}

static void forge(struct sp_segment *seg, int hid)
{
	struct sp_ref ref;

	if (sp_pid_reserve(seg, SP_VPID_NONE, sp_hpid_of(hid), &ref) == 0)
		(void)!sp_pid_publish(seg, &ref, sp_hpid_of(hid));
}

/* ---- honest ones ---- */

static void honest_tasks_are_seen(void **state)
{
	assert_int_equal(see(id_c), 0);
	assert_int_equal(see(id_b), EACH - 2);
	assert_int_equal(see(id_b), 0);
	assert_int_equal(see(id_a), 2 * (EACH - 1) - 1);
	assert_int_equal(see(t.root->id), 4 * (EACH - 1) - 2);
	only_below(id_a, "ABC");
	only_below(id_b, "BC");
	assert_int_equal(sp_pid_number(seg_of(id_a), sp_hpid_of(1305)).n,
			 ask(RS_OP_NUMBER, 1102, id_a, 1305, 0));
	assert_int_equal(ask(RS_OP_NUMBER, 1102, id_a, 1405, 0), 0);
	assert_int_equal(ask(RS_OP_NUMBER, 1102, id_a, 1002, 0), 0);
	assert_int_equal(ask(RS_OP_NUMBER, 1102, id_a, OUTSIDE, 0), 0);
	/* A keeper is called what its init is. */
	assert_int_equal(ask(RS_OP_NUMBER, 1102, id_a, 1300, 0),
			 ask(RS_OP_NUMBER, 1102, id_a, 1301, 0));
	assert_int_equal(ask(RS_OP_LEVELS, 1102, id_a, 1305, 0), 3);
	assert_int_equal(ask(RS_OP_LEVELS, 1000, 1, 1305, 0), 4);
	assert_int_equal(ask(RS_OP_NSOF, 1102, id_a, 1305, 0), 0);
	assert_int_equal(ask(RS_OP_NSOF, 1102, id_a, 1405, 0), -ESRCH);
	for (uint64_t id = 1; id <= id_d; id++) {
		uint32_t slot;

		assert_int_equal(sp_ns_audit(seg_of(id), &slot), 0);
	}
}

static void members_are_who_they_are(void **state)
{
	/* Not of the namespace that it names; a keeper; nobody. */
	assert_int_equal(ask(RS_OP_SEE, 1202, id_a, 0, 0), -EPERM);
	assert_int_equal(ask(RS_OP_NEW, 1202, 1, 0, 0), -EPERM);
	assert_int_equal(ask(RS_OP_NSOF, 1200, id_a, 1202, 0), -EPERM);
	assert_int_equal(ask(RS_OP_NUMBER, OUTSIDE, 1, 1000, 0), -EPERM);
	assert_int_equal(ask(RS_OP_NUMBER, 1102, 77, 1000, 0), -EPERM);
	assert_int_equal(ask(RS_OP_NSOF, 1202, 0, 1202, 0), 0);
	assert_int_equal(ask(RS_OP_END, 1202, id_b, 0, 0), -EPERM);
	/* A child that is not registered yet is its parent's. */
	alive(1050, 1202, 'B');
	assert_int_equal(ask(RS_OP_NSOF, 1050, id_b, 1202, 0), 0);
	assert_int_equal(ask(RS_OP_NSOF, 1050, id_a, 1202, 0), -EPERM);
	assert_int_equal(ask(RS_OP_NSOF, 1050, 0, 1202, 0), 0);
}

static void host_pid_of_another(void **state)
{
	int32_t n = ask(RS_OP_NUMBER, 1102, id_a, 1205, 0);
	struct sp_ref ref = sp_pid_find(seg_of(id_b), sp_pid_number(seg_of(id_b), sp_hpid_of(1205)));

	assert_true(n > 0);
	/* It is gone, its host pid is one of outside, and the entry above is stale. */
	sp_pid_retire(seg_of(id_b), ref);
	alive(1205, 1, 0);
	assert_int_equal(ask(RS_OP_NUMBER, 1102, id_a, 1205, 0), 0);
}

static void keeper_killed(void **state)
{
	uint32_t slot;

	see(t.root->id);
	keeper_dies(id_b, B_BASE, 1101);
	ended(id_b);
	assert_null(sv_tree_find(&t, id_c));
	for (int i = 1; i < EACH; i++) {
		assert_true(proc[B_BASE + i].hit && proc[C_BASE + i].hit);
		assert_false(proc[A_BASE + i].hit || proc[D_BASE + i].hit);
	}
	assert_false(proc[A_BASE].hit);
	assert_int_equal(sp_load(&seg_of(id_a)->below), 0);
	assert_int_equal(sp_ns_audit(seg_of(id_a), &slot), 0);
	assert_int_equal(t.count, 3);
}

/* ---- forgers ---- */

static void forged_tasks_are_not_shown(void **state)
{
	for (int i = 0; i < EACH; i++) {
		forge(seg_of(id_b), OUTSIDE + i);
		forge(seg_of(id_b), D_BASE + i);
		forge(seg_of(id_c), A_BASE + i);
		forge(seg_of(id_c), 1000 + i);
		forge(seg_of(id_c), OUTSIDE + i);
	}
	see(id_a);
	see(id_b);
	for (int pid = 800; pid < PIDS; pid++)
		if (!below_a(pid))
			assert_int_equal(ask(RS_OP_NUMBER, 1102, id_a, pid, 0), 0);
	only_below(id_a, "ABC");
	see(t.root->id);
	only_below(t.root->id, "rABCD");
}

static void forged_tasks_are_not_killed(void **state)
{
	for (int i = 0; i < EACH; i++) {
		forge(seg_of(id_b), OUTSIDE + i);
		forge(seg_of(id_b), D_BASE + i);
		forge(seg_of(id_b), A_BASE + i);
		forge(seg_of(id_c), 1000 + i);
		forge(seg_of(id_c), A_BASE + i);
		forge(seg_of(id_c), self);
	}
	keeper_dies(id_b, B_BASE, 1101);
	ended(id_b);
	for (int pid = 0; pid < PIDS; pid++)
		if (proc[pid].hit && proc[pid].home != 'B' && proc[pid].home != 'C')
			fail_msg("%d of %c was killed", pid, proc[pid].home ? proc[pid].home : '-');
	assert_int_equal(hit_of_none, 0);
}

/* ---- garbage ---- */

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((seed >> 33) % below);
}

static int some_pid(void)
{
	switch (rnd(4)) {
	case 0:
		return (int)rnd(PIDS);
	case 1:
		return OUTSIDE + (int)rnd(EACH);
	case 2:
		return (int[]){0, 1, -1, 0xffffff, 1000, self}[rnd(6)];
	default:
		return 1000 + (int)rnd(500);
	}
}

static void scribble(struct sp_segment *seg)
{
	uint32_t slot = rnd(8) ? rnd(40) : rnd(SP_CAPACITY);
	struct sp_entry *e = sp_entry_at(seg, slot);
	_Atomic uint32_t *words = (_Atomic uint32_t *)seg;

	switch (rnd(9)) {
	case 0:
		atomic_store(&words[rnd(sizeof(*seg) / 4)], rnd(2) ? rnd(UINT32_MAX) : rnd(3));
		break;
	case 1:
		atomic_store(&e->word, (uint64_t)rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX));
		break;
	case 2:
		atomic_store(&e->word, (uint64_t)rnd(64) << 32 | slot);
		break;
	case 3:
		atomic_store(&e->hid, (uint32_t)some_pid());
		break;
	case 4:
		atomic_store(&e->tgid, rnd(20));
		break;
	case 5:
		atomic_store(&e->keeper, (uint32_t)some_pid());
		break;
	case 6:
		atomic_store(&e->ident, 100000 + rnd(PIDS));
		break;
	case 7:
		atomic_store(&seg->high[rnd(SP_WAYS)], rnd(2) ? rnd(UINT32_MAX) : rnd(64));
		break;
	default:
		atomic_store((_Atomic uint64_t *)((char *)seg + SP_HIDX_OFF) +
				     rnd(SP_HIDX_BUCKETS * SP_HIDX_WAYS),
			     sp_hidx_word(some_pid() & 0xffffff, slot, slot));
	}
}

/* All that a member can make the supervisor do. */
static void use(void)
{
	static const uint32_t ops[] = {RS_OP_NUMBER,	  RS_OP_LEVELS,	   RS_OP_NSOF, RS_OP_INIT,
				       RS_OP_VIEW_NUMBER, RS_OP_VIEW_FIND, RS_OP_FDS};
	const uint64_t ids[] = {1, id_a, id_b, id_c, id_d};
	const int peers[] = {1000, 1102, 1203, 1303, 1402};
	uint32_t who = rnd(5);

	if (!sv_tree_find(&t, ids[who]))
		return;
	if (rnd(4) == 0)
		see(ids[who]);
	else
		(void)ask(ops[rnd(7)], peers[who], rnd(4) ? ids[who] : 0, some_pid(), some_pid());
}

static void judge(void)
{
	for (int pid = 0; pid < PIDS; pid++)
		if (proc[pid].hit && proc[pid].home != 'B' && proc[pid].home != 'C')
			fail_msg("seed %llu: %d of %c was killed", (unsigned long long)seed, pid,
				 proc[pid].home ? proc[pid].home : '-');
	assert_int_equal(hit_of_none, 0);
	only_below(id_a, "ABC");
	only_below(t.root->id, "rABCD");
	only_below(id_d, "D");
}

static void garbage(void **state)
{
	int rounds = getenv("HOSTILE_ROUNDS") ? atoi(getenv("HOSTILE_ROUNDS")) : 60;

	for (int round = 0; round < rounds; round++) {
		if (round) {
			teardown(state);
			setup(state);
		}
		seed = (uint64_t)round + 1;
		for (int i = 0; i < 400; i++) {
			for (uint32_t k = rnd(8); k; k--)
				scribble(seg_of(rnd(2) ? id_b : id_c));
			use();
		}
		keeper_dies(id_b, B_BASE, 1101);
		for (int i = 0; i < 50 && sv_tree_find(&t, id_b); i++) {
			scribble(seg_of(id_b));
			sv_tree_find(&t, id_b)->due = 0;
			sv_endings_step(&t);
		}
		judge();
	}
}

static _Atomic bool stop;

static void *scribbler(void *arg)
{
	struct sp_segment *seg = arg;
	uint64_t x = 88172645463325252ULL;

	while (!atomic_load(&stop)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (x & 1)
			atomic_store((_Atomic uint32_t *)seg + (x >> 8) % 200, (uint32_t)(x >> 32));
		else
			atomic_store((_Atomic uint64_t *)sp_entry_at(seg, (uint32_t)(x >> 8) % 40) +
					     (x >> 20) % 6,
				     x >> 24);
	}
	return NULL;
}

/* Under the supervisor's eyes: what it has checked changes before it is used. */
static void garbage_while_it_looks(void **state)
{
	pthread_t thread;

	atomic_store(&stop, false);
	seed = 1;
	assert_int_equal(pthread_create(&thread, NULL, scribbler, seg_of(id_b)), 0);
	for (int i = 0; i < 3000; i++)
		use();
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	judge();
}

/* ---- many ---- */

static void many_come_and_go(void **state)
{
	struct sv_ns *ns = t.root, *made[300];
	uint64_t first;
	uint32_t before = t.count;

	for (int i = 0; i < 300; i++) {
		int nothing = eventfd(0, EFD_CLOEXEC);

		assert_int_equal(sv_tree_new(&t, ns, &made[i]), 0);
		alive(100 + i, i ? 99 + i : self, 'E');
		assert_int_equal(sv_tree_keeper(&t, made[i], sp_hpid_of(100 + i), nothing), 0);
		ns = made[i];
	}
	assert_int_equal(made[299]->depth, 300);
	assert_int_equal(made[299]->layers, 12);
	first = made[0]->id;
	proc[100].lives = false;
	sv_ns_end(&t, made[0]);
	ended(first);
	assert_int_equal(t.count, before);
	/* An id that was used names nobody any more. */
	assert_int_equal(sv_tree_new(&t, t.root, &ns), 0);
	assert_null(sv_tree_find(&t, first));
	assert_int_not_equal(ns->id, first);
	sv_tree_drop(&t, ns);
	assert_int_equal(t.count, before);
	assert_int_equal(sp_load(&t.root->seg->below), 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(honest_tasks_are_seen),
		T(members_are_who_they_are),
		T(host_pid_of_another),
		T(keeper_killed),
		T(forged_tasks_are_not_shown),
		T(forged_tasks_are_not_killed),
		T(garbage),
		T(garbage_while_it_looks),
		T(many_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
