/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every place where control enters or leaves the resident other than by a C call. Offsets of struct
 * rs_frame are asserted in resident/call.c. rs_text_start is the first and rs_text_end the last symbol of
 * the text (see resident.ld), the range the filter trusts.
 *
 * None of these routines has CFI: nothing unwinds through the resident, because a signal always
 * presents the program's own context.
 */
#define F_RDI 0
#define F_RSI 8
#define F_RDX 16
#define F_R10 24
#define F_R8 32
#define F_R9 40
#define F_RAX 48
#define F_RIP 56
#define F_RSP 64
#define F_RFLAGS 72
#define F_RBX 80
#define F_RBP 88
#define F_R12 96
#define F_R13 104
#define F_R14 112
#define F_R15 120
#define F_PHASE 128
#define F_RESULT 136
#define F_RAW 144
#define F_NR 152
#define F_A0 160
#define F_A1 168
#define F_A2 176
#define F_A3 184
#define F_A4 192
#define F_A5 200
#define F_OUT_RIP 208
#define F_TRACED 216
#define F_LATE 232
#define F_HAS_TEMP_MASK 256 /* and judged */
#define F_WAITED 264

#define A_HTID CALL_TOP /* half of the owner word */
#define A_CUR (CALL_TOP + 8)
#define A_CALL_TOP (CALL_TOP + 16)

/* struct rs_patch, struct rs_site */
#define P_WORD 0
#define P_SOLO 8
#define P_FOREIGN 16
#define P_PID 20
#define P_SHARED 24
#define S_RET 0
#define S_NR 8

#define PHASE_RESTART 1
#define PHASE_AFTER 3
#define NR_GETPID 39
#define NR_GETTID 186
#define AREA_MASK -65536
#define ISLANDS 254
#define CALL_TOP 23296

	.section .text.entry, "ax", @progbits

/* The kernel's entry of a new image: the initial stack is kept, we run on the main area's. */
	.globl _start
	.hidden _start
	.type _start, @function
_start:
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	leaq	rs_main_area(%rip), %rsi
	leaq	CALL_TOP(%rsi), %rsp
	call	rs_start
	ud2

/*
 * rs_enter(rsp, rip): first jump into the program; rdx = 0 says "no function for atexit". The system call is a
 * report: to a tracer's resident it means "here the new program begins" (resident/trace_stop.c).
 */
	.globl rs_enter
	.hidden rs_enter
	.type rs_enter, @function
rs_enter:
	movq	%rdi, %rsp
	movl	$NR_GETPID, %eax
	syscall
	.globl rs_enter_reported
	.hidden rs_enter_reported
rs_enter_reported:
	movq	%rsi, %rcx
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%edx, %edx
	xorl	%esi, %esi
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	jmp	*%rcx

/* Every kernel-level signal handler: edit the frame, return by rt_sigreturn. All registers are free. */
	.globl rs_sig_entry
	.hidden rs_sig_entry
	.type rs_sig_entry, @function
rs_sig_entry:
	movq	%rsp, %rbx
	movq	%rsp, %rcx
	andq	$AREA_MASK, %rcx
	andq	$-16, %rsp
	call	rs_signal
	leaq	8(%rbx), %rsp
	.globl rs_restorer
	.hidden rs_restorer
	.type rs_restorer, @function
rs_restorer:
	movl	$15, %eax
	syscall
	ud2

/*
 * Where islands jump to (resident/patch.c): r11 is the offset of the site's record, rcx is free, everything
 * else is the program's, flags too. Up to rs_patched_end a signal that runs a handler undoes all of it: the program
 * is at its `syscall` again. What cannot go this way, because it is not known whose area it is or because somebody
 * traces, goes to the program's `syscall` and traps.
 */
	.globl rs_patched
	.hidden rs_patched
rs_patched:
	.globl rs_patched_getpid
	.hidden rs_patched_getpid
	.type rs_patched_getpid, @function
rs_patched_getpid:
	movl	rs_patch+P_FOREIGN(%rip), %ecx
	jrcxz	1f
	jmp	5f
1:	movq	rs_patch+P_WORD(%rip), %rcx
	movl	(%rcx), %ecx
	jrcxz	2f
	jmp	5f
2:	leaq	rs_patch_sites(%rip), %rcx
	movl	rs_patch+P_PID(%rip), %eax
	movq	S_RET(%rcx,%r11), %rcx
	jmp	*%rcx

	.globl rs_patched_call
	.hidden rs_patched_call
	.type rs_patched_call, @function
rs_patched_call:
	movq	rs_patch+P_WORD(%rip), %rcx
	movl	(%rcx), %ecx
	jrcxz	6f
5:	leaq	rs_patch_sites(%rip), %rcx
	movl	S_NR(%rcx,%r11), %eax
	movq	S_RET(%rcx,%r11), %rcx
	leaq	-2(%rcx), %rcx
	jmp	*%rcx
6:	movq	rs_patch+P_SOLO(%rip), %rcx
	jrcxz	7f
	jmp	9f
	/* Several tasks: the kernel knows which one this is. The way back from there is the record. */
7:	movl	rs_patch+P_SHARED(%rip), %ecx
	jrcxz	5b
	leaq	rs_patched_asks(%rip), %rcx
	leaq	(%rcx,%r11), %rcx
	movl	$NR_GETTID, %eax
	jmp	*%rcx
8:	movq	%r11, %rcx
	bswapq	%rcx
	leaq	(%rax,%rcx), %rax
	.globl rs_patched_told
	.hidden rs_patched_told
rs_patched_told: /* rax: the tid, and in the upper two bytes, swapped, the offset */
	movzbl	%al, %ecx
	leaq	rs_patch_tids(%rip), %r11
	movq	(%r11,%rcx,8), %r11
	movl	A_HTID(%r11), %ecx
	notq	%rcx
	leal	1(%rax,%rcx), %ecx
	jrcxz	1f
	movq	%rax, %r11
	bswapq	%r11
	movzwl	%r11w, %r11d
	.globl rs_patched_unknown
	.hidden rs_patched_unknown
rs_patched_unknown:
	jmp	5b
	.globl rs_patched_found
	.hidden rs_patched_found
rs_patched_found:
1:	movq	%r11, %rcx
	movq	%rax, %r11
	bswapq	%r11
	movzwl	%r11w, %r11d
	.globl rs_patched_known
	.hidden rs_patched_known
rs_patched_known: /* rcx: the area */
9:	movq	A_CUR(%rcx), %rax
	movq	%rdi, F_RDI(%rax)
	movq	%rsi, F_RSI(%rax)
	movq	%rdx, F_RDX(%rax)
	movq	%r10, F_R10(%rax)
	movq	%r8, F_R8(%rax)
	movq	%r9, F_R9(%rax)
	movq	%rsp, F_RSP(%rax)
	movq	%rbx, F_RBX(%rax)
	movq	%rbp, F_RBP(%rax)
	movq	%r12, F_R12(%rax)
	movq	%r13, F_R13(%rax)
	movq	%r14, F_R14(%rax)
	movq	%r15, F_R15(%rax)
	leaq	rs_patch_sites(%rip), %rdi
	.globl rs_patched_saved
	.hidden rs_patched_saved
rs_patched_saved: /* rax: the frame */
	movq	S_RET(%rdi,%r11), %rsi
	movq	%rsi, F_RIP(%rax)
	movl	S_NR(%rdi,%r11), %esi
	movq	%rsi, F_RAX(%rax)
	movq	A_CALL_TOP(%rcx), %rsp
	pushfq
	popq	F_RFLAGS(%rax)
	movq	$0, F_TRACED(%rax)
	movq	$0, F_LATE(%rax)
	movq	$0, F_HAS_TEMP_MASK(%rax)
	movl	$0, F_WAITED(%rax)
	movq	$PHASE_RESTART, F_PHASE(%rax)
	.globl rs_patched_end
	.hidden rs_patched_end
rs_patched_end:
	cld
	movq	%rax, %rdi
	movq	%rcx, %rsi
	jmp	rs_run

	/* From here an island's offset leads back: one entry for each, as no register survives a call. */
	.balign 16, 0xcc
	.globl rs_patched_asks
	.hidden rs_patched_asks
rs_patched_asks:
	.set i, 0
	.rept ISLANDS
	.balign 16, 0xcc
	syscall
	movl	$(i * 16), %r11d
	jmp	8b
	.set i, i + 1
	.endr
	.globl rs_patched_asks_end
	.hidden rs_patched_asks_end
rs_patched_asks_end:

/* rs_run(frame, area): where a trap is redirected to; rsp is the call stack. */
	.globl rs_run
	.hidden rs_run
	.type rs_run, @function
rs_run:
	movq	%rdi, %rbx
	andq	$-16, %rsp
	call	rs_dispatch
	movq	%rbx, %rdi

/*
 * rs_return(frame): back behind the program's syscall instruction. rcx and r11 are the call's to
 * clobber, all else is as it was.
 */
	.globl rs_return
	.hidden rs_return
	.type rs_return, @function
rs_return:
	cmpq	$0, F_TRACED(%rdi)
	jne	2f
1:	movq	%rdi, %r11
	pushq	F_RFLAGS(%r11)
	popfq
	movq	F_RESULT(%r11), %rax
	movq	F_RDI(%r11), %rdi
	movq	F_RSI(%r11), %rsi
	movq	F_RDX(%r11), %rdx
	movq	F_R10(%r11), %r10
	movq	F_R8(%r11), %r8
	movq	F_R9(%r11), %r9
	movq	F_RBX(%r11), %rbx
	movq	F_RBP(%r11), %rbp
	movq	F_R12(%r11), %r12
	movq	F_R13(%r11), %r13
	movq	F_R14(%r11), %r14
	movq	F_R15(%r11), %r15
	movq	F_OUT_RIP(%r11), %rcx
	movq	F_RSP(%r11), %rsp
	jmp	*%rcx
2:	andq	$-16, %rsp
	movq	%rdi, %rbx
	call	rs_report
	movq	%rbx, %rdi
	jmp	1b
/*
 * Where a tracer's resident sends a call that is over and that its tracer wants to see the end of: at the exit of this
 * call it puts the program's registers in place. rdi is the frame.
 */
	.globl rs_return_stop
	.hidden rs_return_stop
rs_return_stop:
	movl	$NR_GETPID, %eax
	syscall
	.globl rs_return_reported
	.hidden rs_return_reported
rs_return_reported:
	jmp	1b

/*
 * rs_interrupted(frame): where a tracer's resident sends a call that is to be given up and made again, so that it
 * stops at the end of a system call before the signal is seen.
 */
	.globl rs_interrupted
	.hidden rs_interrupted
	.type rs_interrupted, @function
rs_interrupted:
	movq	%rdi, %rbx
	movl	$NR_GETPID, %eax
	syscall
	.globl rs_interrupted_reported
	.hidden rs_interrupted_reported
rs_interrupted_reported:
	andq	$-16, %rsp
	movq	%rbx, %rdi
	call	rs_again
	ud2

/*
 * A call from a frame in phase RS_CALL, as function \name whose return from the kernel is \after, and whose result is
 * stored at \end; see rs_signal for what the labels mean.
 */
	.macro GATE name, after, end
	.globl \name
	.hidden \name
	.type \name, @function
\name:
	pushq	%rbx
	movq	%rdi, %rbx
	movq	F_NR(%rbx), %rax
	movq	F_A0(%rbx), %rdi
	movq	F_A1(%rbx), %rsi
	movq	F_A2(%rbx), %rdx
	movq	F_A3(%rbx), %r10
	movq	F_A4(%rbx), %r8
	movq	F_A5(%rbx), %r9
	syscall
	.globl \after
	.hidden \after
\after:
	movq	%rax, F_RAW(%rbx)
	movq	$PHASE_AFTER, F_PHASE(%rbx)
	.globl \end
	.hidden \end
\end:
	popq	%rbx
	ret
	.endm

/* rs_gate(frame): the one real call. */
	GATE rs_gate, rs_gate_after, rs_gate_end

/*
 * rs_ask_gate(frame): the same for the program's own call, made once more where the program's seccomp filters
 * see it: in front of what they exempt.
 */
	.section .text.ask, "ax", @progbits
	GATE rs_ask_gate, rs_ask_after, rs_ask_end
	.section .text.entry, "ax", @progbits

/*
 * rs_clone_gate(frame, child_area, child_stack): signals are blocked. child_stack 0: the child has a
 * copy of this stack and returns 0 here (fork). 1: the child shares it and runs below (vfork). Otherwise
 * the child's own stack. The stack pointer that the kernel gave the child is the program's business and
 * stays in the frame.
 */
	.globl rs_clone_gate
	.hidden rs_clone_gate
	.type rs_clone_gate, @function
rs_clone_gate:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rdi, %rbx
	movq	%rsi, %r12
	movq	%rdx, %r13
	movq	%rsp, %r14
	movq	F_NR(%rbx), %rax
	movq	F_A0(%rbx), %rdi
	movq	F_A1(%rbx), %rsi
	movq	F_A2(%rbx), %rdx
	movq	F_A3(%rbx), %r10
	movq	F_A4(%rbx), %r8
	movq	F_A5(%rbx), %r9
	syscall
	.globl rs_clone_gate_after
	.hidden rs_clone_gate_after
rs_clone_gate_after:
	testq	%rax, %rax
	jz	1f
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
1:	movq	%r14, %rsp
	testq	%r13, %r13
	jnz	2f
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
2:	leaq	-256(%r14), %rsp
	cmpq	$1, %r13
	je	3f
	movq	%r13, %rsp
3:	andq	$-16, %rsp
	movq	%r12, %rdi
	movq	%rbx, %rsi
	xorl	%ebp, %ebp
	call	rs_child
	ud2

/*
 * rs_copy_gate(job, arg): clone(CLONE_VM | CLONE_VFORK | CLONE_UNTRACED) without an exit signal; the child runs job(arg)
 * below this frame while we sleep, and exits.
 */
	.globl rs_copy_gate
	.hidden rs_copy_gate
	.type rs_copy_gate, @function
rs_copy_gate:
	pushq	%rbx
	pushq	%r12
	movq	%rdi, %rbx
	movq	%rsi, %r12
	movl	$56, %eax
	movl	$0x804100, %edi
	leaq	-256(%rsp), %rsi
	andq	$-16, %rsi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	xorl	%r8d, %r8d
	syscall
	testq	%rax, %rax
	jz	1f
	popq	%r12
	popq	%rbx
	ret
1:	movq	%r12, %rdi
	call	*%rbx
	xorl	%edi, %edi
	movl	$60, %eax
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
