# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# An interactive shell on a terminal, typed at: control keys, job control, window size, hang-up.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

/usr/bin/python3 "$src/terminal.py" "$work/bin/subpid" $(((repeat + 1) / 2)) || bad=1
try_slow 'nothing is left' gone 2
finish
