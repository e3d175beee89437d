# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Programs that read what /proc says of processes: ps in all its formats, psmisc, lsof, ss, lsns, pidstat,
# htop, perf stat, psutil, the process interfaces of Node and Java, and cp, diff, tail on the texts themselves.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs ps pstree killall fuser lsof pidstat ss lsns top

kids='sleep 50 & (sleep 60 &); setsid sleep 70 & sleep .3;'
numbers 'ps, every column with a number' bash -c "$kids"' for c in pid tgid ppid pgid pgrp sid sess session tid lwp spid tpgid nlwp thcount; do echo $c; ps -e -o $c= >list; sort -n list; done; pkill sleep'
# All columns but those that are another time's, another mount's or about memory (docs/COMPATIBILITY.md).
passing='ag_id|%cpu|pcpu|util|c|cp|cpuid|lastcpu|psr|sgi_p|cuc|cuu|%mem|pmem|lstart|start|start_time|stime|bsdstart|etimes?|elapsed|time|cputimes?|atime|bsdtime|min_flt|minflt|maj_flt|majflt|pidns|mntns|pss|uss|rss|rssize|rsz|sgi_rss|[rw]chars|[rw]c?bytes|[rw]ops|stackp|start_stack|drs|dsiz|m_drs|m_size|size|sz|vsize|vsz|f|flags?'
numbers 'ps, every column there is' bash -c 'sleep 50 & sleep .3
	ps L | while read -r c _; do [[ $c =~ ^('"$passing"')$ ]] || echo "$c: "$(ps -p 1,2 -o "$c="); done; kill %1'
numbers 'ps, every format with a name' bash -c "$kids"' for o in -f -j -l -ly -y -F -jf -H -L -T -m -c -P -M u l j v s X m H f O,ppid -O,sid; do
		echo "$o"; ps "$o" -p 1,2,4 | awk "NR == 1 { for (i = 1; i <= NF; i++) if (\$i ~ /^(PID|PPID|LWP|SPID|PGID|SID|TPGID|NLWP|PENDING|BLOCKED|IGNORED|CAUGHT|TTY|TT|UID|USER)\$/) want[i] = 1; last = NF }
			{ for (i = 1; i < last; i++) if (want[i]) printf \"%s \", \$i; print \$last }"; done; pkill sleep'
numbers 'ps -eLf, ps -ejH, ps axms, ps -eF' bash -c "$kids"' ps -eLf >list; awk "{print \$2,\$3,\$4,\$6,\$NF}" list; ps -ejH >list; awk "{print \$1,\$2,\$3,\$NF}" list; ps axms >list; awk "{print \$2}" list | sort | uniq -c; ps -eF >list; awk "{print \$2,\$3}" list; pkill sleep'
numbers 'ps axo signal masks, ps s' bash -c 'trap "" USR1; trap : USR2; sleep 50 & sleep .2; ps -p 1,2 -o pid,pending,blocked,ignored,caught; ps s -p 2 | tail -n 1 | awk "{print \$2,\$3,\$4,\$5}"; kill 2'
numbers 'ps by pid, ppid, group, session, user' bash -c "$kids"' ps -p 1,2 -o pid=; ps --ppid 1 -o pid= >list; wc -l <list; ps -g 1 -o pid=; ps -s 4 -o pid=,args=; ps -U $(id -u) -o pid= >list; wc -l <list; pkill sleep'
numbers 'pstree' bash -c "$kids"' pstree -p 1; pstree -pg; pstree -ps 2; pstree -pt; pkill sleep'
numbers 'killall, pidof, pkill -0' bash -c "$kids"' killall -0 sleep; echo $?; killall -0 nothing; echo $?; pidof sleep; pkill -0 -x sleep; echo $?; pkill -0 -x nothing; echo $?; killall sleep; wait; sleep .3; killall -0 sleep; echo $?'
numbers 'fuser' bash -c 'exec 7>held; sleep 50 7>&7 & sleep .2; fuser held; echo; fuser -v held >list 2>&1; awk "{print \$3,\$4,\$5}" list; kill 2'
numbers 'lsof' bash -c 'exec 7>held; sleep 50 & sleep .2; lsof -n -P -p 1,2 -a -d 7,cwd,txt -F pfn; lsof -t held; lsof -n -P -c sleep -F p; kill 2'
numbers 'lsof on texts' bash -c 'sleep 50 8</proc/self/stat 9</proc/1/status & sleep .2; lsof -n -P -p 2 -a -d 8,9 -F pfn; kill 2'
numbers 'ss -p' /usr/bin/python3 -c '
import socket, subprocess, re
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
u = socket.socket(socket.AF_UNIX); u.bind("socket"); u.listen()
out = subprocess.run(["ss", "-lntpH", "sport", "=", str(s.getsockname()[1])], capture_output=True, text=True).stdout
print(re.findall(r"users:.*", out))
out = subprocess.run(["ss", "-lxpH"], capture_output=True, text=True).stdout
print(re.findall(r"socket .*users:(.*)", out))'
numbers 'lsns' bash -c 'sleep 50 & sleep .2; lsns -n -t pid -o TYPE,NPROCS,PID,COMMAND >list; sed "s/  */ /g" list; lsns -n -t uts -p 2 -o TYPE,COMMAND | wc -l; kill 2'
numbers 'pidstat' bash -c 'sleep 50 & sleep .2; pidstat -p 2 | awk "NF > 5 { print \$3, \$NF }"; pidstat -t -p 1 | awk "NF > 5 { print \$NF }"; kill 2'
numbers 'top -b with threads, top -p' bash -c "$kids"' top -b -n 1 -H -w 200 >list; awk "NR > 7 { print \$1, \$NF }" list | sort -n; top -b -n 1 -p 2 | awk "NR > 7 { print \$1, \$NF }"; pkill sleep'
numbers 'texts copied, compared and followed' bash -c 'cp /proc/self/status a; echo $?; cp /proc/1/maps b; echo $?; wc -c <b >/dev/null; cmp /proc/1/cmdline /proc/self/../1/cmdline; echo $?; head -n 1 /proc/1/status; tail -n 1 /proc/1/status | cut -d: -f1; tail -c 1 /proc/1/stat | od -c | head -n 1; dd if=/proc/1/stat bs=1 count=2 status=none; tar cf t.tar -C /proc/1 stat status 2>/dev/null; sort /proc/1/status | wc -l; grep -c . /proc/1/task/1/status; install -m 600 /proc/1/stat c; echo $?; file -b a 2>/dev/null | cut -c1-5; rev /proc/loadavg | cut -d" " -f1'
numbers 'kept open and read again' bash -c 'exec 7</proc/loadavg; read -r _ _ _ _ last <&7; echo $last; exec 8</proc/self/stat; read -r pid _ <&8; echo $pid; exec 7<&- 8<&-; exec 7</proc/self/statm; cat <&7 | wc -w'

numbers 'pidfd, fdinfo and start time' /usr/bin/python3 -c '
import os, time
pid = os.fork()
if not pid: time.sleep(50)
def start(p): return open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[19]
fd, began = os.pidfd_open(pid), start(pid)
info = dict(l.split(":", 1) for l in open(f"/proc/self/fdinfo/{fd}").read().splitlines())
print(pid, info["Pid"].strip(), info["NSpid"].strip(), start(pid) == began, start(1) <= began)
os.kill(pid, 9); os.waitpid(pid, 0)
info = dict(l.split(":", 1) for l in open(f"/proc/self/fdinfo/{fd}").read().splitlines())
print(info["Pid"].strip(), os.path.exists(f"/proc/{pid}"))'

if /usr/bin/python3 -c 'import psutil' 2>/dev/null; then
	numbers 'psutil' /usr/bin/python3 -c '
import os, psutil, subprocess, signal, time
kids = [subprocess.Popen(["sleep", "50"]) for _ in range(3)]
time.sleep(.2)
print(psutil.pids(), psutil.pid_exists(1), psutil.pid_exists(3999999))
me = psutil.Process()
print(me.pid, me.ppid(), me.name(), me.exe(), me.cmdline()[0], me.status(), me.num_threads(), me.threads()[0].id, me.is_running())
print([c.pid for c in me.children(recursive=True)], me.parents(), me.terminal())
print([sorted(p.info.items()) for p in psutil.process_iter(["pid", "ppid", "name", "status"])])
print(sorted(os.path.basename(m.path) for m in me.memory_maps())[:3], any("subpid" in m.path for m in me.memory_maps()))
print(me.memory_full_info().rss > 0, me.cwd() == os.getcwd(), me.environ().get("USER") == os.environ["USER"])
print(psutil.Process(kids[0].pid).parent().pid, psutil.Process(kids[1].pid).create_time() >= me.create_time())
for k in kids: psutil.Process(k.pid).terminate()
gone, alive = psutil.wait_procs([psutil.Process(k.pid) for k in kids], timeout=5)
print(sorted((p.pid, int(p.returncode)) for p in gone), alive)
print(len(psutil.getloadavg()), len(psutil.disk_partitions(all=True)) > 0)'
else
	skip psutil 'no python3-psutil'
fi
if command -v node >/dev/null; then
	numbers 'Node: process, child_process, os' node -e '
const { spawnSync, spawn } = require("child_process"), fs = require("fs"), os = require("os");
console.log(process.pid, process.ppid, process.title.length > 0, process.execPath);
const c = spawn("sleep", ["50"]);
console.log(c.pid, fs.readFileSync(`/proc/${c.pid}/stat`, "utf8").split(" ")[3], process.kill(c.pid, 0));
console.log(fs.readdirSync("/proc").filter(x => /^\d+$/.test(x)).join(" "), os.loadavg().length);
console.log(fs.readlinkSync("/proc/self"), fs.readFileSync("/proc/self/status", "utf8").match(/Pid:\t\d+/g).join());
console.log(process.memoryUsage().rss > 0, fs.statSync("/proc/self/stat").size, fs.existsSync("/proc/4000000"));
c.on("exit", (code, sig) => console.log(code, sig)); c.kill();'
fi
if command -v java >/dev/null && command -v javac >/dev/null; then
	mkdir -p "$work/classes"
	cat >"$work/classes/P.java" <<-'EOF'
		public class P {
		    public static void main(String[] a) throws Exception {
		        ProcessHandle me = ProcessHandle.current();
		        System.out.println(me.pid() + " " + me.parent().isPresent() + " " + me.info().command().isPresent());
		        Process p = new ProcessBuilder("sleep", "50").start();
		        System.out.println(p.pid() + " " + p.toHandle().parent().get().pid() + " " + p.info().command().orElse("none"));
		        System.out.println(me.children().map(ProcessHandle::pid).sorted().toList());
		        System.out.println(ProcessHandle.allProcesses().map(ProcessHandle::pid).sorted().toList());
		        System.out.println(ProcessHandle.of(3999999).isPresent());
		        p.destroy();
		        System.out.println(p.waitFor() + " " + p.isAlive());
		        System.out.println(java.lang.management.ManagementFactory.getRuntimeMXBean().getName().split("@")[0]);
		    }
		}
	EOF
	build 'javac' javac -d "$work" "$work/classes/P.java"
	numbers 'Java: ProcessHandle' java -Xshare:auto -XX:TieredStopAtLevel=1 -cp "$work" P
fi
if command -v htop >/dev/null && command -v script >/dev/null; then
	numbers 'htop in a terminal' bash -c 'sleep 50 & sleep .2; export TERM=xterm LINES=24 COLUMNS=100; (sleep 1.5; printf q) | script -qec "stty rows 24 cols 100; htop -C -d 5" /dev/null | tr "\033\r" "\n\n" | grep -a -o "[0-9][0-9]* subpid-[a-z+]* .*sleep 50" | awk "{print \$1}" | sort -u | head -n 1; kill 2'
else
	skip htop 'no htop'
fi
if command -v htop >/dev/null && command -v tmux >/dev/null; then
	numbers 'htop in tmux' bash -c 'sleep 50 & sleep 60 & export LINES=24 COLUMNS=100; t() { tmux -f /dev/null -S "$PWD/t.sock" "$@"; }
		t new-session -d -x 100 -y 24 "htop -C -d 5"
		for i in $(seq 100); do t capture-pane -p >screen; grep -q "[0-9] sleep 60 *$" screen && break; sleep .05; done
		grep -E "[0-9][0-9] sleep [56]0 *$" screen | awk "{ print \$1, \$NF }" | sort -n
		t send-keys F5; for i in $(seq 100); do t capture-pane -p >screen; grep -q "─ sleep 60 *$" screen && break; sleep .05; done
		grep -E "[0-9][0-9] .─ sleep [56]0 *$" screen | awk "{ print \$1, \$(NF-2), \$NF }"; t kill-server; kill %1 %2'
else
	skip 'htop in tmux' 'no htop or tmux'
fi
if perf stat -e task-clock:u true >/dev/null 2>&1; then
	numbers 'perf stat, of a program, a process, a thread' bash -c 'sleep 50 & sleep .2
		for what in "" "-p 2" "-t 2" "-p 1,2" "-p 2 --per-thread"; do perf stat -x, -o out -e task-clock:u $what sleep .1; echo "$? $(grep -c task-clock out)"; done
		perf stat -x, -e task-clock:u -p 77 true 2>&1 | head -n 1; perf stat -x, -o out -e task-clock:u --per-thread -p 1 sleep .1; grep -o "^[a-z]*-[0-9]*" out; kill 2'
fi
numbers 'pgrep, every way' bash -c "$kids"' pgrep -a sleep; pgrep -la sleep; pgrep -g 1 | wc -l; pgrep -s 4 -a; pgrep -s 0 | wc -l; pgrep -P 2; echo $?; pgrep -u $(id -u) -x sleep; pgrep -v -x bash | head -n 1; pgrep -r S -x sleep -d ,; pgrep -O 0 -x sleep -c; echo 2 >pidfile; pgrep -F pidfile; pgrep --ns 1 --nslist pid -x sleep; pgrep -w -x sleep; pkill -P 1 -e -x sleep'
finish
