/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal whose handler belongs on a stack that cannot be written: the kernel tells the handler of SIGSEGV
 * instead if that one has a stack of its own, and ends the process otherwise.
 */
#include "probe.h"
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf back;
static char *hole, *readonly;

static void told(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;
	char here;

	say("  handler of %d: code %d address %s, stack %s", sig, si->si_code,
	    si->si_addr ? "some" : "null",
	    (char *)uc->uc_mcontext.gregs[REG_RSP] == hole	 ? "hole"
	    : (char *)uc->uc_mcontext.gregs[REG_RSP] == readonly ? "read-only"
								 : "ordinary");
	say("  mask %s, rax %lld, far away %d", mask_text(raw_mask()),
	    (long long)uc->uc_mcontext.gregs[REG_RAX], &here < hole || &here > hole + 8192);
	siglongjmp(back, 1);
}

static void handle(int sig, int flags)
{
	struct sigaction sa = {.sa_sigaction = told, .sa_flags = SA_SIGINFO | flags};

	sigaction(sig, &sa, NULL);
}

/* tgkill(pid, tid, sig) while the stack pointer is bad; the call itself needs no stack. */
static void fire(const char *name, char *sp, int sig)
{
	long pid = SC(SYS_getpid), tid = SC(SYS_gettid), r = SYS_tgkill;

	say("%s", name);
	if (!sigsetjmp(back, 1)) {
		__asm__ volatile("mov %%rsp, %%rbx\n"
				 "mov %[sp], %%rsp\n"
				 "syscall\n"
				 "mov %%rbx, %%rsp\n"
				 : "+a"(r)
				 : [sp] "r"(sp), "D"(pid), "S"(tid), "d"((long)sig)
				 : "rbx", "rcx", "r11", "memory");
		say("  came back with %s", rc(r));
	}
}

static void both(void)
{
	fire("a hole", hole, SIGUSR1);
	fire("read-only", readonly, SIGTERM);
	fire("a hole, SIGSEGV itself", hole, SIGSEGV);
}

static void blocked(void)
{
	set_raw_mask(BIT(SIGSEGV));
	fire("SIGSEGV blocked", hole, SIGUSR1);
}

static void ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	fire("SIGSEGV ignored", hole, SIGUSR1);
}

static void same_stack(void)
{
	handle(SIGSEGV, 0);
	fire("SIGSEGV on the same stack", hole, SIGUSR1);
}

static void unhandled(void)
{
	signal(SIGSEGV, SIG_DFL);
	fire("SIGSEGV at default", hole, SIGUSR1);
}

static void *stacked(void *p)
{
	stack_t st = {.ss_sp = malloc(65536), .ss_size = 65536};

	sigaltstack(&st, NULL);
	both();
	in_child("blocked", blocked);
	in_child("ignored", ignored);
	in_child("same stack", same_stack);
	in_child("unhandled", unhandled);
	return NULL;
}

int main(void)
{
	pthread_t t;

	hole = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(hole, 8192);
	mprotect(hole + 8192, 4096, PROT_READ);
	readonly = hole + 12288;
	hole += 4096;
	handle(SIGUSR1, 0);
	handle(SIGTERM, 0);
	handle(SIGSEGV, SA_ONSTACK);
	in_child("no alternate stack", same_stack);
	stacked(NULL);
	pthread_create(&t, NULL, stacked, NULL);
	pthread_join(t, NULL);
	return 0;
}
