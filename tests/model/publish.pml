/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ORDERING C1, C2, C4 and B4: parent and child publish one reservation while a sweep may release it; the child
 * dies, somebody retires it, a successor reserves the slot again (next generation, another host tid) and
 * publishes. The index has one place. Publishers may be killed half-way. Asserted: whoever is LIVE carries
 * the host tid of its own generation and is in the index. With BROKEN, the host tid is stored and not
 * swapped, and places are taken unseen; that must be found out.
 */
#define FREE 0
#define RESERVED 1
#define LIVE 2

#define UNSET(g) (10 + (g)) /* no host tid */
#define HID(g) (1 + (g))    /* host tid of the task of generation g */

byte state = RESERVED, gen = 0; /* one word */
byte hid = UNSET(0);
byte index_gen = 99; /* the place in the index: generation it speaks of; 99: empty */

inline check() {
	assert(state != LIVE || (hid == HID(gen) && index_gen == gen))
}

/* Compare-and-swap of the place: only if it is as seen, and that counts no more. */
inline insert(g) {
	do
	:: seen = index_gen;
		if
		:: seen == g -> break
		:: else
		fi;
#ifndef BROKEN
		if /* what is there still counts: full, try again */
		:: atomic { seen != 99 && seen == gen && state != FREE && hid == HID(seen) -> ok = false; break }
		:: else
		fi;
#endif
		if /* still ours to enter? */
		:: atomic { gen == g && (state == RESERVED || state == LIVE) }
		:: atomic { else -> ok = false; break }
		fi;
		if
		:: atomic { index_gen == seen -> index_gen = g; check(); break }
		:: atomic { else -> skip }
		fi
	od
}

proctype publisher(byte g) {
	byte seen;
	bool ok = true;

	if
	:: atomic { gen == g && state == LIVE && hid == HID(g) -> goto end }
	:: atomic { gen == g && state == RESERVED }
	:: atomic { else -> goto end }
	fi;
#ifndef BROKEN
	if
	:: atomic { hid == UNSET(g) -> hid = HID(g); check() }
	:: atomic { hid == HID(g) }
	:: atomic { else -> goto end }
	fi;
#else
	atomic { hid = HID(g); check() };
#endif
	if
	:: skip
	:: goto end /* killed */
	fi;
	insert(g);
	if
	:: !ok -> goto end
	:: else
	fi;
	if
	:: atomic { gen == g && state == RESERVED -> state = LIVE; check() }
	:: atomic { else -> skip }
	fi;
end:	skip
}

/* The life ends: a sweep releases the reservation, or the task is retired; then the slot is reserved again. */
proctype successor() {
	byte g = 0;

	do
	:: g < 1 ->
		if
		:: atomic { state != FREE -> state = FREE }
		fi;
		/* reserve: claimed, written, reserved; the claim is not seen by publishers */
		atomic { gen = g + 1; hid = UNSET(gen) };
		state = RESERVED;
		g++;
		run publisher(g);
		run publisher(g)
	:: else -> break
	od
}

init {
	atomic {
		run publisher(0);
		run publisher(0);
		run successor()
	}
}
