# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# No file of /proc or /sys gives away a number of the kernel's. All processes here get numbers that are not
# mistaken for anything else: that takes a PID namespace whose last number we may set, which the fence is.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
needs python3

if ! { echo 3900100 >/proc/sys/kernel/ns_last_pid; } 2>/dev/null; then
	skip 'all of it' 'the last number of this PID namespace cannot be set'
	finish
fi

# Outside the same look finds them: it can fail.
fresh
native /usr/bin/python3 "$src/leaks.py" /proc >"$work/outside" 2>&1
if grep -q '^many read, [0-9][0-9]* numbers' "$work/outside" &&
	! grep -q ' 0 numbers' "$work/outside"; then
	say ok 'outside the numbers are seen'
else
	say 'not ok' 'outside the numbers are seen'
	report "$work/outside"
fi

look() { # NAME CMD...
	local name=$1
	shift
	fresh
	timeout -k 2 "$limit" "$@" /usr/bin/python3 "$src/leaks.py" /proc /sys/fs /sys/kernel /sys/block >"$work/got" 2>"$work/err"
	if [ "$(cat "$work/got")" = 'many read, 0 numbers of the kernel'\''s' ]; then
		say ok "$name"
	else
		say 'not ok' "$name"
		report "$work/got"
		report "$work/err"
	fi
}
look 'an ordinary user sees none of them' "${drop[@]}" "$SUBPID" run --
[ "$(id -u)" != 0 ] || look 'root sees none of them' "$SUBPID" run --

# Lists of members are sorted by the namespace's numbers, also when those of the kernel went round meanwhile.
list=$(awk '$3 == "cgroup" { print $2 "/tasks"; exit }' /proc/mounts)
title='members of a control group are in order'
if [ ! -r "$list" ]; then
	skip "$title" 'no cgroup file system of version 1'
elif ! { echo 450 >/proc/sys/kernel/pid_max && echo 420 >/proc/sys/kernel/ns_last_pid; } 2>/dev/null; then
	skip "$title" 'pid_max is not the PID namespace'\''s own'
else
	cgroup=$(sed -n '1s/.*://p' /proc/self/cgroup)
	[ ! -r "${list%/tasks}${cgroup%/}/tasks" ] || list=${list%/tasks}${cgroup%/}/tasks
	# shellcheck disable=SC2016
	timeout -k 2 "$limit" "$SUBPID" run -- bash -c '
		for i in {1..40}; do sleep 9 & done
		sleep .3
		cat "$1" >list
		kill $(jobs -p)
		sort -n list | cmp - list && wc -l <list' _ "$list" >"$work/got" 2>&1
	if [ "$(cat "$work/got")" -ge 41 ] 2>/dev/null; then
		say ok "$title"
	else
		say 'not ok' "$title"
		report "$work/got"
	fi
	echo 4194304 >/proc/sys/kernel/pid_max
fi
finish
