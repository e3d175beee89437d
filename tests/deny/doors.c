/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other doors into the kernel, which the tree's filter shuts whatever the number: the 32-bit
 * instruction and the x32 numbers, from the main thread, a child and a thread, with wild arguments.
 */
#include "deny.h"

#define IA32 "ia32 entry (int 0x80, compat) (i386 table)"
#define IA32_FIELD "all of the above plus waitpid 7, ipc 117, socketcall 102, *_time64 variants"
#define X32 "x32 entry (nr+0x40000000, 512-547)"
#define X32_FIELD                                                                        \
	"ptrace 521, rt_sigqueueinfo 524, timer_create 526, mq_notify 527, waitid 529, " \
	"get_robust_list 531, move_pages 533, rt_tgsigqueueinfo 536, recvmsg 519..."
#define X32_BIT 0x40000000l

static long int80(int nr, int a, int b, int c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "0"((long)nr), "b"((long)a), "c"((long)b), "d"((long)c), "S"(0l), "D"(0l)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static void *doors(void *p)
{
	/* exit, fork, waitpid, getpid, ptrace, kill, getppid, setsid, socketcall, ipc, clone, exit_group,
	   tgkill, waitid, clone3, rt_sigtimedwait_time64 */
	static const int i386[] = {1,	2,   7,	  20,  26,  37,	 64,  66, 102,
				   117, 120, 252, 270, 284, 435, 421, 0,  999999};

	for (size_t i = 0; i < COUNT(i386); i++) {
		deny("syscall", IA32, IA32_FIELD, int80(i386[i], 0, 0, 0));
		deny("syscall", IA32, IA32_FIELD, int80(i386[i], -1, -1, -1));
	}
	for (long nr = 0; nr < 560; nr += nr < 470 ? 13 : 1)
		deny("syscall", X32, X32_FIELD, SC(X32_BIT | nr, 0, 0, 0));
	deny("syscall", X32, X32_FIELD, SC(X32_BIT | SYS_kill, -1, SIGKILL));
	deny("syscall", X32, X32_FIELD, SC(X32_BIT | 0x100000000l | SYS_getpid));
	return p;
}

int main(void)
{
	pthread_t t;
	pid_t pid;

	doors(NULL);
	pid = fork_or_die();
	if (!pid) {
		doors(NULL);
		_exit(0);
	}
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
	pthread_create(&t, NULL, doors, NULL);
	pthread_join(t, NULL);
	return 0;
}
