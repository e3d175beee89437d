#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kernel.sh KERNEL OPTIONS STAGE DIR USER COMMAND-LINE: boots a kernel with some options in an emulated
# machine (no KVM, no privileges needed) whose whole file system is an initial ramdisk made here of
# Debian's programs, and runs a shell command line there as that user. Its output comes over the
# second serial port.
set -euo pipefail

kernel=$1 options=$2 stage=$3 dir=$4 user=$5 command=$6
here=$(dirname "$0")
root=$dir/root

programs=(
	bash busybox cat chmod chown cmp dash diff env grep head id kill mkdir mkfifo mktemp mount nohup perl prlimit ps rm sed
	seq setpriv setsid sh sleep sort strace tail timeout tr true uname unshare wc
)

# add FILE DESTINATION: copies it into the ramdisk, with the libraries it is linked with.
add() {
	local library
	cp -L "$1" "$root$2"
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		[ -e "$root$library" ] || cp -L "$library" "$root$library"
	done || :
}

mkdir -p "$root"/{dev,proc,sys,tmp,reach,etc,usr/bin,usr/lib,usr/lib64}
ln -s usr/bin usr/lib usr/lib64 "$root/"
for program in "${programs[@]}"; do
	if path=$(type -P "$program"); then
		add "$path" "/usr/bin/$program"
	fi
done
mkdir "$root/reach/alone"
for file in "$stage"/*; do
	[ -d "$file" ] || add "$file" "/reach/${file##*/}"
done
add "$stage/alone/subpid" /reach/alone/subpid
if [ -d "$stage/probes" ]; then
	mkdir "$root/reach/probes"
	for file in "$stage/probes"/*; do
		add "$file" "/reach/probes/${file##*/}"
	done
fi
cp "$here/guest-init" "$root/init"
echo "$command" >"$root/command"
echo "$user" >"$root/user"
(cd "$root" && find . | cpio --quiet -o -H newc --owner 0:0) >"$dir/initrd"

# Without cx16: the emulator leaves wrong flags behind its cmpxchg16b, of which kernels die (a third of
# all boots). One thread: code that one processor changes under the other is not always seen at once.
boot() {
	: >"$dir/serial"
	timeout --foreground -k 2 "${REACH_MACHINE_LIMIT:-90}" qemu-system-x86_64 -M q35 -accel tcg,thread=single \
		-cpu max,-cx16 -smp 2 -m 1024 -nodefaults -display none -no-reboot \
		-kernel "$kernel" -initrd "$dir/initrd" \
		-append "console=ttyS0 quiet loglevel=4 panic=-1 $options" \
		-serial "file:$dir/console" -serial "file:$dir/serial" \
		</dev/null >"$dir/qemu" 2>&1 || :
	tr -d '\r' <"$dir/serial" >"$dir/output"
}

boot
if ! grep -q '^up$' "$dir/output"; then
	echo '# the machine did not come up; tried once more'
	boot
fi
cat "$dir/output"
if ! grep -q '^off$' "$dir/output"; then
	echo '# the machine did not come to its end; its console, then qemu:'
	tail -n 20 "$dir/console" "$dir/qemu" | tr -d '\r' | sed 's/^/# /'
fi
