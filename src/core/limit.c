/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many tasks a namespace may have at once. Counting them takes a walk over the table, so one count
 * serves for as many births as it left room for: `room` is that number below the number of the count
 * that found it. A counter that births and deaths keep would go wrong with each SIGKILL between the two.
 */
#include <linux/errno.h>

#include "core/slot.h"

#define ROOM_COUNTED (1ULL << 32)

uint32_t sp_ns_count(struct sp_segment *ns)
{
	uint32_t n = 0;

	for (uint32_t way = 0; way < SP_WAYS; way++) {
		uint32_t high = sp_way_high(ns, way);

		for (uint32_t bucket = 0; bucket < high; bucket++) {
			uint32_t slot = sp_slot(way, bucket);
			uint64_t w = sp_load(&sp_entry_at(ns, slot)->word);

			n += (SP_BIT(sp_word_state(w)) & (SP_BIT(SP_RESERVED) | SP_BIT(SP_LIVE))) != 0;
		}
	}
	return n;
}

/*
 * ORDERING A4: the caller's entry is RESERVED before it looks for room, so every count has it, or comes
 * before it and leaves it a place to take. A count that others have overtaken is made again.
 */
int sp_pid_charge(struct sp_segment *ns)
{
	uint32_t limit = ns->pids_limit;

	if (!limit)
		return 0;
	for (int tries = 0; tries < SP_TRIES; tries++) {
		uint64_t room = sp_load(&ns->room);
		uint32_t n;

		if ((uint32_t)room) {
			if (sp_cas(&ns->room, &room, room - 1))
				return 0;
			continue;
		}
		n = sp_ns_count(ns);
		if (n > limit)
			return -EAGAIN;
		sp_fault(CHARGE_COUNTED);
		if (sp_cas(&ns->room, &room, (room + ROOM_COUNTED) | (limit - n)))
			return 0;
	}
	return -EAGAIN;
}
