# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# gdb and strace, on programs they start and on programs they attach to: the numbers, stops and frames are those of a kernel
# namespace, and nothing of the resident shows.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs gdb strace gcc perl

if [ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -gt 1 ]; then
	skip 'all of it' 'ptrace is restricted here'
	finish
fi
build 'the debuggee' gcc -g -O0 -pthread "$src/debuggee.c" -o debuggee
prog=$work/debuggee

# trace NAME OPTIONS... CMD...: the log of each process, in order of their numbers, without addresses, seeds
# of hashes and the word that the kernel writes for the parent of a thread.
trace() {
	local name=$1
	shift
	numbers "strace: $name" bash -c '
		strace -ff -o log -e "trace=!%memory,set_tid_address,getrandom,prlimit64" -e "signal=!SIGCHLD" "$@" 2>&1
		echo "status $?"
		for f in $(ls log.* | sort -t. -k2n); do
			echo "== ${f#log.}"
			sed -E "s/0x[0-9a-f]{4,}/ADDR/g; s,/\* [0-9]+ vars \*/,,; s/st_size=[0-9]+/SIZE/; s/stx_[a-z]+=[^,}]*/X/g
				s/parent_tid=\[[0-9]+\]/TID/; /^read\(.*, 4\) /d" "$f"
		done' _ "$@"
}

# debug NAME ARG COMMAND...: a gdb script on the debuggee.
debug() {
	local name=$1 arg=$2 c
	local args=(-ex 'set debuginfod enabled off' -ex 'set confirm off' -ex 'set pagination off')
	shift 2
	for c in "$@"; do args+=(-ex "$c"); done
	numbers "gdb: $name" bash -c '
		gdb -q -nx -batch "$@" 2>&1 | sed -E "s/0x[0-9a-f]{6,}/ADDR/g; /^warning: .*(debug|symbol)/d; /No such file or directory/d"' \
		_ "${args[@]}" --args "$prog" ${arg:+"$arg"}
}

trace 'a program' /bin/true
trace 'numbers' perl -e 'print "$$ ", getppid, " ", getpgrp, "\n"; print kill(0, $$), kill(0, 4000), "\n"; waitpid -1, 0'
trace 'a shell with children' -f sh -c 'ls /etc/hostname; exit 3'
trace 'signals' perl -e '$SIG{USR1} = sub { print "usr1\n" }; kill "USR1", $$; kill "TERM", $$'
trace 'fork, exec and wait' -f perl -e 'for (1 .. 3) { my $p = fork; exec "/bin/true" unless $p; waitpid $p, 0 } print "$$\n"'
trace 'threads' -f -e trace=clone,clone3,getpid,gettid,exit,exit_group /usr/bin/python3 -c '
import os, threading
for i in range(3):
    t = threading.Thread(target=lambda: print(threading.get_native_id() > 0)); t.start(); t.join()'
trace 'with a filter' --seccomp-bpf -f -e trace=getppid,kill,wait4,execve sh -c '/bin/true; kill -0 $PPID; /bin/true'
trace 'results it puts there' -e trace=getppid -e inject=getppid:retval=77 perl -e 'print getppid, "\n"'
trace 'errors it puts there' -e trace=kill -e inject=kill:error=EPERM:when=2 perl -e 'for (1 .. 3) { print kill(0, $$), "\n" }'
numbers 'strace: attached to a wait' bash -c '
	perl -e "\$SIG{USR1} = sub { kill q(KILL), \$p }; unless (\$p = fork) { sleep 100 } wait; exit 7" & p=$!
	sleep .3; strace -o log -e trace=wait4,exit_group -e signal=none -p $p & s=$!; sleep .5
	kill -USR1 $p; wait $p; echo $?; wait $s; echo $?; sed -E "s/0x[0-9a-f]+/ADDR/g; s/= [0-9]+$/= N/" log'
numbers 'strace: attached to a shell and its children' bash -c '
	sh -c "read x; for i in 1 2; do /bin/true; done; kill -0 \$\$; exit 4" <pipe & p=$!
	sleep .3; strace -f -o log -e trace=execve,kill,exit_group -e signal=none -p $p & s=$!; sleep .5
	echo go >pipe; wait $p; echo $?; wait $s; sed -E "s/0x[0-9a-f]+.*\*\//ADDR/" log' 3<&- || :
numbers 'strace: let go' bash -c '
	perl -e "\$| = 1; while (\$n++ < 20) { kill 0, \$\$; select undef, undef, undef, .05 } print qq(done\n)" & p=$!
	sleep .2; strace -o log -e trace=kill -p $p & s=$!; sleep .4; kill $s; wait $s; wait $p; echo $?; head -n 3 log'

debug 'break, backtrace, finish, call, step' '' 'handle SIGUSR1 nostop noprint' 'break add' run bt 'info inferiors' finish \
	'p (int)getpid()' 'p (int)getppid()' 'p add(20, 22)' next 'info threads' continue
debug 'a signal' '' run bt 'p $_siginfo.si_signo' 'p $_siginfo._sifields._kill.si_pid' 'break on_signal' continue bt finish \
	'p hits' continue
debug 'a watchpoint' '' 'handle SIGUSR1 nostop noprint' 'break main' run 'watch watched' continue 'p watched' bt 'delete 2' continue
debug 'single steps over calls' '' 'handle SIGUSR1 nostop noprint' 'break main' run next next next next stepi nexti 'p hits' continue
debug 'threads' threads 'handle SIGUSR1 nostop noprint' 'break ready' 'set scheduler-locking off' run 'set scheduler-locking on' 'info threads' 'thread apply all bt 1' \
	'p (int)gettid()' 'thread 3' 'p (int)gettid()' kill
debug 'children are let go' children 'handle SIGUSR1 nostop noprint' run
debug 'follow a child' child 'handle SIGUSR1 nostop noprint' 'set follow-fork-mode child' 'break in_child' run bt \
	'p (int)getpid()' 'p (int)getppid()' 'info inferiors' continue
debug 'hold parent and child' child 'handle SIGUSR1 nostop noprint' 'set detach-on-fork off' 'catch fork' run \
	next 'info inferiors' 'inferior 2' 'bt 1' 'p (int)getpid()' 'info threads' 'kill inferiors 1 2' 'info inferiors'
debug 'catch fork, vfork and exec' children 'handle SIGUSR1 nostop noprint' 'catch fork' 'catch vfork' 'catch exec' \
	'set follow-fork-mode child' 'run >/dev/null' 'bt 1' continue 'bt 1' 'info inferiors' kill
debug 'catch calls' '' 'catch syscall kill' 'catch syscall rt_sigreturn' 'catch syscall getppid' run 'bt 1' continue 'p $rax' \
	continue continue 'bt 1' continue 'p (int)$rax' continue 'delete' continue
debug 'run again' '' 'handle SIGUSR1 nostop noprint' 'break add' run run 'info inferiors' kill 'info inferiors'
# (The numbers that libc cached, and libthread_db reads from a core, are the kernel's.)
debug 'a core of it' '' 'set libthread-db-search-path /nowhere' 'handle SIGUSR1 nostop noprint' 'break add' run 'generate-core-file core' kill \
	'core-file core' 'info threads' 'p hits'
numbers 'gdb: attached to a wait' bash -c '
	"$1" wait & p=$!; sleep .3
	gdb -q -nx -batch -ex "set debuginfod enabled off" -ex "attach $p" -ex "bt" -ex "p (int)getpid()" -ex "p add(2, 3)" -ex "info inferiors" -ex detach 2>&1 |
		sed -E "s/0x[0-9a-f]{6,}/ADDR/g; /^warning/d; /No such file/d"
	pkill -P $p; wait $p; echo $?' _ "$prog"
numbers 'gdb: interrupted' bash -c '
	mkfifo in; perl -e "while (1) { getppid }" & p=$!
	{ echo "set debuginfod enabled off"; echo "attach $p"; echo "continue"; sleep 1; kill -INT $p; sleep .5; echo "p \$_siginfo.si_signo"; echo "detach"; } |
		gdb -q -nx 2>&1 | grep -aoE "SIGINT|= [0-9]+$|detached"
	kill $p; wait $p; echo $?'
finish
