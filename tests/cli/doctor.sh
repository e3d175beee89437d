# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: doctor says what run says, a line for each thing, and the same as JSON. The suite
# reach asks it in all its environments.

# diagnosed NAME STATUS LINE-PATTERN [FAULTS]: a line of this shape is there, and the status.
diagnosed() {
	SV_FAULT=${4:-} run "$faulty" doctor
	if [ "$rc" = "$2" ] && [ -z "$err" ] && grep -q "$3" "$tmp/out"; then
		ok "doctor: $1"
	else
		not_ok "doctor: $1" "status $rc" "$out" "$err"
	fi
}
diagnosed 'all is well' 0 '^ok    run '
diagnosed 'no seccomp' 1 '^no    seccomp .*; to fix: allow seccomp' noseccomp
diagnosed 'no way to execute the resident' 1 '^no    resident .*; to fix: install' nofile,nomemfd,notemp
diagnosed 'from memory' 0 '^ok    resident .*memory' nofile
diagnosed 'from a temporary file' 0 '^ok    resident .*temporary' nofile,nomemfd
diagnosed 'addresses are taken' 1 '^no    addresses .*taken; to fix:' window
diagnosed 'no /proc' 0 '^less  procfs .*; to fix: mount procfs' noproc
diagnosed 'no pidfds' 0 '^less  pidfs .*; to fix: allow pidfd_open' nopidfd
if ! user bash -c 'ulimit -f 4 && ulimit -f 8' 2>/dev/null; then
	# shellcheck disable=SC2016 # expands inside
	run bash -c 'ulimit -f 4; "$0" doctor | cat; exit ${PIPESTATUS[0]}' "$SUBPID"
	same 'doctor: what only the trial finds' '1 1' "$rc $(grep -c '^no    run .*ulimit -f' "$tmp/out")"
fi

cat >"$CLI_TMP/schema" <<'X'
#!/usr/bin/python3
import json, sys
rows = json.load(sys.stdin)
names = [r["name"] for r in rows]
assert len(set(names)) == len(names) and names[-1] == "run", names
for r in rows:
    assert list(r) == ["name", "state", "meaning", "fix"], r
    assert r["state"] in ("ok", "less", "no") and r["meaning"], r
    assert (r["fix"] is None) == (r["state"] == "ok"), r
print(*names)
X
chmod 755 "$CLI_TMP/schema"
for option in --json --format=json; do
	# shellcheck disable=SC2016 # expands inside
	run sh -c '"$0" doctor $1 | "$2"' "$faulty" $option "$CLI_TMP/schema"
	same "doctor $option" 'seccomp no_new_privs addresses memfd resident pidfs landlock PR_SET_MM_MAP subreaper patching procfs run' "$out$err"
done
SV_FAULT=noseccomp,noproc,nofile,nomemfd,notemp run sh -c '"$0" --json doctor | "$1"' "$faulty" "$CLI_TMP/schema"
same 'doctor --json: nothing works' 12 "$(wc -w <<<"$out")"
says 'doctor takes no operand' 2 'subpid: doctor: takes no operand' "$SUBPID" doctor x
gone 'doctor leaves nothing' subpid-trial
