# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Programs that read signals, and who sent them, from a descriptor.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs python3

numbers 'an event loop' python3 "$src/py_signalfd.py"
numbers 'the same in a child' bash -c 'python3 "$1"; exit $?' bash "$src/py_signalfd.py"
if command -v s6-svscan >/dev/null; then
	same 's6 starts a service again and ends it' bash -c '
		mkdir -p sv/a
		printf "#!/bin/sh\necho up >>../../log\nexec sleep 0.1\n" >sv/a/run
		printf "#!/bin/sh\necho \$1 >>../../log\n" >sv/a/finish
		chmod +x sv/a/*
		s6-svscan sv & p=$!
		for i in $(seq 200); do [ "$(grep -c up log 2>/dev/null)" = 2 ] && break; sleep 0.05; done
		kill -TERM $p; wait $p; echo $?; head -n 3 log'
else
	skip 's6' 'no s6-svscan'
fi
if native bwrap --dev-bind / / true 2>/dev/null; then
	numbers 'bwrap waits for its child' bash -c 'bwrap --dev-bind / / sh -c "echo \$\$; exit 5"; echo $?'
	numbers 'bwrap with a process 1' bash -c 'bwrap --dev-bind / / --as-pid-1 true 2>&1 | head -n 1; echo $?'
else
	skip 'bwrap' 'bwrap does not work here: no user namespaces?'
fi
finish
