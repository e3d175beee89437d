/* build: src/core/*.c small plain asan */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operations on the core and on a model of it that is too simple to be wrong: one array indexed by
 * number, searched from end to end. After each operation both must say the same about everything, and
 * the audit be silent. A sequence that fails is shrunk and printed with its seed.
 *
 * SUBPID_MODEL_SEED=N tries one seed only.
 */
#include "unit/core/support.h"

#define PID_MAX 900
#define OPS 1500
#define SHOWN 60 /* operations printed after a failure */

enum kind { RESERVE, THREAD, CANCEL, PUBLISH, AGAIN, FLAG, RETIRE, RELEASE, STALE, CLOSE, KINDS };

static const char *const names[KINDS] = {"reserve", "thread", "cancel",	 "publish", "again",
					 "flag",    "retire", "release", "stale",   "close"};

struct op {
	enum kind kind;
	uint32_t a, b; /* which entry, which host tid: taken modulo what there is */
};

/* ---- the model ---- */

struct task {
	enum sp_state state;
	int32_t hid, tgid;
	bool leader;
	struct sp_ref ref;
};

static struct {
	struct task tasks[PID_MAX];
	int32_t cursor, end;
	bool closing;
	struct sp_ref old[64]; /* references that are stale */
	int olds;
	/* A defect in the model, to see that differences are found. */
	int defect;
} m;

static struct sp_segment *ns;
static char why[200];

#define DIFFERS(...) (snprintf(why, sizeof(why), __VA_ARGS__), false)

static bool number_fits(int32_t n, int32_t tgid)
{
	int same_bucket = 0;

	if (m.tasks[n].state)
		return false;
	for (int32_t k = 1; k < m.end; k++)
		if (m.tasks[k].state && k % (int32_t)SP_BUCKETS == n % (int32_t)SP_BUCKETS)
			same_bucket++;
	if (same_bucket == SP_WAYS)
		return false;
	for (int32_t k = 1; tgid && k < m.end; k++)
		if (m.tasks[k].state == SP_LIVE && m.tasks[k].tgid == tgid && m.tasks[k].hid == n)
			return false;
	return true;
}

/* kernel/pid.c:alloc_pid in small: from behind the cursor to the end, then from the lowest again. */
static int32_t next(int32_t tgid)
{
	int32_t low = m.cursor + 1 > SP_RESERVED_PIDS ? SP_RESERVED_PIDS : 1;

	for (int32_t n = m.cursor + 1; n < m.end; n++)
		if (number_fits(n, tgid))
			return n;
	for (int32_t n = low; n <= m.cursor; n++)
		if (number_fits(n, tgid))
			return n;
	return 0;
}

static int32_t holder(int32_t hid, bool dead_too)
{
	for (int32_t n = 1; n < m.end; n++)
		if (m.tasks[n].hid == hid &&
		    (m.tasks[n].state == SP_LIVE || (dead_too && m.tasks[n].state == SP_DEAD)))
			return n;
	return 0;
}

static void forget(int32_t n)
{
	m.old[m.olds++ % 64] = m.tasks[n].ref;
	m.tasks[n] = (struct task){0};
}

/* The a-th task in one of the states, 0: none. */
static int32_t pick(uint32_t a, uint32_t states)
{
	int32_t count = 0;

	for (int32_t n = 1; n < m.end; n++)
		count += !!(SP_BIT(m.tasks[n].state) & states & SP_ANY);
	if (!count)
		return 0;
	count = (int32_t)(a % (uint32_t)count);
	for (int32_t n = 1; n < m.end; n++)
		if (SP_BIT(m.tasks[n].state) & states & SP_ANY && count-- == 0)
			return n;
	return 0;
}

/* ---- one operation on both ---- */

static bool do_reserve(uint32_t a, bool thread)
{
	int32_t tgid = thread ? pick(a, SP_BIT(SP_LIVE)) : 0;
	struct sp_ref ref;
	int r, want_r = 0;
	int32_t want;

	if (thread && !tgid)
		return true;
	if (tgid)
		tgid = m.tasks[tgid].tgid;
	want = next(tgid);
	if (m.closing)
		want_r = -ENOMEM;
	else if (!want)
		want_r = -EAGAIN;
	r = sp_pid_reserve(ns, sp_vpid_of(tgid), ME, &ref);
	if (r != want_r)
		return DIFFERS("reserve: %d, not %d", r, want_r);
	if (r) {
		/* What was skipped on the way may have moved the cursor. */
		m.cursor = sp_load(&ns->cursor);
		return true;
	}
	if (number(ref) != want)
		return DIFFERS("reserve: number %d, not %d", number(ref), want);
	m.cursor = want;
	m.tasks[want] = (struct task){SP_RESERVED, 0, tgid ? tgid : want, false, ref};
	return true;
}

static bool do_cancel(uint32_t a)
{
	int32_t n = pick(a, SP_BIT(SP_RESERVED));

	if (!n)
		return true;
	sp_pid_cancel(ns, m.tasks[n].ref);
	if (m.cursor == n && m.defect != 1)
		m.cursor--;
	forget(n);
	return true;
}

static bool do_publish(uint32_t a, uint32_t b)
{
	int32_t n = pick(a, SP_BIT(SP_RESERVED)), hid, old;
	struct task *t = &m.tasks[n];
	struct sp_ref ref = t->ref;
	int r, want = 0;

	if (!n)
		return true;
	/* Small ones, to meet numbers; colliding ones, to fill buckets; any. */
	hid = (int32_t)(b % 3 == 0   ? b / 3 % 700
			: b % 3 == 1 ? 40 + b / 3 % 90 * SP_HIDX_BUCKETS
				     : b / 3 % 4000000) +
	      1;
	r = sp_pid_publish(ns, &ref, sp_hpid_of(hid));
	/* Whoever had the host tid is gone, also when the newcomer is refused. */
	old = holder(hid, true);
	if (m.defect != 2 && old && old != n)
		forget(old);
	if (hid < m.end && hid != n && m.tasks[hid].tgid == t->tgid &&
	    (m.tasks[hid].state == SP_LIVE || m.tasks[hid].state == SP_RESERVED))
		want = -EEXIST;
	if (r == -EEXIST && !want) {
		/* Right only if no place was left for the host tid. */
		for (uint32_t pos = 0; pos < SP_HIDX_REACH; pos++) {
			uint64_t hw = sp_load(sp_hidx_at(ns, hid, pos));

			if (!holder(sp_hidx_hid(hw), true))
				return DIFFERS("publish: refused without reason");
		}
		want = r;
	}
	if (r != want)
		return DIFFERS("publish %d as %d: %d, not %d", n, hid, r, want);
	t->ref = ref;
	if (r) {
		forget(n);
		return true;
	}
	t->state = SP_LIVE;
	t->hid = hid;
	return true;
}

static bool do_again(uint32_t a)
{
	int32_t n = pick(a, SP_BIT(SP_LIVE));
	struct sp_ref ref = m.tasks[n].ref;
	int r;

	if (!n)
		return true;
	r = sp_pid_publish(ns, &ref, sp_hpid_of(m.tasks[n].hid));
	if (r)
		return DIFFERS("publish again: %d", r);
	r = sp_pid_publish(ns, &ref, sp_hpid_of(m.tasks[n].hid + 1));
	return r == -ESTALE ? true : DIFFERS("publish as another: %d", r);
}

static bool do_end(uint32_t a, enum kind kind)
{
	int32_t n = pick(a, SP_ANY);
	struct task *t = &m.tasks[n];

	if (!n)
		return true;
	if (kind == FLAG) {
		sp_pid_set_flags(ns, &t->ref, SP_F_LEADER);
		t->leader |= t->state == SP_LIVE;
	} else if (kind == RETIRE) {
		sp_pid_retire(ns, t->ref);
		if (t->state != SP_LIVE)
			return true;
		if (!t->leader) {
			forget(n);
			return true;
		}
		m.old[m.olds++ % 64] = t->ref;
		t->state = SP_DEAD;
		t->ref = sp_pid_find_any(ns, sp_vpid_of(n));
	} else {
		sp_pid_release(ns, t->ref);
		if (t->state != SP_LIVE)
			forget(n);
	}
	return true;
}

/* Whatever is done to a stale reference changes nothing. */
static bool do_stale(uint32_t a)
{
	struct sp_ref ref;

	if (!m.olds)
		return true;
	ref = m.old[a % (uint32_t)(m.olds < 64 ? m.olds : 64)];
	if (sp_ref_valid(ns, ref))
		return DIFFERS("a stale reference is valid");
	sp_pid_set_flags(ns, &ref, SP_F_LEADER);
	sp_pid_retire(ns, ref);
	sp_pid_release(ns, ref);
	sp_pid_cancel(ns, ref);
	return true;
}

static bool apply(struct op op)
{
	switch (op.kind) {
	case RESERVE:
		return do_reserve(op.a, false);
	case THREAD:
		return do_reserve(op.a, true);
	case CANCEL:
		return do_cancel(op.a);
	case PUBLISH:
		return do_publish(op.a, op.b);
	case AGAIN:
		return do_again(op.a);
	case FLAG:
	case RETIRE:
	case RELEASE:
		return do_end(op.a, op.kind);
	case STALE:
		return do_stale(op.a);
	case CLOSE:
		m.closing = op.a % 4 == 0;
		sp_store(&ns->closing, m.closing);
		return true;
	case KINDS:
		break;
	}
	return false;
}

/* Everything that can be asked. */
static bool agree(void)
{
	struct sp_ref refs[PID_MAX];
	size_t n = sp_ns_list(ns, sp_vpid_of(1), refs, PID_MAX), at = 0;
	uint32_t slot;
	int broken = sp_ns_audit(ns, &slot);

	if (broken)
		return DIFFERS("I%d is broken at %u", broken, slot);
	if (sp_load(&ns->cursor) != m.cursor)
		return DIFFERS("cursor %d, not %d", sp_load(&ns->cursor), m.cursor);
	for (int32_t k = 1; k < m.end; k++) {
		const struct task *t = &m.tasks[k];

		if (find(ns, k) != (t->state == SP_LIVE ? k : 0))
			return DIFFERS("find %d", k);
		if (!t->state) {
			if (find_any(ns, k))
				return DIFFERS("find_any %d finds", k);
			continue;
		}
		if (at == n || number(refs[at]) != k)
			return DIFFERS("%d is not listed", k);
		if (sp_word_state(refs[at].word) != t->state || refs[at].slot != t->ref.slot)
			return DIFFERS("%d is listed in state %d", k, sp_word_state(refs[at].word));
		if (find_any(ns, k) != k || !sp_ref_valid(ns, t->ref))
			return DIFFERS("find_any or reference of %d", k);
		if (sp_entry_at(ns, t->ref.slot)->tgid != (uint32_t)t->tgid)
			return DIFFERS("group of %d", k);
		if (t->state == SP_LIVE && by_hid(ns, t->hid) != k)
			return DIFFERS("number of host tid %d", t->hid);
		if (t->hid && sp_pid_group_number(ns, sp_hpid_of(t->hid)).n != k)
			return DIFFERS("group number of host tid %d", t->hid);
		if (t->hid && sp_pid_recall(ns, sp_hpid_of(t->hid)).n != k)
			return DIFFERS("recall of host tid %d", t->hid);
		at++;
	}
	return at == n ? true : DIFFERS("more are listed");
}

/* ---- sequences ---- */

/* The number of the operation that shows a difference, or count. */
static int run(const struct op *ops, int count, int defect)
{
	int i;

	memset(&m, 0, sizeof(m));
	m.defect = defect;
	ns = fresh(PID_MAX);
	m.end = ns->seq_end;
	for (i = 0; i < count; i++)
		if (!apply(ops[i]) || !agree())
			break;
	done(ns);
	return i;
}

static void generate(struct op *ops, uint64_t seed)
{
	/* How full the namespace gets differs from run to run. */
	uint32_t births = 3 + rnd(&seed) % 6, ends = 1 + rnd(&seed) % 4;

	for (int i = 0; i < OPS; i++) {
		uint32_t dice = rnd(&seed) % (births * 3 + ends * 3 + 3);
		enum kind kind;

		if (dice < births)
			kind = RESERVE;
		else if (dice < births * 2)
			kind = rnd(&seed) % 3 ? PUBLISH : THREAD;
		else if (dice < births * 3)
			kind = PUBLISH;
		else if (dice < births * 3 + ends * 3)
			kind = (enum kind[]){RETIRE, RETIRE, RELEASE, FLAG, CANCEL}[rnd(&seed) % 5];
		else
			kind = (enum kind[]){AGAIN, STALE, STALE, CLOSE}[rnd(&seed) % 4];
		ops[i] = (struct op){kind, rnd(&seed), rnd(&seed)};
	}
}

/* Leaves out what is not needed for a difference. Returns how much is left. */
static int shrink(struct op *ops, int count, int defect)
{
	struct op trial[OPS];
	double end = seconds() + 8;

	for (int chunk = count / 2; chunk; chunk /= 2) {
		for (int at = 0; at + chunk <= count && seconds() < end;) {
			int left = count - chunk, failed;

			memcpy(trial, ops, (size_t)at * sizeof(*ops));
			memcpy(trial + at, ops + at + chunk, (size_t)(left - at) * sizeof(*ops));
			failed = run(trial, left, defect);
			if (failed < left) {
				count = failed + 1;
				memcpy(ops, trial, (size_t)count * sizeof(*ops));
			} else {
				at += chunk;
			}
		}
	}
	run(ops, count, defect);
	return count;
}

static void show(const struct op *ops, int count, uint64_t seed)
{
	print_message("# seed %lu, %d operations: %s\n", (unsigned long)seed, count, why);
	for (int i = 0; i < count && i < SHOWN; i++)
		print_message("#   %s %u %u\n", names[ops[i].kind], ops[i].a, ops[i].b);
}

static void core_and_model_agree(void **state)
{
	const char *given = getenv("SUBPID_MODEL_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000;
	double end = seconds() + 3;
	static struct op ops[OPS];
	long runs = 0;
	int failed;

	print_message("# first seed %lu\n", (unsigned long)seed);
	do {
		generate(ops, seed);
		failed = run(ops, OPS, 0);
		if (failed < OPS) {
			failed = shrink(ops, failed + 1, 0);
			show(ops, failed, seed);
			fail();
		}
		seed++;
		runs++;
	} while (!given && seconds() < end);
	print_message("# %ld sequences of %d operations\n", runs, OPS);
}

/* A wrong model must be noticed, and the sequence that shows it be short. */
static void differences_are_found(int defect, int longest)
{
	static struct op ops[OPS];
	int failed = OPS;

	for (uint64_t seed = 1; failed == OPS && seed < 40; seed++) {
		generate(ops, seed);
		failed = run(ops, OPS, defect);
	}
	assert_true(failed < OPS);
	failed = shrink(ops, failed + 1, defect);
	print_message("# shrunk to %d operations: %s\n", failed, why);
	assert_true(failed <= longest);
}

static void wrong_cancel_is_found(void **state)
{
	differences_are_found(1, 4);
}

static void wrong_eviction_is_found(void **state)
{
	differences_are_found(2, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(core_and_model_agree),
		cmocka_unit_test(wrong_cancel_is_found),
		cmocka_unit_test(wrong_eviction_is_found),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
