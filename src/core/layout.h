/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE shared layout of one namespace: a sealed-size memfd that the namespace's tasks and the
 * supervisor map (tasks at SP_SEGMENT_ADDR). Everything is offsets and fixed-width atomics; nothing
 * in it is trusted by the supervisor.
 *
 *   offset 0                  struct sp_segment        one page
 *   offset SP_ENTRIES_OFF     struct sp_entry[SP_WAYS][SP_BUCKETS]
 *   offset SP_HIDX_OFF        uint64_t hidx[SP_HIDX_WAYS][SP_HIDX_BUCKETS]
 *
 * Number -> entry. Number n may live in the slots (way, n % SP_BUCKETS), way = 0 .. SP_WAYS-1. Ways
 * are the outer dimension, so that consecutive numbers are neighbours and memory stays dense; a
 * look-up reads at most SP_WAYS words and never follows a chain that somebody else may cut.
 *
 * Host tid -> number. A hidx word is (host tid << 40 | number << 16 | way << 13 | low bits of the
 * generation), 0 is empty. It is a hint: it counts only when the entry of that number, way and
 * generation is in use and carries the same host tid (its own, or its keeper's: the init of a namespace
 * below has a word for each); the generation makes "counts no more" final.
 * Words of retired entries stay until their place is wanted (a signal that was queued may name a
 * sender that is gone by now). A word that was once used is never empty again, and the ways of a
 * bucket fill in order: an empty word ends every search, so searches touch few pages.
 *
 * An entry's life is its `word`, changed by compare-and-swap only:
 *
 *   FREE --> CLAIMED --reserve--> RESERVED --publish--> LIVE --retire--> FREE
 *               |                    |                    `---retire, SP_F_LEADER set--> DEAD
 *               `--release--> FREE   `--cancel, release--> FREE                           |
 *                                                                     FREE <--release-----'
 *
 * A SIGKILL between any two instructions leaves every invariant of audit.c intact and leaks at most
 * one entry that a later sweep reclaims.
 */
#ifndef CORE_LAYOUT_H
#define CORE_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SP_LAYOUT_MAGIC 0x3144495042555300ULL
#define SP_LAYOUT_VERSION 2u

#define SP_BUCKETS 8192u
#define SP_WAYS 8u
#define SP_CAPACITY (SP_BUCKETS * SP_WAYS) /* entries: live tasks at once */
#define SP_HIDX_BUCKETS 32768u
#define SP_HIDX_WAYS 4u
#define SP_HIDX_SPILL 16u /* further buckets a full bucket may spill into */

#define SP_PID_MAX_DEFAULT 4194304 /* kernel/pid_namespace.c since 6.14: PID_MAX_LIMIT */
#define SP_PID_MAX_MIN 301	   /* kernel/pid.c: RESERVED_PIDS + 1 */
#define SP_RESERVED_PIDS 300	   /* after a wrap numbers start here: kernel/pid.c:alloc_pid */

/* Entry states, bits 32..35 of the word. */
enum sp_state {
	SP_FREE = 0,
	SP_RESERVED = 1,
	SP_LIVE = 2,
	SP_DEAD = 3, /* reaped, but its number still names a process group or session */
	/*
	 * Inside reserve only: the slot is taken, its fields are not written yet and the number may still
	 * turn out to be somebody else's. The word then carries the reserver in place of flags (core/slot.h),
	 * so that a sweep can tell whose it was. Nothing but a sweep ever sees such an entry.
	 */
	SP_CLAIMED = 4,
};

/* Entry flags, bits 36..47 of the word. */
enum sp_flag {
	SP_F_LEADER = 1,  /* made a process group or session of its number */
	SP_F_THREAD = 2,  /* not the leader of its thread group */
	SP_F_SESSION = 4, /* made a session */
	SP_F_REFUSED = 8, /* on FREE: publish said -EEXIST; tells the second publisher the same */
	SP_F_NESTED = 16, /* of a namespace below: its init, one that joined it, one that was seen */
};

/*
 * word: bits 0..31 number, 32..35 state, 36..47 flags, 48..63 generation (grows with each reserve of
 * the slot, so a remembered word never matches a successor).
 */
struct sp_entry {
	_Atomic uint64_t word;
	_Atomic uint32_t hid;	/* host tid; written once, before LIVE; valid while LIVE or DEAD */
	_Atomic uint32_t tgid;	/* number of the thread group; immutable from reserve on */
	_Atomic uint64_t ident; /* host identity of the process; 0 unknown: enum sp_segment_flag */
	_Atomic uint64_t pending; /* signals (bit n-1) left for a RESERVED entry by a group signal */
	_Atomic uint32_t by;	  /* host tgid of the reserver; immutable from reserve on */
	/* Host pid of the keeper of the namespace below whose init this is; above SP_HID_MAX: none. */
	_Atomic uint32_t keeper;
	_Atomic uint32_t unpatched; /* non-zero: the process is or was traced, its calls must all trap */
	_Atomic uint32_t spare;
};

/* Header flags, fixed before the first task starts. */
enum sp_segment_flag {
	SP_SEG_FOREGROUND = 1, /* init keeps TSTP, TTIN, TTOU default: job control of the caller */
	SP_SEG_NOPROC = 2,     /* /proc/self/exe is not usable when resident_fd is lost */
	SP_SEG_PIDFS = 4,      /* ident is a pidfs inode; otherwise a start time in clock ticks */
	SP_SEG_STAMPS = 0x10000, /* or, with SP_IDENT_STAMP, the clock tick in which the parent had it */
	SP_SEG_THREADED = 16,  /* number 1 has had more than one thread since its last exec */
	SP_SEG_NO_MM_MAP = 32, /* PR_SET_MM_MAP is refused: cmdline still shows the hand-over */
	SP_SEG_FILTERED = 64,  /* the caller of subpid was under a seccomp filter */
	SP_SEG_STRICT = 128,   /* what would not work as outside is not executed */
	SP_SEG_JOINED = 256, /* somebody joined from above: the keeper's domain is not all of it */
	SP_SEG_PATCH = 0x20000,	      /* residents may patch call sites */
	SP_SEG_PATCH_EAGER = 0x40000, /* at the first trap: for tests */
	SP_SEG_SCOPED = 8,	      /* the namespace is a Landlock signal domain, verified */
};

#define SP_IDENT_STAMP (1ULL << 63)

struct sp_segment {
	uint64_t magic;			/* immutable */
	uint32_t version;		/* immutable */
	uint32_t size;			/* immutable: bytes of the whole segment */
	int32_t pid_max;		/* immutable: numbers are 1 .. pid_max-1 */
	int32_t seq_end;		/* immutable: P, numbers of the sequence are 1 .. P-1 */
	_Atomic uint32_t flags;		/* enum sp_segment_flag */
	_Atomic int32_t cursor;		/* last number handed out, 0 at first */
	_Atomic uint32_t closing;	/* non-zero: no task may be born any more */
	_Atomic uint32_t init_hid;	/* host pid of number 1, 0 before it is published */
	_Atomic uint32_t sweep;		/* next slot a sweep looks at */
	_Atomic uint32_t hidx_spilled;	/* non-zero once any hidx bucket spilled */
	_Atomic uint32_t high[SP_WAYS]; /* per way: 1 + highest bucket ever used */
	/* Dispositions of number 1 as the program sees them, bit n-1 for signal n. */
	_Atomic uint64_t init_handled;
	_Atomic uint64_t init_ignored;
	_Atomic uint64_t init_blocked;
	/* Why number 1 could not become the program: errno of its exec, 0 if it did. */
	_Atomic int32_t init_errno;
	_Atomic uint32_t init_running; /* non-zero once the program's first exec has succeeded */
	/* What number 1 believes of settings that are the supervisor's in the kernel: prctl(2). */
	_Atomic uint32_t init_pdeathsig;
	_Atomic uint32_t init_subreaper;
	/* The signal number 1 is to be seen to have died of, after reboot(2); else 0. */
	_Atomic uint32_t init_reboot;
	uint32_t pids_limit; /* immutable: tasks at once, 0: no limit (core/limit.c) */
	/* Births that need no count, below the number of the count that allowed them. */
	_Atomic uint64_t room;
	/* The place in the tree: immutable once init runs, but for below. */
	uint64_t ns_id;		/* unique in the tree; the root has 1 */
	uint64_t ns_ino;	/* what ns/pid shows; the root shows the kernel's */
	uint32_t depth;		/* the root has 0 */
	uint32_t layers;	/* Landlock layers in force */
	_Atomic uint32_t below; /* namespaces right below: while 0, there is nobody to ask about */
	_Atomic int32_t high_cursor; /* last number given of those from seq_end on, 0 at first */
	/* The hand-over of exec: immutable once init runs. */
	int32_t segment_fd;  /* number of the hidden descriptor in every task */
	int32_t resident_fd; /* the same for the resident's file */
	uint64_t segment_ino, segment_dev;
	uint64_t resident_ino, resident_dev;
	uint64_t pidns_ino, pidns_dev; /* the kernel's PID namespace all are in; 0: not known */
	uint32_t sock_len;	       /* bytes of sock_name in use */
	char sock_name[60]; /* abstract address of the supervisor, without the leading NUL */
};

#define SP_ENTRIES_OFF 4096u
#define SP_HIDX_OFF (SP_ENTRIES_OFF + SP_CAPACITY * (uint32_t)sizeof(struct sp_entry))
#define SP_SEGMENT_SIZE (SP_HIDX_OFF + SP_HIDX_BUCKETS * SP_HIDX_WAYS * 8u)

_Static_assert(sizeof(struct sp_entry) == 48, "layout");
_Static_assert(offsetof(struct sp_entry, hid) == 8, "layout");
_Static_assert(offsetof(struct sp_entry, tgid) == 12, "layout");
_Static_assert(offsetof(struct sp_entry, ident) == 16, "layout");
_Static_assert(offsetof(struct sp_entry, pending) == 24, "layout");
_Static_assert(offsetof(struct sp_entry, by) == 32, "layout");
_Static_assert(offsetof(struct sp_entry, keeper) == 36, "layout");
_Static_assert(offsetof(struct sp_entry, unpatched) == 40, "layout");
_Static_assert(sizeof(struct sp_segment) <= SP_ENTRIES_OFF, "layout");
_Static_assert(SP_HIDX_OFF % 4096 == 0 && SP_SEGMENT_SIZE % 4096 == 0, "layout");
_Static_assert(SP_PID_MAX_DEFAULT <= 1 << 22, "a CLAIMED word has 22 bits for the number");
_Static_assert(SP_SEGMENT_SIZE <= 8u << 20, "what a program maps must stay small (RLIMIT_AS)");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "no hidden locks");

static inline int32_t sp_word_number(uint64_t w)
{
	return (int32_t)(uint32_t)w;
}

/* The same for all words of one life of an entry. */
static inline uint64_t sp_word_life(uint64_t w)
{
	return w & ~(0xffffULL << 32);
}

static inline enum sp_state sp_word_state(uint64_t w)
{
	return (enum sp_state)(w >> 32 & 15);
}

static inline uint32_t sp_word_flags(uint64_t w)
{
	return (uint32_t)(w >> 36 & 0xfff);
}

static inline uint64_t sp_word_with_state(uint64_t w, enum sp_state s)
{
	return (w & ~(15ULL << 32)) | (uint64_t)s << 32;
}

static inline struct sp_entry *sp_entry_at(struct sp_segment *ns, uint32_t slot)
{
	return (struct sp_entry *)((char *)ns + SP_ENTRIES_OFF) + slot;
}

#endif
