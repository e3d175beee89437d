# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: what enters a running container, with and without a terminal, and the command line inside.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside
# shellcheck disable=SC2154,SC2034 # rc, out, err, flat and tmp are of lib.sh and run

user mkdir -p -m 700 "$CLI_TMP/places"
export SUBPID_ROOT=$CLI_TMP/places/exec
unset XDG_RUNTIME_DIR

run "$SUBPID" run -d --name web -- sh -c 'sleep 1001 & sleep 2001; :'
run "$SUBPID" exec web -- sh -c 'echo $$ $PPID'
same 'exec: the next number, and 0 above it' '0 4 0' "$rc $out$err"
run "$SUBPID" exec web sh -c 'ps -e -o pid,ppid,args --no-headings'
same 'exec sees the members' '1 0 sh -c sleep 1001 & sleep 2001; : 2 1 sleep 1001 3 1 sleep 2001' \
	"$(head -n 3 "$tmp/out" | tr -s ' ' | sed 's/^ //' | xargs -d '\n')"
run "$SUBPID" exec web sh -c 'exit 9'
same 'exec: status' 9 "$rc$out$err"
run "$SUBPID" exec web sh -c 'kill -KILL $$'
same 'exec: death by a signal' 137 "$rc"
run "$SUBPID" exec web sh -c 'kill -0 2 && echo may; kill -9 1; sleep .01; echo on'
same 'exec: may signal the members, and number 1 is immune' 'may on' "$flat"
run "$SUBPID" run -d --name many sh -c 'sleep 901 & while :; do sleep 902; done'
exactly 1 'sleep 901'
run "$SUBPID" exec many sh -c 'kill -9 -1; exit 8'
same 'exec: kill(-1) spares number 1 and the sender' '8 running 0' \
	"$rc $(user "$SUBPID" ls --no-headings -o state,name | awk '$2 == "many" {print $1}') $(pgrep -fxc 'sleep 901')"
run "$SUBPID" rm -f many
run sh -c 'cd /usr && exec "$0" exec -e A=7 -e B= web sh -c "echo \$A-\$B-; pwd"' "$SUBPID"
same 'exec: environment and directory' '7-- /usr' "$flat"
run "$SUBPID" exec -w /etc web pwd
same 'exec -w' /etc "$out"
run sh -c 'echo given | "$0" exec -i web cat' "$SUBPID"
same 'exec: standard input' given "$out"
run "$SUBPID" exec web sh -c 'echo o; echo e >&2'
same 'exec: standard output and error' 'o e' "$out $err"
run "$SUBPID" exec web sh -c 'ps -o pid,sess,pgid --no-headings -p $$ | tr -s " "'
same 'exec: a session of its own' same "$(read -r a b c <<<"$out" && [ "$a" = "$b" ] && [ "$b" = "$c" ] && echo same)"
run "$SUBPID" exec web nosuchcommand
same 'exec of nothing' '127 subpid: nosuchcommand: command not found' "$rc $err"
run "$SUBPID" exec web /etc
same 'exec of a directory' '126 subpid: /etc: is a directory' "$rc $err"
run "$SUBPID" exec nobodysname true
same 'exec in nothing' "125 subpid: no container 'nobodysname'" "$rc $err"
for words in 'exec' 'exec web' 'exec web --'; do
	# shellcheck disable=SC2086 # words
	run "$SUBPID" $words
	if [[ $rc = 125 && $err == *usage* ]]; then ok "$words"; else not_ok "$words" "$rc" "$err"; fi
done
run "$SUBPID" exec -d web sleep 3001
number=$out
exactly 1 'sleep 3001'
same 'exec -d prints the number' 'sleep 3001' \
	"$(user "$SUBPID" ps web --no-headings -o cpid,command | awk -v n="$number" '$1 == n {print $2, $3}')"
# A killed exec takes what it started with it; detached it lives on.
(exec "$root/tests/lib/as-user" "$SUBPID" exec web sleep 3002 </dev/null) &
left=$!
exactly 1 'sleep 3002'
kill -KILL $left
wait $left 2>/dev/null
gone 'exec is killed, and so is what it started' 'sleep 3002'
(exec "$root/tests/lib/as-user" "$SUBPID" exec web sh -c 'trap "exit 6" TERM; echo up; while :; do sleep .02; done' </dev/null >"$tmp/up") &
left=$!
for _ in {1..200}; do [ -s "$tmp/up" ] && break; sleep .02; done
kill -TERM $left
rc=0
wait $left || rc=$?
same 'exec passes signals on' 6 "$rc"
(exec "$root/tests/lib/as-user" "$SUBPID" exec web sleep 3003 </dev/null) &
left=$!
exactly 1 'sleep 3003'
run "$SUBPID" kill web
rc=0
wait $left 2>/dev/null || rc=$?
same 'the end of the container ends exec' 137 "$rc"
gone 'nothing is left' 'sleep 3001'
run "$SUBPID" exec web true
same 'exec in what has ended' "125 subpid: container 'web' has ended" "$rc $err"
run "$SUBPID" rm web

run "$SUBPID" run -d --name tty sh -c 'sleep 4001; :'
user timeout -k 2 60 python3 "$here/exec.py" "$SUBPID" || failed=1

# Inside, only the own container is there, and its numbers are the caller's.
cat >"$CLI_TMP/inside" <<'X'
s=$SUBPID
$s ls -q
$s ps --no-headings -o pid,container,cpid | tr -s ' ' | head -n 1
$s kill tty
$s map own:1 | tail -n 1 | tr -s ' '
sleep 70 &
$s kill own $!
wait $!
echo $?
$s exec own sh -c 'echo in'
X
chmod 755 "$CLI_TMP/inside"
run "$SUBPID" run --name own sh "$CLI_TMP/inside"
same 'the command line inside' "own  1 own 1  1 own 1 143 in subpid: no container 'tty'" "$flat $(grep subpid: <<<"$err")"

# A container inside of one: named, with its numbers at every level, from outside and from the one around it.
cat >"$CLI_TMP/nested" <<'X'
s=$SUBPID
$s run --name inner -- sh -c 'sleep 1501; :' &
until [ "$($s ps inner --no-headings -o command 2>/dev/null | tail -n 1)" = 'sleep 1501' ]; do sleep .02; done
echo around: $($s ls -q) $($s ps --show-container inner --no-headings -o pid)
$s map inner:2 | tail -n 2 | tr -s ' '
: >"$1"
wait $!
echo $?
X
(exec "$root/tests/lib/as-user" timeout 60 "$SUBPID" run --name outer -- sh "$CLI_TMP/nested" "$CLI_TMP/go" \
	</dev/null >"$tmp/outer" 2>&1) &
for _ in {1..500}; do [ -e "$CLI_TMP/go" ] && break; sleep .02; done
same 'a container inside of one: ls' 'outer 1 - inner 2 outer' "$(user "$SUBPID" ls --no-headings -o name,depth,parent | grep -v tty | sort -r | xargs)"
host=$(pgrep -fx 'sleep 1501')
same 'its numbers outside' "2 $host" "$(user "$SUBPID" ps --show-container inner --no-headings -o pid,hpid | tail -n 1 | xargs)"
same 'map of its number: three levels' "0 - $host 1 outer 2 inner 2" "$(user "$SUBPID" map inner:2 | awk 'NR > 1 {print $1, $2, $2 == "outer" ? "" : $3}' | xargs)"
same 'map from outside: the same' "0 - $host 1 outer 2 inner 2" "$(user "$SUBPID" map "$host" | awk 'NR > 1 {print $1, $2, $2 == "outer" ? "" : $3}' | xargs)"
same 'tree of both' "('outer', 'inner')" "$(user "$SUBPID" tree --json -p | python3 -c '
import json, sys
print(*[(c["name"], c["containers"][0]["name"]) for c in json.load(sys.stdin) if c["containers"]])')"
run "$SUBPID" kill -s TERM inner 2
run "$SUBPID" wait inner
wait
same 'inside: around it' 'around: outer inner 1 2' "$(head -n 1 "$tmp/outer")"
same 'inside: its end' 0 "$(tail -n 1 "$tmp/outer")"

# The library, as another program uses it.
built=$(dirname "$SUBPID")
if gcc -Wall -Wextra -Werror -I"$root/src/lib" -o "$tmp/session" "$root/docs/examples/session.c" "$built/libsubpid.so" \
	-Wl,-rpath,"$built" 2>"$tmp/err"; then
	chmod 755 "$tmp/session"
	run env "PATH=$built:$PATH" "$tmp/session"
	same 'libsubpid: run, enter, list, translate, signal, wait, remove' \
		'number 1 is there, I am 2 the command ended with 0 1 inside, another outside: sleep ended by signal 9' "$flat$err"
else
	not_ok 'libsubpid: the example is compiled' "$(cat "$tmp/err")"
fi
same 'libsubpid: symbols have a version, and nothing else is shown' '' \
	"$(nm -D --defined-only "$built/libsubpid.so" | awk '$3 !~ /^subpid_[a-z_]+@@SUBPID_0$/ && $3 != "SUBPID_0"')"
same 'libsubpid: the header shows what the library has' '' "$(diff \
	<(nm -D --defined-only "$built/libsubpid.so" | sed -n 's/.* T \(subpid_[a-z_]*\)@.*/\1/p' | sort) \
	<(grep -o '\bsubpid_[a-z_]*(' "$root/src/lib/subpid.h" | tr -d '(' | grep -v '^subpid_why$' | sort -u; echo subpid_why | sort) | grep '^[<>]' | grep -v subpid_why)"

run "$SUBPID" rm -f tty
same 'no record is left' '' "$(user ls -A "$SUBPID_ROOT")"
