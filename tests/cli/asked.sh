# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: what the options of run do, one after the other, and what they refuse.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside

# refuses OPTION TEXT: before anything is run, in one line that names the option.
refuses() {
	# shellcheck disable=SC2086 # words
	says "refused: $1" 125 "subpid: $2" "$SUBPID" run $1 -- sh -c 'echo ran'
}

run "$SUBPID" run -e A=1 --env 'B=x y' -eC= --env=A=2 -e HOME -- sh -c 'echo "$A|$B|${C-unset}|${HOME:+home}"'
same 'env: the last value counts, an empty one is one' '2|x y||home' "$out"
run "$SUBPID" run -e "PATH=$CLI_TMP/nothing" -- sh -c :
same 'env: PATH is that of the program' '127|subpid: sh: command not found' "$rc|$err"
says 'env: no name' 125 "subpid: run: --env: '=x' is not KEY=VALUE" "$SUBPID" run -e =x true

mkdir -p "$CLI_TMP/dir" && printf '#!/bin/sh\npwd\n' >"$CLI_TMP/dir/here" && chmod -R a+rx "$CLI_TMP/dir"
run "$SUBPID" run -w "$CLI_TMP/dir" ./here
same 'workdir: the program is looked for there' "$CLI_TMP/dir" "$out"
says 'workdir: not there' 125 'subpid: /no/such: No such file or directory' "$SUBPID" run -w /no/such true

run "$SUBPID" run --first-pid 5000 -- bash -c 'echo $$; for i in 1 2; do (echo $BASHPID); done'
same 'first-pid: of what PID 1 starts' '1 5000 5001' "$flat"
run "$SUBPID" run --pid-max 1000 --first-pid 498 -- bash -c 'for i in {1..4}; do (echo $BASHPID); done; cat /proc/sys/kernel/pid_max'
same 'pid-max: numbers begin again at 300' '498 499 300 301 1000' "$flat"
refuses '--first-pid 0' "run: --first-pid: '0' is not a number from 1 to *"
refuses '--first-pid x' "run: --first-pid: 'x' is not a number *"
refuses '--pid-max 300' "run: --pid-max: '300' is not a number from 301 to 4194304"
refuses '--pid-max 4194305' "run: --pid-max: *"
refuses '--pid-max 1000 --first-pid 500' 'run: --first-pid: must be below 500*'

cat >"$CLI_TMP/bomb" <<'X'
#!/usr/bin/python3
"""bomb HOW: children that stay until one is refused, three times; how many there were each time."""
import os, signal, sys, threading

def fill(how):
    n, kept, go = 0, [], threading.Event()
    try:
        while n < 200:
            if how == "threads":
                t = threading.Thread(target=go.wait)
                t.start()
                kept.append(t)
            elif how == "spawn":
                kept.append(os.posix_spawn("/bin/sleep", ["sleep", "100"], os.environ))
            else:
                pid = os.fork()
                if pid == 0:
                    signal.pause()
                kept.append(pid)
            n += 1
    except (OSError, RuntimeError) as e:
        print(n, getattr(e, "errno", "thread"), end=";", flush=True)
    go.set()
    for k in kept:
        if how == "threads":
            k.join()
        else:
            os.kill(k, signal.SIGKILL)
            os.waitpid(k, 0)

for _ in range(3):
    fill(sys.argv[1])
X
chmod 755 "$CLI_TMP/bomb"
run "$SUBPID" run --pids-limit 20 "$CLI_TMP/bomb" fork
same 'pids-limit: forks' '19 11;19 11;19 11;' "$out$err"
run "$SUBPID" run --pids-limit 20 "$CLI_TMP/bomb" spawn
same 'pids-limit: posix_spawn' '19 11;19 11;19 11;' "$out$err"
run "$SUBPID" run --pids-limit 20 "$CLI_TMP/bomb" threads
same 'pids-limit: threads' '19 thread;19 thread;19 thread;' "$out$err"
run "$SUBPID" run --pids-limit 3 -- bash -c 'for i in {1..400}; do /bin/true || exit; done; echo all'
same 'pids-limit: one after the other there is no limit' all "$out$err"
run "$SUBPID" run --pids-limit 20 -- bash -c 'trap "" CHLD; for i in {1..200}; do sleep 0 & done 2>/dev/null; wait; (echo again)'
same 'pids-limit: what nobody waits for' again "$out"
run "$SUBPID" run --pids-limit 30 -- python3 -c 'import os, subprocess, time
subprocess.Popen(["sh", "-c", "b() { b | b & }; b"], stderr=subprocess.DEVNULL)
time.sleep(.3)
print(sum(n.isdigit() for n in os.listdir("/proc")))'
if [ "$rc" = 0 ] && [ "${out:-99}" -le 30 ]; then ok 'pids-limit: a fork bomb'; else
	not_ok 'pids-limit: a fork bomb' "status $rc, $out processes, $err"
fi
run "$SUBPID" run --pids-limit 1 -- sh -c '/bin/true; echo no'
same 'pids-limit: one' 2 "$rc"
refuses '--pids-limit 0' "run: --pids-limit: '0' is not *"

run "$SUBPID" run --timeout 0.2 -- sh -c 'setsid sleep 7676 & sleep 7676'
same 'timeout: the program has no handler' 124 "$rc"
gone 'timeout: nothing is left' 'sleep 7676'
run "$SUBPID" run --timeout=200ms --stop-timeout 0.2s -- sh -c 'trap "" TERM; setsid sleep 7677 & sleep 7677; sleep 7677'
same 'timeout: the program ignores the signal' 124 "$rc"
gone 'timeout: nothing is left of that either' 'sleep 7677'
run "$SUBPID" run --timeout .2 --stop-timeout 0 -- python3 -c 'import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, {15}); time.sleep(100)'
same 'timeout: the program blocks the signal' 124 "$rc"
run "$SUBPID" run --timeout .2 -- bash -c 'trap "echo caught; exit 3" TERM; while :; do sleep .05; done'
same 'timeout: the program has a handler' 'caught 124' "$flat $rc"
run "$SUBPID" run --timeout .2 --stop-signal SIGUSR1 -- bash -c 'trap "echo caught; exit 3" USR1; while :; do sleep .05; done'
same 'stop-signal' 'caught 124' "$flat $rc"
run "$SUBPID" run --timeout .3 -- bash -c 'trap "echo caught; exit 3" TERM; kill -STOP $$; while :; do sleep .05; done'
same 'timeout: number 1 does not stop itself' 'caught 124' "$flat $rc"
run "$SUBPID" run --timeout 1m30s -- sh -c 'exit 5'
same 'timeout: in time' 5 "$rc"
run "$SUBPID" run --timeout 0 -- sh -c 'sleep .1; exit 5'
same 'timeout: 0 is none' 5 "$rc"
for d in 1x '' -1 1.5.2 inf nan 0x10 'ms'; do
	says "not a duration: '$d'" 125 "subpid: run: --timeout: '$d' is not a duration *" "$SUBPID" run "--timeout=$d" true
done
refuses '--stop-signal NO' "run: --stop-signal: 'NO' is not a signal; *"

# The parent ends: so does everything.
cat >"$CLI_TMP/parent" <<'X'
#!/usr/bin/python3
"""A parent that starts subpid, waits until its program is up, and is killed."""
import os, signal, subprocess, sys
r, w = os.pipe()
os.set_inheritable(w, True)
p = subprocess.Popen([sys.argv[1], "run", *sys.argv[2:], "--", "sh", "-c",
                      f"setsid sleep 7878 & echo up >&{w}; exec {w}>&-; sleep 7878"], pass_fds=[w])
os.close(w)
assert os.read(r, 3) == b"up\n"
os.kill(os.getpid(), signal.SIGKILL)
X
chmod 755 "$CLI_TMP/parent"
run "$CLI_TMP/parent" "$SUBPID" --die-with-parent
gone 'die-with-parent: nothing outlives the parent' 'sleep 7878'
run "$CLI_TMP/parent" "$SUBPID"
if [ -n "$(holding 'sleep 7878')" ]; then ok 'without it, it goes on'; else
	not_ok 'without it, it goes on' 'gone'
fi
for pid in $(pgrep -f '^sleep 7878$'); do kill -9 "$pid"; done
gone 'and ends on its own' 'sleep 7878'

run "$SUBPID" run --pidfile "$CLI_TMP/pidfile" -- sh -c "cat $CLI_TMP/pidfile; echo \$\$; readlink /proc/self/fd/3 /proc/self/fd/4"
inside=$(sed -n 2p "$tmp/out") outside=$(sed -n 1p "$tmp/out")
if [ "$inside" = 1 ] && [ "${outside:-0}" -gt 1 ] && [ "$(wc -l <"$tmp/out")" = 2 ]; then
	ok 'pidfile: the number outside, written before the program runs'
else
	not_ok 'pidfile: the number outside, written before the program runs' "$out" "$err"
fi
same 'pidfile: it is removed' '' "$(ls "$CLI_TMP/pidfile" 2>/dev/null)"
(cd "$CLI_TMP" && run "$SUBPID" run --pidfile pf -w / -- nosuchcmd; echo "$rc $(ls pf 2>/dev/null)" >"$tmp/got")
same 'pidfile: relative, removed when nothing was run' '127 ' "$(cat "$tmp/got")"
run "$SUBPID" run --pidfile "$CLI_TMP/pidfile" -- sh -c "rm $CLI_TMP/pidfile; echo mine >$CLI_TMP/pidfile"
same 'pidfile: what took its place stays' mine "$(cat "$CLI_TMP/pidfile")"
rm -f "$CLI_TMP/pidfile"
says 'pidfile: not to be written' 125 'subpid: /proc/version: *' "$SUBPID" run --pidfile /proc/version true

status_lines() {
	run sh -c 'exec "$@" 7>&1 8>/dev/null' sh "$SUBPID" run --json-status-fd 7 "$@"
	tr -d '\n' <"$tmp/out" | sed 's/"child-pid": [0-9][0-9]*/"child-pid": N/'
}
same 'json-status-fd: both lines, and the program has no such descriptor' \
	'{"child-pid": N}8{"exit-code": 3}' \
	"$(status_lines -- sh -c 'for f in 7 8; do [ -e /proc/self/fd/$f ] && echo $f; done; exit 3')"
same 'json-status-fd: an end by a signal' '{"child-pid": N}{"exit-code": 124}' "$(status_lines --timeout .1 sleep 50)"
same 'json-status-fd: nothing to run' '{"exit-code": 127}' "$(status_lines nosuchcmd)"
refuses '--json-status-fd 99' '--json-status-fd: descriptor 99: Bad file descriptor'
refuses '--json-status-fd x' "run: --json-status-fd: 'x' is not *"

run "$SUBPID" run --init -- sh -c 'echo $$ $PPID; exit 4'
same 'init: the command is number 2' '2 1 4' "$flat $rc"
run "$SUBPID" run --init -- sh -c 'kill -9 $$'
same 'init: death by a signal' 137 "$rc"
printf 'echo text "$0" "$@"\n' >"$CLI_TMP/text" && chmod 755 "$CLI_TMP/text"
run "$SUBPID" run --init "$CLI_TMP/text" a
same 'init: a text without #!' "text $CLI_TMP/text a" "$out"
run "$SUBPID" run --init -- bash -c 'for i in {1..20}; do (setsid true &); done
	for i in {1..100}; do n=$(ps -eo stat= | grep -c Z); [ "$n" = 0 ] && break; sleep .02; done; echo $n'
same 'init: orphans are reaped' 0 "$out"
run "$SUBPID" run --init --timeout .3 -- bash -c 'trap "echo caught; exit 6" TERM; while :; do sleep .05; done'
same 'init: signals are passed on' 'caught 124' "$flat $rc"
run "$SUBPID" run --init --timeout .3 -- sleep 7979
same 'init: a command without a handler ends' 124 "$rc"
run "$SUBPID" run --init -- sh -c 'kill -TERM 1; sleep 5; echo no'
same 'init: from inside too' 143 "$rc"
run "$SUBPID" run --init -- env -i /usr/bin/env
same 'init: the environment is the caller'\''s' '' "$out$err"
if [ "$SUBPID_TEST_USER" != root ]; then
	SV_FAULT=noproc run "$faulty" run --init -- sh -c 'echo $$'
	same 'init: without /proc' 2 "$out$err"
	says 'strict: a set-user-ID program' 126 'subpid: su: would run without *--strict*' "$SUBPID" run --strict su --version
	run "$SUBPID" run --strict -- sh -c 'su --version; echo $?'
	same 'strict: inside as well' '126' "$out"
fi
run "$SUBPID" run --strict -- sh -c 'ls / >/dev/null && echo fine'
same 'strict: an ordinary program' fine "$out$err"

run "$SUBPID" run --rm -it --init -e A=1 -w / --pids-limit 50 --first-pid 77 --pid-max 4000 --timeout 60 \
	--stop-signal INT --stop-timeout 1 --strict --die-with-parent --pidfile "$CLI_TMP/all" sh -c 'echo $$ $A $PWD'
same 'all options at once' '77 1 /' "$out$err"
