# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ps, pgrep, pkill, pidof, top, free-standing looks at /proc.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs ps pgrep pkill top

kids='sleep 50 & (sleep 60 &); setsid sleep 70 & sleep .2;'
numbers 'ps -e' ps -e -o pid,ppid,args
numbers 'ps with children, orphans and sessions' bash -c "$kids"' ps -e -o pid,ppid,pgid,sid,comm,args; echo; kill %1; pkill sleep'
numbers 'ps -ef, ps aux, columns' bash -c "$kids"' ps -ef >list; awk "{print \$1, \$2, \$3, \$8}" list; ps aux >list; awk "{print \$1, \$2, \$11, \$12}" list; ps -e -o pid,tid,nlwp,stat,wchan:1,user >list; wc -l <list; pkill sleep'
numbers 'ps --forest, ps -p, --ppid, -C' bash -c "$kids"' ps -e --forest -o pid,args; ps -p 2 -o pid=,comm=; ps --ppid 1 -o pid= >list; wc -l <list; ps -C sleep -o pid=; ps -p 77; echo $?; pkill sleep'
numbers 'ps -L and threads' /usr/bin/python3 -c '
import threading, subprocess
stop = threading.Event()
for _ in range(3): threading.Thread(target=stop.wait).start()
print(subprocess.run(["ps", "-L", "-o", "pid,lwp,nlwp", "-p", "1"], capture_output=True, text=True).stdout)
stop.set()'
numbers 'pgrep' bash -c "$kids"' pgrep -x sleep; pgrep -f "sleep 6"; pgrep -P 1 -l; pgrep -n sleep; pgrep -o sleep; pgrep -c sleep; pgrep nothing; echo $?; pkill sleep'
numbers 'pkill and wait' bash -c 'sleep 77 & sleep .1; pgrep -x sleep; pkill -x sleep; wait $!; echo $?; pkill -x sleep; echo $?'
numbers 'pidof, pidwait' bash -c "$kids"' pidof sleep; (read -t 1 <><(:); pkill -x sleep) & pidwait -x sleep; echo $?'
numbers 'top -b' bash -c "$kids"' top -b -n 1 -w 200 | awk "NR > 7 { print \$1, \$NF }" | sort -n; pkill sleep'
numbers 'uptime, w, vmstat, free' bash -c 'uptime >/dev/null; echo $?; w -h >/dev/null; echo $?; vmstat >/dev/null; echo $?; free >/dev/null; echo $?'
numbers 'pmap, pwdx, comm' bash -c 'sleep 50 & sleep .1; pwdx 2 | sed s/here.*/here/; pmap 2 | head -n 1; cat /proc/2/comm; kill 2'
numbers 'names in /proc' bash -c '
	sleep 50 & sleep .2; echo /proc/[0-9]*; readlink /proc/self; cd /proc/self && pwd -P; cd /proc/$$/task && echo *; cd /; cat /proc/2/task/2/comm; ls -d /proc/2/fd >/dev/null && echo fd
	grep -E "^(Name|Tgid|Pid|PPid|TracerPid|NSpid|NStgid|NSpgid|NSsid|Threads):" /proc/$$/status; cut -d" " -f1-8 /proc/2/stat; cat /proc/$$/task/$$/children; echo; kill 2'
numbers 'what is outside does not exist' bash -c 'for n in 3000 99999; do ls /proc/$n; echo $?; cat /proc/$n/stat; echo $?; test -e /proc/$n; echo $?; done 2>&1'
numbers '/proc/self/exe, cwd, root, cmdline' bash -c 'readlink /proc/self/exe /proc/$$/exe; readlink /proc/self/cwd | sed s,.*/,,; tr "\0" " " </proc/self/cmdline; echo; cat /proc/self/comm /proc/$$/comm'
finish
