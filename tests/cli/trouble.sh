# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: containers in trouble. Directories that are not ours, a full disk, state that was damaged by
# hand, everything killed anywhere, and many at once.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside
# shellcheck disable=SC2154,SC2034 # rc, out, err, flat and tmp are of lib.sh and run

unset XDG_RUNTIME_DIR SUBPID_ROOT
user mkdir -p -m 700 "$CLI_TMP/places"
base=$CLI_TMP/places
# tells NAME STATUS STDERR-PATTERN CMD...
tells() {
	local name=$1 status=$2 pattern=$3
	shift 3
	run "$@"
	# shellcheck disable=SC2053 # a pattern
	if [ "$rc" = "$status" ] && [[ $err == $pattern ]] && [ "$(wc -l <"$tmp/err")" -le 1 ]; then ok "$name"; else
		not_ok "$name" "status $rc, not $status" "stdout: $out" "stderr: $err"
	fi
}
# never_runs NAME PATTERN ROOT: neither a name nor -d is possible there, and a plain run is all the same.
refused() {
	tells "$1: run --name" 125 "$2" "$SUBPID" --root "$3" run --name x true
	tells "$1: ls" 1 "$2" "$SUBPID" --root "$3" ls
	run "$SUBPID" --root "$3" run sh -c 'echo ran'
	same "$1: run without a name" '0 ran ' "$rc $out $err"
}
if [ "$(id -u)" = 0 ]; then
	mkdir -m 700 "$tmp/roots"
	refused "somebody else's directory" 'subpid: *: *' "$tmp/roots"
	chmod 755 "$tmp/roots"
	refused "somebody else's directory, readable" 'subpid: *: belongs to another user*' "$tmp/roots"
else
	refused "somebody else's directory" 'subpid: *: belongs to another user*' /usr
fi
user mkdir -m 755 "$base/open"
refused 'a directory that others may enter' 'subpid: *: is open to other users; chmod 700 it' "$base/open"
user mkdir -m 700 "$base/target"
user ln -s target "$base/link"
refused 'a link' 'subpid: *: is not a directory but a link or a file' "$base/link"
user touch "$base/file"
refused 'a file' 'subpid: *: is not a directory but a link or a file' "$base/file"
user mkdir -m 500 "$base/fixed"
tells 'a directory that cannot be written' 125 'subpid: cannot create a container in *: Permission denied' \
	"$SUBPID" --root "$base/fixed" run --name x true
tells 'a directory that cannot be made' 125 'subpid: cannot create the directory *' \
	"$SUBPID" --root "$base/no/such" run --name x true
tells 'a root that does not exist holds nothing' 1 "subpid: no container 'x'" "$SUBPID" --root "$base/none" kill x
long=$base/$(printf 'd%.0s' {1..120})
run "$SUBPID" --root "$long" run -d --name far sleep 61
same 'a long path' '0 far' "$rc $out$err"
same 'a long path: found' far "$(user "$SUBPID" --root "$long" ls -q)"
tells 'a long path: ended' 0 '' "$SUBPID" --root "$long" rm -f far
run env XDG_RUNTIME_DIR=/usr "$SUBPID" run --name x sh -c 'echo ran'
same 'XDG_RUNTIME_DIR of somebody else' 'ran subpid: warning: XDG_RUNTIME_DIR=/usr is not a directory of yours' "$out ${err%%;*}"
run env XDG_RUNTIME_DIR=/usr "$SUBPID" run true
same 'no warning where no name matters' '0' "$rc$out$err"
user mkdir -m 700 "$base/xdg"
run env XDG_RUNTIME_DIR="$base/xdg" "$SUBPID" run --name x sh -c "ls '$base/xdg/subpid'"
same 'XDG_RUNTIME_DIR' x "$out$err"

if [ "$(id -u)" = 0 ] && mkdir "$tmp/small" && mount -t tmpfs -o "size=16k,nr_inodes=12,mode=777" tmpfs "$tmp/small" 2>/dev/null; then
	user mkdir -m 700 "$tmp/small/root"
	user dd if=/dev/zero of="$tmp/small/fill" bs=1k 2>/dev/null
	tells 'a full disk' 125 'subpid: *: No space left on device' "$SUBPID" --root "$tmp/small/root" run --name x true
	run "$SUBPID" --root "$tmp/small/root" run sh -c 'echo ran'
	same 'a full disk: a run without a name' 'ran' "$out$err"
	same 'a full disk: nothing is left' '' "$(user ls -A "$tmp/small/root")"
	rm "$tmp/small/fill"
	run "$SUBPID" --root "$tmp/small/root" run -d --name late sh -c 'while [ ! -e /proc/1/cwd/go ]; do sleep .02; done; exit 3'
	user dd if=/dev/zero of="$tmp/small/fill" bs=1k 2>/dev/null
	run "$SUBPID" --root "$tmp/small/root" kill late
	same 'a disk that is full at the end' '0' "$rc$out$err"
	run "$SUBPID" --root "$tmp/small/root" rm late
	same 'its record can be removed' "0" "$rc$out$err"
	umount "$tmp/small"
else
	skip 'a full disk' 'no tmpfs can be mounted'
fi

export SUBPID_ROOT=$base/here
box() { printf %s "$SUBPID_ROOT/$1"; }
run "$SUBPID" run -d --name hurt sleep 62
for damage in ':' 'head -c 40' 'sed s/created/created\ x/' 'tr a-z A-Z' 'head -c 9000 /dev/zero'; do
	user sh -c "$damage <'$(box hurt)/state' >'$base/new'; cat '$base/new' >'$(box hurt)/state'"
	if [ "$(user "$SUBPID" ls -q)" = hurt ] && [ "$(user "$SUBPID" ps hurt --no-headings -o cpid | xargs)" = 1 ]; then
		ok "a running one is known whatever its state says: $damage"
	else
		not_ok "a running one is known whatever its state says: $damage" "$(user "$SUBPID" ls 2>&1)"
	fi
done
tells 'a damaged one: kill' 0 '' "$SUBPID" kill hurt
same 'its end makes the state whole again' 'hurt exited' "$(user "$SUBPID" ls -a --no-headings -o name,state | xargs)"
user sh -c "echo nonsense >'$(box hurt)/state'"
# Its front may be about to end.
for _ in {1..200}; do [ "$(user "$SUBPID" ls -a --no-headings -o state)" != ending ] && break; sleep .02; done
same 'a damaged record' 'hurt damaged' "$(user "$SUBPID" ls -a --no-headings -o name,state | xargs)"
tells 'a damaged record: inspect' 0 '' "$SUBPID" inspect hurt
tells 'a damaged record: kill' 1 "subpid: container 'hurt' has ended" "$SUBPID" kill hurt
tells 'a damaged record: rm' 0 '' "$SUBPID" rm hurt
user mkdir -m 700 "$(box empty)"
user ln -s /etc "$(box linked)"
user mkdir -m 777 "$(box shared)"
same 'what is no container is not listed' '' "$(user "$SUBPID" ls -aq)"
tells 'a link in place of a container' 1 "subpid: *" "$SUBPID" rm linked
user rm -rf "$(box empty)" "$(box linked)" "$(box shared)"
run "$SUBPID" run -d --name lost sleep 63
user rm -rf "$(box lost)"
same 'one whose directory was removed lives on' 1 "$(pgrep -fxc 'sleep 63')"
kill -KILL "$(pgrep -fx 'sleep 63')"
gone 'and ends without it' 'sleep 63'

# The supervisor is killed, the front too: nothing survives, and what is left says so.
killed() {
	local who=$1 supervisor
	shift
	run "$SUBPID" run -d --name victim sleep 64
	supervisor=$(user "$SUBPID" inspect victim | awk '$1 == "SUPERVISOR" {print $2}')
	case $who in
	supervisor) kill -KILL "$supervisor" ;;
	front) kill -KILL "$(ps -o ppid= -p "$supervisor" | tr -d ' ')" ;;
	both) kill -KILL "$(ps -o ppid= -p "$supervisor" | tr -d ' ')" "$supervisor" ;;
	esac
	user timeout 10 "$SUBPID" wait victim >"$tmp/waited" 2>&1
	gone "the $who killed: nothing is left" 'sleep 64'
	same "the $who killed: wait" 137 "$(cat "$tmp/waited")"
	case "$(user "$SUBPID" ls -a --no-headings -o name,state | xargs)" in
	'victim exited' | 'victim lost') ok "the $who killed: the record" ;;
	*) not_ok "the $who killed: the record" "$(user "$SUBPID" ls -a 2>&1)" ;;
	esac
	run "$SUBPID" rm victim
	same "the $who killed: rm" 0 "$rc$err"
}
for who in supervisor front both; do killed $who; done

# A supervisor that does not answer, and one that comes back.
run "$SUBPID" run -d --name mute sleep 65
supervisor=$(user "$SUBPID" inspect mute | awk '$1 == "SUPERVISOR" {print $2}')
kill -STOP "$supervisor"
tells 'a supervisor that is stopped' 1 "subpid: container 'mute' does not answer" timeout 15 "$SUBPID" ps mute
kill -CONT "$supervisor"
tells 'and goes on' 0 '' "$SUBPID" rm -f mute

# Two at once.
for _ in {1..10}; do
	run "$SUBPID" run -d --name twice true
	run "$SUBPID" wait twice
	user sh -c '"$0" rm twice 2>"$1/1" & "$0" rm twice 2>"$1/2" & wait' "$SUBPID" "$base"
	user cat "$base/1" "$base/2"
done >"$tmp/twice"
same 'two rm at once: one says that there is none' "10 subpid: no container 'twice'" "$(sort "$tmp/twice" | uniq -c | xargs -d '\n' | sed 's/^ *//')"
for _ in {1..10}; do
	user sh -c '"$0" run -d --name same sleep 66 2>"$1/1" & "$0" run -d --name same sleep 66 2>"$1/2" & wait' "$SUBPID" "$base" >/dev/null
	user cat "$base/1" "$base/2"
	user "$SUBPID" rm -f same
done >"$tmp/twice"
same 'one name for two at once: one gets it' "10 subpid: the name 'same' is taken by a container that is running" \
	"$(sort "$tmp/twice" | uniq -c | xargs -d '\n' | sed 's/^ *//')"
gone 'one name for two at once: nothing is left' 'sleep 66'

# Killed at any moment: what is left is swept, or can be removed, and no name stays taken.
for i in {0..30}; do
	user sh -c '"$0" run -d --name any sleep 67 & sleep "$1"; kill -KILL $!; wait' "$SUBPID" "$(printf '.%04d' $((i * 4)))" >/dev/null 2>&1
	user "$SUBPID" rm -f any 2>/dev/null
done
exactly 0 'sleep 67'
user "$SUBPID" rm -f any 2>/dev/null
same 'run -d killed at any moment' '' "$(user "$SUBPID" ls -aq)$(holding 'sleep 67')"
run "$SUBPID" run --name any true
same 'the name is free again' 0 "$rc$err"

user timeout -k 2 100 python3 "$here/crowd.py" "$SUBPID" || failed=1
same 'no hidden directory is left' '' "$(find "$SUBPID_ROOT" -mindepth 1 -name '.gone*')"
