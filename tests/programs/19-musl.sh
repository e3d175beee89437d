# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Programs built with musl, static and dynamic, and a static one built with glibc: no other libc's
# habits to rely on.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs musl-gcc gcc

build 'musl, static' musl-gcc -O1 -Wall -static "$src/many.c" -o musl-static
build 'musl, static-pie' musl-gcc -O1 -Wall -static-pie -fPIE "$src/many.c" -o musl-pie
build 'musl, dynamic' musl-gcc -O1 -Wall "$src/many.c" -o musl-dynamic
build 'glibc, static' gcc -O1 -Wall -static "$src/many.c" -o glibc-static
build 'glibc, not PIE' gcc -O1 -Wall -no-pie "$src/many.c" -o glibc-nopie
build 'glibc, PIE' gcc -O0 -Wall -fPIE -pie "$src/many.c" -o glibc-pie
for kind in musl-static musl-pie musl-dynamic glibc-static glibc-nopie glibc-pie; do
	numbers "$kind: numbers" "$work/$kind" numbers
	same "$kind: forks, threads, signals, groups" "$work/$kind" all
done
finish
