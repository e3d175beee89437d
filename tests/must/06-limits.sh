# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Resource limits set low: the command gets what it would get outside, less a documented cost.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086,SC2317,SC2015
. "$(dirname "$0")/lib.sh"

apart=()

# fits OPTION LIMIT CMD...
fits() {
	local limit=$1 value=$2
	shift 2
	timeout -k 1 10 "${apart[@]}" bash -c 'ulimit "$0" "$1" && shift && exec "$@"' "$limit" "$value" "$@" \
		>/dev/null 2>&1 </dev/null
}

# smallest OPTION LOW HIGH CMD...: the lowest limit with which the command succeeds.
smallest() {
	local option=$1 low=$2 high=$3 middle
	shift 3
	fits $option $high "$@" || { echo none; return; }
	while [ $((high - low)) -gt 1 ]; do
		middle=$(((low + high) / 2))
		if fits $option $middle "$@"; then high=$middle; else low=$middle; fi
	done
	echo $high
}

# costs OPTION LOW HIGH ALLOWED CMD...: the same command needs at most so much more inside.
costs() {
	local option=$1 low=$2 high=$3 allowed=$4 native inside
	shift 4
	native=$(smallest $option $low $high "$@")
	inside=$(smallest $option $low $high "$work/bin/subpid" run -- "$@")
	[ "$native" != none ] && [ "$inside" != none ] && [ $inside -le $((native + allowed)) ] && return 0
	echo "ulimit $option: natively $native, inside $inside, allowed $allowed more"
	return 1
}
gcc -O1 -static -o "$work/tiny" "$src/tiny.c" || exit 1
try_slow 'ulimit -v, a small static program: 8 MiB' costs -v 100 40000 8192 "$work/tiny"
try_slow 'ulimit -v, dash: 8 MiB' costs -v 100 40000 8192 dash -c 'echo ok; (exit 3); [ $? = 3 ]'
try_slow 'ulimit -v, python3: 8 MiB' costs -v 1000 120000 8192 /usr/bin/python3 -S -c 'import os; os.waitpid(os.posix_spawn("/bin/true", ["x"], {}), 0)'
try_slow 'ulimit -n (soft): no descriptor' costs -Sn 3 64 0 dash -c 'exec 3</dev/null; (exit 0) | cat; ls / >/dev/null'
try_slow 'ulimit -s: 16 KiB' costs -s 16 4000 16 dash -c 'echo ok; (exit 3); [ $? = 3 ]'

# The limit counts whatever the user runs anywhere, or in a user namespace of its own; without one, a
# measurement counts when nothing else moved.
unshare --user --map-current-user true 2>/dev/null && apart=(unshare --user --map-current-user)
processes() {
	local i before after inside command=(dash -c 'sleep .05 & wait $!')
	for ((i = 0; i < 8; i++)); do
		before=$(smallest -u 1 400 "${command[@]}")
		inside=$(smallest -u 1 400 "$work/bin/subpid" run -- "${command[@]}")
		after=$(smallest -u 1 400 "${command[@]}")
		[ "$before" = "$after" ] && [ "$before" != none ] || continue
		[ "$inside" != none ] && [ "$inside" -le $((before + 3)) ] && return 0
		echo "ulimit -u: natively $before, inside $inside, allowed 3 more"
	done
	echo 'no agreement in 8 measurements'
	return 1
}
if [ "$(id -u)" != 0 ]; then
	# The front, the supervisor, and the porter, which forks what `subpid exec` starts.
	try_slow 'ulimit -u: 3 processes' processes
	apart=()
fi

hard_files() {
	(ulimit -n 64; equal "$(subpid run -- bash -c 'ulimit -n; echo $$; true | cat; ls / >/dev/null && echo listed')" '64
1
listed') || return 1
	local count='
import os
n = 0
try:
    while True: os.dup(0); n += 1
except OSError as e: print(n, e.errno)'
	(ulimit -Sn 64; equal "$(subpid run -- /usr/bin/python3 -c "$count" </dev/null)" "$(/usr/bin/python3 -c "$count" </dev/null)" 'descriptors to be had') || return 1
	# Where nothing may lie above the limit, two places below it are taken. How many there are depends on
	# what this shell inherited.
	(
		ulimit -n 64
		read -r places error < <(/usr/bin/python3 -c "$count" </dev/null)
		equal "$(subpid run -- /usr/bin/python3 -c "$count" </dev/null)" "$((places - 2)) $error" 'descriptors to be had, hard limit'
	)
}
try 'ulimit -n 64: the same number of descriptors' hard_files

seen() {
	local o
	for o in -v -u -n -s -f -c -l -t; do
		(ulimit -Sv 4000000 -Su 20000 -Sn 200 -Ss 7000 -Sf 100000 -Sc 0 -Sl 32 -St 100
			equal "$(subpid run -- bash -c "ulimit $o; ulimit -H $o")" "$(bash -c "ulimit $o; ulimit -H $o")" "ulimit $o") || return 1
	done
}
try 'the command sees the limits that were set' seen

odd() {
	# Shared memory has a size, and a hard limit of 0 cannot be helped: no session, and one line.
	(ulimit -Sf 0; equal "$(subpid run -- dash -c 'echo $$' | cat)" 1 'with -Sf 0') || return 1
	equal "$( (ulimit -f 0; subpid run -- dash -c 'echo $$' 2>&1; echo "$?") | cat | sed 's/(ulimit -f).*/(ulimit -f)/')" \
		"subpid: cannot prepare shared memory (ulimit -f)
125" 'with -f 0' || return 1
	(ulimit -l 0; equal "$(subpid run -- dash -c 'echo $$' | cat)" 1 'with -l 0') || return 1
	(ulimit -i 0; equal "$(subpid run -- dash -c 'echo $$' | cat)" 1 'with -i 0') || return 1
	(ulimit -d 2000; equal "$(subpid run -- dash -c 'echo $$' | cat)" 1 'with -d 2000') || return 1
	(ulimit -s 100; equal "$(subpid run -- dash -c 'echo $$' | cat)" 1 'with -s 100') || return 1
	(ulimit -s unlimited 2>/dev/null || exit 0; equal "$(subpid run -- dash -c 'echo $$' | cat)" 1 'with -s unlimited')
}
try 'other limits at their lowest' odd

# Too low for the program is a failure of the program, as outside; never a session without isolation.
too_low() {
	local v out
	for v in 300 1000 2000 3000 4000 6000 8000 10000; do
		out=$( (ulimit -v $v; subpid run -- dash -c 'echo $$') 2>err)
		case $?:$out in
		0:1) ;;
		0:* | *:?*)
			echo "ulimit -v $v: printed $out"
			return 1
			;;
		*) [ -s err ] || { echo "ulimit -v $v: failed without a word"; return 1; } ;;
		esac
	done
}
try 'too little memory is said, never a half session' too_low
finish
