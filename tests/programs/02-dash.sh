# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# dash: numbers, traps, wait, pipelines.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"

numbers 'numbers' dash -c 'echo $$ $PPID; (echo $$); sleep .1 & echo $!; sh -c "echo \$\$ \$PPID"; wait'
same 'traps' dash -c 'trap "echo usr1" USR1; trap "echo bye" EXIT; kill -USR1 $$; (kill -USR1 $$); sleep .1'
same 'wait for each' dash -c '(exit 3) & a=$!; (exit 4) & b=$!; wait $b; echo $?; wait $a; echo $?; wait 99999; echo $?'
same 'pipeline' dash -c 'seq 1000 | sort -r | head -n 3 | tr "\n" " "; echo'
same 'command substitution' dash -c 'i=0; while [ $i -lt 400 ]; do i=$(($(echo $i) + 1)); done; echo $i'
same 'death by signal' dash -c 'sh -c "kill -SEGV \$\$"; echo $?; sh -c "kill -TERM \$\$"; echo $?; sh -c "ulimit -c 0; kill -ABRT \$\$"; echo $?'
same 'jobs' dash -c 'set -m; sleep 3 & jobs | sed "s/[0-9][0-9]* *R/R/"; kill %1; wait; echo $?'
finish
