# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: kill(-1) is made with a proven signal scope and never without. First with a build
# that only notes the call, then by watching the product's system calls while the kernel refuses the
# scope. Each way is also tried where the call must happen, or the tests could not fail.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside

SV_FAULT_LOG=$CLI_TMP/guard.log
export SV_FAULT_LOG
scoped=$(user python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1) >= 6)')

# guarded NAME FAULTS CALLS
guarded() {
	local name=$1 calls=0
	rm -f "$SV_FAULT_LOG"
	SV_FAULT=$2 run "$4" run sh -c "setsid sleep 7171.$RANDOM & setsid sh -c 'sleep 7171 & sleep 7171' & exit 7"
	[ ! -e "$SV_FAULT_LOG" ] || calls=$(grep -c kill-all "$SV_FAULT_LOG")
	[ "$calls" = 0 ] || calls=some
	same "$name" "7 $3" "$rc $calls"
	gone "$name: nothing is left" 'sleep 7171'
}
for which in "$standin" "$faulty"; do
	with=$(basename "$(dirname "$which")")
	guarded "kill(-1) is not reached when Landlock refuses ($with)" restrict,dryrun 0 "$which"
	guarded "kill(-1) is not reached when the scope does not hold ($with)" noscope,dryrun 0 "$which"
	guarded "kill(-1) is not reached when the scope does not hold, without /proc ($with)" \
		noscope,dryrun,noproc 0 "$which"
	if [ "$scoped" = True ]; then
		guarded "kill(-1) would be reached with a scope ($with)" dryrun some "$which"
	else
		skip "kill(-1) would be reached with a scope ($with)" 'no Landlock signal scope'
	fi
done

# The front's own end of the tree, when the supervisor dies. The supervisor's child, the porter, has a session too.
for faults in restrict,dryrun noscope,dryrun; do
	rm -f "$SV_FAULT_LOG"
	SV_FAULT=$faults user timeout -k 2 20 "$faulty" run sh -c 'setsid sleep 7272 & sleep 7272; true' 2>/dev/null &
	exactly 2 'sleep 7272'
	super=$(ps -eo pid=,ppid=,sid=,args= | awk -v p="$faulty" '$1 == $3 && index($0, p) && !index($0, "awk") && !index($0, "timeout") {parent[$1] = $2} END {for (p in parent) if (!(parent[p] in parent)) print p}')
	kill -9 "$super"
	wait $!
	same "the front ends the tree without kill(-1) ($faults)" '137 none' "$? $([ -e "$SV_FAULT_LOG" ] && echo some || echo none)"
	gone "the front ends the tree ($faults): nothing is left" 'sleep 7272'
done

# watched NAME WANTED [STRACE-OPTION...]
watched() {
	local name=$1 want=$2 calls
	shift 2
	run strace -f -qq -o "$CLI_TMP/calls" -e trace=kill,landlock_restrict_self "$@" \
		"$SUBPID" run sh -c 'setsid sleep 7373 & exit 7'
	calls=$(grep -c 'kill(-1' "$CLI_TMP/calls")
	[ "$calls" = 0 ] || calls=some
	same "$name" "7 $want" "$rc $calls"
	gone "$name: nothing is left" 'sleep 7373'
	rm -f "$CLI_TMP/calls"
}
name='the product never calls kill(-1) when the scope is refused'
if ! command -v strace >/dev/null || ! user strace -qq -o /dev/null true; then
	skip "$name" 'strace does not work here'
else
	watched "$name" 0 -e inject=landlock_restrict_self:error=EPERM
	# Success is reported, nothing is restricted: only the proof notices.
	watched 'the product never calls kill(-1) when the scope is a lie' 0 \
		-e inject=landlock_restrict_self:retval=0
	if [ "$scoped" = True ]; then
		watched 'the product calls kill(-1) when the scope holds' some
	else
		skip 'the product calls kill(-1) when the scope holds' 'no Landlock signal scope'
	fi
fi

# The environment has no power over a release.
sleep 7474 &
bystander=$!
SV_FAULT=noscope,restrict,dryrun run "$SUBPID" run sh -c 'exit 4'
same 'a release knows no fault points' "4 no" "$rc $(grep -q nomemfd "$SUBPID" && echo yes || echo no)"
kill -0 $bystander
same 'a bystander lives' 0 $?
kill $bystander
wait $bystander 2>/dev/null
