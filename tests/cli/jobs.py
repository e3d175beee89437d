#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job control, signals and violent ends of `subpid run` in an interactive shell.

usage: jobs.py SUBPID [PART-OF-A-NAME...]
"""
import os
import random
import signal
import subprocess
import sys
import termios
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from processes import procs, holding, none_left, wait_for, children, tree, state  # noqa: E402  pylint: disable=wrong-import-position
from terminal import Terminal, Timeout  # noqa: E402  pylint: disable=wrong-import-position

SUBPID = sys.argv[1]
TESTS = []
MARK = str(90000 + os.getpid() % 9000)


def test(f):
    TESTS.append(f)
    return f


def start(t, command, background=False):
    """Types it and returns the front's pid (the shell's child)."""
    before = set(children(t.pid))
    t.line(f"{SUBPID} run {command}" + (" &" if background else ""))
    return wait_for(lambda: [p for p in children(t.pid) if p not in before])[0]


def has_terminal(t, pgrp):
    """The job has the terminal, in the state in which programs expect it."""
    wait_for(lambda: os.tcgetpgrp(t.fd) == pgrp and termios.tcgetattr(t.fd)[3] & termios.ICANON)


def script(name, text):
    path = os.path.join(os.environ["CLI_TMP"], name)
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/bash\n" + text)
    os.chmod(path, 0o755)
    return path


@test
def ctrl_c_ends_a_program_without_handler(t):
    tree(start(t, f"sleep {MARK}"))
    t.type("\x03")
    t.prompt(2)
    t.status(130)
    none_left(MARK, 1)


@test
def ctrl_c_ends_what_the_program_started(t):
    tree(start(t, f"sh -c 'setsid sleep {MARK} & exec sleep {MARK}'"))
    wait_for(lambda: sum(args == f"sleep {MARK}" for _, _, args in procs().values()) == 2)
    t.type("\x03")
    t.prompt(2)
    t.status(130)
    none_left(MARK, 1)


@test
def ctrl_c_reaches_a_handler_once(t):
    path = script("handler", "trap 'echo caught $((++n))' INT\necho up\n"
                  "for i in {1..20}; do sleep .05; done\necho n=$n\nexit 3\n")
    tree(start(t, path))
    t.expect("^up$")
    t.type("\x03")
    t.expect("^n=1$")
    t.prompt()
    t.status(3)


@test
def ctrl_backslash(t):
    tree(start(t, f"sleep {MARK}"))
    t.type("\x1c")
    t.prompt(2)
    t.status(131)


@test
def ctrl_z_and_fg(t):
    front = start(t, f"sleep {MARK}")
    sup, init = tree(front)
    t.type("\x1a")
    t.expect(r"Stopped")
    t.prompt(2)
    assert state(init) == "T" and state(front) == "T" and state(sup) in "SR", "states"
    t.status(148)
    t.line("fg")
    wait_for(lambda: state(init) == "S" and state(front) == "S")
    t.type("\x1a")
    t.expect(r"Stopped")
    t.prompt(2)
    t.line("fg")
    wait_for(lambda: state(init) == "S" and state(front) == "S")
    t.type("\x03")
    t.prompt(2)
    t.status(130)
    none_left(MARK, 1)


@test
def ctrl_z_many_times(t):
    front = start(t, f"sleep {MARK}")
    _, init = tree(front)
    for _ in range(20):
        t.type("\x1a")
        t.expect(r"Stopped")
        t.prompt(3)
        t.line("fg")
        wait_for(lambda: state(init) == "S" and state(front) == "S")
    t.type("\x03")
    t.prompt(2)
    t.status(130)


@test
def ctrl_z_while_number_1_executes(t):
    for i in range(25):
        front = start(t, "bash -c 'echo u''p; exec sleep 100'")
        t.expect("^up$")
        time.sleep(random.random() * .004)
        t.type("\x1a")
        t.expect("Stopped", 3)
        t.prompt()
        os.kill(front, signal.SIGKILL)
        wait_for(lambda: front not in procs())
        t.line("")
        t.prompt()
        t.run("true")


@test
def bg_and_wait(t):
    front = start(t, "sleep 0.7")
    _, init = tree(front)
    t.type("\x1a")
    t.expect(r"Stopped")
    t.prompt(2)
    t.line("bg")
    t.prompt(2)
    wait_for(lambda: state(init) == "S" and state(front) == "S")
    t.run("wait; echo rc=$?", r"rc=0")


@test
def cat_reads_after_fg(t):
    front = start(t, "cat")
    has_terminal(t, front)
    t.line("first")
    t.expect("first\nfirst\n")
    t.type("\x1a")
    t.expect(r"Stopped")
    t.prompt(2)
    t.line("fg")
    t.expect("run cat\n")
    has_terminal(t, front)
    t.line("second")
    t.expect("second\nsecond\n")
    t.type("\x04")
    t.prompt(2)
    t.status(0)


@test
def background_reader_stops_and_comes_back(t):
    """What cat & does without subpid: stopped (tty input), then fg."""
    front = start(t, "cat", background=True)
    wait_for(lambda: state(front) == "T")
    t.run("jobs", r"Stopped")
    t.line("fg")
    t.expect("run cat\n")
    has_terminal(t, front)
    t.line("hello")
    t.expect("hello\nhello\n")
    t.type("\x04")
    t.prompt(2)
    t.status(0)


@test
def fg_after_bg_of_a_reader(t):
    front = start(t, "cat")
    tree(front)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt(2)
    t.line("bg")
    wait_for(lambda: state(front) == "T")
    time.sleep(.1)
    assert state(front) == "T", "it stays stopped by its reading"
    t.line("")
    t.line("fg")
    t.expect("run cat\n")
    has_terminal(t, front)
    t.line("again")
    t.expect("again\nagain\n")
    t.type("\x04")
    t.prompt(2)


@test
def kill_stop_and_cont_of_the_job(t):
    front = start(t, f"sleep {MARK}", background=True)
    _, init = tree(front)
    for _ in range(5):
        os.killpg(os.getpgid(front), signal.SIGSTOP)
        wait_for(lambda: state(init) == "T" and state(front) == "T")
        os.killpg(os.getpgid(front), signal.SIGCONT)
        wait_for(lambda: state(init) == "S" and state(front) == "S")
        time.sleep(.03)
        assert state(init) == "S" and state(front) == "S", "runs on"
    t.run("kill %1; wait %1; echo rc=$?", "rc=143")
    none_left(MARK, 1)


@test
def stop_of_init_alone_and_cont_of_the_front_alone(t):
    front = start(t, f"sleep {MARK}")
    _, init = tree(front)
    os.kill(init, signal.SIGSTOP)
    t.expect("Stopped")
    t.prompt(2)
    wait_for(lambda: state(front) == "T")
    os.kill(front, signal.SIGCONT)
    wait_for(lambda: state(init) == "S" and state(front) == "S")
    os.kill(front, signal.SIGTERM)
    none_left(MARK, 2)
    t.run("wait %1; echo rc=$?", "rc=143")


@test
def cont_of_init_alone_continues_the_front(t):
    front = start(t, f"sleep {MARK}")
    _, init = tree(front)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt(2)
    os.kill(init, signal.SIGCONT)
    wait_for(lambda: state(init) == "S" and state(front) == "S")
    os.kill(front, signal.SIGKILL)
    none_left(MARK, 2)


@test
def death_of_init_while_stopped(t):
    front = start(t, f"sleep {MARK}")
    _, init = tree(front)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt(2)
    os.kill(init, signal.SIGKILL)
    wait_for(lambda: front not in procs())
    t.run("wait %1; echo rc=$?", "rc=137")


@test
def stopped_job_and_terminal_closed(t):
    start(t, f"sleep {MARK}")
    tree(children(t.pid)[0])
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt(2)
    t.close()
    none_left(MARK, 3)


@test
def terminal_closed_while_running(t):
    tree(start(t, f"sh -c 'setsid sleep {MARK} & sleep {MARK}; true'"))
    t.close()
    none_left(MARK, 3)


@test
def inner_shell_has_job_control(t):
    start(t, "bash --norc --noprofile -i")
    t.prompt()
    t.line(f"sleep {MARK}")
    wait_for(lambda: holding(f"sleep {MARK}"))
    time.sleep(.1)
    t.type("\x1a")
    t.expect("Stopped")
    t.prompt()
    t.line("fg")
    t.expect("sleep")
    time.sleep(.2)
    t.type("\x03")
    t.prompt()
    t.status(130)
    t.run("echo $$", "^1$")
    t.line("exit 5")
    t.prompt()
    t.status(5)
    t.run("true")


@test
def pipeline_and_sigpipe(t):
    # Number 1 itself gets EPIPE instead of the signal, as in the kernel.
    t.run(f"{SUBPID} run sh -c 'yes; echo $? >&2' | head -n 1", r"y\n141$|141\ny$")
    t.run(f"echo in | {SUBPID} run cat | cat", "^in$")


@test
def ctrl_c_ends_a_pipeline(t):
    for _ in range(10):
        t.line(f"{SUBPID} run sleep {MARK} | {SUBPID} run cat")
        wait_for(lambda: any(args == f"sleep {MARK}" for _, _, args in procs().values())
                 and any(args == "cat" for _, _, args in procs().values()))
        t.type("\x03")
        t.prompt(3)
        t.status(130)
    none_left(MARK, 1)


@test
def stdout_is_not_held_open(t):
    """The reader sees the end when the program closes its side, as without subpid."""
    t.run("SECONDS=0")
    t.run(f"{SUBPID} run bash -c 'echo x; exec >&- 2>&-; sleep 3' 2>&1 | "
          "{ cat; echo took=$SECONDS; }", r"x\ntook=[01]$")


@test
def window_size(t):
    path = script("winch", "trap 'stty size; exit 0' WINCH\necho up\n"
                  "for i in {1..100}; do sleep .05; done\n")
    start(t, path)
    t.expect("^up$")
    t.resize(33, 77)
    t.expect("^33 77$")
    t.prompt()


@test
def stty_is_left_as_the_program_leaves_it(t):
    t.run(f"{SUBPID} run stty -ixon; stty -a | grep -c -- -ixon; stty ixon", "^1$")


def signalled(sig, handled, to_group=False):
    """Status and output of a program without a shell, when the front is sent sig."""
    code = "import signal,sys,time\n"
    if handled:
        code += f"signal.signal({int(sig)}, lambda *a: (print('caught', flush=True), sys.exit(9)))\n"
    elif sig == signal.SIGINT:
        code += "signal.signal(2, signal.SIG_DFL)\n"
    code += f"print('up', flush=True)\nwhile True: time.sleep(.01) # {MARK}\n"
    p = subprocess.Popen([SUBPID, "run", sys.executable, "-c", code], stdout=subprocess.PIPE,
                         text=True, start_new_session=True)
    assert p.stdout.readline() == "up\n"
    (os.killpg if to_group else os.kill)(p.pid, sig)
    out = p.communicate(timeout=10)[0]
    none_left(MARK, 1)
    return p.returncode, out


@test
def signals_to_the_front(_):
    for sig in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1,
                signal.SIGALRM, signal.SIGRTMIN):
        got = signalled(sig, False)
        assert got == (-sig, ""), f"{sig!r} default: {got}"
        got = signalled(sig, True)
        assert got == (9, "caught\n"), f"{sig!r} handled: {got}"


@test
def signals_that_number_1_blocks(_):
    for code, want in ((f"time.sleep(.2); signal.pthread_sigmask(signal.SIG_UNBLOCK, s); time.sleep({MARK})",
                        -15),
                       ("signal.sigwait(s); sys.exit(6)", 6)):
        p = subprocess.Popen([SUBPID, "run", sys.executable, "-c", "import signal, sys, time\n"
                              "s = {signal.SIGTERM}; signal.pthread_sigmask(signal.SIG_BLOCK, s)\n"
                              f"print('up', flush=True); {code}"], stdout=subprocess.PIPE, text=True)
        assert p.stdout.readline() == "up\n"
        os.kill(p.pid, signal.SIGTERM)
        assert p.wait(10) == want, (code, p.returncode)
        p.stdout.close()


@test
def a_signal_to_a_program_that_often_blocks_it(_):
    code = ("import signal, time; print('up', flush=True)\n"
            "while True:\n"
            " signal.pthread_sigmask(signal.SIG_BLOCK, {15}); time.sleep(.01)\n"
            " signal.pthread_sigmask(signal.SIG_UNBLOCK, {15}); time.sleep(.002)\n")
    for _ in range(3):
        p = subprocess.Popen([SUBPID, "run", sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert p.stdout.readline() == "up\n"
        os.kill(p.pid, signal.SIGTERM)
        assert p.wait(10) == -15, p.returncode
        p.stdout.close()


@test
def signals_at_the_very_start(_):
    for i in range(30):
        p = subprocess.Popen([SUBPID, "run", "sleep", MARK], start_new_session=True)
        time.sleep(i * .0002)
        os.kill(p.pid, signal.SIGTERM)
        assert p.wait(10) == -15, p.returncode
    none_left(MARK, 1)


@test
def ignored_signals_stay_ignored(_):
    p = subprocess.Popen(["bash", "-c", f"trap '' TERM HUP; exec {SUBPID} run bash -c 'trap; echo up;"
                          f" sleep 1; echo done {MARK}'"], stdout=subprocess.PIPE, text=True)
    assert wait_for(lambda: "up" in p.stdout.readline())
    os.kill(p.pid, signal.SIGTERM)
    os.kill(p.pid, signal.SIGHUP)
    out = p.communicate(timeout=10)[0]
    assert p.returncode == 0 and "done" in out, (p.returncode, out)


@test
def blocked_signals_are_handed_on(_):
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
    show = [sys.executable, "-c", "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))"]
    want = subprocess.run(show, capture_output=True, text=True, preexec_fn=block, check=True).stdout
    got = subprocess.run([SUBPID, "run"] + show, capture_output=True, text=True, preexec_fn=block,
                         check=True).stdout
    assert "USR1" in want and got == want, (got, want)


def violent(kill, rounds=3):
    for _ in range(rounds):
        p = subprocess.Popen([SUBPID, "run", "bash", "-c",
                              f"for i in 1 2 3 4 5; do setsid sleep {MARK} & (sleep {MARK} &) ; done;"
                              f" nohup setsid bash -c 'while :; do sleep 0.00{MARK}; done' "
                              f">/dev/null 2>&1 & echo up; sleep {MARK}"],
                             stdout=subprocess.PIPE, text=True, process_group=0)
        assert p.stdout.readline() == "up\n"
        sup, init = tree(p.pid)
        kill(p, sup, init)
        p.wait(10)
        none_left(MARK, 3)
        wait_for(lambda: sup not in procs() or state(sup) == "Z", 3)
        p.stdout.close()
        yield p.returncode


@test
def front_killed(_):
    for rc in violent(lambda p, sup, init: os.kill(p.pid, signal.SIGKILL)):
        assert rc == -9, rc


@test
def supervisor_killed(_):
    for rc in violent(lambda p, sup, init: os.kill(sup, signal.SIGKILL)):
        assert rc == -9, rc


@test
def init_killed(_):
    for rc in violent(lambda p, sup, init: os.kill(init, signal.SIGKILL)):
        assert rc == -9, rc


@test
def job_killed(_):
    for rc in violent(lambda p, sup, init: os.killpg(p.pid, signal.SIGKILL)):
        assert rc == -9, rc


@test
def supervisor_killed_while_stopped(_):
    def kill(p, sup, init):
        os.killpg(p.pid, signal.SIGSTOP)
        wait_for(lambda: state(init) == "T" and state(p.pid) == "T")
        os.kill(sup, signal.SIGKILL)
    for rc in violent(kill):
        assert rc == -9, rc


@test
def fork_bomb_killed_midway(_):
    bomb = script(f"bomb{MARK}", "f() { local d=$1; while ((d-- > 0)); do setsid $0 $d & done; wait; }\n"
                  "[[ $1 ]] || { echo up; set -- 7; }\nf $1\n")
    for _ in range(3):
        p = subprocess.Popen([SUBPID, "run", bomb], stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL)
        assert p.stdout.readline() == "up\n"
        time.sleep(.05)
        p.kill()
        p.wait(10)
        none_left(f"bomb{MARK}", 4)
        p.stdout.close()


@test
def children_from_before_are_left_alone(_):
    out = subprocess.run(["bash", "-c", f"sleep 20.{MARK} >&- 2>&- & echo $!; exec {SUBPID} run true"],
                         capture_output=True, text=True, check=True).stdout
    pid = int(out)
    assert state(pid) == "S", "the sleep from before still runs"
    os.kill(pid, signal.SIGKILL)


@test
def children_from_before_survive_a_killed_supervisor(_):
    p = subprocess.Popen(["bash", "-c", f"sleep 20.{MARK} >&- 2>&- & echo $!; exec {SUBPID} run sh -c "
                          f"'setsid sleep 30.{MARK} & sleep 40.{MARK}'"],
                         stdout=subprocess.PIPE, text=True)
    pid = int(p.stdout.readline())
    # First the program: before it our own short-lived children come and go.
    wait_for(lambda: f"sleep 30.{MARK}" in [args for _, _, args in procs().values()])
    sup = [c for c in children(p.pid) if c != pid][0]
    os.kill(sup, signal.SIGKILL)
    p.wait(10)
    none_left(f"30.{MARK}", 2)
    none_left(f"sleep 40.{MARK}", 2)
    assert state(pid) == "S", "the sleep from before still runs"
    os.kill(pid, signal.SIGKILL)
    p.stdout.close()


def main():
    wanted = sys.argv[2:]
    prefix = os.environ.get("CLI_PREFIX", "")
    failed = 0
    for f in TESTS:
        name = f.__name__
        if wanted and not any(w in name for w in wanted):
            continue
        began = time.monotonic()
        terminal = Terminal()
        try:
            terminal.prompt()
            f(terminal)
            print(f"ok - cli: {prefix}{name.replace('_', ' ')}", flush=True)
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok - cli: {prefix}{name.replace('_', ' ')}")
            where = traceback.extract_tb(e.__traceback__)[-1]
            for frame in traceback.extract_tb(e.__traceback__):
                if frame.filename == os.path.abspath(__file__):
                    where = frame
            print(f"# line {where.lineno}: {where.line}")
            for line in (str(e) or type(e).__name__).split("\n"):
                print(f"# {line}", flush=True)
        finally:
            terminal.close()
            for p in holding(MARK):
                if p != os.getppid():
                    try:
                        os.kill(p, signal.SIGKILL)
                    except OSError:
                        pass
        if os.environ.get("CLI_TIMES"):
            print(f"# {time.monotonic() - began:.1f} s", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
