# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Programs built with the sanitizers of gcc and clang, with threads and forks: clean ones stay
# clean, and the bugs planted are still found.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs gcc clang

export ASAN_OPTIONS=color=never TSAN_OPTIONS=color=never UBSAN_OPTIONS=color=never
for cc in gcc clang; do
	for s in address thread undefined; do
		build "$cc $s" $cc -g -O1 -fsanitize=$s -pthread "$src/many.c" -o "$cc-$s"
		same "$cc, $s: forks, threads, signals, groups" "$work/$cc-$s" all
	done
	build "$cc bugs" $cc -g -O0 -fsanitize=address "$src/bugs.c" -o "$cc-overflow"
	build "$cc bugs" $cc -g -O0 -fsanitize=thread -pthread "$src/bugs.c" -o "$cc-race"
	build "$cc bugs" $cc -g -O0 -fsanitize=undefined "$src/bugs.c" -o "$cc-shift"
	for bug in overflow race shift leak; do
		binary=$cc-$bug
		[ $bug = leak ] && binary=$cc-overflow
		same "$cc: a planted bug is found: $bug" bash -c '
			"$@" 2>err; echo $?; grep -oE "heap-buffer-overflow|data race|shift exponent|LeakSanitizer: detected" err | sort -u' \
			_ "$work/$binary" $bug
	done
done
finish
