# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Programs that sandbox themselves or others with seccomp filters: as OpenSSH's preauthentication child,
# by bubblewrap, and what util-linux and procps say of it.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs gcc bwrap python3 setpriv man strace

build 'a sandboxed child' gcc -O1 -o "$work/sandbox" "$src/sandbox.c"
build 'the same, static' gcc -O1 -static -o "$work/sandbox-static" "$src/sandbox.c"
numbers 'a child that may do next to nothing' "$work/sandbox"
numbers 'the same, static' "$work/sandbox-static"

# getppid and unlinkat are refused, another architecture kills.
build 'a filter' python3 -c '
import struct, sys
one = lambda c, t, f, k: struct.pack("<HBBI", c, t, f, k)
open(sys.argv[1], "wb").write(one(0x20, 0, 0, 4) + one(0x15, 1, 0, 0xc000003e) + one(6, 0, 0, 0x80000000)
	+ one(0x20, 0, 0, 0) + one(0x15, 3, 0, 110) + one(0x15, 2, 0, 87) + one(0x15, 1, 0, 263)
	+ one(6, 0, 0, 0x7fff0000) + one(6, 0, 0, 0x00050001))' "$work/filter"
if native bwrap --dev-bind / / true 2>/dev/null; then
	same 'bwrap --seccomp' bash -c '
		touch file; exec 9<"$1"
		bwrap --dev-bind / / --seccomp 9 bash -c "rm -f file 2>&1; ls
			python3 -c \"import os; print(os.getppid(), os.path.exists(\\\"/proc/self\\\"))\"
			(grep -E \"^(Seccomp|NoNewPrivs)\" /proc/self/status); echo \$((1+1))"' bash "$work/filter"
	same 'bwrap in bwrap' bash -c '
		exec 9<"$1" 8<"$1"
		bwrap --dev-bind / / --seccomp 9 bwrap --dev-bind / / --seccomp 8 bash -c "grep ^Seccomp /proc/self/status"' bash "$work/filter"
else
	skip 'bwrap --seccomp' 'bwrap does not work here: no user namespaces?'
fi
same 'man, whose helpers are sandboxed' bash -c '
	printf ".TH X 1\n.SH NAME\nx \\- y\n.SH TEXT\nsome \\fBbold\\fR text\n" | gzip >x.1.gz
	man -P cat -l x.1.gz; MAN_DISABLE_SECCOMP=1 man -P cat -l x.1.gz | tail -n 3'
# Where calls stop is not where they would without the filter of strace.
numbers 'strace --seccomp-bpf' bash -c '
	strace --seccomp-bpf -f -o out -e trace=getppid,uname,kill bash -c "uname; kill -0 \$\$; (exit 3); python3 -c \"import os; print(os.getppid() > 0)\""
	grep -o -E "(uname|kill|getppid)\(.*" out | sed "s/  *= /= /"'
same 'setpriv --no-new-privs' bash -c 'setpriv --no-new-privs setpriv --dump; setpriv --dump; grep ^NoNewPrivs /proc/self/status'
finish
