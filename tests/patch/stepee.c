/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that stepper.c stops at every instruction of a patched call, from outside. In each round it makes the
 * call with every register known, between two breakpoints; a handler of SIGUSR1 that runs meanwhile must find the
 * program's own context, and the call must have its result once.
 *
 * usage: stepee GO CALL [THREAD]    GO: a file that exists once the tracer is there; THREAD: beside another one
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* Offsets are in the assembler below. */
struct regs {
	uint64_t rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15, rax, rsp, flags;
};

/* A call site of its own for each number, warm calls without breakpoints. */
#define SITE(name, nr)                                                                     \
	extern const char site_##name[], warm_##name[], after_##name[];                    \
	__asm__(".text\n.balign 64\n"                                                      \
		"warm_" #name ":\n"                                                        \
		"	push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n" \
		"	push %rdi\n"                                                             \
		"	mov 48(%rdi),%rbx\n mov 56(%rdi),%rbp\n mov 64(%rdi),%r12\n"             \
		"	mov 72(%rdi),%r13\n mov 80(%rdi),%r14\n mov 88(%rdi),%r15\n"             \
		"	mov 8(%rdi),%rsi\n mov 16(%rdi),%rdx\n mov 24(%rdi),%r10\n"              \
		"	mov 32(%rdi),%r8\n mov 40(%rdi),%r9\n"                                   \
		"	mov %rsp,104(%rdi)\n"                                                    \
		"	cmpl $0,armed(%rip)\n"                                                   \
		"	mov 0(%rdi),%rdi\n"                                                      \
		"	je 1f\n"                                                                 \
		"	std\n stc\n"                                                             \
		"	int3\n"                                                                  \
		"1:\n"                                                                     \
		"site_" #name ":\n"                                                        \
		"	mov $" #nr ",%eax\n"                                               \
		"	syscall\n"                                                               \
		"after_" #name ":\n"                                                       \
		"	nop\n"                                                                   \
		"	pushf\n cld\n"                                                           \
		"	push %rdi\n"                                                             \
		"	mov 16(%rsp),%rdi\n"                                                     \
		"	mov %rsi,8(%rdi)\n mov %rdx,16(%rdi)\n mov %r10,24(%rdi)\n"              \
		"	mov %r8,32(%rdi)\n mov %r9,40(%rdi)\n mov %rbx,48(%rdi)\n"               \
		"	mov %rbp,56(%rdi)\n mov %r12,64(%rdi)\n mov %r13,72(%rdi)\n"             \
		"	mov %r14,80(%rdi)\n mov %r15,88(%rdi)\n mov %rax,96(%rdi)\n"             \
		"	pop %rsi\n mov %rsi,0(%rdi)\n"                                           \
		"	pop %rsi\n mov %rsi,112(%rdi)\n"                                         \
		"	cmpl $0,armed(%rip)\n"                                                   \
		"	je 2f\n"                                                                 \
		"	int3\n"                                                                  \
		"2:	pop %rdi\n"                                                            \
		"	pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"       \
		"	ret\n")

int armed;
SITE(getpid, 39);
SITE(getppid, 110);
SITE(gettid, 186);
SITE(sigmask, 14);
SITE(sigsys, 14);
SITE(kill, 62);
SITE(openat, 257);
SITE(stat, 4);
SITE(wait, 61);

static const struct call {
	const char *name, *warm, *site, *after;
	uint32_t nr;
} calls[] = {
#define CALL(name, nr)                                            \
	{                                                         \
#name, warm_##name, site_##name, after_##name, nr \
	}
	CALL(getpid, 39),  CALL(getppid, 110), CALL(gettid, 186),
	CALL(sigmask, 14), CALL(sigsys, 14),   CALL(kill, 62),
	CALL(openat, 257), CALL(stat, 4),      CALL(wait, 61),
};

static const struct call *call;
static struct regs want;
static int64_t want_rax;
static volatile int handled;
static const char *wrong;
static uint64_t wrong_at;
static struct stat st;
static uint64_t set = 1ul << 40, sigsys = 1ul << 30;

static void handler(int sig, siginfo_t *si, void *ctx)
{
	const greg_t *g = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	uint64_t ip = (uint64_t)g[REG_RIP], site = (uint64_t)call->site;

	(void)sig;
	(void)si;
	handled++;
	/* After the call, in the rest of the function, registers are on their way to their places. */
	if (ip > (uint64_t)call->after && ip < (uint64_t)call->after + 128)
		return;
	wrong_at = ip;
	if (ip != site && ip != site + 5 && ip != site + 7)
		wrong = "rip";
	else if (ip == site + 5 && (uint64_t)g[REG_RAX] != call->nr)
		wrong = "rax before";
	else if (ip == site + 7 && g[REG_RAX] != want_rax)
		wrong = "rax behind";
	else if ((uint64_t)g[REG_RDI] != want.rdi || (uint64_t)g[REG_RSI] != want.rsi ||
		 (uint64_t)g[REG_RDX] != want.rdx || (uint64_t)g[REG_R10] != want.r10 ||
		 (uint64_t)g[REG_R8] != want.r8 || (uint64_t)g[REG_R9] != want.r9)
		wrong = "arguments";
	else if ((uint64_t)g[REG_RBX] != want.rbx || (uint64_t)g[REG_RBP] != want.rbp ||
		 (uint64_t)g[REG_R12] != want.r12 || (uint64_t)g[REG_R13] != want.r13 ||
		 (uint64_t)g[REG_R14] != want.r14 || (uint64_t)g[REG_R15] != want.r15)
		wrong = "registers";
	else if ((uint64_t)g[REG_RSP] != want.rsp)
		wrong = "rsp";
	else if ((g[REG_EFL] & 0x401) != 0x401)
		wrong = "flags";
}

static void fill(struct regs *r)
{
	memset(r, 0, sizeof(*r));
	r->rdi = 0x1111000011110001;
	r->rsi = 0x2222000022220002;
	r->rdx = 0x3333000033330003;
	r->r10 = 0x4444000044440004;
	r->r8 = 0x5555000055550005;
	r->r9 = 0x6666000066660006;
	r->rbx = 0x7777000077770007;
	r->rbp = 0x8888000088880008;
	r->r12 = 0x9999000099990009;
	r->r13 = 0xaaaa0000aaaa000a;
	r->r14 = 0xbbbb0000bbbb000b;
	r->r15 = 0xcccc0000cccc000c;
	switch (call->nr) {
	case SYS_rt_sigprocmask:
		r->rdi = SIG_BLOCK;
		r->rsi = (uint64_t)(call->site == site_sigsys ? &sigsys : &set);
		r->rdx = 0;
		r->r10 = 8;
		break;
	case SYS_kill:
		r->rdi = (uint64_t)getpid();
		r->rsi = 0;
		break;
	case SYS_openat:
		r->rdi = (uint64_t)AT_FDCWD;
		r->rsi = (uint64_t) "/dev/null";
		r->rdx = O_RDONLY;
		break;
	case SYS_stat:
		r->rdi = (uint64_t) "/dev/null";
		r->rsi = (uint64_t)&st;
		break;
	case SYS_wait4:
		r->rdi = (uint64_t)-1;
		r->rsi = 0;
		r->rdx = WNOHANG;
		r->r10 = 0;
		break;
	}
}

/* What the call leaves behind is taken back. Without SIGSYS in the kernel's mask the next call that traps would kill. */
static void undo(const struct regs *r)
{
	sigset_t sys, old;

	if (call->nr == SYS_openat)
		close((int)r->rax);
	if (call->site != site_sigsys)
		return;
	sigemptyset(&sys);
	sigaddset(&sys, SIGSYS);
	if (sigprocmask(SIG_UNBLOCK, &sys, &old) || !sigismember(&old, SIGSYS))
		wrong = "SIGSYS is not blocked";
}

static void make(struct regs *r)
{
	((void (*)(struct regs *))(uintptr_t)call->warm)(r);
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A second thread, which takes no signal that is not for it. */
static void beside(void)
{
	pthread_t t;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&t, NULL, sleeper, NULL))
		exit(2);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct regs r;
	int rounds = 0;

	if (argc != 3 && argc != 4)
		return 2;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, argv[2]) == 0)
			call = &calls[i];
	if (!call)
		return 2;
	/* Process 1's masks and dispositions have more to them; the plain case is another's. */
	if (getpid() == 1) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			goto child;
		waitpid(pid, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
child:
	sigaction(SIGUSR1, &sa, NULL);
	if (argc == 4)
		beside();
	for (int i = 0; i < 100; i++) {
		fill(&r);
		make(&r);
		want_rax = (int64_t)r.rax;
		undo(&r);
	}
	printf("%s\n", *(const unsigned char *)call->site == 0xe9 ? "patched" : "plain");
	fflush(stdout);
	while (access(argv[1], F_OK))
		usleep(1000);
	for (;; rounds++) {
		fill(&want);
		r = want;
		want.rsp = 0;
		handled = 0;
		wrong = NULL;
		armed = 1;
		/* The function notes its stack pointer in its argument, and it is the same each time. */
		{
			struct regs first = r;

			armed = 0;
			make(&first);
			undo(&first);
			want.rsp = first.rsp;
			armed = 1;
		}
		make(&r);
		armed = 0;
		undo(&r);
		if (wrong)
			;
		else if (handled > 1)
			wrong = "handled twice";
		else if ((int64_t)r.rax != want_rax)
			wrong = "result";
		else if (memcmp(&r, &want, offsetof(struct regs, rax)) != 0)
			wrong = "registers afterwards";
		else if (r.rsp != want.rsp)
			wrong = "stack pointer";
		else if ((r.flags & 0x401) != 0x401)
			wrong = "flags afterwards";
		if (wrong) {
			printf("round %d: %s (rip site%+ld, result %ld)\n", rounds, wrong,
			       (long)(wrong_at - (uint64_t)call->site), (long)r.rax);
			fflush(stdout);
			return 1;
		}
		if (!access(argv[1], X_OK)) /* the tracer is done */
			break;
	}
	return 0;
}
