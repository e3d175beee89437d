# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Killed at any moment - the front, the supervisor, the whole job, PID 1 - nothing is left.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086,SC2317,SC2015
. "$(dirname "$0")/lib.sh"

front_killed() {
	command subpid run -- sh -c 'setsid sleep 4243 & sleep 4244' &
	sleep .2
	kill -9 $!
	ended $!
	equal $? 137 status && gone "$linger"
}
try 'kill -9 of subpid' front_killed

at_once() {
	command subpid run -- sh -c 'setsid sleep 4243 & sleep 4244' & kill -9 $!
	ended $!
	equal $? 137 status && gone "$linger"
}
try 'kill -9 of subpid at once' at_once

start_killed() {
	command subpid run -- sh -c 'setsid sleep 4243 & (setsid sleep 4245 &) ; sleep 4244' &
	sleep "$(random 0 40)"
	kill -9 $!
	ended $!
	gone "$linger"
}
try 'kill -9 of subpid while it starts' start_killed

# The supervisor is the child of the front.
supervisor() {
	local i child
	for ((i = 0; i < 200; i++)); do
		child=$(ps -o pid= --ppid "$1") && break
		sleep .01
	done
	echo "${child%%$'\n'*}" | tr -d ' '
}

supervisor_killed() {
	local front
	command subpid run -- sh -c 'setsid sleep 4243 & sleep 4244' 2>/dev/null &
	front=$!
	sleep "$(random 20 200)"
	kill -9 "$(supervisor $front)" || return 1
	ended $front
	gone "$linger"
}
try 'kill -9 of the supervisor' supervisor_killed

init_killed() {
	local front init
	command subpid run -- sh -c 'setsid sleep 4243 & exec sleep 4246' &
	front=$!
	sleep .2
	others >now
	init=$(awk '/sleep 4246$/ { print $1 }' now | tail -n 1)
	kill -9 "$init" || return 1
	ended $front
	equal $? 137 status && gone "$linger"
}
try 'kill -9 of PID 1 from outside' init_killed

job_killed() {
	bash -c 'set -m; subpid run -- sh -c "setsid sleep 4243 & sleep 4244" & sleep "$1"; kill -9 %1; wait $!' _ "$(random 20 250)" 2>/dev/null
	equal $? 137 status && gone "$linger"
}
try 'kill -9 %1, the whole job' job_killed

pipeline_killed() {
	bash -c 'set -m; subpid run -- sh -c "setsid sleep 4243 & yes" | subpid run -- sh -c "setsid sleep 4245 & cat" >/dev/null & sleep "$1"; kill -9 %1; wait $!' _ "$(random 50 250)" 2>/dev/null
	equal $? 137 status && gone "$linger"
}
try 'kill -9 %1 of a pipeline of two' pipeline_killed

# bomb VICTIM: a bounded fork bomb is hit midway.
bomb() {
	local front victim=$1
	[ "$victim" != job ] || set -m
	command subpid run -- perl "$src/bomb.pl" 2000 2>/dev/null &
	front=$!
	set +m
	sleep "$(random 30 400)"
	case $victim in
	front) kill -9 $front ;;
	supervisor) kill -9 "$(supervisor $front)" ;;
	job) kill -9 -- -$front ;;
	term) kill -TERM $front ;;
	esac
	ended $front 2>/dev/null
	gone 10
}
try 'a fork bomb, subpid killed' bomb front
try 'a fork bomb, the supervisor killed' bomb supervisor
try 'a fork bomb, the job killed' bomb job
try 'a fork bomb, subpid terminated' bomb term

bomb_ends() {
	subpid run -- sh -c 'perl "$1" 2000 & sleep "$2"; exit 5' _ "$src/bomb.pl" "$(random 30 400)" 2>/dev/null
	equal $? 5 status && nobody
}
try 'a fork bomb, PID 1 ends' bomb_ends

term() {
	command subpid run -- sh -c 'setsid sleep 4243 & sleep 4244' &
	sleep .2
	kill -TERM $!
	ended $!
	equal $? 143 status && gone "$linger"
}
try 'SIGTERM to subpid ends a PID 1 without a handler' term

hangup() {
	command subpid run -- sh -c 'setsid sleep 4243 & sleep 4244' &
	sleep .2
	kill -HUP $!
	ended $!
	equal $? 129 status && gone "$linger"
}
try 'SIGHUP to subpid ends a PID 1 without a handler' hangup

term_handled() {
	rm -f out
	command subpid run -- bash -c 'trap "echo handled; exit 9" TERM; echo up; while :; do sleep .05; done' >out &
	until grep -qs up out; do sleep .01; done
	kill -TERM $!
	ended $!
	equal $? 9 status && equal "$(cat out)" 'up
handled' && gone "$linger"
}
try 'SIGTERM to subpid reaches the handler of PID 1' term_handled
finish
