/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ORDERING A1 and C5: one number, one entry. Reservers take candidates from a cursor that a late cancel
 * may move back at any time; a bucket of WAYS slots; each claims a slot, looks at all of them again,
 * and lets go when the number is there twice. Each may be killed at any place. Asserted: never two
 * slots in use with one number. With BROKEN, nobody looks again; that must be found out.
 */
#define WAYS 2
#define RESERVERS 2
#define NUMBERS 3 /* all of one bucket */

#define FREE 0
#define CLAIMED 1
#define USED 2

byte state[WAYS], number[WAYS];
byte cursor;

inline check_unique(i) {
	atomic {
		i = 0;
		do
		:: i < WAYS ->
			assert(!(i > 0 && state[0] == USED && state[i] == USED && number[0] == number[i]));
			i++
		:: else -> break
		od;
		i = 0
	}
}

/* Whether the number is in a slot other than own; free: a FREE slot, WAYS when there is none. */
inline look(n, own) {
	taken = false;
	free = WAYS;
	w = 0;
	do
	:: w < WAYS ->
		if
		:: atomic { w != own && state[w] == FREE -> if :: free == WAYS -> free = w :: else fi }
		:: atomic { w != own && state[w] != FREE && number[w] == n -> taken = true }
		:: atomic { w != own && state[w] != FREE && number[w] != n -> skip }
		:: w == own -> skip
		fi;
		w++
	:: else -> break
	od
}

proctype reserver() {
	byte c, n, w, free, mine, i;
	bool taken;

again:	c = cursor;
	n = c;
next:	n = n % NUMBERS + 1;
	if
	:: n == c % NUMBERS + 1 && i == 1 -> goto end /* once around */
	:: else -> i = 1
	fi;
	look(n, WAYS);
	if
	:: taken || free == WAYS -> goto next
	:: else
	fi;
	if
	:: atomic { cursor == c -> cursor = n }
	:: atomic { cursor != c -> i = 0; goto again }
	fi;
	if
	:: atomic { state[free] == FREE -> state[free] = CLAIMED; number[free] = n; mine = free }
	:: atomic { state[free] != FREE -> i = 0; goto again }
	fi;
	if
	:: skip
	:: goto end /* killed while claimed: blocks the number until a sweep */
	fi;
#ifndef BROKEN
	look(n, mine);
#else
	taken = false;
#endif
	if
	:: taken -> state[mine] = FREE; i = 0; goto end
	:: else -> state[mine] = USED
	fi;
	check_unique(i);
	if
	:: state[mine] = FREE /* cancel, or retire */
	:: skip
	fi;
end:	skip
}

/* The cursor goes back as a late cancel may move it. */
proctype canceller() {
	if
	:: atomic { cursor > 0 -> cursor = cursor - 1 }
	:: skip
	fi;
	if
	:: atomic { cursor > 0 -> cursor = cursor - 1 }
	:: skip
	fi
}

/* A task that ends and frees the first slot at any time, so that two reservers see different ones. */
proctype ender() {
	if
	:: atomic { state[0] == USED -> state[0] = FREE }
	:: skip
	fi
}

init {
	byte i;

	atomic {
		state[0] = USED;
		number[0] = 1;
		cursor = 1;
		do
		:: i < RESERVERS -> run reserver(); i++
		:: else -> break
		od;
		run canceller();
		run ender()
	}
}
