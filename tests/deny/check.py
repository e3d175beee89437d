#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares refusals as programs saw them with the notes of the tables.

usage: check.py ROOT OUTPUT...   the errnos in OUTPUT are those of the notes, and every refused row
                                 is in one of them; one TAP-like line per rule
"""
import errno
import os
import sys

sys.dont_write_bytecode = True
ROOT = sys.argv[1]
sys.path.insert(0, os.path.join(ROOT, "tools"))
import tables  # noqa: E402


def expected():
    """(kind, name, field) -> name of the errno"""
    want = {}
    for row in tables.crossings(ROOT):
        if row.level == "DENY":
            want[row.kind, row.name, row.field] = row.note.split(":")[0], row.probe.split()
    for call in tables.syscalls(ROOT):
        if call.support == "DENY":
            want["call", call.name, ""] = call.note.split(":")[0], ["calls"]
    want["call", "unknown", ""] = tables.unknown_syscalls(ROOT)[3].split(":")[0], ["calls"]
    return want


def verdict(name, findings):
    print("%s - deny: %s" % ("not ok" if findings else "ok", name))
    for finding in findings[:40]:
        print("# " + finding)
    return bool(findings)


def main():
    want, seen, wrong = expected(), {}, []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                fields = line.rstrip("\n").split("\t")
                if len(fields) != 4:
                    wrong.append("%s: %s" % (os.path.basename(path), line.strip()))
                    continue
                key, result = tuple(fields[:3]), int(fields[3])
                seen.setdefault(key, os.path.basename(path))
                if key not in want:
                    wrong.append("%s: no row says that it is refused" % ": ".join(key))
                elif -result != getattr(errno, want[key][0], None):
                    got = errno.errorcode.get(-result, str(result))
                    wrong.append("%s: %s, but the note says %s" % (": ".join(key), got, want[key][0]))
    # A refusal that a user without rights meets in a kernel namespace too is a probe's.
    probes = {f[:-2] for f in os.listdir(os.path.join(ROOT, "tests/probe")) if f.endswith(".c")}
    missing = [": ".join(key) for key, (_errno, names) in want.items()
               if key not in seen and not probes.intersection(names)]
    bad = verdict("every refusal is the errno that the documentation names", wrong)
    return int(verdict("every refused row is tried", missing) or bad)


if __name__ == "__main__":
    sys.exit(main())
