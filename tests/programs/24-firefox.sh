# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Firefox: processes that sandbox themselves, all their threads at once, and whose files a broker opens for
# them, because the filter traps what names a file.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
needs firefox-esr

# What it writes into its profile is not compared, only what the page came to look like.
same 'a page with a script, as a picture' bash -c '
	mkdir profile; export DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent
	firefox-esr --headless --no-remote --profile "$PWD/profile" --screenshot "$PWD/page.png" \
		"data:text/html,<h1>hello</h1><script>document.write([1,2,3].map(x => x * x))</script>" >log 2>&1
	echo "status $?"; md5sum <page.png'
finish
