# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# One session: numbers, the process list, signals that do not go out, nothing left behind.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086,SC2317,SC2015
. "$(dirname "$0")/lib.sh"

first() {
	equal "$(subpid run -- sh -c 'echo $$ $PPID')" '1 0'
}
try 'the command is PID 1 and has no parent' first

without_dashes() {
	equal "$(subpid run sh -c 'echo $$ $PPID')" '1 0'
}
try 'the -- may be left out' without_dashes

list() {
	equal "$(subpid run -- bash -c 'sleep 50 & (sleep 60 &); sleep .1; ps -e -o pid,ppid,args' | tr -s ' ')" \
		' PID PPID COMMAND
 1 0 ps -e -o pid,ppid,args
 2 1 sleep 50
 4 1 sleep 60'
}
try 'ps shows the namespace and nothing else' list

outward() {
	local out rc
	sleep 1000 & H=$!
	out=$(subpid run -- bash -c "kill $H" 2>&1)
	rc=$?
	kill -0 $H || return 1
	kill $H
	wait $H
	equal $rc 1 status && [[ $out == *'No such process'* ]] || equal "$out" '... No such process'
}
try 'a process outside cannot be signalled' outward

everyone() {
	sleep 1000 & H=$!
	equal "$(subpid run -- sh -c 'kill -9 -1; kill -9 1; echo survived' 2>/dev/null)" survived || return 1
	is 'a bystander lives' kill -0 $H && kill $H && wait $H
	equal $? 143
}
try 'kill -9 -1 and kill -9 1 reach nobody' everyone

all_inside() {
	sleep 1000 & H=$!
	equal "$(subpid run -- bash -c 'sleep 50 & setsid sleep 51 & sleep .1; kill -9 -1; wait -n; echo $?; sleep .1; pgrep -c sleep')" \
		'137
0' || return 1
	is 'a bystander lives' kill -0 $H && kill $H && wait $H
	equal $? 143
}
try 'kill -9 -1 reaches everybody inside' all_inside

group_zero() {
	local out
	sleep 1000 & H=$!
	out=$(setsid -w bash -c 'trap "echo outside" TERM; subpid run -- bash -c "trap \"echo mine\" TERM; kill -TERM 0; sleep .1"; echo outer $?')
	is 'a bystander lives' kill -0 $H && kill $H && wait $H
	equal "$out" 'mine
outer 0'
}
try 'kill 0 stays inside' group_zero

detached() {
	subpid run -- sh -c 'setsid nohup sleep 4242 >/dev/null 2>&1 & exit 0' || return 1
	nobody
}
try 'setsid nohup: gone when the command returns' detached

daemons() {
	subpid run -- sh -c '
		(setsid sh -c "(sleep 4251 &) &" &) ; (trap "" HUP TERM INT; sleep 4252 &); setsid -f sleep 4253
		sh -c "trap \"\" TERM HUP INT QUIT; sleep 4254; sleep 4255" & sleep .1; exit 3'
	equal $? 3 status && nobody
}
try 'double forks, sessions, ignored signals: gone' daemons

stopped() {
	subpid run -- sh -c 'sleep 4256 & kill -STOP $!; sh -c "kill -STOP \$\$; sleep 4257" & sleep .1; exit 4'
	equal $? 4 status && nobody
}
try 'stopped members: gone' stopped

numbers() {
	equal "$(subpid run -- bash -c 'for i in 1 2 3; do (echo -n "$BASHPID "); done')" '2 3 4 '
}
try 'numbers are the same every time' numbers

numbers_under_load() {
	local rc load
	(while :; do /bin/true; done) & load=$!
	equal "$(subpid run -- bash -c 'for i in 1 2 3; do (echo -n "$BASHPID "); done')" '2 3 4 '
	rc=$?
	kill $load
	wait $load
	return $rc
}
try 'numbers do not depend on what runs outside' numbers_under_load

pkill_inside() {
	sleep 1000 & H=$!
	equal "$(subpid run -- bash -c 'sleep 77 & sleep .1; pgrep -x sleep; pkill -x sleep; wait; echo done' 2>/dev/null)" '2
done' || return 1
	is 'a bystander lives' kill -0 $H && kill $H && wait $H
	equal $? 143
}
try 'pkill finds only its own' pkill_inside

side_by_side() {
	local i out
	for i in 1 2 3 4; do
		subpid run -- bash -c 'sleep .3 & echo $$ $!; wait; set -- $(ps -e -o pid=); echo $#' >"out.$i" &
	done
	wait
	out=$(cat out.? | sort | uniq -c | tr -s ' ')
	equal "$out" ' 4 1 2
 4 2'
}
try 'four sessions side by side do not see each other' side_by_side

subprocesses() {
	subpid run -- /usr/bin/python3 -c 'import subprocess; [subprocess.run(["true"], close_fds=True, check=True) for _ in range(500)]'
}
try_slow 'python3 starts 500 programs with close_fds' subprocesses

proc() {
	sleep 1000 & H=$!
	equal "$(subpid run -- bash -c 'echo /proc/[0-9]*; readlink /proc/self; grep -E "^(Name|Pid|PPid|NSpid):" /proc/1/status | tr "\t" " "; [ -e /proc/'$H' ] && echo leak || echo hidden')" \
		'/proc/1
2
Name: bash
Pid: 1
PPid: 0
NSpid: 1
hidden' || return 1
	kill $H
	wait $H
	equal $? 143
}
try '/proc agrees' proc
finish
