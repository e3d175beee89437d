/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks whose word names the owner to the kernel: priority-inheritance and robust mutexes of the C library, across
 * threads and processes and the owner's death, and raw futexes in which a program stores its own gettid().
 */
#include "probe.h"
#include <sys/mman.h>

#define LOCK_PI 6
#define UNLOCK_PI 7
#define TRYLOCK_PI 8
#define WAIT_REQUEUE_PI 11
#define CMP_REQUEUE_PI 12
#define LOCK_PI2 13
#define PRIVATE 128
#define REALTIME 256
#define TID 0x3fffffffu
#define JUNK 0xdeadbeef00000000ul

static struct gate up, down;

/* --- the C library's ------------------------------------------------------------------------- */

struct shared {
	pthread_mutex_t m;
	pthread_cond_t c;
	int counter, ready;
	uint32_t word, cond, pad;
};

static struct shared *sh;

static void mutex(int type, int protocol, int robust, int pshared)
{
	pthread_mutexattr_t at;
	int r, s, t;

	pthread_mutexattr_init(&at);
	pthread_mutexattr_settype(&at, type);
	r = pthread_mutexattr_setprotocol(&at, protocol);
	s = pthread_mutexattr_setrobust(&at, robust);
	t = pthread_mutexattr_setpshared(&at, pshared);
	say("mutex type %d protocol %d robust %d shared %d: %s %s %s init %s", type, protocol,
	    robust, pshared, rc(-r), rc(-s), rc(-t), rc(-pthread_mutex_init(&sh->m, &at)));
	sh->counter = sh->ready = 0;
}

static void *count(void *arg)
{
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&sh->m);
		sh->counter++;
		if (i % 50 == 0)
			sched_yield();
		pthread_mutex_unlock(&sh->m);
	}
	return NULL;
}

static void *other(void *arg)
{
	struct timespec past = {1, 0};

	say("  other: try %s unlock %s timed %s", rc(-pthread_mutex_trylock(&sh->m)),
	    arg ? rc(-pthread_mutex_unlock(&sh->m)) : "-",
	    rc(-pthread_mutex_timedlock(&sh->m, &past)));
	return NULL;
}

static void use(int type)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, count, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("  counted %d", sh->counter);
	say("  lock %s", rc(-pthread_mutex_lock(&sh->m)));
	if (type != PTHREAD_MUTEX_NORMAL)
		say("  again %s", rc(-pthread_mutex_lock(&sh->m)));
	pthread_create(&t[0], NULL, other, type == PTHREAD_MUTEX_NORMAL ? NULL : sh);
	pthread_join(t[0], NULL);
	say("  unlock %s", rc(-pthread_mutex_unlock(&sh->m)));
	if (type == PTHREAD_MUTEX_RECURSIVE)
		say("  unlock %s", rc(-pthread_mutex_unlock(&sh->m)));
	if (type != PTHREAD_MUTEX_NORMAL)
		say("  unlock %s", rc(-pthread_mutex_unlock(&sh->m)));
}

static void *holds(void *arg)
{
	pthread_mutex_lock(&sh->m);
	return NULL;
}

static void *waits(void *arg)
{
	int r;

	gate_open(up);
	r = pthread_mutex_lock(&sh->m);
	say("  waiter: %s", rc(-r));
	if (r == EOWNERDEAD)
		say("  consistent %s", rc(-pthread_mutex_consistent(&sh->m)));
	say("  unlock %s", rc(-pthread_mutex_unlock(&sh->m)));
	return NULL;
}

static void take_over(const char *what)
{
	int r = pthread_mutex_lock(&sh->m);

	say("  %s: %s", what, rc(-r));
	if (r == EOWNERDEAD)
		say("  consistent %s", rc(-pthread_mutex_consistent(&sh->m)));
	say("  unlock %s", rc(-pthread_mutex_unlock(&sh->m)));
	say("  lock %s", rc(-pthread_mutex_lock(&sh->m)));
	say("  unlock %s", rc(-pthread_mutex_unlock(&sh->m)));
}

static void owner_dies(int protocol)
{
	pthread_t t, w;
	pid_t pid;

	mutex(PTHREAD_MUTEX_NORMAL, protocol, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED);
	pthread_create(&t, NULL, holds, NULL);
	pthread_join(t, NULL);
	take_over("after a thread");
	for (int i = 0; i < 2; i++) {
		pid = fork_or_die();
		if (!pid) {
			pthread_mutex_lock(&sh->m);
			if (i)
				SC(SYS_kill, SC(SYS_getpid), SIGKILL);
			_exit(0);
		}
		say("  %s", reap(pid));
		take_over("after a process");
	}
	/* And with somebody who waits for it by then. */
	pid = fork_or_die();
	if (!pid) {
		pthread_mutex_lock(&sh->m);
		gate_open(up);
		for (;;)
			pause();
	}
	gate_pass(up);
	pthread_create(&w, NULL, waits, NULL);
	gate_pass(up);
	usleep(20000);
	end(pid);
	pthread_join(w, NULL);
	pthread_mutex_destroy(&sh->m);
}

static void *signals(void *arg)
{
	pthread_mutex_lock(&sh->m);
	sh->ready = 1;
	pthread_cond_broadcast(&sh->c);
	pthread_mutex_unlock(&sh->m);
	return NULL;
}

static void library(void)
{
	static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK,
				    PTHREAD_MUTEX_RECURSIVE};
	pthread_t t[2];

	for (size_t i = 0; i < COUNT(types); i++) {
		mutex(types[i], PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
		use(types[i]);
		mutex(types[i], PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
		use(types[i]);
		mutex(types[i], PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED);
		use(types[i]);
	}
	owner_dies(PTHREAD_PRIO_NONE);
	owner_dies(PTHREAD_PRIO_INHERIT);
	mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED,
	      PTHREAD_PROCESS_PRIVATE);
	pthread_cond_init(&sh->c, NULL);
	pthread_mutex_lock(&sh->m);
	pthread_create(&t[0], NULL, signals, NULL);
	while (!sh->ready)
		pthread_cond_wait(&sh->c, &sh->m);
	pthread_mutex_unlock(&sh->m);
	pthread_join(t[0], NULL);
	say("condition met");
}

/* --- raw words ------------------------------------------------------------------------------- */

static uint32_t me(void)
{
	return (uint32_t)SC(SYS_gettid);
}

static const char *word(void)
{
	char *s = scratch();
	uint32_t w = __atomic_load_n(&sh->word, __ATOMIC_SEQ_CST);

	snprintf(s, 160, "%s%s%s", w & TID ? names_me(w & TID) : "free", w >> 31 ? " waiters" : "",
		 w >> 30 & 1 ? " died" : "");
	return s;
}

/* Says what it saw when nobody else speaks. */
static void *locks(void *arg)
{
	long op = (long)arg, r, u;
	const char *held;

	gate_open(up);
	r = SC(SYS_futex, &sh->word, op, 0, NULL);
	held = word();
	u = SC(SYS_futex, &sh->word, UNLOCK_PI | (op & PRIVATE));
	gate_pass(down);
	say("  lock %s: %s; unlock %s: %s", rc(r), held, rc(u), word());
	return NULL;
}

static void *says_number(void *arg)
{
	*(uint32_t *)arg = me();
	return NULL;
}

static void contended(long op)
{
	pthread_t t;

	sh->word = me();
	pthread_create(&t, NULL, locks, (void *)op);
	gate_pass(up);
	usleep(20000);
	say("  unlock %s", rc(SC(SYS_futex, &sh->word, UNLOCK_PI | (op & PRIVATE))));
	gate_open(down);
	pthread_join(t, NULL);
}

static void *requeued(void *arg)
{
	const char *held;
	long r, u;

	gate_open(up);
	r = SC(SYS_futex, &sh->cond, WAIT_REQUEUE_PI, 5, NULL, &sh->word);
	held = word();
	u = SC(SYS_futex, &sh->word, UNLOCK_PI);
	gate_pass(down);
	say("  requeued %s: %s; unlock %s: %s", rc(r), held, rc(u), word());
	return NULL;
}

static void raw(void)
{
	static const uint32_t odd[] = {999, 1, 0x3fffffff, 0x80000000u | 999, 0xc0000000u, 4194304};
	struct timespec past = {1, 0};
	uint32_t dead = 0, *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t t;
	pid_t pid;

	sh->word = 0;
	say("free: %s", rc(SC(SYS_futex, &sh->word, LOCK_PI, 0, NULL)));
	say("word %s", word());
	say("again: %s", rc(SC(SYS_futex, &sh->word, LOCK_PI | JUNK, 0, NULL)));
	say("again: %s", rc(SC(SYS_futex, &sh->word, LOCK_PI2 | PRIVATE | REALTIME, 0, NULL)));
	say("try: %s", rc(SC(SYS_futex, &sh->word, TRYLOCK_PI)));
	say("unlock: %s", rc(SC(SYS_futex, &sh->word, UNLOCK_PI)));
	say("word %s, unlock again %s", word(), rc(SC(SYS_futex, &sh->word, UNLOCK_PI)));
	sh->word = me();
	say("my number: lock %s", rc(SC(SYS_futex, &sh->word, LOCK_PI, 0, NULL)));
	say("unlock %s", rc(SC(SYS_futex, &sh->word, UNLOCK_PI)));
	say("word %s", word());
	contended(LOCK_PI);
	contended(LOCK_PI | PRIVATE);
	contended(LOCK_PI2);
	pthread_create(&t, NULL, says_number, &dead);
	pthread_join(t, NULL);
	sh->word = dead;
	while (!SC(SYS_tgkill, getpid(), dead, 0)) /* joined a moment before it is gone */
		usleep(1000);
	say("a dead thread's: lock %s, try %s, unlock %s",
	    rc(SC(SYS_futex, &sh->word, LOCK_PI, 0, NULL)),
	    rc(SC(SYS_futex, &sh->word, TRYLOCK_PI)), rc(SC(SYS_futex, &sh->word, UNLOCK_PI)));
	for (size_t i = 0; i < COUNT(odd); i++) {
		sh->word = odd[i];
		if (odd[i] == me())
			continue;
		say("%x: unlock %s, try %s", odd[i], rc(SC(SYS_futex, &sh->word, UNLOCK_PI)),
		    rc(SC(SYS_futex, &sh->word, TRYLOCK_PI)));
		say("  lock %s", odd[i] == 1 ? "-" : rc(SC(SYS_futex, &sh->word, LOCK_PI, 0, NULL)));
	}
	/* The owner is the parent. */
	sh->word = (uint32_t)getpid();
	pid = fork_or_die();
	if (!pid) {
		say("  child: unlock %s try %s past %s", rc(SC(SYS_futex, &sh->word, UNLOCK_PI)),
		    rc(SC(SYS_futex, &sh->word, TRYLOCK_PI)),
		    rc(SC(SYS_futex, &sh->word, LOCK_PI, 0, &past)));
		locks((void *)LOCK_PI);
		_exit(0);
	}
	gate_pass(up);
	usleep(20000);
	say("unlock %s", rc(SC(SYS_futex, &sh->word, UNLOCK_PI)));
	gate_open(down);
	say("%s", reap(pid));
	/* The owner is a child, and dies. */
	pid = fork_or_die();
	if (!pid) {
		sh->word = (uint32_t)getpid();
		gate_open(up);
		for (;;)
			pause();
	}
	gate_pass(up);
	pthread_create(&t, NULL, locks, (void *)LOCK_PI);
	gate_pass(up);
	usleep(20000);
	end(pid);
	gate_open(down);
	pthread_join(t, NULL);
	say("bad: %s %s %s %s", rc(SC(SYS_futex, NULL, LOCK_PI, 0, NULL)),
	    rc(SC(SYS_futex, WILD, LOCK_PI, 0, NULL)),
	    rc(SC(SYS_futex, (char *)&sh->word + 1, LOCK_PI, 0, NULL)),
	    rc(SC(SYS_futex, ro, LOCK_PI, 0, NULL)));
	/* Requeued to a word that is mine. */
	sh->cond = 5;
	sh->word = me();
	pthread_create(&t, NULL, requeued, NULL);
	gate_pass(up);
	usleep(20000);
	say("requeue %s", rc(SC(SYS_futex, &sh->cond, CMP_REQUEUE_PI, 1, 1, &sh->word, 5)));
	say("unlock %s", rc(SC(SYS_futex, &sh->word, UNLOCK_PI)));
	gate_open(down);
	pthread_join(t, NULL);
}

/* --- and signals ----------------------------------------------------------------------------- */

static volatile int hits;

static void hit(int sig)
{
	hits++;
}

static pthread_t locker;

static void *signalled(void *arg)
{
	struct timespec end;
	long r, s;

	gate_open(up);
	r = SC(SYS_futex, &sh->word, LOCK_PI, 0, NULL);
	gate_open(up);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 50000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	SC(SYS_futex, &sh->word, UNLOCK_PI);
	gate_pass(down);
	s = SC(SYS_futex, &sh->cond, LOCK_PI, 0, &end);
	say("  locks %s after %d signals, in time %s", rc(r), hits, rc(s));
	return NULL;
}

static void with_signals(int flags)
{
	struct sigaction sa = {.sa_handler = hit, .sa_flags = flags};

	hits = 0;
	sigaction(SIGUSR1, &sa, NULL);
	sh->word = sh->cond = me();
	pthread_create(&locker, NULL, signalled, NULL);
	gate_pass(up);
	for (int i = 1; i <= 20; i++) {
		pthread_kill(locker, SIGUSR1);
		while (hits < i)
			sched_yield();
	}
	say("unlock %s", rc(SC(SYS_futex, &sh->word, UNLOCK_PI)));
	gate_pass(up);
	gate_open(down);
	pthread_join(locker, NULL);
	say("unlock %s", rc(SC(SYS_futex, &sh->cond, UNLOCK_PI)));
}

int main(void)
{
	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		die("mmap");
	up = gate_new();
	down = gate_new();
	raw();
	in_child("raw in a child", raw);
	with_signals(0);
	with_signals(SA_RESTART);
	library();
	in_child("library in a child", library);
	return 0;
}
