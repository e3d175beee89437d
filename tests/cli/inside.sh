# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: `subpid run` inside of `subpid run`: the same status, messages and job control as outside,
# and nothing left whoever is killed.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside

# inside NAME WANTED COMMAND: what bash -c COMMAND prints in a namespace; $0 is subpid.
inside() {
	run "$SUBPID" run bash -c "$3" "$SUBPID"
	same "inside a namespace: $1" "$2" "$flat${err:+|$err}"
}

inside 'a program is number 1 and has no parent' '1 0' '"$0" run sh -c "echo \$\$ \$PPID"'
inside 'three deep' '1 0' '"$0" run "$0" run "$0" run sh -c "echo \$\$ \$PPID"'
inside 'its status' '7' '"$0" run sh -c "exit 7"; echo $?'
inside 'its death by a signal' '139' 'exec 2>/dev/null; "$0" run python3 -c "import ctypes; ctypes.string_at(0)"; echo $?'
inside 'its own signals do not end it' '5' '"$0" run sh -c "kill -TERM \$\$; exit 5"; echo $?'
inside 'no such program' '127|subpid: nosuch: command not found' '"$0" run nosuch; echo $?'
inside 'a program that cannot be executed' '126|subpid: /etc/passwd: Permission denied' '"$0" run /etc/passwd; echo $?'
inside 'only its own processes are seen' '/proc/1' '"$0" run bash -c "echo /proc/[0-9]*"'
inside 'from outside they are seen' '2 1' '"$0" run sleep 90041 & for i in {1..500}; do
	n=$(pgrep -x sleep) && break; sleep .01; done
	awk "/^NSpid/ { print NF - 1, \$NF }" /proc/$n/status; kill $!'
for who in '$f' '$(pgrep -P $f)' '$(pgrep -x sleep)'; do
	inside "SIGKILL of $who leaves nothing" '137 0' '"$0" run sleep 90042 & f=$!
		until pgrep -x sleep >/dev/null; do sleep .01; done
		kill -KILL '"$who"'; wait $f 2>/dev/null; c=$?
		for i in {1..500}; do pgrep -x sleep >/dev/null || break; sleep .01; done
		echo $c $(pgrep -cx sleep)'
done
CLI_PREFIX='inside a namespace: ' user timeout -k 2 120 "$SUBPID" run -- python3 "$here/jobs.py" "$SUBPID" || failed=1
CLI_PREFIX='inside a namespace: ' user timeout -k 2 60 "$SUBPID" run -- python3 "$here/tstp.py" "$SUBPID" || failed=1
