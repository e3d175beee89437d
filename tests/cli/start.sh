# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: how the program starts, what it gets from its caller, how its end is told.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside

# as_outside NAME CMD...: output and status are those of the command without subpid.
as_outside() {
	local name=$1 want
	shift
	run "$@"
	want="$rc|$out|$err"
	run "$SUBPID" run -- "$@"
	same "$name" "$want" "$rc|$out|$err"
}

run "$SUBPID" run sh -c 'sh -c "kill -9 \$\$"; exit $?'
same 'status of a killed child' 137 "$rc"
# Number 1 is immune to its own signals, SIGSEGV by kill included.
run "$SUBPID" run sh -c 'kill -SEGV $$; exit 3'
same 'number 1 does not die of its own signal' 3 "$rc"
run "$standin" run sh -c 'kill -TERM $$'
same 'death by a signal is passed on' 143 "$rc"
run "$standin" run sh -c 'kill -KILL $$'
same 'death by SIGKILL is passed on' 137 "$rc"
rm -f "$CLI_TMP"/core*
(cd "$CLI_TMP" && user bash -c 'ulimit -c unlimited; "$0" run sh -c "ulimit -c 0; kill -ABRT \$\$"' "$standin" 2>/dev/null)
same 'no core file of ours' '' "$(find "$CLI_TMP" -name 'core*')"

cat >"$CLI_TMP/text" <<'X'
echo text "$0" "$@"
X
printf '#!/no/such/interpreter\n' >"$CLI_TMP/bad"
: >"$CLI_TMP/empty"
head -c 64 /bin/true >"$CLI_TMP/short"
printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0' >"$CLI_TMP/elf32"
printf '#!/bin/sh\necho script $# "$1"\n' >"$CLI_TMP/script"
chmod 755 "$CLI_TMP"/{text,bad,empty,short,elf32,script}
run "$SUBPID" run "$CLI_TMP/text" a 'b c'
same 'a text without #! runs in /bin/sh' "text $CLI_TMP/text a b c" "$out"
run "$SUBPID" run "$CLI_TMP/empty"
same 'an empty file is an empty script' '0|' "$rc|$out$err"
run "$SUBPID" run "$CLI_TMP/script" 'b c'
same 'a script' 'script 1 b c' "$out"
run "$SUBPID" run "$CLI_TMP/bad"
same 'an interpreter that is not there' "127|subpid: $CLI_TMP/bad: No such file or directory" "$rc|$err"
run "$SUBPID" run "$CLI_TMP/elf32"
same 'a 32-bit program' "126|subpid: $CLI_TMP/elf32: 32-bit programs are not supported" "$rc|$err"
install -m 111 /bin/true "$CLI_TMP/unreadable"
if ! user test -r "$CLI_TMP/unreadable"; then
	run "$SUBPID" run "$CLI_TMP/unreadable"
	same 'a program that cannot be read' \
		"126|subpid: $CLI_TMP/unreadable: Permission denied: subpid has to read a program in order to execute it; chmod +r would help" "$rc|$err"
fi
run "$SUBPID" run "$CLI_TMP/short"
if [[ $rc = 126 && $err == "subpid: $CLI_TMP/short: "* ]]; then ok 'a truncated program'; else
	not_ok 'a truncated program' "status $rc" "$err"
fi
run env "PATH=$CLI_TMP:/usr/bin" "$SUBPID" run script x
same 'PATH is searched' 'script 1 x' "$out"
(cd "$CLI_TMP" && run env PATH= "$SUBPID" run script x && printf '%s' "$out" >"$tmp/got")
same 'an empty PATH is the working directory' 'script 1 x' "$(cat "$tmp/got")"
run env -u PATH "$SUBPID" run sh -c 'echo found'
same 'without PATH the usual places are searched' found "$out"
mkdir "$CLI_TMP/closed" && cp "$CLI_TMP/script" "$CLI_TMP/closed/nosuchcmd" && chmod 000 "$CLI_TMP/closed"
run env "PATH=$CLI_TMP/closed:/usr/bin" "$SUBPID" run nosuchcmd
if user test -e "$CLI_TMP/closed/nosuchcmd"; then
	same 'a directory that may be searched by privilege' 0 "$rc"
else
	same 'a directory that may not be searched' 127 "$rc"
fi
run "$SUBPID" run su --version
if [ "$SUBPID_TEST_USER" = root ]; then
	same 'no hint where there is nothing to lose' '' "$err"
else
	same 'one hint for a setuid program' 'hint, 1 line' \
		"$(grep -o '^subpid: .*set-user-ID' <<<"$err" | sed 's/.*/hint/'), $(wc -l <"$tmp/err") line"
fi

as_outside 'environment' env -i A=1 "B=x y" env
as_outside 'working directory' pwd
as_outside 'limits' sh -c 'ulimit -Sn; ulimit -Hn; ulimit -f; ulimit -c'
as_outside 'umask and nice' sh -c 'umask; nice'
as_outside 'a large environment and many arguments' sh -c 'echo $#' sh {1..5000}
as_outside 'blocked signals' /usr/bin/python3 -c 'import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))'
as_outside 'nohup' nohup sh -c 'trap'
as_outside 'arguments with odd characters' printf '%s|' '' ' ' $'a\nb' $'\xff'

for limit in 14 16 64 1000 1001; do
	run bash -c "ulimit -n $limit; exec \"\$0\" run sh -c 'ulimit -Sn; ulimit -Hn; exec 5</dev/null && echo opened'" "$SUBPID"
	same "descriptor limit $limit" "$limit $limit opened" "$flat"
done
run bash -c 'ulimit -Sn 64; exec "$0" run bash -c "ulimit -Sn; for i in {3..62}; do eval \"exec \$i</dev/null\" || exit; done; echo all"' "$SUBPID"
same 'every descriptor below the soft limit is the program'\''s' '64 all' "$flat"
run bash -c 'ulimit -f 4; exec "$0" run true' "$SUBPID"
if user bash -c 'ulimit -f 4 && ulimit -f 8' 2>/dev/null; then
	same 'a hard limit of file size that we may raise' 0 "$rc"
else
	same 'a hard limit of file size below the size of the segment' \
		'125|subpid: cannot prepare shared memory (ulimit -f): File too large; see subpid doctor' "$rc|$err"
fi
run bash -c 'ulimit -Sf 4; exec "$0" run bash -c "ulimit -f; echo x"' "$SUBPID"
same 'a limit of file size' '4 x' "$flat"
run bash -c 'ulimit -v 300000; exec "$0" run sh -c "ulimit -v; echo x"' "$SUBPID"
same 'a limit of address space' '300000 x' "$flat"
run bash -c 'ulimit -v 5000; exec "$0" run true' "$SUBPID"
if [[ $rc = 125 && $err == 'subpid: '*'address space'* || $rc = 0 ]]; then ok 'hardly any address space'; else
	not_ok 'hardly any address space' "status $rc" "$err"
fi

# Descriptors: what the caller passed is there, closed ones stay closed, none of ours is below 60.
cat >"$CLI_TMP/fds" <<'X'
#!/usr/bin/python3
import errno, os
open_ = []
for fd in range(60):
    try:
        os.fstat(fd)
        open_.append(fd)
    except OSError as e:
        assert e.errno == errno.EBADF
os.write(9, (" ".join(map(str, open_)) + "\n").encode())
X
chmod 755 "$CLI_TMP/fds"
for redirect in '</dev/null' '<&-' '<&- >&-' '<&- >&- 2>&-' '5</dev/null 7>&1'; do
	want=$(user bash -c "exec \"\$0\" 9>\"\$1\" $redirect" "$CLI_TMP/fds" "$CLI_TMP/got"; cat "$CLI_TMP/got")
	rm -f "$CLI_TMP/got"
	got=$(user timeout -k 2 20 bash -c "exec \"\$2\" run \"\$0\" 9>\"\$1\" $redirect" "$CLI_TMP/fds" "$CLI_TMP/got" "$SUBPID"
		cat "$CLI_TMP/got")
	rm -f "$CLI_TMP/got"
	same "descriptors with $redirect" "$want" "$got"
done
run bash -c 'exec 1000</etc/passwd; exec "$0" run sh -c "head -c 4 <&1000"' "$SUBPID"
run python3 -c 'import os,sys
fd = os.open("/etc/hostname", os.O_RDONLY)
os.dup2(fd, 1000); os.dup2(fd, 1001)
os.execv(sys.argv[1], [sys.argv[1], "run", "/usr/bin/python3", "-c", "import os; print(os.pread(1000, 99, 0) == os.pread(1001, 99, 0) == open(\"/etc/hostname\", \"rb\").read())"])' "$SUBPID"
same 'a descriptor of the caller where ours would be' True "$out"

# Each way to execute the resident.
for faults in '' nofile nofile,nomemfd; do
	SV_FAULT=$faults run "$faulty" run sh -c 'echo $$'
	same "resident executed${faults:+ without ${faults//no/}}" 1 "$out"
done
SV_FAULT=nofile,nomemfd,notemp run "$faulty" run true
if [[ $rc = 125 && $err == 'subpid: nothing can be executed here: '* && $(wc -l <"$tmp/err") = 1 ]]; then
	ok 'no way to execute the resident'
else
	not_ok 'no way to execute the resident' "status $rc" "$err"
fi
same 'no temporary file is left' '' "$(find /tmp /dev/shm -maxdepth 1 -name '.subpid-*' 2>/dev/null)"
SV_FAULT=noseccomp run "$faulty" run true
same 'no seccomp' '125|subpid: a seccomp filter is refused here: Operation not permitted; see subpid doctor' "$rc|$err"
SV_FAULT=window run "$faulty" run true
same 'resident addresses are taken' '125|subpid: the resident'\''s addresses from 0x are taken; see subpid doctor' "$rc|${err/0x[0-9a-f]*[0-9a-f] are/0x are}"
SV_FAULT=noproc run "$faulty" run sh -c 'echo $$; exec sh -c "echo \$\$"'
same 'without /proc' '1 1' "$flat"
