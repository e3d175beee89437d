# SPDX-License-Identifier: Apache-2.0
"""Processes as /proc tells them: who holds a mark, whose children, in which state."""
import os
import sys
import time

from terminal import Timeout

SUBPID = sys.argv[1]


def procs():
    """pid -> (ppid, state, args) of all processes."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="latin1") as f:
                rest = f.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{name}/cmdline", encoding="latin1") as f:
                args = f.read().replace("\0", " ").strip()
            found[int(name)] = (int(rest[1]), rest[0], args)
        except OSError:
            pass
    return found


def holding(mark):
    """Processes whose command line holds the mark and that are not just waiting to be reaped."""
    return [p for p, (_, state, args) in procs().items()
            if mark in args and state not in "ZX" and p != os.getpid()]


def none_left(mark, seconds=5):
    end = time.monotonic() + seconds
    while holding(mark):
        if time.monotonic() > end:
            raise Timeout("left: " + "; ".join(procs()[p][2] for p in holding(mark) if p in procs()))
        time.sleep(0.005)


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            raise Timeout("it did not come to pass")
        time.sleep(0.005)


def children(pid):
    return [p for p, (ppid, state, _) in procs().items() if ppid == pid and state not in "ZX"]


def tree(front):
    """The supervisor and init of a front, once init has become the program."""
    def look():
        for s in children(front):
            for i in children(s):
                # A zombie of the start, or init before its exec, still looks like us.
                if not procs().get(i, (0, "", SUBPID))[2].startswith(SUBPID):
                    return s, i
        return None
    return wait_for(look)


def state(pid):
    return procs().get(pid, (0, "-", ""))[1]
