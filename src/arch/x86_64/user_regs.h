/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct user_regs_struct (arch/x86/include/asm/user_64.h) and the requests of ptrace(2) that a tracer's resident knows.
 */
#ifndef ARCH_X86_64_USER_REGS_H
#define ARCH_X86_64_USER_REGS_H

#include <stdint.h>

struct ax_user_regs {
	uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
	uint64_t ip, cs, flags, sp, ss, fs_base, gs_base, ds, es, fs, gs;
};
_Static_assert(sizeof(struct ax_user_regs) == 27 * 8, "uapi");

enum ax_ptrace {
	AX_TRACEME = 0,
	AX_PEEKTEXT = 1,
	AX_PEEKDATA = 2,
	AX_PEEKUSER = 3,
	AX_POKEDATA = 5,
	AX_POKEUSER = 6,
	AX_CONT = 7,
	AX_KILL = 8,
	AX_SINGLESTEP = 9,
	AX_GETREGS = 12,
	AX_SETREGS = 13,
	AX_ATTACH = 16,
	AX_DETACH = 17,
	AX_OLDSETOPTIONS = 21,
	AX_SYSCALL = 24,
	AX_SYSEMU = 31,
	AX_SYSEMU_SINGLESTEP = 32,
	AX_SINGLEBLOCK = 33,
	AX_SETOPTIONS = 0x4200,
	AX_GETEVENTMSG = 0x4201,
	AX_GETSIGINFO = 0x4202,
	AX_SETSIGINFO = 0x4203,
	AX_GETREGSET = 0x4204,
	AX_SETREGSET = 0x4205,
	AX_SEIZE = 0x4206,
	AX_INTERRUPT = 0x4207,
	AX_LISTEN = 0x4208,
	AX_PEEKSIGINFO = 0x4209,
	AX_GETSIGMASK = 0x420a,
	AX_SETSIGMASK = 0x420b,
	AX_GET_SYSCALL_INFO = 0x420e,
};

#define AX_EVENT_FORK 1
#define AX_EVENT_VFORK 2
#define AX_EVENT_CLONE 3
#define AX_EVENT_EXEC 4
#define AX_EVENT_VFORK_DONE 5
#define AX_EVENT_EXIT 6
#define AX_EVENT_SECCOMP 7
#define AX_EVENT_STOP 128

#define AX_O_SYSGOOD 1u
#define AX_O_FORK (1u << AX_EVENT_FORK)
#define AX_O_VFORK (1u << AX_EVENT_VFORK)
#define AX_O_CLONE (1u << AX_EVENT_CLONE)
#define AX_O_EXEC (1u << AX_EVENT_EXEC)

#endif
