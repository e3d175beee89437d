/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes whose word names its owner (FUTEX_LOCK_PI and its kin). The kernel reads and writes host tids there, and so
 * do C libraries, which cache them. A program that stores its own gettid() has a number there: the word is
 * spelled as the kernel wants it before the kernel looks.
 */
#include <linux/errno.h>
#include <linux/futex.h>
#include <stdatomic.h>

#include "resident/handlers.h"
#include "resident/resident.h"
#include "resident/user.h"

#define NOBODY 0x3ffffffeu /* above every pid_max */

/*
 * The owner's host tid; itself where the word has that already; 0: nobody of the namespace. A private word
 * belongs to a thread of the caller's own group, where no spelling is ambiguous. In a shared one, what
 * libraries write goes before what programs write: it is never changed.
 */
static uint32_t owner_of(struct rs_area *a, uint32_t n, bool private)
{
	bool spelled = sp_pid_number(RS_NS, sp_hpid_of((int32_t)n)).n;
	int32_t h = private || !spelled ? rs_in_thread(a->tgid, (int32_t)n) : RS_NOBODY;

	if (h == RS_NOBODY)
		h = spelled ? (int32_t)n : rs_in_pid((int32_t)n);
	return h != RS_NOBODY ? (uint32_t)h : 0;
}

/* -ESRCH: the owner is not of this namespace. What is wrong with the address the kernel says itself. */
static long spell(struct rs_area *a, uint64_t word, bool private)
{
	uint32_t now, owner;
	long r;

	for (;;) {
		r = word & 3 ? -EINVAL : rs_user_read(&now, word, sizeof(now));
		if (r || !(now & FUTEX_TID_MASK))
			return 0;
		owner = owner_of(a, now & FUTEX_TID_MASK, private);
		if (!owner)
			return -ESRCH;
		if (owner == (now & FUTEX_TID_MASK) || rs_user_writable(word, sizeof(now)))
			return 0;
		if (__atomic_compare_exchange_n((uint32_t *)word, &now, (now & ~FUTEX_TID_MASK) | owner,
						false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return 0;
	}
}

long rs_h_futex(struct rs_frame *f, struct rs_area *a)
{
	bool private = f->a[1] & FUTEX_PRIVATE_FLAG;

	switch ((int)f->a[1] & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_TRYLOCK_PI:
		if (spell(a, (uint64_t)f->a[0], private)) {
			/* With an owner nobody has, so that other mistakes are found first as ever. */
			f->scratch[0] = NOBODY;
			f->a[0] = (long)f->scratch;
		}
		break;
	case FUTEX_UNLOCK_PI:
		(void)spell(a, (uint64_t)f->a[0], private);
		break;
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI:
		(void)spell(a, (uint64_t)f->a[4], private);
		break;
	default:
		break;
	}
	return rs_call(f, rs_finish_raw);
}
