# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Part of tests/cli/run: what the command line understands, and what it says when it does not.

says 'unknown command in PATH' 127 'subpid: nosuchcmd: command not found' "$SUBPID" run -- nosuchcmd
says 'unknown path' 127 'subpid: ./no/such: No such file or directory' "$SUBPID" run ./no/such
says 'a file as a directory' 126 'subpid: /etc/passwd/x: Not a directory' "$SUBPID" run /etc/passwd/x
says 'empty command' 127 'subpid: *: command not found' "$SUBPID" run ''
says 'a directory' 126 'subpid: /etc: is a directory' "$SUBPID" run -- /etc
says 'no permission to execute' 126 'subpid: /etc/passwd: Permission denied' "$SUBPID" run /etc/passwd
says 'a device' 126 'subpid: /dev/null: is not a regular file' "$SUBPID" run /dev/null
says 'unknown option' 125 'subpid: run: unknown option*--bogus*' "$SUBPID" run --bogus -- true
says 'unknown option, similar one' 125 "*'--hlep'; did you mean --help?" "$SUBPID" run --hlep true
says 'unknown letter' 125 "subpid: run: unknown option '-x'*" "$SUBPID" run -tx true
says 'value for an option that takes none' 125 "*'--tty' takes no value" "$SUBPID" run --tty=1 true
says 'a letter without its value' 125 "subpid: run: option '-n' *" "$SUBPID" run -n
says 'operands of a command without any' 2 'subpid: version: takes no operand' "$SUBPID" version x
says 'help for a mistyped command' 2 '*did you mean: subpid help run' "$SUBPID" help rnu
says 'help for two commands' 2 'subpid: help: one command at a time' "$SUBPID" help run help
says 'an unknown format' 2 '*there are json and table' "$SUBPID" version --format=xml
says 'completions for no shell' 2 'subpid: completion: for which shell? *' "$SUBPID" completion
says 'completions for an unknown shell' 2 "subpid: completion: unknown shell 'powershell'; there are *" "$SUBPID" completion powershell
says 'completions for a mistyped shell' 2 '*did you mean bash?' "$SUBPID" completion bsh
for shell in bash zsh fish; do
	run sh -c '"$0" completion $1 | $1 -n' "$SUBPID" $shell
	same "completions for $shell are a script of it" '0' "$rc$err"
done
says 'no command' 125 'subpid: run: no command given*' "$SUBPID" run
says 'no command after --' 125 'subpid: run: no command given*' "$SUBPID" run --
says 'a program instead of a command' 125 '*did you mean: subpid run bash' "$SUBPID" bash
says 'a mistyped command' 125 '*did you mean: subpid run' "$SUBPID" rnu true
says 'an unknown command' 125 "subpid: unknown command 'quux'; see*" "$SUBPID" quux
says 'an unknown global option' 125 '*did you mean --version?' "$SUBPID" --versoin
for verb in checkpoint restore migrate; do
	says "$verb is of a later version" 2 "subpid: '$verb' is not in this version" "$SUBPID" $verb
done

run "$SUBPID"
if [[ $rc = 0 && -z $err && $out == usage:* ]]; then ok 'help without arguments'; else
	not_ok 'help without arguments' "status $rc" "$out" "$err"
fi
for words in --help -h help 'help run' 'run --help' 'run -h' 'run -ith' --version -V version 'help version' 'version -h'; do
	# shellcheck disable=SC2086 # words
	run "$SUBPID" $words
	if [[ $rc = 0 && -z $err && -n $out ]]; then ok "subpid $words"; else
		not_ok "subpid $words" "status $rc" "$out" "$err"
	fi
done

for words in 'run' 'run --' 'run -t' 'run -i' 'run -it' 'run --rm -it' 'run --tty --interactive --'; do
	# shellcheck disable=SC2086 # words
	run "$SUBPID" $words sh -c 'echo x; exit 7'
	same "$words: output and status" 'x 7' "$out$err $rc"
done
run "$SUBPID" --version
same 'the version is the one of meson.build' \
	"subpid $(sed -n "s/^ *version: '\(.*\)',/\1/p" "$root/meson.build")" "$out"
run sh -c '"$0" help >/dev/full' "$SUBPID"
same 'a full disk' '1|subpid: cannot write to standard output' "$rc|$err"
run "$SUBPID" run -- echo -- --help -x
same 'options behind the command are its own' '-- --help -x' "$out"
