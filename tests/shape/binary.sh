# SPDX-License-Identifier: Apache-2.0
# Part of tests/shape/run: what the built resident and the built subpid may and may not contain.

# With symbols; build/subpid-resident is the same without.
resident=$build/subpid-resident.debug
map=$root/src/base/map.h

# The value of a constant of base/map.h, decimal.
map_value() {
	local text
	text=$(sed -n "s/^#define $1[ \t]*\(0x[0-9a-fA-F]*\)UL.*/\1/p" "$map")
	[ -n "$text" ] && printf '%d' "$text"
}

# One finding per PT_LOAD that leaves the window or may be written and executed; the span at the end.
loads() {
	local type _off vaddr _paddr _filesz memsz rest low='' high=0 start end
	while read -r type _off vaddr _paddr _filesz memsz rest; do
		[ "$type" = LOAD ] || continue
		start=$((vaddr)) end=$((vaddr + memsz))
		[ -n "$low" ] || low=$start
		[ $end -le $high ] || high=$end
		case $rest in *RWE* | *W*E*) echo "a segment at $vaddr may be written and executed" ;; esac
	done < <(readelf -lW "$1")
	high=$(((high + 4095) / 4096 * 4096))
	[ "${low:-0}" = "$(map_value SP_RESIDENT_ADDR)" ] ||
		echo "starts at ${low:-nowhere}, SP_RESIDENT_ADDR is $(map_value SP_RESIDENT_ADDR)"
	[ $high -le "$(map_value SP_RESIDENT_END)" ] || echo "ends behind SP_RESIDENT_END"
	[ $((high - ${low:-0})) -le $((256 * 1024)) ] || echo "maps $((high - low)) bytes"
}

# What a small program's own copy of the resident costs it, in KiB, from its smaps.
private_dirty() {
	awk -v limit=64 '
		/^[0-9a-f]+-[0-9a-f]+ / { ours = $1 ~ /^5500[0-7]/ && $2 ~ /w.p/; if (ours) seen = 1 }
		ours && $1 == "Private_Dirty:" { sum += $2 }
		END {
			if (!seen) print "no writable mapping of the resident found"
			if (sum > limit) print sum " KiB dirty, at most " limit
		}' "$1"
}

# Instructions that touch anything but the general registers.
registers() {
	objdump -d --no-show-raw-insn "$1" |
		grep -E '%[xyz]mm[0-9]|%st\b|%mm[0-7]|%k[0-7]\b|%[fg]s\b' | head -n 5
}

elf_parts() {
	readelf -hW "$1" | grep -q 'Type: *EXEC' || echo 'is no ET_EXEC'
	readelf -lW "$1" | awk '$1 ~ /^(INTERP|DYNAMIC|TLS)$/ { print "has PT_" $1 }
		$1 == "GNU_STACK" && $0 ~ /E/ && $7 ~ /E/ { print "wants an executable stack" }'
	readelf -SW "$1" | grep -oE '\.(tdata|tbss|interp|dynamic|rela\.[a-z]+|init_array|fini_array)\b' |
		sed 's/^/has section /'
	readelf -sW "$1" | awk '$4 == "TLS" { print "has TLS symbol " $8 }'
}

undefined() {
	nm -u "$1" | sed 's/^ */undefined: /'
	# Names only a C library would bring.
	nm "$1" | awk '$3 ~ /^(__libc_|_IO_|__stack_chk|__errno|malloc$|printf$)/ { print "libc: " $3 }'
}

recursion() {
	python3 "$here/calls.py" "$1"
}

if [ -e "$resident" ]; then
	verdict 'the resident has no undefined symbol and no libc' "$(undefined "$resident")"
	verdict 'the resident is a plain static executable, without TLS' "$(elf_parts "$resident")"
	verdict 'the resident uses general registers only, no FS, no GS' "$(registers "$resident")"
	verdict 'nothing in the resident calls itself' "$(recursion "$resident")"
	verdict 'the resident lies where base/map.h says, in at most 256 KiB' "$(loads "$resident")"
else
	verdict 'the resident is built' "$resident does not exist"
fi

if [ -e "$SUBPID" ]; then
	# Copied to another machine it has to run there: one file, no interpreter, no libraries.
	verdict 'subpid is one static file' "$(
		readelf -lW "$SUBPID" | awk '$1 == "INTERP" { print "has an interpreter" }'
		readelf -dW "$SUBPID" 2>/dev/null | grep NEEDED
	)"
	verdict 'subpid carries this resident' "$(
		objcopy --strip-all "$resident" "$tmp/blob" &&
			cmp "$tmp/blob" "$build/subpid-resident" 2>&1
		python3 - "$SUBPID" "$build/subpid-resident" <<'PY'
import sys
subpid, blob = (open(p, "rb").read() for p in sys.argv[1:])
if blob not in subpid:
    print("the embedded resident is not the one in subpid-resident")
PY
	)"
	verdict 'the resident dirties at most 64 KiB in a process' "$(
		# From outside: inside it is not shown.
		# shellcheck disable=SC2016
		timeout -k 2 20 "$root/tests/lib/fence" sh -c '
			"$@" run -- sleep 4 &
			sleep 1
			cat "/proc/$(pgrep -nx sleep)/smaps"' sh "$root/tests/lib/as-user" "$SUBPID" \
			>"$tmp/smaps" 2>&1 </dev/null
		private_dirty "$tmp/smaps"
	)"
else
	verdict 'subpid is built' "$SUBPID does not exist"
fi

# A program that breaks every rule of the resident.
cat >"$tmp/bad.c" <<'C'
#include <stdio.h>
__thread int tls = 3;
double half(double x);
double half(double x) { return x / 2 + tls; }
int even(int n);
int odd(int n);
__attribute__((noinline)) int odd(int n) { return n ? 1 + even(n - 1) : 0; }
__attribute__((noinline)) int even(int n) { return n ? 2 + odd(n - 1) : 1; }
int main(void) { return printf("%f\n", half(even(tls))); }
C
verdict 'the checks of the resident see what they look for' "$(
	gcc -O1 -o "$tmp/bad" "$tmp/bad.c" || echo 'no compiler'
	cat /proc/self/smaps >"$tmp/smaps"
	[ -n "$(private_dirty "$tmp/smaps")" ] || echo 'private_dirty is content without a resident'
	for check in undefined elf_parts registers loads recursion; do
		[ -n "$($check "$tmp/bad")" ] || echo "$check finds nothing in a hosted program"
	done
)"
