#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs in an emulated machine as root: each program of the probe suite under a kernel PID namespace
# of this old kernel and under subpid, both as uid 1000 and as process 1, and compares what they
# print. The arguments of a probe are in a file beside it.
# shellcheck disable=SC2086,SC2016 # lists of words; a script in quotes
set -u

user='setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --bounding-set=-all'
oracle='unshare --pid --fork --kill-child --mount-proc'
# The kernel's numbers far from subpid's, as on a machine that has run for a while.
fence="$oracle sh /reach/far"
tmp=$(mktemp -d)
chmod 755 "$tmp"
printf '%s\n' 'echo 20000 >/proc/sys/kernel/ns_last_pid' 'exec "$@"' >/reach/far

# observe OUTPUT COMMAND...: the first words of COMMAND make the namespace.
observe() {
	out=$1
	shift
	rm -rf "$tmp/work"
	mkdir "$tmp/work"
	chown 1000:1000 "$tmp/work"
	(
		cd "$tmp/work" || exit 97
		exec timeout -k 2 -s KILL 60 "$@"
	) </dev/null 2>"$out.err" >"$out"
	echo "== status $?" >>"$out"
	# Where kernels differ among themselves subpid is like the newer ones: which stack holds after a
	# handler changed it, whether a bad argv is seen before a missing file, what becomes of flags
	# that sigaction does not know. And the kernel remembers something of the alternate stack of a process's
	# ancestors that nobody can ask for.
	sed -i -e '/^context rewritten on the stack/,+1d' -e '/^execve missing, argv/d' \
		-e '/^sigaction([0-9]*, \(400\|1000\|f*\),/d' -e '/^sigaltstack new read-only/d' "$out"
}

# compare TEST COMMAND...
compare() {
	label=$1
	shift
	observe "$tmp/oracle" $oracle $user "$@"
	observe "$tmp/subpid" $fence $user /reach/subpid run -- "$@"
	if cmp -s "$tmp/oracle" "$tmp/subpid"; then
		echo "ok - $label"
		return
	fi
	# What differs between two runs of the oracle says nothing about subpid.
	observe "$tmp/again" $oracle $user "$@"
	if ! cmp -s "$tmp/oracle" "$tmp/again"; then
		echo "ok - $label # SKIP the kernel does not agree with itself"
		return
	fi
	# A race, perhaps one that the kernel has too but seldom loses: still to be understood.
	observe "$tmp/again" $fence $user /reach/subpid run -- "$@"
	often='each time'
	if cmp -s "$tmp/oracle" "$tmp/again"; then
		often='not each time'
	fi
	echo "not ok - $label"
	echo "# $often"
	diff -U 2 "$tmp/oracle" "$tmp/subpid" | tail -n +3 | head -n 40 | sed 's/^/# /'
	tail -n 5 "$tmp/subpid.err" | sed 's/^/# stderr: /'
}

for probe in /reach/probes/*; do
	case $probe in
	*.args) continue ;;
	esac
	name=${probe##*/}
	if [ -s "$probe.args" ]; then
		read -r arguments <"$probe.args"
		for arg in $arguments; do
			compare "$name $arg" "$probe" "$arg"
		done
	else
		compare "$name" "$probe"
	fi
done
echo end
