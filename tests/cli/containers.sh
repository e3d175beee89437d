# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: what reaches a running container from outside, as text and as JSON, and what is said when
# it cannot be reached.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside
# shellcheck disable=SC2154 # rc, out, err, flat and tmp are of lib.sh and run

places=$CLI_TMP/places
user mkdir -m 700 "$places"
export SUBPID_ROOT=$places/here
unset XDG_RUNTIME_DIR

# about NAME STATUS STDERR-PATTERN CMD...: as says, whatever is on stdout.
about() {
	local name=$1 status=$2 pattern=$3
	shift 3
	run "$@"
	# shellcheck disable=SC2053 # a pattern
	if [ "$rc" = "$status" ] && [[ $err == $pattern ]]; then ok "$name"; else
		not_ok "$name" "status $rc, not $status" "stdout: $out" "stderr: $err"
	fi
}
# until NAME CMD...: waits until the command succeeds.
until_true() {
	for _ in {1..200}; do
		user "$@" >"$tmp/until" 2>&1 && return 0
		sleep .02
	done
	return 1
}
# rows OPTIONS...: the lines of ls without headings, blanks squeezed.
rows() { user "$SUBPID" ls --no-headings "$@" 2>&1 | tr -s ' '; }
pids() { user "$SUBPID" ps --show-container "$1" --no-headings -o pid 2>&1 | xargs; }

run "$SUBPID" ls
same 'ls without containers' '0 NAME STATE NPROCS INIT DEPTH PARENT AGE COMMAND ' "$rc $(tr -s ' \n' ' ' <<<"$out$err")"
run "$SUBPID" ls --json
same 'ls without containers, JSON' '0 []' "$rc $out$err"

run "$SUBPID" run -d --name web -- sh -c 'sleep 1001 & sleep 2001; :'
same 'run -d prints the name' '0 web' "$rc $out$err"
until_true sh -c '[ "$("$0" ps web --no-headings | wc -l)" = 3 ]' "$SUBPID"
line=$(rows)
if [[ $line =~ ^web\ running\ 3\ [0-9]+\ 1\ -\ [0-9]+s\ sh\ -c\ sleep\ 1001 ]]; then ok 'ls'; else not_ok 'ls' "$line"; fi
same 'ls -q' web "$(user "$SUBPID" ls -q)"
same 'ls -o' 'web running' "$(rows -o name,state)"
line=$(user "$SUBPID" ps --show-container web --no-headings | awk '{print $1, $2, $4, $6, $7}' | xargs -d '\n')
same 'ps --show-container' '1 0 S sh -c 2 1 S sleep 1001 3 1 S sleep 2001' "$line"
# Both kinds of number, and the caller's is the kernel's.
host=$(user "$SUBPID" ps --show-container web --no-headings -o hpid | sed -n 3p | tr -d ' ')
same 'HPID is the number outside' 'sleep 2001' "$(ps -o args= -p "${host:-0}")"
same 'ps: PID outside, CPID inside' "$host web 3 sleep 2001" \
	"$(user "$SUBPID" ps --no-headings -o pid,container,cpid,command | tail -n 1 | xargs)"
same 'ps --forest' '\_ sleep 2001' "$(user "$SUBPID" ps web --forest --no-headings -o command | tail -n 1 | xargs -d '\n' | sed 's/^ *//')"
same 'map NAME:PID' "0 - $host 1 web 3" "$(user "$SUBPID" map web:3 | tail -n +2 | xargs)"
same 'map PID' "0 - $host 1 web 3" "$(user "$SUBPID" map "$host" | tail -n +2 | xargs)"
same 'map of a process that is in no container' "0 - $$" "$(user "$SUBPID" map $$ | tail -n +2 | xargs)"

same 'tree' 'web (running, 3 processes)└─ 1 [] sh -c sleep 1001 & sleep 2001; :├─ 2 [] sleep 1001└─ 3 [] sleep 2001' \
	"$(user env LC_ALL=C.UTF-8 "$SUBPID" tree | sed 's/\[[0-9]*\]/[]/; s/^ *//' | tr -d '\n')"
same 'tree --ascii' 'web (running, 3 processes) `- 1 [] sh -c sleep 1001 & sleep 2001; : |- 2 [] sleep 1001 `- 3 [] sleep 2001' \
	"$(user "$SUBPID" tree --ascii web | sed 's/\[[0-9]*\]/[]/; s/^ *//' | xargs -d '\n')"
same 'tree -p' 'web (running, 3 processes)' "$(user "$SUBPID" tree -p)"
same 'JSON of tree' 'web [2, 3]' "$(user "$SUBPID" tree --json | python3 -c '
import json, sys
c = json.load(sys.stdin)[0]
print(c["name"], [p["pid"] for p in c["processes"][0]["children"]])')"

cat >"$CLI_TMP/schema" <<'X'
#!/usr/bin/python3
"""schema KIND < JSON: every object has just these keys, with values of these types."""
import json, sys
N = type(None)
KINDS = {
    "ls": {"name": str, "state": str, "nprocs": int, "init_pid": (int, N), "depth": int, "parent": (str, N),
           "exit_code": (int, N), "created": int, "command": [str]},
    "ps": {"pid": int, "ppid": int, "container": str, "cpid": int, "pgid": int, "sid": int, "nspid": [int],
           "state": str, "threads": int, "rss_kib": int, "cpu_msec": int, "comm": str, "args": [str]},
    "inside": {"pid": int, "ppid": int, "hpid": int, "container": str, "pgid": int, "sid": int, "nspid": [int],
               "state": str, "threads": int, "rss_kib": int, "cpu_msec": int, "comm": str, "args": [str]},
    "map": {"level": int, "container": (str, N), "pid": int},
    "inspect": {"name": str, "id": str, "state": str, "exit_code": (int, N), "init_pid": (int, N),
                "supervisor_pid": (int, N), "nprocs": int, "nthreads": int, "depth": int, "parent": (str, N),
                "created": int, "ended": (int, N), "detached": bool, "confined": (bool, N),
                "stop_signal": (str, N), "stop_timeout_msec": int, "command": [str]},
}
rows, want = json.load(sys.stdin), KINDS[sys.argv[1]]
assert isinstance(rows, list) and rows, rows
for row in rows:
    assert list(row) == list(want), list(row)
    for key, kind in want.items():
        if isinstance(kind, list):
            assert isinstance(row[key], list) and all(type(v) is kind[0] for v in row[key]), (key, row)
        else:
            assert type(row[key]) in (kind if isinstance(kind, tuple) else (kind,)), (key, row)
print(len(rows))
X
chmod 755 "$CLI_TMP/schema"
schema() {
	local kind=$1
	shift
	user "$SUBPID" "$@" --json 2>&1 | "$CLI_TMP/schema" "$kind" 2>&1 | tail -n 1
}
same 'JSON of ls' 1 "$(schema ls ls)"
same 'JSON of ps' 3 "$(schema ps ps)"
same 'JSON of ps NAME' 3 "$(schema ps ps web)"
same 'JSON of ps --show-container' 3 "$(schema inside ps --show-container web)"
same 'JSON of map' 2 "$(schema map map web:2)"
same 'JSON of inspect' 1 "$(schema inspect inspect web)"
same '--format json is the same' 1 "$(user "$SUBPID" ls --format json | "$CLI_TMP/schema" ls)"
same 'inspect as text' 'NAME web' "$(user "$SUBPID" inspect web | head -n 1 | tr -s ' ')"

about 'kill of a process' 0 '' "$SUBPID" kill -s TERM web 2
until_true sh -c '[ "$("$0" ps web --no-headings -o cpid | xargs)" = "1 3" ]' "$SUBPID"
same 'the others live on' '1 3' "$(pids web)"
about 'kill of a number that nobody has' 1 "subpid: no process 77 in container 'web'" "$SUBPID" kill web 77
about 'kill -s 0 looks' 0 '' "$SUBPID" kill -s 0 web 1
about 'an unknown name, a near one' 1 "subpid: no container 'wbe'; did you mean 'web'?" "$SUBPID" kill wbe
for verb in kill stop wait logs rm inspect ps; do
	about "$verb: an unknown name" 1 "subpid: no container 'nobodysname'" "$SUBPID" $verb nobodysname
done
about 'ps --show-container: an unknown name' 1 "subpid: no container 'nobodysname'" "$SUBPID" ps --show-container nobodysname
about 'rename: an unknown name' 1 "subpid: no container 'nobodysname'" "$SUBPID" rename nobodysname x
about 'a name that is taken' 125 "subpid: the name 'web' is taken by a container that is running" "$SUBPID" run --name web true
long=$(printf 'a%.0s' {1..300})
about 'a name of 300 characters' 125 'subpid: *a name has at most 128 characters' "$SUBPID" run --name "$long" true
about 'a long name elsewhere' 1 'subpid: *a name has at most 128 characters' "$SUBPID" kill "$long"
for bad in a/b ../x .hidden '' 'a b' -x $'a\nb' 123 .; do
	about "a name that cannot be: $(printf %q "$bad")" 125 "subpid: *" "$SUBPID" run "--name=$bad" true
done
about 'an unknown signal' 2 "subpid: kill: unknown signal 'FOO'*" "$SUBPID" kill -s FOO web
about 'a number where a name belongs' 2 'subpid: kill: a name comes first*' "$SUBPID" kill 12 web
about 'numbers of two containers' 2 'subpid: kill: numbers belong to one container*' "$SUBPID" kill web web 1
about 'an unknown column' 2 "subpid: unknown column 'nam'; did you mean NAME?" "$SUBPID" ls -o nam
about 'rm of what runs' 1 "subpid: container 'web' is running*" "$SUBPID" rm web
about 'rename' 0 '' "$SUBPID" rename web shop
same 'renamed' 'shop running' "$(rows -o name,state)"
about 'rename to what cannot be' 1 'subpid: *' "$SUBPID" rename shop a/b
run "$SUBPID" run -d --name other sleep 77
about 'rename to a name that is taken' 1 "subpid: the name 'other' is taken" "$SUBPID" rename shop other
about 'kill of the whole' 0 '' "$SUBPID" kill shop other
same 'kill waits for the end' '' "$(holding 'sleep 2001')$(holding 'sleep 77')"
same 'ls does not show what has ended' '' "$(rows)"
same 'ls -a does' 'other exited 137 shop exited 137' "$(rows -a -o name,state,exit | sort | xargs)"
about 'signal to what has ended' 1 "subpid: container 'shop' has ended" "$SUBPID" kill shop
run "$SUBPID" wait shop other
same 'wait for what has ended' '0 137 137' "$rc $flat"
about 'a name that is taken by a record' 125 "*is taken by a container that has ended; see subpid rm" "$SUBPID" run --name shop true
about 'rename of a record' 0 '' "$SUBPID" rename shop stall
about 'rm' 0 '' "$SUBPID" rm stall other
same 'nothing is left of it' '' "$(rows -a)$(user ls -A "$SUBPID_ROOT")"

run "$SUBPID" run --name fg -- sh -c 'exit 7'
same 'a name in the foreground' '7' "$rc$out$err"
same 'nothing is kept of a foreground run' '' "$(rows -a)"
run "$SUBPID" run -d nosuchcommand
same 'run -d of nothing' '127 subpid: nosuchcommand: command not found' "$rc $out$err"
printf '#!/no/such/interpreter\n' >"$CLI_TMP/nointerp"
chmod 755 "$CLI_TMP/nointerp"
run "$SUBPID" run -d "$CLI_TMP/nointerp"
same 'run -d tells what the exec said' "127 subpid: $CLI_TMP/nointerp: No such file or directory" "$rc $out$err"
same 'nothing is kept of what never ran' '' "$(rows -a)"
run "$SUBPID" run -d --name said -- sh -c 'echo out; echo err >&2; exit 4'
run "$SUBPID" wait said
same 'wait prints the status' '0 4' "$rc $out$err"
run "$SUBPID" logs said
same 'logs' '0 out err' "$rc $flat$err"
run "$SUBPID" rm said
run "$SUBPID" run -d --name slow -- sh -c 'for i in 1 2 3; do echo $i; sleep .2; done'
run "$SUBPID" logs -f slow
same 'logs -f follows to the end' '0 1 2 3' "$rc $flat$err"
run "$SUBPID" rm slow
run "$SUBPID" run -d --rm --name brief -- sleep 55
run "$SUBPID" kill brief
same 'run -d --rm keeps nothing' '' "$(rows -a)"
run "$SUBPID" run -d -- sleep 56
made_up=$out
if [[ $made_up =~ ^sleep-[0-9a-f]+$ ]]; then ok 'a name is made up'; else not_ok 'a name is made up' "$out" "$err"; fi
about 'rm -f' 0 '' "$SUBPID" rm -f "$made_up"
same 'rm -f leaves nothing' '' "$(rows -a)$(holding 'sleep 56')"
run "$SUBPID" run -d --name sess -- sh -c 'ps -o pid,sess,pgid -p $$ --no-headings; exec 3<&0; readlink /proc/self/fd/0'
run "$SUBPID" wait sess
same 'a detached one has a session of its own' '1 1 1 /dev/null' "$(user "$SUBPID" logs sess | xargs)"
run "$SUBPID" rm sess

run "$SUBPID" run -d --name polite -- sh -c 'trap "echo got; exit 5" TERM; echo up; while :; do sleep .05; done'
until_true sh -c '"$0" logs polite | grep -q up' "$SUBPID"
about 'stop' 0 '' "$SUBPID" stop polite
same 'stop lets number 1 end in its own way' 'up got 5' "$(user "$SUBPID" logs polite | xargs) $(user "$SUBPID" wait polite)"
run "$SUBPID" run -d --name deaf -- sh -c 'trap "" TERM; echo up; while :; do sleep .05; done'
until_true sh -c '"$0" logs deaf | grep -q up' "$SUBPID"
about 'stop -t' 0 '' "$SUBPID" stop -t .1 deaf
same 'stop kills what ignores it' 137 "$(user "$SUBPID" wait deaf)"
run "$SUBPID" run -d --name plain -- sleep 57
about 'stop of a program without a handler' 0 '' "$SUBPID" stop plain
same 'it ends at once' 143 "$(user "$SUBPID" wait plain)"
run "$SUBPID" rm polite deaf plain
run "$SUBPID" run -d --name frozen -- sh -c 'while :; do sleep .05; done'
about 'kill -s STOP' 0 '' "$SUBPID" kill -s STOP frozen 1
until_true sh -c '[ "$("$0" ls --no-headings -o state)" = stopped ]' "$SUBPID"
same 'a stopped container' 'frozen stopped' "$(rows -o name,state)"
about 'stop of a stopped one' 0 '' "$SUBPID" stop -t 1 frozen
run "$SUBPID" rm frozen
