# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# A writable copy of the machine's root that leaves no trace: an overlay whose upper half is memory.
# For scripts that run inside the fence, whose mounts end with it.

# overlay_root DIR: makes it under DIR and prints its path; nothing where the machine cannot.
overlay_root() {
	mount -t tmpfs -o mode=755 reach "$1"
	mkdir "$1/upper" "$1/work" "$1/root"
	if mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" reach "$1/root" \
		2>/dev/null; then
		mkdir -p "$1/root/reach"
		echo "$1/root"
	fi
}
