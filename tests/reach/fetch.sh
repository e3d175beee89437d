#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings one file of a Debian package into the cache and prints its path: fetch.sh kernel-VERSION,
# docker-profile or podman-profile. apt works on a state of its own, with sources of its own: the
# machine's stay as they are, and nothing is installed. What the cache holds is not asked for again.
set -eu

cache=${SUBPID_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/subpid-tests}
what=$1
keys=/usr/share/keyrings/debian-archive-keyring.gpg
debian=http://deb.debian.org/debian
security=http://deb.debian.org/debian-security

case $what in
kernel-5.10) suites="$security bullseye-security" ;;
kernel-6.1) suites="$debian bookworm
$security bookworm-security" ;;
kernel-6.12) suites="$debian bookworm-backports" ;;
kernel-7) suites="$debian trixie-backports" ;;
docker-profile | podman-profile) suites="$debian bookworm" ;;
*)
	echo "fetch.sh: unknown '$what'" >&2
	exit 2
	;;
esac

if [ -s "$cache/$what" ]; then
	echo "$cache/$what"
	exit 0
fi
mkdir -p "$cache"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$tmp/state/lists/partial" "$tmp/cache/archives/partial" "$tmp/parts"
echo "$suites" | while read -r url suite; do
	echo "deb [arch=amd64 signed-by=$keys] $url $suite main"
done >"$tmp/sources.list"

private_apt() {
	tool=$1
	shift
	timeout --foreground -k 2 120 "$tool" -q -o Dir::State="$tmp/state" \
		-o Dir::State::Lists="$tmp/state/lists" -o Dir::State::status=/dev/null \
		-o Dir::Cache="$tmp/cache" \
		-o Dir::Etc::SourceList="$tmp/sources.list" -o Dir::Etc::SourceParts="$tmp/parts" \
		-o APT::Architecture=amd64 -o APT::Sandbox::User=root -o Acquire::Languages=none \
		"$@"
}

cd "$tmp"
private_apt apt-get update >"$tmp/log" 2>&1 || {
	cat "$tmp/log" >&2
	exit 1
}
case $what in
kernel-*)
	release=$(private_apt apt-cache depends linux-image-cloud-amd64 |
		sed -n 's/^ *Depends: linux-image-\([^ ]*\)$/\1/p' | head -n 1)
	# Newer ones have the file in a package of its own.
	package=linux-binary-$release
	if ! private_apt apt-cache show "$package" >/dev/null 2>&1; then
		package=linux-image-$release
	fi
	member='*/vmlinuz*'
	;;
docker-profile)
	package=golang-github-docker-docker-dev
	member='*/profiles/seccomp/default.json'
	;;
podman-profile)
	package=golang-github-containers-common
	member=./usr/share/containers/seccomp.json
	;;
esac
private_apt apt-get download "$package" >"$tmp/log" 2>&1 || {
	cat "$tmp/log" >&2
	exit 1
}
dpkg-deb --fsys-tarfile ./*.deb | tar -xO --wildcards "$member" >"$tmp/file"
[ -s "$tmp/file" ]
# Whole or not at all, also when two fetch at once.
cp "$tmp/file" "$cache/$what.$$"
mv "$cache/$what.$$" "$cache/$what"
echo "$cache/$what"
