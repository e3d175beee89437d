# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Many at once: two thousand children, threads that come and go, threads that fork.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086,SC2317,SC2015
. "$(dirname "$0")/lib.sh"

children() {
	equal "$(timeout -k 2 60 subpid run -- perl "$src/children.pl" 2000)" \
		'2000 distinct, 2000 reaped, 0 left'
}
try_slow '2,000 children alive at once' children

# The seconds of churn.
seconds=${MUST_SECONDS:-5}
gcc -O1 -pthread -o "$work/churn" "$src/churn.c" || exit 1
churn() {
	timeout -k 2 $((seconds + 30)) subpid run -- "$work/churn" "$seconds"
}
tries 1 "64 threads churning for $seconds s leave nothing behind" churn
churn_and_fork() {
	timeout -k 2 $((seconds + 30)) subpid run -- "$work/churn" 2 fork
}
tries 1 '64 threads churning while others fork' churn_and_fork
finish
