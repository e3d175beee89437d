# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Namespaces below namespaces: deep, many, at random; and when a keeper, the supervisor or the front is
# killed, exactly what was below it is gone.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086,SC2317,SC2015
. "$(dirname "$0")/lib.sh"

gcc -O1 -I"$src/../../../src" -o nested "$src/nested.c" || exit 1
export nested=$work/nested
# A test build says what it found in the segments of namespaces that are gone.
export SV_FAULT_LOG=$work/found

clean() {
	[ ! -s "$SV_FAULT_LOG" ] || { head -n 5 "$SV_FAULT_LOG"; rm -f "$SV_FAULT_LOG"; return 1; }
}

deep() {
	timeout -k 2 $((30 + NESTED_DEPTH / 4)) bin/subpid run -- "$nested" chain "$NESTED_DEPTH"
	equal $? 7 status && clean
}
NESTED_DEPTH=${NESTED_DEPTH:-40}
try_slow "$NESTED_DEPTH below each other" deep

# tests/stress: a chain as deep as it may get, and as many as somebody may want.
if [ -n "${NESTED_DEEPEST:-}" ]; then
	NESTED_DEPTH=$NESTED_DEEPEST
	tries 1 "$NESTED_DEPTH below each other" deep
fi

many() {
	timeout -k 2 $((30 + NESTED_WIDTH / 10)) bin/subpid run -- "$nested" wide "$NESTED_WIDTH" \
		"test \$(ls /proc | grep -c '^[0-9]') -gt $NESTED_WIDTH"
	equal $? 0 status && clean
}
NESTED_WIDTH=${NESTED_WIDTH:-100}
try_slow "$NESTED_WIDTH beside each other" many

random_tree() {
	subpid run -- "$nested" tree $RANDOM 30
	equal $? 0 status && clean
}
try 'a random tree' random_tree

trees() {
	local i pids=()
	for ((i = 0; i < 10; i++)); do
		timeout -k 2 240 bin/subpid run -- "$nested" wide "$NESTED_WIDTH" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait $i || return 1
	done
	clean
}
[ -z "${NESTED_DEEPEST:-}" ] || tries 1 "10 trees with $NESTED_WIDTH each" trees

joined() {
	subpid run -- "$nested" join 5
	equal $? 0 status && clean
}
try 'who joined ends with the namespace' joined

full() {
	(ulimit -n 160 && timeout -k 2 60 bin/subpid run -- "$nested" full)
	equal $? 0 status
}
try_slow 'no descriptors for another one: ENOSPC, until one has gone' full

scribbled() {
	subpid run -- "$nested" scribble $RANDOM
	equal $? 0 status
	rm -f "$SV_FAULT_LOG"
}
try 'garbage in the segment of a namespace below' scribbled

# How many processes run `sleep $1`.
count() {
	others >now
	grep -c "sleep $1\$" now
}

# wait_for TIME COUNT: until so many run.
wait_for() {
	local i
	for ((i = 0; i < 1000; i++)); do
		[ "$(count $1)" != "$2" ] || return 0
		sleep .01
	done
	echo "$(count $1) processes sleep $1, wanted $2"
	cat now
	return 1
}

begin_two() {
	command subpid run -- "$nested" two >two.out &
	front=$!
	wait_for 6000 3 && wait_for 6001 3 && wait_for 6002 3
}

end_two() {
	kill -9 $front
	ended $front
	gone "$linger"
}

# The keepers, that of the upper namespace first.
keepers() {
	ps -e --no-headers -o pid,comm | awk '$2 == "subpid-keeper" { print $1 }' | sort -n
}

upper_keeper() {
	begin_two || return 1
	kill -9 "$(keepers | head -n 1)"
	wait_for 6001 0 && wait_for 6002 0 && equal "$(count 6000)" 3 'processes above' || return 1
	local i
	for ((i = 0; i < 500; i++)); do
		[ ! -s two.out ] || break
		sleep .01
	done
	equal "$(cat two.out)" 'ended 9' && end_two && clean
}
try 'kill -9 of a keeper ends what is below, nothing else' upper_keeper

lower_keeper() {
	begin_two || return 1
	kill -9 "$(keepers | tail -n 1)"
	wait_for 6002 0 && equal "$(count 6001)" 3 'processes above' && end_two && clean
}
try 'kill -9 of the lower keeper' lower_keeper

keeper_at_any_time() {
	command subpid run -- "$nested" tree $RANDOM 60 2>/dev/null &
	front=$!
	local i keeper
	for ((i = 0; i < 10; i++)); do
		sleep "$(random 0 15)"
		keeper=$(keepers | shuf -n 1)
		[ -z "$keeper" ] || kill -9 $keeper 2>/dev/null
	done
	end_two
}
try 'kill -9 of keepers at any time' keeper_at_any_time

supervisor_killed() {
	begin_two || return 1
	kill -9 "$(ps -o pid= --ppid $front | head -n 1)"
	ended $front
	gone "$linger"
}
try 'kill -9 of the supervisor with namespaces below' supervisor_killed

inner_init() {
	begin_two || return 1
	# Number 1 of the lower one.
	kill -9 "$(ps -o pid= --ppid "$(keepers | tail -n 1)" | head -n 1)"
	wait_for 6002 0 && equal "$(count 6001)" 3 'processes above' && end_two && clean
}
try 'kill -9 of a number 1 below' inner_init

finish
