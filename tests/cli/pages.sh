# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: the manual pages are made without a warning, and say what the program says.

# options_of FILE: the long options that a text names.
options_of() { grep -o -- '--[a-z][a-z-]*' "$1" | sort -u; }

pages() {
	local text page command name bad
	mkdir "$tmp/pages"
	for text in "$root"/docs/man/*.scd; do
		page=$(basename "$text" .scd)
		if ! "$root/tools/man-page" "$SUBPID" "$text" "$tmp/pages/$page" 2>"$tmp/err" ||
			! mandoc -Tlint -Wwarning "$tmp/pages/$page" >>"$tmp/err" 2>&1 || [ -s "$tmp/err" ]; then
			not_ok "page $page: nothing to warn of" "$(cat "$tmp/err")"
		else
			ok "page $page: nothing to warn of"
		fi
		mandoc -Tutf8 "$tmp/pages/$page" 2>/dev/null | col -b | sed 's/‐/-/g' >"$tmp/pages/$page.text"
	done
	# Every command has a page, and the page's options are those of its help.
	for command in $("$SUBPID" help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p' | grep -v '^subpid$'); do
		case $command in
		help | version) continue ;;
		esac
		page=$tmp/pages/subpid-$command.1
		"$SUBPID" help "$command" >"$tmp/help"
		sed -n '/^OPTIONS/,/^[A-Z]/p' "$page.text" 2>/dev/null | grep -xE ' {7}(-[A-Za-z], )?--[a-z-]+( [A-Z=]+)?' >"$tmp/listed"
		same "subpid-$command(1) lists the options of its help" \
			"$(grep -E '^ +-' "$tmp/help" | sed 's/^ *//; s/  .*//' | xargs -d '\n')" \
			"$(sed 's/^ *//' "$tmp/listed" | xargs -d '\n')"
	done
	# What a page mentions exists.
	"$SUBPID" help >"$tmp/help"
	for page in "$tmp"/pages/subpid-*.1; do
		command=$(basename "$page" .1)
		"$SUBPID" help "${command#subpid-}" >>"$tmp/help" 2>/dev/null
	done
	options_of "$tmp/help" >"$tmp/known"
	bad=
	for page in "$tmp"/pages/*.text; do
		if grep -q 'not in this version' "$page"; then
			continue
		fi
		name=$(options_of "$page" | comm -23 - "$tmp/known" | xargs)
		[ -z "$name" ] || bad+="$(basename "$page"): $name; "
		for name in $(grep -o 'subpid-[a-z]*([17])' "$page" | tr -d ')' | tr '(' . | sort -u); do
			[ -e "$tmp/pages/$name" ] || bad+="$(basename "$page"): $name; "
		done
	done
	same 'pages mention options and pages that exist' '' "$bad"
	same 'subpid(7) has all differences of COMPATIBILITY.md' \
		"$(sed -n '/^## Deliberate/,/^## Levels/p' "$root/docs/COMPATIBILITY.md" | grep -c '^[0-9]*\. ')" \
		"$(grep -cE '^ {5,8}[0-9]+\. ' "$tmp/pages/subpid.7.text")"
}

if command -v scdoc >/dev/null && command -v mandoc >/dev/null; then
	pages
else
	skip 'manual pages' 'scdoc or mandoc is not installed'
fi
