#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The check script of the reach suite: runs inside one environment, as an unprivileged user, and
# prints `ok - NAME` or `not ok - NAME` per check, diagnostics as lines starting with `# `, and
# `end` when it got to its end. Each check is bounded in time. What may signal widely comes last: if
# the numbers are not converted, it ends this script as well.
#
# usage: smoke.sh SUBPID, with the test programs in /reach and in the environment:
#   REACH_CONTROLS  words MECHANISM=RESULT: what `probe` must say here before anything else counts
#   REACH_EXPECT    works (default), or refused:WORD: subpid must say so in a line with that word
#   REACH_SLOW      factor for waiting times (emulated machines)
#   REACH_WITHOUT   words: proc (no /proc mounted), python (not installed)
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside
set -eu

subpid=$1
slow=${REACH_SLOW:-1}
without=" ${REACH_WITHOUT:-} "
limit=$((15 * slow))
tools=/reach
LC_ALL=C
export LC_ALL

tmp=$(mktemp -d "${TMPDIR:-/tmp}/reach-XXXXXX")
bystander=
finish() {
	[ -z "$bystander" ] || kill -9 "$bystander" 2>/dev/null || :
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

passed() {
	echo "ok - $1"
}

# failed NAME [DETAIL]...: with the last command's streams as diagnostics.
failed() {
	echo "not ok - $1"
	shift
	for detail in "$@"; do
		echo "# $detail"
	done
	for stream in out err; do
		if [ -s "$tmp/$stream" ]; then
			sed "s/^/# $stream: /" "$tmp/$stream" | head -n 12
		fi
	done
}

# run CMD...: runs with a time limit, result in $rc, $tmp/out and $tmp/err (files, not pipes: a
# process left behind would hold a pipe open).
run() {
	rc=0
	timeout -k 2 "$limit" "$@" </dev/null >"$tmp/out" 2>"$tmp/err" || rc=$?
}

# check NAME STATUS OUTPUT CMD...: the exit status and, spaces squeezed, standard output must be
# these.
check() {
	name=$1 want_rc=$2 want=$3
	shift 3
	run "$@"
	got=$(tr -s ' ' <"$tmp/out" | sed 's/^ //; s/ $//')
	if [ "$rc" = "$want_rc" ] && [ "$got" = "$want" ]; then
		passed "$name"
	else
		failed "$name" "command: $*" "status $rc, expected $want_rc" \
			"expected output: $(echo "$want" | tr '\n' '|')"
	fi
}

has() {
	case $without in
	*" $1 "*) return 1 ;;
	esac
}

controls() {
	for control in ${REACH_CONTROLS:-}; do
		what=${control%%=*} want=${control#*=}
		run "$tools/probe" "$what"
		if [ "$rc" = 0 ] && [ "$(cat "$tmp/out")" = "$want" ]; then
			passed "control: $what: $want"
		else
			failed "control: $what: $want" "status $rc"
		fi
	done
}

# refused WORD
refused() {
	run "$subpid" run -- sh -c 'echo ran'
	lines=$(wc -l <"$tmp/err")
	if [ "$rc" = 125 ] && [ ! -s "$tmp/out" ] && [ "$lines" = 1 ] && grep -q "$1" "$tmp/err"; then
		passed "refuses with 125 and one line that names $1"
	else
		failed "refuses with 125 and one line that names $1" "status $rc, $lines lines"
	fi
}

# doctor STATUS [WORD]: it says the same as run, and names what is missing in a line that begins with no.
doctor() {
	case $subpid in
	*stand-in*) return 0 ;;
	esac
	run "$subpid" doctor
	if [ "$rc" = "$1" ] && [ ! -s "$tmp/err" ] && [ "$(grep -c '^ok    run ' "$tmp/out")" = $((1 - $1)) ] &&
		grep -q "^${2:+no .*}${2:-ok }" "$tmp/out"; then
		passed 'doctor agrees with run'
	else
		failed 'doctor agrees with run' "status $rc"
	fi
}

numbers() {
	check 'sh is 1, its parent 0' 0 '1 0' "$subpid" run -- sh -c 'echo $$ $PPID'
	check 'raw calls agree, static program' 0 '1 0 1' "$subpid" run -- "$tools/prog-static" ids
	check 'raw calls agree, dynamic program' 0 '1 0 1' "$subpid" run -- "$tools/prog-pie" ids
	check 'forks count from 2' 0 '2 3 4' \
		"$subpid" run -- bash -c 'for i in 1 2 3; do (echo -n "$BASHPID "); done'
	for kind in static pie; do
		prog="$tools/prog-$kind"
		check "50 forks in order, $kind" 0 '2 51' "$subpid" run -- "$prog" forks 50
		check "vfork and exec, $kind" 0 all "$subpid" run -- "$prog" vfork 5
		check "threads and their signals, $kind" 0 '40 threads, all signals' \
			"$subpid" run -- "$prog" threads 10
	done
	check '30 children alive at once' 0 all "$subpid" run -- "$tools/prog-pie" alive 30
	check 'SIGCHLD names the child' 0 'si_pid ok, status 3' \
		"$subpid" run -- "$tools/prog-pie" sigchld
}

programs() {
	check 'a pipeline' 0 100 "$subpid" run -- bash -c 'seq 100 | sort -rn | head -n 1'
	check 'standard input is passed' 0 HELLO "$subpid" run -- sh -c 'echo hello | tr a-z A-Z'
	check 'a script with #!' 0 '1 0' "$subpid" run -- "$tools/script"
	check 'an empty environment' 0 1 "$subpid" run -- env -i /bin/sh -c 'echo $$'
	check 'a trap handler in PID 1' 0 'got 1' "$subpid" run -- \
		bash -c 'trap "echo got \$\$" USR1; kill -USR1 $$; :'
	check 'perl forks 50 times' 0 '2 51' "$subpid" run -- perl -e '
		for (1 .. 50) { my $p = fork // die; exit 0 if !$p; waitpid($p, 0) == $p or die;
			$first //= $p; $last = $p }
		print "$first $last\n"'
	if has python; then
		check 'python3 subprocess 20 times' 0 '1 21' "$subpid" run -- python3 -c '
import os, subprocess
for i in range(20):
    last = subprocess.Popen(["true"], close_fds=True)
    assert last.wait() == 0
print(os.getpid(), last.pid)'
	fi
	for kind in static pie; do
		prog="$tools/prog-$kind"
		check "all descriptors closed, $kind" 0 '1 0 1' "$subpid" run -- "$prog" closed 3
	done
	check 'no descriptor free, static' 0 '2 1 2
1 0 1' "$subpid" run -- "$tools/prog-static" full 0
	check 'one descriptor free, pie' 0 '2 1 2
1 0 1' "$subpid" run -- "$tools/prog-pie" full 1
}

procfs() {
	check '/proc/self is oneself' 0 1 \
		"$subpid" run -- sh -c 'read -r pid rest </proc/self/stat; echo $pid'
	check 'ps shows the namespace' 0 'PID PPID COMMAND
1 0 ps -e -o pid,ppid,args
2 1 sleep 50
4 1 sleep 60' "$subpid" run -- bash -c \
		'sleep 50 & (sleep 60 &)
		for n in 50 60; do
			until ps -e -o args | grep -qx "sleep $n"; do sleep 0.1; done
		done
		exec ps -e -o pid,ppid,args'
}

statuses() {
	check 'exit status' 7 '' "$subpid" run -- sh -c 'exit 7'
	check 'a fault ends PID 1' 139 '' "$subpid" run -- "$tools/prog-static" fault
	check 'a child killed' 0 137 "$subpid" run -- sh -c 'sh -c "kill -9 \$\$"; echo $?'
	check 'unknown command is 127' 127 '' "$subpid" run -- ./no-such-command
	check 'a directory is 126' 126 '' "$subpid" run -- /
	check 'unknown option is 125' 125 '' "$subpid" run --no-such-option -- true
}

# left_nothing NAME CMD...: CMD writes to and holds open descriptor 9. What it started is gone when
# the reader of the pipe sees the end. No /proc needed.
left_nothing() {
	name=$1
	shift
	rm -f "$tmp/pipe" "$tmp/started"
	mkfifo "$tmp/pipe"
	: >"$tmp/out"
	timeout -k 2 $((8 * slow)) cat "$tmp/pipe" >"$tmp/held" &
	reader=$!
	# Opened for both directions, which never waits for the reader.
	timeout -k 2 "$limit" "$@" 9<>"$tmp/pipe" </dev/null 2>"$tmp/err" || :
	rc=0
	wait "$reader" || rc=$?
	if [ "$rc" = 0 ] && [ "$(cat "$tmp/held")" = started ]; then
		passed "$name"
	else
		failed "$name" "reader's status $rc (124: something still held the pipe)" \
			"it read: $(cat "$tmp/held")"
	fi
}

ends() {
	stays="echo started >&9; : >$tmp/started; exec sleep 42"
	until_started="until [ -e $tmp/started ]; do sleep 0.1; done"
	left_nothing 'nothing left after a setsid child' "$subpid" run -- \
		sh -c "setsid nohup sh -c '$stays' >/dev/null & $until_started"
	left_nothing 'nothing left after SIGKILL of subpid' sh -c '
		"$0" run -- sh -c "setsid sh -c \"$1\" & sleep 44" &
		front=$!
		eval "$2"
		kill -9 "$front"' "$subpid" "$stays" "$until_started"
}

stand_by() {
	if [ -z "$bystander" ] || ! kill -0 "$bystander" 2>/dev/null; then
		sleep 1000 &
		bystander=$!
	fi
}

outside() {
	stand_by
	run "$subpid" run -- bash -c "kill $bystander"
	if [ "$rc" = 1 ] && grep -q 'No such process' "$tmp/err" && kill -0 "$bystander"; then
		passed 'a process outside cannot be signalled'
	else
		failed 'a process outside cannot be signalled' "status $rc"
		# It may be dying, and still there for a moment.
		kill -9 "$bystander" 2>/dev/null || :
		wait "$bystander" 2>/dev/null || :
	fi
	stand_by
	if has proc; then
		check 'a process outside is not in /proc' 1 '' \
			"$subpid" run -- sh -c "test -e /proc/$bystander"
	fi
	check 'PID 1 survives what comes from inside' 0 survived \
		"$subpid" run -- sh -c 'kill -9 -1; kill -9 1; kill -TERM $$; echo survived'
	if kill -0 "$bystander" 2>/dev/null; then
		passed 'kill -9 -1 reached nothing outside'
	else
		failed 'kill -9 -1 reached nothing outside'
	fi
}

main() {
	controls
	case ${REACH_EXPECT:-works} in
	refused:*)
		refused "${REACH_EXPECT#refused:}"
		doctor 1 "${REACH_EXPECT#refused:}"
		;;
	*)
		doctor 0
		numbers
		programs
		if has proc; then
			procfs
		fi
		statuses
		ends
		outside
		;;
	esac
	echo end
}

main
