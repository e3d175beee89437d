# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# bash: jobs, subshells, traps, wait -n, coprocesses, process substitution.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"

numbers 'numbers of subshells' bash -c 'for i in 1 2 3; do (echo -n "$BASHPID "); done; echo $$ $PPID'
numbers 'numbers of background jobs' bash -c '
	sleep .1 & echo $!; sleep .1 & echo $!; wait; true & echo $!; wait; (sh -c "echo \$\$ \$PPID")'
numbers 'numbers in a pipeline' bash -c 'echo $BASHPID | (read -r a; echo $a $BASHPID) | (cat; echo $BASHPID); echo ${#PIPESTATUS[@]}'
same 'job list' bash -c '
	set -m; sleep 5 & a=$!; sleep 6 & b=$!; jobs; kill %1 %2; wait $a; echo $?; wait $b; echo $?; jobs >/dev/null; jobs'
same 'stop and continue a job' bash -c '
	set -m; sleep 5 & kill -STOP %1; sleep .3; jobs; kill -CONT %1; p=$!; sleep .1; jobs; kill %1; wait $p; echo $?'
same 'kill a process group' bash -c '
	set -m; (sleep 50 & sleep 51 & wait) & sleep .2; kill -- -$!; wait $!; echo $?'
same 'traps' bash -c '
	trap "echo usr1" USR1; trap "echo bye" EXIT; kill -USR1 $$; (kill -USR1 $$); sleep .1
	(trap "echo in subshell; exit 4" TERM; kill $BASHPID; sleep 1); echo $?'
same 'trap on CHLD' bash -c '
	set -m; n=0; trap "n=\$((n+1))" CHLD; for i in 1 2 3; do (exit $i) & wait $!; echo $?; done; echo $n'
same 'a signal interrupts wait' bash -c '
	trap "echo got" USR1; sleep 2 & p=$!; (sleep .2; kill -USR1 $$) & wait $p; echo $?; kill $p; wait $p; echo $?'
same 'wait -n' bash -c '
	(sleep .1; exit 3) & (sleep .5; exit 4) & wait -n; echo $?; wait -n; echo $?; wait -n; echo $?'
same 'wait -n -p' bash -c '
	sleep .1 & a=$!; sleep .4 & b=$!; wait -n -p p $a $b; [ $p = $a ] && echo first; wait -n -p p; [ $p = $b ] && echo second'
same 'coprocess' bash -c '
	coproc cat; p=$COPROC_PID; echo hello >&"${COPROC[1]}"; read -r l <&"${COPROC[0]}"; echo "$l"; kill $p; wait $p; echo $?'
same 'process substitution' bash -c '
	diff <(seq 5) <(seq 6); paste <(seq 3) <(seq 4 6); seq 9 | tee >(wc -l >n) >/dev/null; sleep .2; cat n'
same 'pipe status' bash -c '
	false | true | (exit 3) | (kill -9 $BASHPID); echo "${PIPESTATUS[@]}"; yes | head -1; echo "${PIPESTATUS[@]}"'
same 'a thousand commands' bash -c '
	for i in $(seq 300); do /bin/true || exit 1; done; for i in $(seq 700); do x=$(echo $i); done; echo $x'
same 'exec in place' bash -c 'p=$$; exec bash -c "[ \$\$ = $p ] && echo same; exec sh -c \"[ \\\$\\\$ = $p ] && echo same\""'
same 'timeout, nohup, setsid, env' bash -c '
	timeout .2 sleep 5; echo $?; timeout -s KILL .2 sleep 5; echo $?; nohup echo hi 2>/dev/null
	setsid -w sh -c "exit 9"; echo $?; env -i /bin/sh -c "echo \$PATH"; nice true; echo $?'
same 'the shell is a group leader on its own' bash -c '
	set -m; sleep 3 & p=$!; [ "$(ps -o pgid= -p $p | tr -d " ")" = $p ] && echo leader; kill %1; wait $p; echo $?'
finish
