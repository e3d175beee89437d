# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Somebody outside whom a program inside can name by other means than a number stays out of reach.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2154,SC2317
. "$(dirname "$0")/lib.sh"

stranger() {
	local out
	out=$(timeout -k 2 40 python3 "$src/stranger.py" "$work/bin/subpid" 2>&1)
	[ -z "$out" ] || {
		printf '%s\n' "$out"
		return 1
	}
}
try 'a stranger by descriptor, handle, user and clock' stranger
finish
