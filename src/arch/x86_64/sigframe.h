/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's signal frame and signal structures as the resident reads and writes them:
 * arch/x86/include/asm/sigframe.h, arch/x86/include/uapi/asm/sigcontext.h, uapi/asm-generic/siginfo.h.
 */
#ifndef ARCH_X86_64_SIGFRAME_H
#define ARCH_X86_64_SIGFRAME_H

#include <stddef.h>
#include <stdint.h>

struct ax_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate; /* address of the XSAVE area, 0: none, and then sigreturn clears the FPU */
	uint64_t reserved[8];
};

struct ax_stack {
	uint64_t sp;
	int32_t flags;
	int32_t pad;
	uint64_t size;
};

struct ax_ucontext {
	uint64_t flags;
	uint64_t link;
	struct ax_stack stack;
	struct ax_sigcontext mc;
	uint64_t sigmask;
};

struct ax_siginfo {
	int32_t signo, err, code, pad;
	union {
		struct {
			int32_t pid; /* SI_USER, SI_TKILL, CLD_*, SI_MESGQ */
			uint32_t uid;
			int32_t status;
		};
		struct {
			uint64_t call_addr; /* SIGSYS */
			int32_t syscall;
			uint32_t arch;
		};
		uint8_t raw[112];
	};
};

struct ax_rt_sigframe {
	uint64_t pretcode;
	struct ax_ucontext uc;
	struct ax_siginfo info;
};

/* struct _fpx_sw_bytes at offset 464 of the legacy FXSAVE area. */
#define AX_FPX_SW_OFF 464
#define AX_FP_XSTATE_MAGIC1 0x46505853u
#define AX_FXSAVE_SIZE 512u

struct ax_sigaction {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

_Static_assert(sizeof(struct ax_sigcontext) == 256, "uapi");
_Static_assert(offsetof(struct ax_ucontext, sigmask) == 296, "uapi");
_Static_assert(sizeof(struct ax_siginfo) == 128, "uapi");
_Static_assert(sizeof(struct ax_sigaction) == 32, "uapi");
_Static_assert(sizeof(struct ax_stack) == 24, "uapi");

#define AX_EFLAGS_TF 0x100UL
#define AX_EFLAGS_DF 0x400UL
#define AX_EFLAGS_RF 0x10000UL

#define AX_REDZONE 128u /* System V AMD64 ABI 3.2.2 */

#endif
