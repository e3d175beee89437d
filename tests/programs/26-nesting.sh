# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Programs that make PID namespaces, enter them and show them: util-linux, bubblewrap, procps, psmisc, debuggers; and
# subpid in itself.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086
. "$(dirname "$0")/lib.sh"
needs unshare nsenter lsns bwrap ps pstree strace gdb gcc

ns='unshare --user --map-root-user --pid --fork'
if ! native $ns true 2>/dev/null; then
	skip 'unshare and bwrap' 'no user namespaces for the oracle'
	finish
fi
numbers 'unshare --mount-proc ps' bash -c "$ns --mount-proc ps -eo pid,ppid,pgid,args --no-headings"
numbers 'unshare of a shell with children' bash -c "$ns --mount-proc bash -c 'sleep 9 & echo \$\$ \$PPID \$!; ps -eo pid,ppid,comm --no-headings; kill %1; exit 3'; echo \$?"
numbers 'unshare in unshare' bash -c "$ns --mount-proc $ns --mount-proc bash -c 'echo \$\$ \$PPID; ps -e --no-headings | wc -l'"
numbers 'unshare without --fork' bash -c "unshare --user --map-root-user --pid sh -c '/bin/true; /bin/true; :' 2>&1 | grep -o 'Cannot fork'"
numbers 'unshare --kill-child' bash -c "exec 2>/dev/null; $ns --kill-child --mount-proc sleep 90007 & sleep .5; kill -9 \$!; wait \$! 2>/dev/null
	for i in {1..100}; do pgrep -f '^sleep 90007' >/dev/null || break; sleep .02; done; pgrep -cf '^sleep 90007'; :"
numbers 'from the namespace around' bash -c "$ns sleep 90008 & for i in {1..200}; do n=\$(pgrep -f '^sleep 90008') && break; sleep .01; done
	awk '/^NSpid/ { print NF - 1, \$NF } /^PPid/ { print \$2 == '\$!' }' /proc/\$n/status
	[ \$(readlink /proc/\$n/ns/pid) = \$(readlink /proc/self/ns/pid) ]; echo same \$?
	lsns -t pid -n -o NPROCS,COMMAND | grep -c 'sleep 90008'
	pstree -A \$\$ | grep -c 'unshare---sleep'
	kill -9 \$n; wait"
numbers 'nsenter' bash -c "$ns --mount-proc sleep 90009 & for i in {1..200}; do n=\$(pgrep -f '^sleep 90009') && break; sleep .01; done
	nsenter -t \$n -U -p -m sh -c 'echo \$\$ \$PPID; ps -eo pid,ppid,comm --no-headings'; echo \$?
	nsenter -t \$n -U -p -m sh -c 'kill -9 1; exit 4'; echo \$?
	kill -9 \$n; wait"
numbers 'bwrap --unshare-pid' bash -c 'bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid sh -c "ps -eo pid,ppid,comm --no-headings; exit 5"; echo $?'
numbers 'bwrap --unshare-all --die-with-parent' bash -c 'bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all --die-with-parent sh -c "echo \$\$ \$PPID; exit 6"; echo $?'
numbers 'strace -f of bwrap' bash -c 'strace -f -o out -e trace=exit_group bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid sh -c "/bin/true; exit 2"; echo $?
	grep -c exited out'

cat >"$work/nest.c" <<'X'
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	int st = 0;
	long p = syscall(SYS_clone, 0x30000000 | SIGCHLD, 0, 0, 0, 0);
	if (!p) {
		printf("in %d\n", (int)syscall(SYS_getpid));
		fflush(stdout);
		_exit(7);
	}
	waitpid((pid_t)p, &st, 0);
	printf("out %d\n", WEXITSTATUS(st));
	return 0;
}
X
build 'a maker of namespaces' gcc -O1 -o "$work/nest" "$work/nest.c"
numbers 'gdb, which follows the child' bash -c 'gdb -q -batch -ex "set follow-fork-mode child" -ex run "$1" 2>&1 | grep -E "^in|exited"' bash "$work/nest"
numbers 'gdb, which keeps both' bash -c 'gdb -q -batch -ex "set detach-on-fork off" -ex "set schedule-multiple on" -ex run -ex "info inferiors" "$1" 2>&1 | grep -E "^in|exited|^[* ] "' bash "$work/nest"

cat >"$work/deep.sh" <<'X'
[ $1 -gt 0 ] || { echo bottom $$ $PPID; exit 3; }
exec "$2" run -- sh "$0" $(($1 - 1)) "$2"
X
fresh
got=$(inside sh "$work/deep.sh" 40 "$SUBPID" 2>&1; echo $?)
if [ "$got" = $'bottom 1 0\n3' ]; then
	say ok 'forty deep'
else
	say 'not ok' 'forty deep'
	printf '# %s\n' "$got"
fi
finish
