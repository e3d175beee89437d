# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Exit statuses, and commands that cannot be run: what a caller of env(1) would get.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086,SC2317,SC2015
. "$(dirname "$0")/lib.sh"

statuses() {
	local n
	for n in 0 1 7 124 125 126 127 128 130 255; do
		subpid run -- sh -c "exit $n"
		equal $? $n status || return 1
	done
}
try 'the status of the command' statuses

killed() {
	subpid run -- sh -c 'sh -c "kill -9 \$\$"; exit $?'
	equal $? 137 status || return 1
	subpid run -- sh -c 'sh -c "kill -TERM \$\$"; exit $?'
	equal $? 143 status
}
try 'death by signal inside' killed

fault() {
	subpid run -- /usr/bin/python3 -c 'import resource, ctypes; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); ctypes.string_at(0)'
	equal $? 139 status || return 1
	subpid run -- sh -c 'ulimit -c 0; kill -SEGV $$; kill -ABRT $$; kill -TERM $$; exit 6'
	equal $? 6 status
}
try 'PID 1 dies of a fault but not of what is sent from inside' fault

# One wait status for all observers: a shell prints the signal, python sees it negative.
observers() {
	equal "$(/usr/bin/python3 -c '
import resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
print(subprocess.run([sys.argv[1], "run", "--", "/usr/bin/python3", "-c", "import ctypes; ctypes.string_at(0)"]).returncode)' "$work/bin/subpid")" -11
}
try 'subpid dies of the signal its command died of' observers

# A set of commands that cannot be run. Each gives the status env(1) gives, and one line that names it.
mkdir -p odd
printf 'echo text\n' >odd/text
printf '#!/nonexistent/interpreter\n' >odd/badinterp
printf '#!/etc/passwd\n' >odd/notexec-interp
printf '#!%s/odd/loop-b\n' "$work" >odd/loop-a
printf '#!%s/odd/loop-a\n' "$work" >odd/loop-b
: >odd/empty
head -c 2000 /bin/true >odd/truncated
head -c 40 /bin/true >odd/short
{ head -c 18 /bin/true; printf '\267\000'; tail -c +21 /bin/true; } >odd/aarch64
ln -s self odd/self
chmod 755 odd/*[!f] 2>/dev/null
chmod 755 odd/self 2>/dev/null
printf '#!/bin/sh\nexit 1\n' >odd/no-permission
chmod 644 odd/no-permission
cp /bin/true odd/unreadable
chmod 111 odd/unreadable
long=$(printf 'x%.0s' $(seq 300))

one_line() {
	equal "$(printf '%s\n' "$1" | wc -l)" 1 'lines printed' && [[ $1 == subpid:*"$2"* ]] && return 0
	echo "says: $1"
	return 1
}

same_as_env() {
	local want got out
	env -- "$@" >want 2>&1
	want=$?
	out=$(subpid run -- "$@" 2>&1)
	got=$?
	equal $got $want "status of $1" || { echo "$out"; return 1; }
	if grep -q '^env: ' want; then
		one_line "$out" "$1"
	else
		equal "$out" "$(cat want)"
	fi
}
for command in nosuchcmd ./nosuchcmd /etc ./odd '' ./odd/no-permission ./odd/badinterp ./odd/notexec-interp \
	./odd/loop-a ./odd/self "./$long" ./odd/text ./odd/empty /bin/true/x; do
	try "a command as with env: ${command:0:20}" same_as_env "$command" one two
done

# env hands what the kernel does not know to a shell, or it dies of what it maps; a refusal is as good.
damaged() {
	local out rc want
	(env -- "$1") >want 2>&1
	want=$?
	out=$(subpid run -- "$1" 2>&1)
	rc=$?
	if [ $rc = 126 ]; then
		one_line "$out" "$1"
	elif [ $want -gt 128 ]; then
		is "death by signal, as with env: $want, $rc" [ $rc -gt 128 ]
	else
		same_as_env "$1"
	fi
}
for command in ./odd/truncated ./odd/short ./odd/aarch64; do
	try "a damaged or foreign program: $command" damaged "$command"
done

# A program that may be executed but not read cannot be loaded without privilege.
unreadable() {
	local out
	out=$(subpid run -- ./odd/unreadable 2>&1)
	equal $? 126 status && one_line "$out" ./odd/unreadable
}
[ "$(id -u)" = 0 ] || try 'a program without read permission' unreadable

too_big() {
	local out
	out=$(subpid run -- dash -c 'x=$(head -c 200000 /dev/zero | tr "\0" x); /bin/true "$x"; echo $?' 2>&1)
	[[ $out == *'Argument list too long'*126 ]] || { echo "$out"; return 1; }
}
try 'an argument too long: E2BIG' too_big

elf32() {
	local out
	out=$(subpid run -- ./odd/elf32 2>&1)
	equal $? 126 status && [[ $out == *32-bit* ]] && one_line "$out" ./odd/elf32 || { echo "$out"; return 1; }
	out=$(subpid run -- bash -c './odd/elf32; echo $?' 2>&1)
	[[ $out == *'xec format error'*126 ]] || { echo "bash says: $out"; return 1; }
}
if printf '.globl _start\n_start: mov $1, %%eax; xor %%ebx, %%ebx; int $0x80\n' >elf32.s &&
	gcc -m32 -nostdlib -static -no-pie -o odd/elf32 elf32.s 2>/dev/null; then
	try 'a 32-bit program: ENOEXEC and one clear line' elf32
else
	skip 'a 32-bit program: ENOEXEC and one clear line' 'gcc makes no 32-bit program'
fi

setuid() {
	local out
	out=$(subpid run -- "$setuid_program" --version 2>err)
	equal $? 0 status && equal "$out" "$("$setuid_program" --version)" || { cat err; return 1; }
	equal "$(wc -l <err)" 1 'lines of hint' && grep -qE '^subpid:.*set-?u(ser-ID|id)' err || { cat err; return 1; }
}
setuid_program=$(command -v su)
if [ "$(id -u)" = 0 ]; then
	:
elif [ -u "$setuid_program" ]; then
	try 'a setuid program runs unprivileged, with one line of hint' setuid
else
	skip 'a setuid program runs unprivileged, with one line of hint' 'no setuid su'
fi

# refused MESSAGE ARGS...: status 125 and one line.
refused() {
	local out pattern=$1
	shift
	out=$(subpid "$@" 2>&1 </dev/null)
	equal $? 125 status || { echo "$out"; return 1; }
	[[ $out == subpid:* && $out =~ $pattern ]] || { echo "says: $out"; return 1; }
}
try 'an unknown option: did you mean' refused 'did you mean.*--help' run --hepl -- true
try 'a hopeless option' refused '--bogus' run --bogus -- true
try 'run without a command' refused 'command' run
try 'run -- without a command' refused 'command' run --
try 'a missing verb: did you mean' refused 'did you mean.*subpid run bash' bash

wild() {
	equal "$(subpid run -- /usr/bin/python3 "$src/wild.py")" "$(/usr/bin/python3 "$src/wild.py")"
}
try 'wild pointers give EFAULT' wild
finish
