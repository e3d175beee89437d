/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code of files, made here, mapped and called: which sites are patched and how they look then, which never are, and
 * whether threads that run a site while it is patched ever get a wrong answer.
 *
 * usage: sites golden | not | shared | race ROUNDS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u
#define WARM 100 /* calls, more than any threshold */
#define THREADS 3

typedef long (*function)(void);

static int failed;

static void check(int good, const char *what)
{
	printf("%s %s\n", good ? "ok" : "not ok", what);
	fflush(stdout);
	failed |= !good;
}

static void mov_syscall(uint8_t *at, uint32_t nr)
{
	at[0] = 0xb8;
	memcpy(at + 1, &nr, 4);
	memcpy(at + 5, "\x0f\x05\xc3", 3);
}

/* A file of one page of nops that return, with these bytes at an offset. */
static int code_file(const void *bytes, size_t n, unsigned at)
{
	uint8_t page[2 * PAGE];
	char name[] = "/tmp/sites.XXXXXX";
	int fd = mkstemp(name);

	memset(page, 0x90, sizeof(page));
	page[2 * PAGE - 1] = 0xc3;
	memcpy(page + at, bytes, n);
	if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page)) {
		perror("code_file");
		exit(2);
	}
	unlink(name);
	return fd;
}

static uint8_t *map(int fd, int prot, int flags)
{
	uint8_t *p = mmap(NULL, 2 * PAGE, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

static long call(const uint8_t *at)
{
	return ((function)(uintptr_t)at)();
}

static void warm(const uint8_t *at)
{
	for (int i = 0; i < WARM; i++)
		call(at);
}

static const struct {
	const char *name;
	uint32_t nr;
} numbers[] = {{"getpid", 39}, {"getppid", 110}, {"gettid", 186}};

static void golden(void)
{
	for (unsigned i = 0; i < 3; i++) {
		uint8_t code[8], *p, *at, *island;
		char what[64];
		int32_t rel;
		long before;
		int fd;

		mov_syscall(code, numbers[i].nr);
		fd = code_file(code, sizeof(code), 256);
		p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
		at = p + 256;
		before = call(at);
		warm(at);
		memcpy(&rel, at + 1, 4);
		snprintf(what, sizeof(what), "%s: five bytes became a jump", numbers[i].name);
		check(at[0] == 0xe9 && !memcmp(at + 5, code + 5, 3) && at[-1] == 0x90, what);
		if (at[0] != 0xe9)
			continue;
		island = at + 5 + rel;
		snprintf(what, sizeof(what), "%s: to an island of a mov and a jump", numbers[i].name);
		check(island[0] == 0x41 && island[1] == 0xbb && island[6] == 0xff && island[7] == 0x25,
		      what);
		snprintf(what, sizeof(what), "%s: whose page has no syscall", numbers[i].name);
		check(!memmem((void *)((uintptr_t)island & ~(PAGE - 1ul)), PAGE, "\x0f\x05", 2), what);
		snprintf(what, sizeof(what), "%s: the same answer", numbers[i].name);
		check(call(at) == before, what);
		/* Who lands on the syscall traps, and is answered. */
		long r;
		__asm__ volatile("call *%1"
				 : "=a"(r)
				 : "r"(at + 5), "0"((long)numbers[i].nr)
				 : "rcx", "r11", "memory");
		snprintf(what, sizeof(what), "%s: its syscall still is one", numbers[i].name);
		check(r == before, what);
		/* Another file's code in its place is what it is. */
		mov_syscall(code, 102); /* getuid */
		close(fd);
		fd = code_file(code, sizeof(code), 256);
		mmap(p, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
		snprintf(what, sizeof(what), "%s: another mapping in its place", numbers[i].name);
		check(call(at) == (long)getuid(), what);
		munmap(p, 2 * PAGE);
		close(fd);
	}
}

/* Called often, its bytes stay, its file's too. */
static void stays(const char *what, uint8_t *at, const uint8_t *code, size_t n, int fd, unsigned offset)
{
	uint8_t in_file[64];
	long first = call(at);

	warm(at);
	check(!memcmp(at, code, n) && call(at) == first, what);
	if (fd >= 0)
		check(pread(fd, in_file, n, offset) == (ssize_t)n && !memcmp(in_file, code, n),
		      "(and its file is as it was)");
}

static void must_not(void)
{
	uint8_t code[32], *p;
	int fd;

	mov_syscall(code, 110);
	fd = code_file(code, 8, 256);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_SHARED);
	stays("a shared mapping", p + 256, code, 8, fd, 256);
	p = map(fd, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
	stays("a writable mapping", p + 256, code, 8, fd, 256);
	close(fd);
	fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 0x90, PAGE);
	memcpy(p + 256, code, 8);
	mprotect(p, PAGE, PROT_READ | PROT_EXEC);
	stays("anonymous code", p + 256, code, 8, -1, 0);
	close(fd);

	/* The mov in another page than the syscall, or at the very start of one. */
	fd = code_file(code, 8, PAGE - 3);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	stays("a site across two pages", p + PAGE - 3, code, 8, fd, PAGE - 3);
	close(fd);
	fd = code_file(code, 8, PAGE);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	stays("a site at the start of a page", p + PAGE, code, 8, fd, PAGE);
	close(fd);

	/* mov $110,%eax; mov $110,%r8d; syscall; ret */
	memcpy(code, "\xb8\x6e\0\0\0\x41\xb8\x6e\0\0\0\x0f\x05\xc3", 14);
	fd = code_file(code, 14, 256);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	stays("a mov to another register", p + 256, code, 14, fd, 256);
	close(fd);

	/* mov $110,%eax; movl $110,-0x48(%rsp); syscall; ret */
	memcpy(code, "\xb8\x6e\0\0\0\xc7\x44\x24\xb8\x6e\0\0\0\x0f\x05\xc3", 16);
	fd = code_file(code, 16, 256);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	stays("a mov to memory", p + 256, code, 16, fd, 256);
	close(fd);

	/* mov $110,%eax; jmp +5; mov $39,%eax; syscall; ret: entered behind the mov, with another number */
	memcpy(code, "\xb8\x6e\0\0\0\xeb\x05\xb8\x27\0\0\0\x0f\x05\xc3", 15);
	fd = code_file(code, 15, 256);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	stays("a syscall that is jumped to", p + 256, code, 15, fd, 256);
	close(fd);

	/* mov $72,%eax; mov $-1,%edi; mov $9 (F_SETSIG -> F_GETOWN),%esi ... conditional calls */
	memcpy(code, "\xbf\xff\xff\xff\xff\xbe\x09\0\0\0\xb8\x48\0\0\0\x0f\x05\xc3", 18);
	fd = code_file(code, 18, 256);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	stays("a call that traps for some arguments only", p + 256, code, 18, fd, 256);
	close(fd);

	/* Who dispatches its calls by itself wants to see them all. Off is what it is already. */
	check(!prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 0, 0, 0) || errno == EINVAL,
	      "dispatch off");
	mov_syscall(code, 110);
	fd = code_file(code, 8, 256);
	p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	stays("a process that knows dispatching", p + 256, code, 8, fd, 256);
	close(fd);
}

/* --- memory that is shared -------------------------------------------------------------------- */

static char thread_stack[65536] __attribute__((aligned(16)));
static _Atomic int thread_done, thread_wrong;
static const uint8_t *shared_site;
static long shared_want;

static int thread_of_child(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3 * WARM; i++)
		if (call(shared_site) != shared_want)
			atomic_store(&thread_wrong, 1);
	atomic_store(&thread_done, 1);
	syscall(SYS_exit, 0);
	return 0;
}

/* Who am I, asked at patched sites by processes that share memory, and by a thread that a vfork child makes. */
static void shared(void)
{
	uint8_t code[8], *p[2];
	long me[2];
	volatile int bad = 0;
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		int fd;

		mov_syscall(code, i ? 186 : 39);
		fd = code_file(code, sizeof(code), 256);
		p[i] = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE) + 256;
		close(fd);
		warm(p[i]);
		me[i] = call(p[i]);
	}
	check(p[0][0] == 0xe9 && p[1][0] == 0xe9, "getpid and gettid are patched");
	pid = vfork();
	if (pid == 0) {
		long mine = syscall(SYS_getpid);

		for (int i = 0; i < WARM; i++)
			bad |= call(p[0]) != mine || call(p[1]) != mine || mine == me[0];
		shared_site = p[0];
		shared_want = mine;
		if (clone(thread_of_child, thread_stack + sizeof(thread_stack),
			  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
			  NULL) < 0)
			bad = 2;
		while (bad != 2 && !atomic_load(&thread_done))
			;
		_exit(0);
	}
	check(!bad && !atomic_load(&thread_wrong),
	      "a vfork child and its thread have the child's numbers");
	check(call(p[0]) == me[0] && call(p[1]) == me[1], "its parent has its own again");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	pid = fork();
	if (pid == 0)
		_exit(call(p[0]) != syscall(SYS_getpid) || call(p[1]) != syscall(SYS_getpid) ||
		      call(p[0]) == me[0]);
	waitpid(pid, (int *)&bad, 0);
	check(!bad, "a fork child has its own numbers");
	atomic_store(&thread_done, 0);
	pid = clone(thread_of_child, thread_stack + sizeof(thread_stack), CLONE_VM | SIGCHLD, NULL);
	shared_site = p[0];
	shared_want = pid;
	while (!atomic_load(&thread_done))
		bad |= call(p[0]) != me[0];
	check(!bad, "beside a process in the same memory the parent is itself");
	waitpid(pid, NULL, 0);
}

/* --- race ------------------------------------------------------------------------------------- */

static _Atomic int go, wrong;
static const uint8_t *target;
static uint32_t target_nr;

static void *hammer(void *arg)
{
	long pid = getpid(), ppid = getppid(), tid = syscall(SYS_gettid);

	(void)arg;
	for (int round = 1;; round++) {
		const uint8_t *at;
		long want;

		while (atomic_load(&go) < round)
			if (atomic_load(&go) < 0)
				return NULL;
		at = target;
		want = target_nr == 39 ? pid : target_nr == 110 ? ppid : tid;
		for (int i = 0; i < 400; i++)
			if (call(at) != want)
				atomic_fetch_add(&wrong, 1);
		atomic_fetch_add((_Atomic int *)arg, 1);
	}
}

static void race(int rounds)
{
	static _Atomic int done;
	pthread_t t[THREADS];
	int patched = 0, getpids = 0;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, hammer, &done);
	for (int i = 0; i < rounds; i++) {
		/* All places that the mov can have in a cache line, those that straddle one first. */
		unsigned at = 256 + 60 + (unsigned)i % 4;
		uint8_t code[8], *p;
		int fd;

		if (i % 8 >= 4)
			at = 256 + (unsigned)i % 64;
		target_nr = numbers[(unsigned)i % 3].nr;
		mov_syscall(code, target_nr);
		fd = code_file(code, sizeof(code), at);
		p = map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE);
		close(fd);
		target = p + at;
		atomic_store(&done, 0);
		atomic_store(&go, i + 1);
		while (atomic_load(&done) < THREADS)
			;
		patched += p[at] == 0xe9;
		getpids += target_nr == 39;
		if (p[at] != 0xe9 && memcmp(p + at, code, 8) && atomic_load(&wrong) == 0) {
			printf("# half patched: %02x %02x %02x %02x %02x\n", p[at], p[at + 1],
			       p[at + 2], p[at + 3], p[at + 4]);
		}
	}
	atomic_store(&go, -1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("# %d of %d patched, %d wrong answers\n", patched, rounds, atomic_load(&wrong));
	check(!atomic_load(&wrong), "no answer is wrong while threads run what is patched");
	/* There are only so many records in a process. */
	check(patched >= (rounds < 180 ? rounds : 180) - (getpids > 15 ? getpids - 15 : 0) - 2 ||
		      patched > 120,
	      "the sites are patched at the end");
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "golden") == 0)
		golden();
	else if (argc > 1 && strcmp(argv[1], "not") == 0)
		must_not();
	else if (argc > 1 && strcmp(argv[1], "shared") == 0)
		shared();
	else if (argc > 2 && strcmp(argv[1], "race") == 0)
		race(atoi(argv[2]));
	else
		return 2;
	return failed;
}
