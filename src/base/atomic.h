/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The atomic operations shared memory is touched with. Everything is sequentially consistent but
 * the store whose name says otherwise; docs/ORDERING.md says which order is needed where. On x86-64 a
 * load is a plain move, so only the compare-and-swaps cost anything.
 */
#ifndef BASE_ATOMIC_H
#define BASE_ATOMIC_H

#include <stdatomic.h>

#include "base/fault.h"

#define sp_load(p) (sp_fault_at(LOAD, p), atomic_load(p))
#define sp_store(p, v) (sp_fault_at(WRITE, p), atomic_store(p, v))
#define sp_store_release(p, v) \
	(sp_fault_at(WRITE, p), atomic_store_explicit(p, v, memory_order_release))

/* Read exactly once: what was checked is what is used, whoever writes meanwhile. */
#define sp_once(x) (*(const volatile __typeof__(x) *)&(x))

/* True if *p was expected and is desired now; *expected is what was found otherwise. */
#define sp_cas(p, expected, desired) \
	(sp_fault_at(WRITE, p), atomic_compare_exchange_strong(p, expected, desired))

#endif
