/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One namespace's numbers: reserve, publish, look up both ways, retire, sweep. No system calls, no
 * I/O, no policy: whether a host task is alive is the caller's business. All functions are safe against concurrent
 * callers in other processes and against a SIGKILL at any instruction; look-ups are wait-free.
 */
#ifndef CORE_PID_H
#define CORE_PID_H

#include <stdbool.h>

#include "base/err.h"
#include "base/ids.h"
#include "core/layout.h"

/*
 * What is a reference? A slot and the word it held when it was taken: a weak reference. A number
 * would do while its task lives, a slot pointer while nobody retires it; the pair goes stale
 * instead of naming a successor. slot == SP_NO_SLOT: none.
 */
struct sp_ref {
	uint32_t slot;
	uint64_t word;
};
#define SP_NO_SLOT 0xffffffffu
#define SP_REF_NONE ((struct sp_ref){SP_NO_SLOT, 0})

/* Lays out an empty namespace in mem (size bytes, zero-filled, page aligned). -EINVAL on bad sizes. */
sp_must_check int sp_ns_create(void *mem, size_t size, int32_t pid_max);

/* Whether mem holds a segment of this version and size: 0 or -EINVAL. Reads the header only. */
sp_must_check int sp_ns_check(const void *mem, size_t size);

/*
 * Takes the next number of the sequence (cyclic, as kernel/pid.c:alloc_pid: after a wrap from
 * SP_RESERVED_PIDS). tgid: number of the thread group for a thread, SP_VPID_NONE for a process. For a
 * thread a number is skipped that is the host tid of a live thread of the same group, so that no
 * spelling is ambiguous. by: the caller's host tgid, for sweeps.
 * 0; -EAGAIN when no number or no slot is free; -ENOMEM when the namespace is closing.
 */
sp_must_check int sp_pid_reserve(struct sp_segment *ns, sp_vpid tgid, sp_hpid by,
				 struct sp_ref *ret_ref);

/*
 * Takes this number, which may be outside of the sequence (clone3's set_tid); the sequence goes on as if it
 * had not been taken. -EINVAL: no number; -EEXIST: somebody's, or the host tid of a live thread of the same
 * group; else as sp_pid_reserve.
 */
sp_must_check int sp_pid_reserve_at(struct sp_segment *ns, sp_vpid number, sp_vpid tgid, sp_hpid by,
				    struct sp_ref *ret_ref);

/*
 * Asks for leave to give birth to the task of an entry that is RESERVED: 0, or -EAGAIN where the namespace has
 * as many as it may have; then the caller releases the entry. What is dead and not yet retired counts.
 */
sp_must_check int sp_pid_charge(struct sp_segment *ns);

/* Entries that are RESERVED or LIVE. */
uint32_t sp_ns_count(struct sp_segment *ns);

/* Gives a reserved number back; the cursor goes back too if nobody took a number since. */
void sp_pid_cancel(struct sp_segment *ns, struct sp_ref ref);

/*
 * Makes a reserved number findable. Called by parent and child alike, any number of times, with the
 * same hid; whoever comes first decides. 0: it is live now (ref updated to the live word). -EEXIST:
 * hid is the number of another thread of this group, the task must not run and the entry is gone
 * (SP_FREE): the parent clones again with a new reservation. -ESTALE: ref is neither reserved nor live with hid;
 * for the child: it must not run; for the parent: the child has run and is gone already, or must not run.
 * A hid names one task: an entry that still carries hid is of a task that is gone, and becomes FREE.
 */
sp_must_check int sp_pid_publish(struct sp_segment *ns, struct sp_ref *ref, sp_hpid hid);

/*
 * Between reserve and publish: the number is that of the init of a namespace below, whose keeper this is. From
 * now on the keeper's host pid is found as the init's is, and SP_F_NESTED is set. The number ends
 * with its keeper, not with the init. 0; -ESTALE: no longer reserved; -EAGAIN: no place for the host pid.
 */
sp_must_check int sp_pid_set_keeper(struct sp_segment *ns, struct sp_ref *ref, sp_hpid keeper);

/* What the supervisor knows of a task of a namespace below. */
struct sp_task {
	sp_hpid hid;
	sp_vpid tgid;	/* number here of its thread group for a thread, none for a process */
	sp_hpid keeper; /* of an init, or none */
	uint32_t flags; /* of LEADER and SESSION; NESTED is added */
	uint64_t ident; /* host identity of the process, 0 unknown */
};

/*
 * For the supervisor: the number of a task of a namespace below, by its host tid; one of those from seq_end
 * on (cyclic) if it has none. An entry of the same host tid and another identity is of a task that is
 * gone. by: the caller.
 * 0 and *ret_ref; *ret_new (may be NULL) tells whether it had none; -EAGAIN, -ENOMEM as sp_pid_reserve.
 */
sp_must_check int sp_pid_see(struct sp_segment *ns, const struct sp_task *task, sp_hpid by,
			     struct sp_ref *ret_ref, bool *ret_new);

/* Number -> reference of a LIVE entry, or SP_REF_NONE. */
struct sp_ref sp_pid_find(struct sp_segment *ns, sp_vpid n);

/* Number -> reference of an entry in any state but FREE, or SP_REF_NONE. */
struct sp_ref sp_pid_find_any(struct sp_segment *ns, sp_vpid n);

/* Host tid -> reference of the LIVE entry that carries it likewise, or SP_REF_NONE. */
struct sp_ref sp_pid_find_host(struct sp_segment *ns, sp_hpid hid);

/* Host tid -> number of the LIVE entry that carries it (as its own or its keeper's), or SP_VPID_NONE. */
sp_vpid sp_pid_number(struct sp_segment *ns, sp_hpid hid);

/* As sp_pid_number, and DEAD entries as well (ids of groups and sessions outlive their leader). */
sp_vpid sp_pid_group_number(struct sp_segment *ns, sp_hpid hid);

/* As sp_pid_group_number, and tasks that are retired but not yet forgotten (senders of queued signals). */
sp_vpid sp_pid_recall(struct sp_segment *ns, sp_hpid hid);

/* The host tid of a reference (valid if the reference still is: sp_ref_valid after reading). */
sp_hpid sp_ref_hpid(struct sp_segment *ns, struct sp_ref ref);

/* The host pid of the keeper of the namespace below whose init this is; none for every other task. */
sp_hpid sp_ref_keeper(struct sp_segment *ns, struct sp_ref ref);

/*
 * The host tgid of whoever reserved the entry, in every state; what a sweep asks for when the entry is
 * RESERVED or CLAIMED. 0: unknown.
 */
sp_hpid sp_ref_by(struct sp_segment *ns, struct sp_ref ref);

static inline sp_vpid sp_ref_number(struct sp_ref ref)
{
	return sp_vpid_of(sp_word_number(ref.word));
}

/* True while the entry has the same number, generation and state as when ref was taken (flags may differ). */
bool sp_ref_valid(struct sp_segment *ns, struct sp_ref ref);

/* Sets flags (enum sp_flag) on a LIVE entry, SP_F_NESTED on a RESERVED one too; updates ref. */
void sp_pid_set_flags(struct sp_segment *ns, struct sp_ref *ref, uint32_t flags);

/* The task is gone: LIVE -> FREE, or DEAD if it led a group or session. Stale references: nothing. */
void sp_pid_retire(struct sp_segment *ns, struct sp_ref ref);

/* Nothing refers to the number any more: DEAD -> FREE; RESERVED or CLAIMED -> FREE (its reserver died). */
void sp_pid_release(struct sp_segment *ns, struct sp_ref ref);

/*
 * Moves the shared sweep cursor over at most `slots` slots and returns up to max references of entries
 * that are not FREE, for the caller to prove alive or retire. Never touches pages no entry has used.
 * For a RESERVED or CLAIMED one ask sp_ref_by, and sp_pid_release it if that process is gone. A CLAIMED
 * one has no number yet.
 */
size_t sp_ns_sweep(struct sp_segment *ns, uint32_t slots, struct sp_ref *refs, size_t max);

/*
 * References of non-FREE entries with number >= from in ascending order, at most max: for listings and
 * group signals. A snapshot: each entry that is there during the whole call is in it once.
 */
size_t sp_ns_list(struct sp_segment *ns, sp_vpid from, struct sp_ref *refs, size_t max);

/* Checks every invariant; 0 or the number (1..) of the first one broken, *ret_slot the place. */
int sp_ns_audit(struct sp_segment *ns, uint32_t *ret_slot);

#endif
