# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: what is installed and packaged works, and goes away without a trace; one file copied
# somewhere works too.
# shellcheck disable=SC2016 # what stands in single quotes is for the shell inside

mkdir "$CLI_TMP/alone" && cp "$SUBPID" "$CLI_TMP/alone/subpid" && chmod -R a+rX "$CLI_TMP/alone"
run env -i "HOME=$CLI_TMP/alone" "$CLI_TMP/alone/subpid" run -- sh -c 'echo $$; exec sh -c "echo \$\$"'
same 'one file, copied' '1 1 0' "$flat$err $rc"
same 'one file leaves nothing beside it' subpid "$(ls -A "$CLI_TMP/alone")"

# A file system that is mounted noexec, where that can be made.
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
	mkdir "$CLI_TMP/noexec"
	unshare --mount sh -c 'mount -t tmpfs -o noexec none "$1/noexec" && cp /bin/true "$1/noexec/" &&
		"$2" "$3" run "$1/noexec/true"; echo $?' sh "$CLI_TMP" "$root/tests/lib/as-user" "$SUBPID" >"$tmp/got" 2>&1
	same 'a program on a file system mounted noexec' \
		"subpid: $CLI_TMP/noexec/true: is on a file system that is mounted noexec 126" "$(xargs -d '\n' <"$tmp/got")"
else
	skip 'a program on a file system mounted noexec' 'no mount namespace to be had'
fi

package() {
	local deb dpkg=(dpkg --root="$tmp/system" --force-not-root --force-script-chrootless --log=/dev/null)
	if ! "$root/tools/make-deb" "$(dirname "$SUBPID")" "$tmp/deb" >"$tmp/deb.log" 2>&1; then
		not_ok 'make deb' "$(cat "$tmp/deb.log")"
		return
	fi
	deb=$(tail -n 1 "$tmp/deb.log")
	# A root of its own: the machine's packages are none of our business.
	mkdir -p "$tmp"/system/var/lib/dpkg/{info,updates,triggers}
	touch "$tmp/system/var/lib/dpkg/status"
	chmod 755 "$tmp" "$tmp/system"
	if ! "${dpkg[@]}" --install "$deb" >"$tmp/deb.log" 2>&1; then
		not_ok 'the package installs' "$(cat "$tmp/deb.log")"
		return
	fi
	same 'the package installs' 'install ok installed' \
		"$(sed -n 's/^Status: //p' "$tmp/system/var/lib/dpkg/status")"
	run "$tmp/system/usr/bin/subpid" run -- sh -c 'echo $$'
	same 'what is installed runs' '1 0' "$flat$err $rc"
	run "$tmp/system/usr/bin/subpid" doctor
	same 'what is installed uses the file of its resident' 1 "$(grep -c '^ok    resident .*file' "$tmp/out")"
	same 'files below /usr only' '' "$(dpkg-deb -c "$deb" | awk '$6 !~ /^\.\/usr\// && $6 != "./" {print $6}')"
	if command -v man >/dev/null && [ -e "$tmp/system/usr/share/man/man1/subpid-run.1.gz" ]; then
		run man -M "$tmp/system/usr/share/man" subpid-run
		same 'its pages are found' 1 "$(grep -c '^ *subpid-run - ' "$tmp/out")"
	fi
	"${dpkg[@]}" --purge subpid >"$tmp/deb.log" 2>&1 || cat "$tmp/deb.log"
	same 'the package purges cleanly' '' "$(find "$tmp/system" -mindepth 1 -path "$tmp/system/var" -prune -o -print)"
	rm -rf "$tmp/system"
}
if command -v dpkg-deb >/dev/null && command -v meson >/dev/null; then
	package
else
	skip 'make deb' 'needs dpkg-deb and meson'
fi
