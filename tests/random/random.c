/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conductor: chooses operations, waits until they have had their effect, and prints one line for
 * each and one for each signal that a handler took.
 *
 * usage: random SEED COUNT [KEEP [WITHOUT]]
 *            KEEP: only these operations, as 1-5,8,...; WITHOUT: names of operations that do nothing
 *        random names                 the operations there are
 *        random actor SLOT            the program that an operation executes
 */
#include "random.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

const struct op *op_numbered(int number);

/* --- choices ----------------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

uint32_t any(uint32_t below)
{
	ALL->random += 0x9e3779b97f4a7c15ull;
	return (uint32_t)((mixed(ALL->random) >> 32) * below >> 32);
}

int chance(uint32_t percent)
{
	return any(100) < percent;
}

long junk(long n)
{
	return chance(20) ? (long)(0xdeadbeef00000000ul | (uint32_t)n) : n;
}

static int member_slot(void)
{
	int alive[SLOTS], n = 0;

	for (int i = 0; i < SLOTS; i++)
		if (ALL->slots[i].alive)
			alive[n++] = i;
	return alive[any((uint32_t)n)];
}

/* Somebody who is there, with the number of the process or, more rarely, of the thread. */
int any_member(int slot)
{
	int n = member_slot();

	(void)slot;
	return chance(30) ? ALL->slots[n].tid : ALL->slots[n].pid;
}

int any_number(int slot)
{
	static const int special[] = {INT_MIN, INT_MIN + 1, INT_MAX, 4194304,
				      4194303, 65536,	    999,     32768};
	uint32_t kind = any(100);

	if (kind < 45)
		return any_member(slot);
	if (kind < 60)
		return chance(50) ? ALL->slots[slot].pid : ALL->slots[slot].tid;
	if (kind < 75)
		return ALL->history[any((uint32_t)ALL->known)];
	if (kind < 80)
		return 0;
	if (kind < 84)
		return -1;
	if (kind < 88)
		return 1;
	if (kind < 91)
		return ALL->history[ALL->known - 1] + 1 + (int)any(3);
	if (kind < 95)
		return special[any(COUNT(special))];
	return -any_member(slot);
}

const char *number_text(long *n)
{
	char *s = scratch();
	int low = (int)*n;

	*n = junk(low);
	snprintf(s, 160, "%d%s", low, *n == low ? "" : "^");
	return s;
}

/* --- what is shared ---------------------------------------------------------------------------- */

void tell(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(ALL->line + ALL->used, sizeof(ALL->line) - ALL->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		ALL->used += (size_t)n;
	if (ALL->used >= sizeof(ALL->line))
		ALL->used = sizeof(ALL->line) - 1;
}

int remembered(int number)
{
	for (int i = 0; i < ALL->known; i++)
		if (ALL->history[i] == number)
			return 1;
	return 0;
}

void remember(int number)
{
	if (remembered(number))
		return;
	if (ALL->known == HISTORY) {
		memmove(ALL->history, ALL->history + 1, sizeof(ALL->history) - sizeof(int));
		ALL->known--;
	}
	ALL->history[ALL->known++] = number;
}

int ends_crowds(void)
{
	return !(ALL->seed & 1);
}

/* How many threads the process has that a number names. */
int threads_of(int number)
{
	int pid = number, n = 0;

	for (int i = 0; i < SLOTS; i++)
		if (ALL->slots[i].alive && ALL->slots[i].tid == number)
			pid = ALL->slots[i].pid;
	for (int i = 0; i < SLOTS; i++)
		n += ALL->slots[i].alive && ALL->slots[i].pid == pid;
	return n;
}

/* A slot for a new actor, with nothing in its pipes; -1 when there are enough. */
int free_slot(void)
{
	int alive = 0, found = -1;
	char rest[64];

	for (int i = 0; i < SLOTS; i++) {
		alive += ALL->slots[i].alive != 0;
		if (found < 0 && !ALL->slots[i].alive)
			found = i;
	}
	if (alive >= ALIVE_MAX || found < 0)
		return -1;
	for (int i = 0; i < 4; i += 2) {
		struct pollfd p = {PIPE_FD + 4 * found + i, POLLIN, 0};

		while (poll(&p, 1, 0) == 1)
			SC(SYS_read, p.fd, rest, sizeof(rest));
	}
	return found;
}

/* --- settling ---------------------------------------------------------------------------------- */

/* One round through the lock under which the kernel ends processes and tells their parents. */
static void after_exits(void)
{
	siginfo_t si;

	SC(SYS_waitid, P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);
}

static char state_of(int pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return stat_state(path);
}

/*
 * The kernel gives a number back a moment after its task has left: as the owner of a descriptor it is still found
 * then. What a group still uses is found for good, so this is no question of for ever.
 */
static void await_number(int n)
{
	for (int i = 0; i < 100 && SC(SYS_fcntl, SPARE_FD, F_SETOWN, (long)n) != -ESRCH; i++)
		usleep(200);
}

/*
 * Until a process that has ended is somebody's zombie or has left, nothing else happens. Zombies that it had
 * leave with it when nobody else wants them.
 */
static void await_end(int pid)
{
	int tries = 20000;

	for (int k = -1; k < ALL->known; k++) {
		int n = k < 0 ? pid : ALL->history[k];
		char state = state_of(n);

		while ((k < 0 && state != 'Z' && state != '-') || state == 'X') {
			if (!tries--)
				die("%d does not end", n);
			usleep(200);
			state = state_of(n);
		}
		if (k < 0 && state == '-')
			await_number(n);
		if (k < 0)
			after_exits();
	}
}

static void await_thread(int slot)
{
	struct slot *s = &ALL->slots[slot];

	for (int i = 0; i < 20000; i++) {
		if (SC(SYS_tgkill, s->pid, s->tid, 0) == -ESRCH) {
			s->alive = 0;
			await_number(s->tid);
			return;
		}
		usleep(100);
	}
	die("thread %d does not end", s->tid);
}

/* The answer of an actor, or its end. */
static int answered(int slot)
{
	struct pollfd p[2] = {{PIPE_FD + 4 * slot + 2, POLLIN, 0}, {PIDFD_FD + slot, POLLIN, 0}};
	char c;

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (!(p[0].revents & POLLIN))
		return 0;
	while (SC(SYS_read, p[0].fd, &c, 1) == -EINTR)
		;
	return 1;
}

static void order(int slot, char what)
{
	while (SC(SYS_write, PIPE_FD + 4 * slot + 1, &what, 1) == -EINTR)
		;
}

static void ended(int slot)
{
	int pid = ALL->slots[slot].pid;

	await_end(pid);
	tell("\n  %d ended", pid);
	for (int i = 0; i < SLOTS; i++)
		if (ALL->slots[i].alive && ALL->slots[i].pid == pid)
			ALL->slots[i].alive = 0;
}

static void watch_new(void)
{
	for (int i = 1; i < SLOTS; i++) {
		struct slot *s = &ALL->slots[i];
		long fd;

		if (s->alive != 1)
			continue;
		fd = SC(SYS_pidfd_open, s->pid, 0);
		if (fd < 0)
			die("pidfd_open of new %d: %s", s->pid, rc(fd));
		SC(SYS_dup2, fd, PIDFD_FD + i);
		SC(SYS_close, fd);
		s->alive = 2;
	}
}

static int by_text(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct note));
}

/*
 * What a process of several threads was sent any of them may take: whoever makes a call just then, or whose turn
 * the kernel thinks it is. A signal of a thread's own is shown as its process's, too.
 */
static void show_taken(void)
{
	static struct note notes[SLOTS * LOGGED];

	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &ALL->slots[i];
		int crowd = threads_of(s->pid) > 1, n = 0;

		for (int j = crowd ? 0 : i; j < (crowd ? SLOTS : i + 1); j++) {
			struct slot *t = &ALL->slots[j];

			if (t->pid != s->pid)
				continue;
			/* All of them where the first is. */
			if (j < i && t->alive)
				break;
			for (int k = 0; k < t->logged; k++) {
				notes[n] = t->log[k];
				if (crowd)
					notes[n].tid = s->pid;
				n++;
			}
			t->logged = 0;
		}
		if (crowd)
			qsort(notes, (size_t)n, sizeof(notes[0]), by_text);
		for (int k = 0; k < n; k++)
			tell("\n  %d took %d code %d from %d value %ld", notes[k].tid, notes[k].sig,
			     notes[k].code, notes[k].pid, notes[k].value);
	}
}

static void settle(void)
{
	int deaths;

	watch_new();
	if (ALL->ends)
		await_end(ALL->ends);
	ALL->ends = 0;
	do {
		deaths = 0;
		for (int i = 1; i < SLOTS; i++) {
			if (!ALL->slots[i].alive)
				continue;
			order(i, 'p');
			if (!answered(i)) {
				ended(i);
				deaths++;
			}
		}
	} while (deaths);
	show_taken();
}

/* --- the sequence ------------------------------------------------------------------------------ */

static int kept(const char *list, int i)
{
	while (list && *list) {
		int first = (int)strtol(list, (char **)&list, 10), last = first;

		if (*list == '-')
			last = (int)strtol(list + 1, (char **)&list, 10);
		if (i >= first && i <= last)
			return 1;
		if (*list)
			list++;
	}
	return 0;
}

/*
 * Each operation draws as many lots as it weighs, and the highest wins: with another operation in the table all the
 * others still win where they did, unless it does. So kept seeds stay what they are, mostly.
 */
static int chosen_op(void)
{
	uint64_t highest = 0;
	int best = 0;

	for (int n = 0; op_numbered(n); n++) {
		uint64_t name = 0xcbf29ce484222325ull;

		for (const char *p = op_numbered(n)->name; *p; p++)
			name = (name ^ (uint8_t)*p) * 0x100000001b3ull;
		for (int k = 0; k < op_numbered(n)->weight; k++) {
			uint64_t lot = mixed(ALL->random ^ name ^ (uint64_t)k << 32);

			if (lot > highest) {
				highest = lot;
				best = n;
			}
		}
	}
	any(2);
	return best;
}

static int left_out(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; p && (p = strstr(p, name)); p += len)
		if ((p == list || p[-1] == ',') && (!p[len] || p[len] == ','))
			return 1;
	return 0;
}

static void perform(int index, const char *without)
{
	int slot = member_slot();

	ALL->index = index;
	ALL->op = chosen_op();
	ALL->used = 0;
	ALL->exiting = 0;
	tell("%d: %d/%d %s ", index, ALL->slots[slot].pid, ALL->slots[slot].tid,
	     op_numbered(ALL->op)->name);
	/* At once, for the reader of a sequence that hangs. */
	put(ALL->line, ALL->used);
	ALL->used = 0;
	if (left_out(without, op_numbered(ALL->op)->name)) {
		tell("left out");
	} else if (!slot) {
		op_numbered(ALL->op)->run(0);
	} else {
		order(slot, 'o');
		if (!answered(slot))
			ended(slot);
		else if (ALL->exiting)
			await_thread(slot);
	}
	settle();
	tell("\n");
	put(ALL->line, ALL->used);
}

static void map_shared(void)
{
	void *p = mmap(SHARED_AT, sizeof(struct shared), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, SHARED_FD, 0);

	if (p != SHARED_AT)
		die("no shared memory");
}

static void put_at(int fd, int want)
{
	if (fd < 0)
		die("descriptors: %s", err(errno));
	if (fd != want) {
		dup2(fd, want);
		close(fd);
	}
}

static void world(const char *self)
{
	struct sockaddr_un name = {AF_UNIX, "listener"};
	int fds[2], queue;

	put_at((int)syscall(SYS_memfd_create, "random", 0), SHARED_FD);
	if (ftruncate(SHARED_FD, sizeof(struct shared)))
		die("shared memory: %s", err(errno));
	map_shared();
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds))
		die("sockets: %s", err(errno));
	put_at(fds[0], SOCKET_FD);
	put_at(fds[1], SOCKET_FD + 1);
	put_at(socket(AF_UNIX, SOCK_DGRAM, 0), SPARE_FD);
	put_at(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), LISTEN_FD);
	if (bind(LISTEN_FD, (struct sockaddr *)&name, sizeof(name)) || listen(LISTEN_FD, 8))
		die("listener: %s", err(errno));
	/* Where there are none it is the same descriptor as before, and refuses. */
	queue = (int)SC(SYS_mq_open, "random", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
	put_at(queue < 0 ? dup(SPARE_FD) : queue, QUEUE_FD);
	SC(SYS_mq_unlink, "random");
	put_at(open("locks", O_RDWR | O_CREAT | O_TRUNC, 0600), LOCK_FD);
	for (int i = 0; i < 2 * SLOTS; i++) {
		if (pipe(fds))
			die("pipes: %s", err(errno));
		put_at(fds[0], PIPE_FD + 2 * i);
		put_at(fds[1], PIPE_FD + 2 * i + 1);
	}
	snprintf(ALL->self, sizeof(ALL->self), "%s", self);
	ALL->shm = shmget(IPC_PRIVATE, 4096, 0600);
	ALL->sem = semget(IPC_PRIVATE, 1, 0600);
	ALL->msg = msgget(IPC_PRIVATE, 0600);
	ALL->slots[0] = (struct slot){.alive = 2, .pid = 1, .tid = 1};
	remember(1);
	install_handlers();
	/* Whoever else is in the group that it was started in is not the question. */
	SC(SYS_setpgid, 0, 0);
}

static void executed(int slot)
{
	struct slot *s;

	map_shared();
	s = &ALL->slots[slot];
	for (int i = 0; i < SLOTS; i++)
		if (i != slot && ALL->slots[i].pid == s->pid)
			ALL->slots[i].alive = 0;
	s->pid = (int)SC(SYS_getpid);
	s->tid = (int)SC(SYS_gettid);
	install_handlers();
	tell("is %d/%d child of %ld", s->pid, s->tid, SC(SYS_getppid));
	while (SC(SYS_write, PIPE_FD + 4 * slot + 3, "o", 1) == -EINTR)
		;
	actor((void *)(long)slot);
}

int main(int argc, char **argv)
{
	int count;

	if (argc == 3 && !strcmp(argv[1], "actor"))
		executed(atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "names")) {
		for (int i = 0; op_numbered(i); i++)
			say("%s", op_numbered(i)->name);
		return 0;
	}
	if (argc < 3 || SC(SYS_getpid) != 1)
		die("usage: random SEED COUNT [KEEP], as process 1");
	world(argv[0]);
	ALL->seed = strtoull(argv[1], NULL, 0);
	count = atoi(argv[2]);
	for (int i = 1; i <= count; i++) {
		if (argc > 3 && !kept(argv[3], i))
			continue;
		ALL->random = mixed(ALL->seed * 0x9e3779b97f4a7c15ull + (uint64_t)i);
		perform(i, argc > 4 ? argv[4] : NULL);
	}
	shmctl(ALL->shm, IPC_RMID, NULL);
	semctl(ALL->sem, 0, IPC_RMID);
	msgctl(ALL->msg, IPC_RMID, NULL);
	/* In a group of another number the kernel's process 1 would never end. */
	SC(SYS_setpgid, 0, 0);
	say("end");
	return 0;
}
