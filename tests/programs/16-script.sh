# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# script(1): programs on a pseudo-terminal of their own.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs script

same 'command, output and status' script -q -e -c 'tty >/dev/null && echo on a terminal; stty size; exit 0' /dev/null
same 'status of the command' bash -c 'script -q -e -c "exit 7" /dev/null; echo $?; script -q -e -c "kill -TERM \$\$" /dev/null; echo $?'
same 'typed input reaches a shell with job control' bash -c '
	{ sleep .5; echo "sleep 30 &"; echo "kill %1"; sleep .3; echo "echo x\$((1 + 2))"; sleep .3; echo exit; } | script -q -e -c "PS1= bash --norc --noprofile -i" log >/dev/null; grep -aco "x3" log; grep -ac Terminated log'
same 'control-C typed on the terminal' bash -c '
	{ sleep .5; printf "sleep 30\n"; sleep .5; printf "\003"; sleep .3; printf "echo rc=\$?\nexit\n"; sleep .3; } | script -q -c "PS1= bash --norc --noprofile -i" log >/dev/null; grep -ao "rc=[0-9][0-9]*" log'
finish
