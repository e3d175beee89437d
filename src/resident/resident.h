/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resident: what runs in every process of every namespace. Its rules:
 *
 *  - No libc, no TLS, no FS/GS, no heap, general registers only, no recursion, bounded frames.
 *  - A kernel-level signal handler of ours only edits the frame it was given and returns by
 *    rt_sigreturn. It runs with every signal blocked, on the thread area's alternate stack.
 *  - A trapped call runs in ordinary context, with the program's mask, on the area's call stack.
 *  - Until a call is committed it has no effect that a signal's rewind to the program's own
 *    `syscall` instruction could not repeat. What takes more than one step blocks signals first.
 *  - A vfork child and its parent share an area: the child's state lies beyond the parent's.
 *  - Program memory is read and written only through user.h.
 */
#ifndef RESIDENT_RESIDENT_H
#define RESIDENT_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/sigframe.h"
#include "base/err.h"
#include "base/ids.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/pid.h"

struct ax_pidfd_info;

#define RS_NSIG 64
#define RS_TRAP_MAGIC 0x5350  /* SECCOMP_RET_DATA of our filter's traps: si_errno of the SIGSYS */
#define RS_TRAP_TRACED 0x5351 /* the same, when a tracer wants to see where the call ends */

#define RS_CODE_REPORT 0x5352 /* si_code of a SIGSYS to oneself: trace_report.c */
#define RS_CODE_DIE \
	(-8172) /* si_code of a signal that ends us; a tracer has seen what it stands for */

#define RS_AREA_SIZE 65536ul /* power of two: an area is found by rounding SP down */
#define RS_ALT_SIZE 28672ul  /* alternate stack at the top of the area: one frame and its handler */
#define RS_SCRATCH 12288ul
#define RS_CALL_STACK 11008ul
#define RS_LEVELS 5 /* how deep vfork children may vfork */

/* A program's registers at its `syscall` instruction; rip is the address behind it. */
struct rs_regs {
	uint64_t rdi, rsi, rdx, r10, r8, r9;
	uint64_t rax; /* the call's number */
	uint64_t rip, rsp, rflags;
	uint64_t rbx, rbp, r12, r13, r14, r15;
};

/* How far a trapped call has come; decides what a signal that finds us in it presents (signal.c). */
enum rs_phase {
	RS_IDLE = 0,	/* no call in progress */
	RS_RESTART = 1, /* nothing happened yet: rewind */
	RS_CALL = 2,	/* around the one real call in rs_gate: before it rewind, after it finish */
	RS_AFTER = 3,	/* raw result stored: finish */
	RS_DONE = 4,	/* result is final: roll forward */
	RS_MORE = 5, /* as RS_CALL, but not the first call: before it roll forward to the result so far */
	RS_SHOWN = 6, /* a tracer put the program's registers in place, in the middle of the call */
};

struct rs_frame;
/* Turns raw into the result the program sees. Pure, restartable, idempotent; -ERESTARTSYS: rewind. */
typedef long (*rs_finish)(struct rs_frame *f);
#define RS_REWIND (-512L)

/* One trapped call. The assembler in entry.S knows the offsets of the first fields. */
struct rs_frame {
	struct rs_regs regs;
	uint64_t phase; /* enum rs_phase */
	int64_t result;
	int64_t raw;
	int64_t nr, a[6]; /* the real call */
	uint64_t out_rip; /* where rs_return goes */
	uint64_t traced;  /* rs_return reports first */
	rs_finish finish;
	rs_finish late; /* if set: in place of finish at a signal's entry, where it may make calls */
	uint64_t saved_mask; /* the program's mask while we block signals */
	uint64_t temp_mask;  /* of a call that waits under another mask, if has_temp_mask */
	uint32_t has_temp_mask;
	uint32_t judged; /* by the program's seccomp filters: enum rs_judged */
	uint32_t waited; /* without us it would be asleep in the kernel: a signal ends it even between our calls */
	/* The call a listener let go on, until it is over: it is not reported again. */
	uint32_t granted_nr;
	uint64_t granted_rip, granted_rsp;
	uint32_t hot; /* the trap was one too many: patch.c */
	uint32_t pad;
	uint64_t scratch[32]; /* handler's own; survives into finish */
};

/* The program's idea of its dispositions. One per CLONE_SIGHAND group, copied for vfork children. */
struct rs_sighand {
	struct ax_sigaction act[RS_NSIG];
	uint64_t known;	       /* bit n-1: act[n-1] is valid; else ask the kernel (after exec) */
	_Atomic uint32_t lock; /* held with signals blocked */
	uint32_t pad;
};

struct rs_level {
	struct rs_frame frame;
	struct rs_sighand hand;
	uint32_t traceme; /* a vfork child asked to be traced: it will be when it executes */
	uint32_t pad;
};

/*
 * What belongs to one thread: its numbers, its call in progress, its two stacks. Each page of it that is
 * written costs a fault in every image, and a copy on both sides of every fork. So the top of the call stack, the
 * numbers and the frame of the call are on one page, and the kernel's signal frame is the only other one.
 */
struct rs_area {
	char scratch[RS_SCRATCH];
	char call_stack[RS_CALL_STACK];
	_Atomic uint64_t owner; /* htgid << 32 | htid of the thread that uses the area; 0: free */
	struct rs_frame *cur;	/* frame of the next trap */
	uint64_t call_top;	/* top of the call stack for the next trap */
	struct rs_sighand *hand;
	sp_vpid tid, tgid;	 /* this thread's number and its group's */
	sp_hpid htid, htgid;	 /* the kernel's */
	struct ax_stack alt;	 /* the program's sigaltstack; none while size is 0 */
	uint32_t sigsys_blocked; /* the program believes SIGSYS blocked */
	uint32_t sigsys_pending; /* and one was sent meanwhile: sigsys_info */
	struct ax_siginfo sigsys_info;
	uint32_t level;
	/* The program's idea of its seccomp state: seccomp.c. */
	struct rs_filter *_Atomic filters; /* the newest, NULL: none */
	uint32_t strict;
	uint32_t no_new_privs;
	int32_t stray;		     /* descriptor of an open that is made again (proc_open.c) */
	uint32_t stray_level;	     /* 1 + level that it belongs to; 0: none */
	uint64_t libc_tid;	     /* see rs_libc_tid; the low two bits count traps */
	uint64_t children;	     /* where they are born: an id, or enum rs_children (nest.h) */
	uint64_t map_addr, map_size; /* memory an exec in a vfork child left for the parent to unmap */
	uint64_t request_addr, request_size; /* memory for one request of /dev/fuse (fuse.c) */
	struct rs_level levels[RS_LEVELS];
};

#define RS_CALL_TOP(area) ((uint64_t)(area) + RS_SCRATCH + RS_CALL_STACK)
#define RS_ALT_STACK(area) ((uint64_t)(area) + RS_AREA_SIZE - RS_ALT_SIZE)
_Static_assert(sizeof(struct rs_area) <= RS_AREA_SIZE - RS_ALT_SIZE, "room for the signal stack");
_Static_assert(offsetof(struct rs_area, call_stack) == RS_SCRATCH, "RS_CALL_TOP");
_Static_assert(offsetof(struct rs_area, owner) == RS_SCRATCH + RS_CALL_STACK, "RS_CALL_TOP");
_Static_assert(offsetof(struct rs_area, owner) / 4096 ==
		       (offsetof(struct rs_area, levels) + sizeof(struct rs_frame) - 1) / 4096,
	       "one page");

/* The area of the thread that runs, wherever in the resident. */
static inline struct rs_area *rs_area_here(void)
{
	return (struct rs_area *)((uint64_t)__builtin_frame_address(0) & ~(RS_AREA_SIZE - 1));
}

#define RS_NS ((struct sp_segment *)SP_SEGMENT_ADDR)

/* entry.S */
void rs_sig_entry(void);
void rs_restorer(void);
long rs_gate(struct rs_frame *f);
long rs_ask_gate(struct rs_frame *f);
extern const char rs_ask_after[], rs_ask_end[];
extern const char rs_exempt_start[];

extern const char rs_gate_after[], rs_gate_end[], rs_clone_gate_after[];

/* Whether the real call of a frame in phase RS_CALL has returned. */
static inline bool rs_behind_gate(uint64_t ip)
{
	return (ip >= (uint64_t)rs_gate_after && ip <= (uint64_t)rs_gate_end) ||
	       (ip >= (uint64_t)rs_ask_after && ip <= (uint64_t)rs_ask_end);
}

extern const char rs_enter_reported[], rs_return_reported[], rs_interrupted_reported[];
extern const char rs_return_stop[];
extern const char rs_text_start[], rs_text_end[];
_Noreturn void rs_run(struct rs_frame *f, struct rs_area *a);
_Noreturn void rs_enter(uint64_t rsp, uint64_t rip);
_Noreturn void rs_return(struct rs_frame *f);
_Noreturn void rs_interrupted(struct rs_frame *f);
/*
 * Makes the clone-like call in f; returns its result in the parent. The child continues in
 * rs_child(child_area or area, f) on child_stack.
 */
long rs_clone_gate(struct rs_frame *f, struct rs_area *child, uint64_t child_stack);

/* clone.c: after a fork, while a->libc_tid is not 0: a C library's own copy of the tid. */
void rs_libc_tid(struct rs_area *a);

/* call.c: makes the planned call in phase RS_CALL; returns what finish makes of it. */
long rs_call(struct rs_frame *f, rs_finish finish);
/* The same with what a signal that finds the call made does, once, all signals blocked. */
long rs_call_late(struct rs_frame *f, rs_finish finish, rs_finish late);
/* Makes one more call after result was reached, which stands if a signal comes before the call. */
long rs_call_more(struct rs_frame *f, rs_finish finish);
/* Plans the program's own call, unchanged. */
void rs_plan_same(struct rs_frame *f);
long rs_finish_raw(struct rs_frame *f);
void rs_dispatch(struct rs_frame *f, struct rs_area *a);
typedef long (*rs_handler)(struct rs_frame *f, struct rs_area *a);

/* Final: a signal that comes from now on rolls forward to this result (or rewinds: RS_REWIND). */
void rs_settle(struct rs_frame *f, long result);

/* mask.c: blocks all signals for this call; saved_mask is what the program has. */
void rs_block(struct rs_frame *f);
/* Settles the call, then lets signals in again. Returns result. */
long rs_unblock(struct rs_frame *f, long result);
/* The same without a frame. */
uint64_t rs_mask_set(uint64_t mask);
/* Around what a rewind must not leave half done, such as a descriptor of ours; also while we block. */
uint64_t rs_hush(void);
void rs_unhush(uint64_t old);
#define RS_SIGSYS_BIT (1ul << 30)
/* A mask of the kernel's as the program knows it. */
static inline uint64_t rs_mask_shown(const struct rs_area *a, uint64_t mask)
{
	return mask | (a->sigsys_blocked ? RS_SIGSYS_BIT : 0);
}
#define RS_MASK_ALL (~RS_SIGSYS_BIT)

/* Takes what number 1 has queued at default among signals it is about to unblock. */
void rs_init_discard(uint64_t unblocked);
/* The mask of number 1's main thread, which senders must know (kill.c:init_drops). */
void rs_init_mask_note(const struct rs_area *a, uint64_t mask);
/* A SIGSYS that was held back while the program had it blocked is sent again. */
void rs_sigsys_release(struct rs_area *a);

/* signal.c */
/* Word 0: free. Taken with signals blocked; storing 0 gives it back. */
void rs_lock(_Atomic uint32_t *word);
long rs_kernel_sigaction(int sig, const struct ax_sigaction *act, struct ax_sigaction *old);
void rs_own_sigsys(void);
void rs_altstack_install(struct rs_area *a);
/* What the kernel has for number 1's default dispositions in its children: back to default. */
void rs_sighand_leave_init(struct rs_sighand *h);
/* The other way round, in a copy of an ordinary process that is about to be number 1 of the segment mapped. */
void rs_sighand_enter_init(struct rs_area *a);
/* Number 1 is about to have a second thread. Signals are blocked. */
void rs_sighand_init_threads(struct rs_area *a);
extern char rs_main_area[RS_AREA_SIZE];
extern struct rs_sighand rs_main_hand;

/* area.c */
struct rs_area *rs_area_get(struct rs_area *parent);
struct rs_area *rs_area_open_to_sigsys(const struct rs_area *me);
void rs_area_put(struct rs_area *child);
/* The area of a thread of one's own group, NULL if it is not known. */
struct rs_area *rs_area_of(sp_hpid htgid, sp_hpid htid);
void rs_area_init(struct rs_area *a);
/* The i-th area there is, used or not; NULL behind the last. */
struct rs_area *rs_area_nth(uint32_t i);
/* Whether it is in use by another thread of one's group. */
bool rs_area_lives_beside(const struct rs_area *a, const struct rs_area *me);

/* Number of the thread group a reference belongs to; SP_VPID_NONE for no reference. */
static inline sp_vpid rs_ref_group(struct sp_ref ref)
{
	if (ref.slot == SP_NO_SLOT)
		return SP_VPID_NONE;
	return sp_vpid_of((int32_t)atomic_load(&sp_entry_at(RS_NS, ref.slot)->tgid));
}

/* The process that a reference's parent waits for: itself, or the keeper of the namespace it is number 1 of. */
static inline int32_t rs_ref_waited(struct sp_ref ref)
{
	int32_t keeper = sp_ref_keeper(RS_NS, ref).n;

	return keeper ? keeper : sp_ref_hpid(RS_NS, ref).n;
}

/* ids.c: numbers of arguments; unknown ones become RS_NOBODY, which the kernel never has. */
#define RS_NOBODY 0x7ffffffe
/*
 * A thread may be named by its number or, within its own group, by the host tid that libc cached when the
 * kernel wrote it (mechanism: SETTID words stay the kernel's). A host tid may be equal to the number
 * of a task of another group, so it matters who asks: rs_in_thread: a thread of group tgid;
 * rs_in_tid: calls that libc makes with cached tids, own group first; rs_in_task: calls that name any
 * task, numbers first.
 */
int32_t rs_in_thread(sp_vpid tgid, int32_t n);
int32_t rs_in_tid(struct rs_area *a, int32_t n);
int32_t rs_in_task(struct rs_area *a, int32_t n);
int32_t rs_in_pid(int32_t n);
int32_t rs_in_group(int32_t n);
int32_t rs_out_pid(int64_t hid);
/* Of a task that may have gone, as long as its number is known and nobody else's. */
int32_t rs_out_past(int64_t hid);
int32_t rs_out_group(int64_t hid);
/* One of these for texts, which have the same numbers from outside again and again. */
enum rs_out { RS_OUT_PID, RS_OUT_GROUP, RS_OUT_PAST };
int32_t rs_out_often(int64_t hid, enum rs_out how);

/* kill.c: the number behind a pidfd; 0: not a task of the namespace, -1: cannot be told. */
int32_t rs_pidfd_number(int fd);

/* ident.c */
/* A decimal field (from the 4th on) of /proc/HID/stat, 0 where /proc does not say. */
uint64_t rs_stat_field(int32_t hid, int wanted);
/* Whether a pidfd is number 1's, without /proc; false also where pidfds cannot be told apart. */
bool rs_ident_is_init(int fd);
/* PIDFD_GET_INFO, with what info->mask asks for. 0 or -errno: before 6.13 there is none. */
long rs_pidfd_info(long fd, struct ax_pidfd_info *info);
/* Notes in a live entry who its task is: our child. */
void rs_ident_note(struct sp_ref ref);
/* At once what others are told by: number 1. */
void rs_ident_note_exactly(struct sp_ref ref);
/* Ourselves, as number 1: also whether stamps can be relied on. */
void rs_ident_note_init(struct sp_ref ref);
/* Clocks are about to differ between members: stamps of births cannot be compared any more. */
void rs_ident_clocks_differ(void);
/* A pidfd of the reference's process, proven to be it; -ESRCH, -EMFILE ..., -ENOSYS: cannot be had. */
long rs_ident_pidfd(struct sp_ref ref, uint32_t flags);
/* The same for number 1 of a namespace below: the pidfd that its parent would wait with. */
long rs_keeper_pidfd(struct sp_ref ref, uint32_t flags);
/* True if the host task of a live reference is gone for sure. */
bool rs_ref_gone(struct sp_ref ref);
void rs_sweep(void);
void rs_sweep_all(void); /* every entry: takes its time */
/* Looks at one number in particular. */
void rs_sweep_number(sp_vpid n);

/*
 * copy.c: runs job(arg) in a child that shares memory but has a copy of the descriptor table, and waits for it: for
 * opening files when no descriptor is free. 0 or -errno of the clone. In the job
 * rs_copy_free_some closes n descriptors of the copy (not `keep`).
 */
sp_must_check long rs_copy_run(void (*job)(void *), void *arg);
void rs_copy_free_some(int n, int keep);
/* entry.S */
long rs_copy_gate(void (*job)(void *), void *arg);

/*
 * channel.c: a descriptor of the segment that survives exec: the hidden one, or another one if the program
 * has put a file of its own there. -errno if it cannot be had.
 */
long rs_segment_fd_ensure(void);
/* execve of the resident's file. -errno */
long rs_exec_resident(uint64_t argv, uint64_t envp);
/* From the supervisor at abstract address name (n bytes): the segment, the resident's file. */
long rs_fetch_fds(const char *name, uint32_t n, int fds[2]);
/* A connection to it, or -errno. */
long rs_channel_open(const char *name, uint32_t n);
struct rs_ask;
/*
 * One question on it; the answer's result, or -errno. fds: the one or two descriptors that come with it, or NULL;
 * ret_ns: the answer's namespace, or NULL.
 */
long rs_channel_talk(long s, const struct rs_ask *ask, int fds[2], uint64_t *ret_ns);

/* exec.c */
long rs_exec(struct rs_frame *f, struct rs_area *a, int dirfd, uint64_t path, uint64_t argv,
	     uint64_t envp, uint32_t flags);

/* _Noreturn: one line on descriptor 2 and exit_group(status). */
_Noreturn void rs_die(const char *msg, int status);
void rs_say(const char *msg, const char *what);

#endif
