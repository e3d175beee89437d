# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# tmux: a detached session, keys, its screen, the end of the server.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs tmux

same 'new-session, send-keys, capture-pane, kill-server' bash -c '
	t() { tmux -f /dev/null -S "$PWD/t.sock" "$@"; }
	t new-session -d -x 80 -y 20 "sh"; t send-keys "echo \$((40 + 2)) \$(tput cols)" Enter
	for i in $(seq 100); do t capture-pane -p | grep -q "42 80$" && break; sleep .05; done; t capture-pane -p | grep -o "42 80$"
	t split-window -d "sleep 30"; t list-panes | wc -l; [ "$(t display-message -p "#{pane_pid}")" = "$(pgrep -f "^sh$")" ] && echo pane number
	t send-keys "sleep 30" Enter; sleep .3; t send-keys C-c; t send-keys "echo rc=\$?" Enter
	for i in $(seq 100); do t capture-pane -p | grep -q "^rc=" && break; sleep .05; done; t capture-pane -p | grep "^rc="
	t kill-server; echo $?; sleep .3; pgrep -c "tmux|sleep"; true'
same 'the server ends with its last window' bash -c '
	t() { tmux -f /dev/null -S "$PWD/t.sock" "$@"; }
	t new-session -d "sleep .3; exit"; t wait-for -S nothing; t ls | wc -l; for i in $(seq 100); do t ls >/dev/null 2>&1 || break; sleep .05; done; t ls 2>&1 | cut -d" " -f1-3; pgrep -c tmux; true'
same 'run-shell, if-shell, environment' bash -c '
	t() { tmux -f /dev/null -S "$PWD/t.sock" "$@"; }
	t new-session -d "cat"; t run-shell "echo ran >out"; cat out; t if-shell "true" "run-shell \"echo yes >out2\""; for i in $(seq 100); do [ -s out2 ] && break; sleep .05; done; cat out2; t kill-session; echo $?'
finish
