# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# busybox, static: its shell and the applets that look at processes.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs busybox

numbers 'numbers' busybox sh -c 'echo $$ $PPID; (busybox sh -c "echo \$\$ \$PPID"); busybox sleep .1 & echo $!; wait'
numbers 'ps' busybox sh -c 'busybox sleep 3 & busybox sleep .1; busybox ps -o pid,ppid,args; kill $!'
numbers 'killall' busybox sh -c '
	cp "$(command -v busybox)" ./sleep && ./sleep 72 & busybox sleep .3; busybox killall sleep; echo $?; wait; busybox killall sleep; echo $?'
same 'traps and wait' busybox sh -c 'trap "echo usr1" USR1; kill -USR1 $$; (exit 5) & wait $!; echo $?; busybox timeout 1 busybox sleep 5; echo $?'
same 'pipeline, tar, gzip' busybox sh -c '
	mkdir d; for i in 1 2 3; do echo $i >d/$i; done; busybox tar cf - d | busybox gzip -n | busybox gunzip | busybox tar tf - | sort'
same 'xargs, find' busybox sh -c 'touch a b c; busybox find . -type f -exec busybox basename {} \; | sort; seq 50 | busybox xargs -n 1 -P 3 busybox echo | sort -n | tail -n 1'
finish
