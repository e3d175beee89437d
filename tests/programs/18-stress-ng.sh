# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# stress-ng: bounded storms of processes, threads and signals; it verifies its own results.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs stress-ng

storm() {
	same "--$*" bash -c 'stress-ng --temp-path "$PWD" --verify --timeout 10 "$@" >log 2>&1; rc=$?
		grep -E ": fail:" log; grep -c "successful run" log; [ $rc = 0 ] || cat log; exit $rc' _ "--$1" 2 "--$1-ops" "$2"
}
storm fork 600
storm vfork 600
storm clone 100
storm pthread 600
storm kill 20000
storm sigq 5000
storm sigpending 5000
storm wait 500
storm exec 10
storm daemon 100
storm zombie 100
storm session 100
storm sigchld 1000
storm switch 20000
storm futex 20000
storm pidfd 1000
storm schedpolicy 100
storm get 300
finish
