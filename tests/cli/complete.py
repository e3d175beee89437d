#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The completions, in the shells themselves: lines with tabs are typed, and the words that then arrive at
a function named subpid are compared.

usage: complete.py SUBPID SHELL...
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from terminal import Terminal, Timeout, PROMPT  # noqa: E402  pylint: disable=wrong-import-position

SUBPID = sys.argv[1]
DIR = os.environ["CLI_TMP"]

# What is typed, and a pattern for what arrives. A shell may write --name=VALUE or --name VALUE.
CASES = [
    ("doc\t", "<doctor>"),
    ("help comp\t", "<help><completion>"),
    ("completion z\t", "<completion><zsh>"),
    ("--form\tjs\t version", "<--format(=|><)json><version>"),
    ("run --pids\t5 true", "<run><--pids-limit(=|><)5><true>"),
    ("run --pids-limit 5 --str\t true", "<run><--pids-limit><5><--strict><true>"),
    ("run --stop-signal WINC\t true", "<run><--stop-signal><WINCH><true>"),
    ("run --stop-signal=WINC\t true", "<run><--stop-signal=WINCH><true>"),
    ("run -e COMPLETE_M\tx true", "<run><-e><COMPLETE_ME=x><true>"),
    ("run --env COMPLETE_M\tx true", "<run><--env><COMPLETE_ME=x><true>"),
    (f"run -w {DIR}/compl\t true", f"<run><-w><{DIR}/complete-dir/?><true>"),
    (f"run --pidfile {DIR}/complete-f\t true", f"<run><--pidfile><{DIR}/complete-file><true>"),
    ("run busyb\t", "<run><busybox>"),
    ("run -- busyb\t", "<run><--><busybox>"),
    ("run --init -t busyb\t", "<run><--init><-t><busybox>"),
    (f"run busybox {DIR}/complete-f\t", f"<run><busybox><{DIR}/complete-file>"),
    (f"run -e A=1 -- busybox cat {DIR}/complete-f\t",
     f"<run><-e><A=1><--><busybox><cat><{DIR}/complete-file>"),
    ("exec we\t busyb\t", "<exec><web><busybox>"),
    (f"exec -w {DIR}/complete-d\t we\t -- busyb\t",
     f"<exec><-w><{DIR}/complete-dir/?><web><--><busybox>"),
    ("kill we\t", "<kill><web>"),
    ("kill -s USR2 we\t", "<kill><-s><USR2><web>"),
    ("rm ol\t we\t", "<rm><old><web>"),
    ("ps --show-c\twe\t", "<ps><--show-container(=|><)web>"),
    ("ls --no-h\t", "<ls><--no-headings>"),
]

FAKE = """subpid() {
case "$1 $2" in
"ls -q") echo web; echo db ;;
"ls -a") echo web; echo db; echo old ;;
*) printf '<%s>' "$@"; echo '<end>' ;;
esac
}"""

RC = {
    "bash": f"""PS1='{PROMPT}'
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
. /usr/share/bash-completion/bash_completion
eval "$({SUBPID} completion bash)"
{FAKE}
""",
    "zsh": f"""PS1='{PROMPT}'
unsetopt beep zle_bracketed_paste prompt_cr prompt_sp
unset zle_bracketed_paste
fpath=({DIR}/zfunc $fpath)
autoload -Uz compinit && compinit -u -D
{FAKE}
""",
    "fish": f"""function fish_prompt; echo -n '{PROMPT}'; end
function fish_greeting; end
set -g fish_autosuggestion_enabled 0
{SUBPID} completion fish | source
function subpid
    switch "$argv[1..2]"
        case 'ls -q'
            echo web; echo db
        case 'ls -a'
            echo web; echo db; echo old
        case '*'
            printf '<%s>' $argv; echo '<end>'
    end
end
""",
}


def known(command):
    return subprocess.run([SUBPID, "help", command], capture_output=True, check=False).returncode == 0


def expected(shell, line):
    """The lines whose commands are in this version."""
    word = line.split()[0]
    if shell == "zsh" and word == "exec" and " -- " in line:
        return False  # _arguments takes this -- for the program: nothing is completed there
    return word.startswith("-") or "\t" in line.split(" ")[0] or known(word)


def fish_words(line):
    """fish says what it would complete; its line editor repaints too much to be read. Tab after tab."""
    done = ""
    for i, piece in enumerate(line.split("\t")):
        done += piece
        if i == line.count("\t"):
            break
        env = dict(os.environ, HOME=DIR, XDG_CONFIG_HOME=DIR, COMPLETE_ME="1")
        out = subprocess.run(["fish", "--no-config", "-c", RC["fish"] + "complete -C $argv[1]", "--",
                              "subpid " + done], env=env, capture_output=True, text=True, timeout=20, check=False)
        offered = [o.split("\t")[0] for o in out.stdout.splitlines()]
        if len(offered) != 1:
            return f"{len(offered)} offers for {done!r}: {' '.join(offered[:10])} {out.stderr[:300]}"
        words = done.split(" ")
        # An option's value may be offered with the option in front of it.
        words[-1] = offered[0]
        done = " ".join(words)
        if not done.endswith(("=", "/")):
            done += " "
    return "".join(f"<{w}>" for w in done.replace("= ", "=").split()) + "<end>"


def typed_words(t, line):
    t.type("subpid " + line + "\n")
    m = t.expect(r"(<.*?<end>|not found|error)", 10)
    return m.group(1)


def open_shell(shell):
    rc = os.path.join(DIR, "complete." + shell)
    with open(rc, "w", encoding="ascii") as f:
        f.write(RC[shell])
    env = {"HOME": DIR, "ZDOTDIR": DIR, "COMPLETE_ME": "1", "INPUTRC": "/dev/null", "TERM": "dumb"}
    if shell == "bash":
        t = Terminal(env, ("bash", "--norc", "--noprofile", "-i"))
        t.expect(PROMPT)
    else:
        os.makedirs(DIR + "/zfunc", exist_ok=True)
        with open(DIR + "/zfunc/_subpid", "w", encoding="ascii") as f:
            f.write(subprocess.run([SUBPID, "completion", "zsh"], capture_output=True, text=True, check=True).stdout)
        t = Terminal(env, ("zsh", "-f", "-i"))
    t.resize(50, 1000)
    t.type(f". {rc}; echo lo''aded\n")
    t.expect("loaded")
    t.expect(PROMPT)
    return t


def main():
    failed = False
    os.makedirs(DIR + "/complete-dir", exist_ok=True)
    with open(DIR + "/complete-file", "w", encoding="ascii"):
        pass
    for shell in sys.argv[2:]:
        t = None if shell == "fish" else open_shell(shell)
        for line, want in CASES:
            shown = line.replace("\t", "<tab>").replace(DIR, "DIR")
            if not expected(shell, line):
                continue
            try:
                got = typed_words(t, line) if t else fish_words(line)
            except Timeout as e:
                got = f"timeout: {e}"
                t = open_shell(shell)
            if re.fullmatch(want + "<end>", got):
                print(f"ok - cli: {shell} completes: {shown}")
            else:
                failed = True
                print(f"not ok - cli: {shell} completes: {shown}\n# wanted: {want}\n# got: {got[:500]}")
        if t:
            t.close()
    return failed


sys.exit(main())
