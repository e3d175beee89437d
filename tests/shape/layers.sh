# SPDX-License-Identifier: Apache-2.0
# Part of tests/shape/run: the linker's view of the layers, and headers that stand alone.

free="-std=gnu17 -O1 -ffreestanding -fPIE -fno-stack-protector -mgeneral-regs-only -fcf-protection=none"

# $1 archive linked whole, others only what it may use: an upward call does not link.
closes() {
	local whole=$1
	shift
	# shellcheck disable=SC2086
	gcc $free -nostdlib -static -no-pie -Wl,-e,main -o "$tmp/closed" "$tmp/empty.c" \
		-Wl,--whole-archive "$whole" -Wl,--no-whole-archive "$@" 2>&1 |
		grep -v 'warning: .*entry symbol'
}

closes_hosted() {
	local whole=$1
	shift
	gcc -static -o "$tmp/closed" "$tmp/empty.c" \
		-Wl,--whole-archive "$whole" -Wl,--no-whole-archive "$@" 2>&1 |
		grep -E 'undefined reference|multiple definition|cannot find'
}

printf 'int main(void);\nint main(void) { return 0; }\n' >"$tmp/empty.c"
verdict 'base links alone, without libc' "$(closes "$build/libbase-free.a")"
verdict 'core links with base alone, without libc' "$(
	closes "$build/libcore-free.a" "$build/libbase-free.a")"
verdict 'boundary links with core and base alone, without libc' "$(
	closes "$build/libboundary-free.a" "$build/libcore-free.a" "$build/libbase-free.a")"
if [ -e "$build/libsupervisor.a" ]; then
	verdict 'supervisor links without the command line' "$(
		closes_hosted "$build/libsupervisor.a" "$build/libboundary.a" "$build/libcore.a" \
			"$build/libbase.a")"
else
	verdict 'supervisor is built' "$build/libsupervisor.a does not exist"
fi
verdict 'the closure check sees an upward call' "$(
	printf 'void above(void);\nvoid low(void);\nvoid low(void) { above(); }\n' >"$tmp/low.c"
	# shellcheck disable=SC2086
	gcc $free -c -o "$tmp/low.o" "$tmp/low.c" && ar cr "$tmp/liblow.a" "$tmp/low.o"
	[ -n "$(closes "$tmp/liblow.a" "$build/libbase-free.a")" ] || echo 'it links'
)"

# Which layers may enter the kernel: base and boundary never, core at most for a futex.
verdict 'base and boundary make no system call' "$(
	for lib in base boundary; do
		objdump -d --no-show-raw-insn "$build/lib$lib-free.a" 2>/dev/null |
			grep -E '\b(syscall|int +[$]0x80|sysenter)\b' | sed "s/^/$lib: /"
	done
)"

# $1 header, relative to src: compiled alone, twice.
header() {
	local flags=$free
	case $1 in supervisor/* | lib/* | cli/* | checkpoint/*) flags='-std=gnu17 -D_GNU_SOURCE' ;; esac
	printf '#include "%s"\n#include "%s"\n' "$1" "$1" >"$tmp/header.c"
	# shellcheck disable=SC2086
	gcc $flags -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-const-variable \
		-fsyntax-only -I"$2" "$tmp/header.c" 2>&1 | head -n 5
}

verdict 'every header compiles alone, and twice' "$(
	cd "$root/src" || exit
	find . -name '*.h' | sed 's,^\./,,' | sort | while read -r h; do
		found=$(header "$h" "$root/src")
		[ -z "$found" ] || printf '%s\n%s\n' "$h" "$found"
	done
)"
verdict 'the check of headers sees one that leans on another' "$(
	mkdir -p "$tmp/inc"
	printf 'static inline uint32_t f(void) { return 0; }\n' >"$tmp/inc/bad.h"
	[ -n "$(header bad.h "$tmp/inc")" ] || echo 'it compiles'
)"
