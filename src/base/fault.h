/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points: places where a test may stop, kill or preempt the caller. Without SP_FAULT_POINTS, that
 * is in every product build, they are nothing. With it, tests define sp_fault_hook. The named points are
 * for reports and sweeps; SP_FAULT_STEP stands before every atomic operation of base/atomic.h.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#define SP_FAULTS(X)        \
	X(LOAD)             \
	X(WRITE)            \
	X(RESERVE_CURSOR)   \
	X(RESERVE_CLAIMED)  \
	X(RESERVE_WRITTEN)  \
	X(RESERVE_RESERVED) \
	X(CANCEL_FREED)     \
	X(PUBLISH_HID)      \
	X(PUBLISH_INDEXED)  \
	X(PUBLISH_LIVE)     \
	X(PUBLISH_REFUSED)  \
	X(INDEX_EVICTED)    \
	X(INDEX_SPILLED)    \
	X(RETIRE)           \
	X(RELEASE)          \
	X(CHARGE_COUNTED)

enum sp_fault {
#define SP_FAULT_ENUM(name) SP_FAULT_##name,
	SP_FAULTS(SP_FAULT_ENUM)
#undef SP_FAULT_ENUM
		SP_FAULT_COUNT
};

#ifdef SP_FAULT_POINTS
extern void (*sp_fault_hook)(enum sp_fault point, const volatile void *where);
#define sp_fault_at(name, p) (sp_fault_hook ? sp_fault_hook(SP_FAULT_##name, p) : (void)0)
#else
#define sp_fault_at(name, p) ((void)0)
#endif
#define sp_fault(name) sp_fault_at(name, (const volatile void *)0)

#endif
