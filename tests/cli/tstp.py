#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTSTP from a process: for the front alone it is number 1's, for the job it is not repeated.

usage: tstp.py SUBPID [PART-OF-A-NAME...]
"""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import jobs  # noqa: E402  pylint: disable=wrong-import-position
from jobs import MARK, SUBPID, script, start, test  # noqa: E402  pylint: disable=wrong-import-position
from processes import state, tree, wait_for  # noqa: E402  pylint: disable=wrong-import-position

jobs.TESTS.clear()


@test
def tstp_of_the_front_alone(t):
    front = start(t, f"sleep {MARK}")
    _, init = tree(front)
    for _ in range(3):
        os.kill(front, signal.SIGTSTP)
        t.expect("Stopped")
        t.prompt(2)
        t.status(148)
        assert state(init) == "T" and state(front) == "T", "both are stopped"
        t.line("fg")
        wait_for(lambda: state(init) == "S" and state(front) == "S")
    t.type("\x03")
    t.prompt(2)
    t.status(130)


@test
def tstp_of_the_front_alone_is_for_a_handler(t):
    path = script("tstp", "trap 'echo caught' TSTP\necho up\nuntil [ -e $0.end ]; do sleep .05; done\n")
    front = start(t, path)
    t.expect("^up$")
    os.kill(front, signal.SIGTSTP)
    t.expect("^caught$")
    with open(path + ".end", "w", encoding="ascii"):
        pass
    t.prompt()
    t.status(0)
    os.unlink(path + ".end")


@test
def tstp_of_the_front_alone_is_ignored_with_the_program(t):
    path = script("tstpign", "trap '' TSTP\necho up\nread -r line\necho got $line\n")
    front = start(t, path)
    t.expect("^up$")
    os.kill(front, signal.SIGTSTP)
    time.sleep(.05)
    t.line("word")
    t.expect("^got word$")
    t.prompt()


@test
def tstp_of_the_job_is_not_repeated(t):
    front = start(t, f"sleep {MARK}", background=True)
    _, init = tree(front)
    for _ in range(10):
        os.killpg(os.getpgid(front), signal.SIGTSTP)
        wait_for(lambda: state(init) == "T" and state(front) == "T")
        os.killpg(os.getpgid(front), signal.SIGCONT)
        wait_for(lambda: state(init) == "S" and state(front) == "S")
        time.sleep(.04)
        assert state(init) == "S" and state(front) == "S", "runs on"
    t.run("kill %1; wait %1; echo rc=$?", "rc=143")


@test
def tstp_of_the_front_without_a_terminal(_):
    # A process group that is not orphaned: a stop signal other than STOP is dropped in one that is.
    with subprocess.Popen([SUBPID, "run", "sleep", MARK], stdin=subprocess.DEVNULL,
                          start_new_session=False) as p:
        _, init = tree(p.pid)
        os.kill(p.pid, signal.SIGTSTP)
        wait_for(lambda: state(init) == "T")
        os.kill(p.pid, signal.SIGCONT)
        wait_for(lambda: state(init) == "S" and state(p.pid) == "S")
        p.send_signal(signal.SIGTERM)
        assert p.wait() == -signal.SIGTERM, p.returncode


if __name__ == "__main__":
    sys.exit(jobs.main())
