#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chroot.sh SETUP STAGE DIR CMD...: runs a command as an unprivileged user in an overlay of the
# machine's root, under the restrictions of SETUP (see `environments`). Runs as root inside the
# fence; the mounts and a sysctl of the PID namespace end with it. Being in a chroot makes the
# kernel refuse user namespaces.
set -eu

setup=$1 stage=$2 dir=$3
shift 3
# shellcheck source=overlay.sh
. "$(dirname "$0")/overlay.sh"

# A number nobody else has, because RLIMIT_NPROC counts all processes of a user.
user=54321
proc_options=nosuid,nodev,noexec
tmp_options=nosuid,nodev,mode=1777
with_proc=1
drop="setpriv --reuid=$user --regid=$user --clear-groups --inh-caps=-all --bounding-set=-all"
rules=
# A command in front of the program's.
limits=
words=$(echo "$setup" | tr ',' ' ')
for word in $words; do
	case $word in
	-) ;;
	root) drop= ;;
	noproc) with_proc= ;;
	hidepid) proc_options=$proc_options,hidepid=2 ;;
	noexec-tmp) tmp_options=$tmp_options,noexec ;;
	limits)
		limits='prlimit --nofile=64 --as=268435456 --nproc=64 --sigpending=64 --memlock=0'
		;;
	stack-unlimited) limits='prlimit --stack=unlimited' ;;
	no-aslr) limits='setarch -R' ;;
	deny:*) rules="$rules ${word#deny:}" ;;
	memfd-noexec)
		if ! echo 2 2>/dev/null >/proc/sys/vm/memfd_noexec; then
			echo 'skip no vm.memfd_noexec in this kernel'
			exit 0
		fi
		;;
	*)
		echo "chroot.sh: unknown setup '$word'" >&2
		exit 2
		;;
	esac
done

root=$(overlay_root "$dir")
[ -n "$root" ] || {
	echo 'skip no overlay file system on this machine'
	exit 0
}
mount --bind "$stage" "$root/reach"
mount -t tmpfs -o "$tmp_options" reach "$root/tmp"
mount -t tmpfs -o nosuid,mode=755 reach "$root/dev"
for device in null zero full random urandom tty; do
	: >"$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o "$tmp_options" reach "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 reach "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
if [ -n "$with_proc" ]; then
	mount -t proc -o "$proc_options" reach "$root/proc"
fi

# Not by exec: PID 1 here stays a process of another user.
# shellcheck disable=SC2086 # lists of words
chroot "$root" ${rules:+/reach/denyrun $rules --} $limits $drop "$@"
