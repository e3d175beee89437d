# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Pipelines, redirections, descriptors, environment, dispositions: as without subpid.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016,SC2086,SC2317,SC2015
. "$(dirname "$0")/lib.sh"

# alike SCRIPT: a bash script in which RUN stands for `subpid run --`, or for nothing; the same
# output, errors and status either way.
alike() {
	local want got
	timeout -k 2 30 bash -c "${1//RUN/}" >want 2>&1
	want=$?
	timeout -k 2 30 bash -c "${1//RUN/$work/bin/subpid run --}" >got 2>&1
	got=$?
	equal $got $want status && equal "$(cat got)" "$(cat want)"
}
try 'yes | subpid run -- head -1' alike 'yes | RUN head -1; echo "${PIPESTATUS[@]}"'
try 'subpid run -- cat </dev/null | wc' alike 'RUN cat </dev/null | wc; echo "${PIPESTATUS[@]}"'
try 'both ends' alike 'seq 1000 | RUN sort -rn | RUN head -n 2; echo "${PIPESTATUS[@]}"'
try 'members die of SIGPIPE' alike 'RUN sh -c "yes; echo \$?" 2>&1 | head -1; RUN bash -c "yes | head -1; echo \${PIPESTATUS[@]}"'

# PID 1 is immune to SIGPIPE in a kernel namespace, where it sees the error instead.
broken_pipe() {
	local out
	out=$(timeout -k 2 20 bash -c 'subpid run -- yes 2>/dev/null | head -1; echo "${PIPESTATUS[@]}"')
	[ "$out" = $'y\n141 0' ] || equal "$out" $'y\n1 0'
}
try 'subpid run -- yes | head -1' broken_pipe
try 'a script on standard input' alike 'echo "echo hi; read x; echo \$x
line" | RUN sh'
try 'subpid leaves standard input to its command' alike 'printf "1\n2\n3\n" | while read -r x; do RUN true; echo $x; done; printf "a\nb\n" | { RUN sh -c "read x; echo \$x"; cat; }'
try 'a megabyte through' alike 'head -c 1000000 /dev/zero | RUN cat | RUN sha256sum'
try 'standard error apart' alike 'RUN sh -c "echo out; echo err >&2" 2>/dev/null; RUN sh -c "echo out; echo err >&2" 2>&1 >/dev/null'
try 'full device' alike 'RUN sh -c "echo x" >/dev/full; echo $?'
try 'closed descriptors' alike 'RUN sh -c "echo x" >&-; echo $?; RUN cat <&-; echo $?; RUN sh -c "echo x" 2>&-; RUN sh -c "exit 5" <&- >&- 2>&-; echo $?'
try 'descriptors that are handed on' alike 'exec 3</etc/hostname 7>seven; RUN sh -c "cat <&3 >&7; echo seven >&7"; cat seven'
try 'no descriptor is visible' alike 'RUN ls /proc/self/fd; exec 5</dev/null; RUN sh -c "ls /proc/self/fd"; RUN /usr/bin/python3 -c "import os; print(os.open(\"/dev/null\", 0), sorted(os.listdir(\"/proc/self/fd\")))"'
try 'environment' alike 'env -i A=1 B="x y" RUN /usr/bin/env; RUN sh -c "env | sort | grep -v ^_="'
try 'arguments' alike 'RUN /usr/bin/printf "[%s]" "" "a b" "--" -x "$(printf "\n\t")é"; RUN sh -c "echo \$0 \$#" zero; RUN bash -c "exec -a other sh -c \"cat /proc/\\\$\\\$/cmdline | tr \\\"\\\\0\\\" \\\" \\\"\""'
try 'working directory and mask' alike 'mkdir -p d; cd d; umask 027; RUN pwd; RUN sh -c "umask; touch f; stat -c %a f; rm f"; cd ..; rmdir d'
try 'dispositions and mask' alike 'trap "" USR1 PIPE; RUN grep -E "^Sig(Ign|Blk|Cgt)" /proc/self/status; RUN sh -c "grep -E ^SigIgn /proc/self/status"'
try 'niceness, limits, groups' alike 'nice -n 3 RUN nice; (ulimit -c 0 -n 100 -s 4000; RUN bash -c "ulimit -c; ulimit -n; ulimit -s"); RUN id'
try 'nohup and env in front' alike 'env X=1 RUN sh -c "echo \$X"; timeout 5 RUN echo timeout; nohup RUN echo hi 2>/dev/null'
try 'the time of the command is counted' alike 'TIMEFORMAT=%U; time=$( { time RUN bash -c "for ((i = 0; i < 60000; i++)); do :; done"; } 2>&1); [[ $time > 0.03 ]] && echo counted'
try 'a background command in a script' alike 'RUN sh -c "sleep .1; exit 6" & wait $!; echo $?; RUN sleep 30 & kill $!; wait $!; echo $?'
try 'many at once' alike 'for i in $(seq 8); do RUN sh -c "exit $i" & p+=($!); done; for p in "${p[@]}"; do wait $p; echo $?; done'
finish
