/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ORDERING A3 and C4: in one thread group, a reserver wants number X; a thread of the group was cloned
 * with host tid X, and its parent and itself publish it. Asserted: X is never both a live number and the
 * host tid of another live thread; the two publishers are told the same. With BROKEN, the reserver does
 * not look; that must be found out.
 */
#define FREE 0
#define RESERVED 1
#define LIVE 2
#define REFUSED 3 /* FREE with the note */

byte wanted = FREE;	/* entry of number X */
byte thread = RESERVED; /* entry of the thread with host tid X */
bool hid_set, indexed;	/* of that thread */

/* 0: not yet, 1: success, 2: refused */
byte told[2];

inline check() {
	assert(!(wanted == LIVE && thread == LIVE))
}

proctype reserver() {
again:	wanted = RESERVED;
#ifndef BROKEN
	if
	:: indexed && hid_set && (thread == RESERVED || thread == LIVE) ->
		wanted = FREE; /* takes another number; tries this one again after a wrap */
		if
		:: goto again
		:: goto end
		fi
	:: else
	fi;
#endif
	if
	:: atomic { wanted = LIVE; check() }
	:: wanted = FREE
	fi;
end:	skip
}

proctype publisher(byte me) {
	bool refuse;

again:	if
	:: thread == LIVE -> told[me] = 1; goto end
	:: thread == REFUSED -> told[me] = 2; goto end
	:: thread == RESERVED
	fi;
	hid_set = true;
	indexed = true;
	refuse = (wanted == RESERVED || wanted == LIVE);
	if
	:: refuse ->
		if
		:: atomic { thread == RESERVED -> thread = REFUSED; told[me] = 2 }
		:: atomic { thread != RESERVED -> goto again }
		fi
	:: !refuse ->
		if
		:: atomic { thread == RESERVED -> thread = LIVE; told[me] = 1; check() }
		:: atomic { thread != RESERVED -> goto again }
		fi
	fi;
end:	skip
}

init {
	atomic {
		run reserver();
		run publisher(0);
		run publisher(1)
	};
	(_nr_pr == 1);
	check();
	assert(told[0] == told[1] && told[0] != 0);
	assert((told[0] == 1) == (thread == LIVE))
}
