#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fifty containers started, listed, entered and killed at once: crowd.py SUBPID. One line a test."""
import json
import subprocess
import sys
import threading

SUBPID, CROWD = sys.argv[1], 50
failed = 0


def report(name, wrong):
    global failed
    print(("not ok" if wrong else "ok") + f" - cli: {CROWD} at once: {name}")
    for line in wrong[:8]:
        failed = 1
        print(f"# {line!r}"[:300])


def subpid(*words):
    r = subprocess.run([SUBPID, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=80)
    return r.returncode, r.stdout, r.stderr


def everywhere(what):
    """Calls what(i) in as many threads; what is not None is wrong."""
    wrong = []

    def one(i):
        r = what(i)
        if r is not None:
            wrong.append(r)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(CROWD)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return wrong


def start(i):
    r = subpid("run", "-d", "--name", f"c{i}", "sh", "-c", f"sleep 5{i:03} & sleep 6{i:03}; :")
    return None if r == (0, f"c{i}\n", "") else r


def listed(i):
    """Every row that is there while others come is a right one."""
    code, out, err = subpid("ls", "--json")
    rows = json.loads(out) if code == 0 else []
    for row in rows:
        n = row["name"][1:]
        want = f"sleep 5{int(n):03} & sleep 6{int(n):03}; :"
        if row["command"] != ["sh", "-c", want] or row["state"] not in ("starting", "running"):
            return row
    return None if code == 0 and not err else (code, err)


def enter(i):
    r = subpid("exec", f"c{i}", "sh", "-c", f"pgrep -fx 'sleep 6{i:03}' >/dev/null && pgrep -c sleep; exit {i}")
    return None if r == (i, "2\n", "") else (i, r)


def both(i):
    return start(i) or listed(i)


report("started and listed", everywhere(both))
code, out, err = subpid("ls", "-q")
report("all are listed, once", [] if sorted(out.split()) == sorted(f"c{i}" for i in range(CROWD)) else [out, err])
report("entered", everywhere(enter))
code, out, err = subpid("ps", "--json")
rows = [(r["container"], r["args"][1]) for r in json.loads(out) if r["args"][0] == "sleep"]
want = sorted([(f"c{i}", f"{k}{i:03}") for i in range(CROWD) for k in (5, 6)])
report("processes under the right names", [] if sorted(rows) == want else [set(rows) ^ set(want), err])


def kill(i):
    if i % 2:
        r = subpid("kill", f"c{i}")
        r = r if r[0] else subpid("rm", f"c{i}")
    else:
        r = subpid("rm", "-f", f"c{i}")
    return None if r == (0, "", "") else (i, r)


report("killed and removed", everywhere(kill))
code, out, err = subpid("ls", "-aq")
report("nothing is left", [out + err] if out or err or code else [])
sys.exit(failed)
