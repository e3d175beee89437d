#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of crossings is complete, decided and proven: src/boundary/crossings.def against
syscalls.def and against the programs that tests/probe/run and tests/deny/run really run.

usage: crossings.py ROOT    one TAP-like line per rule; status 1 if one is broken
"""
import errno
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = sys.argv[1]
sys.path.insert(0, os.path.join(ROOT, "tools"))
import tables  # noqa: E402

UNFINISHED = re.compile(r"not yet|not (?:be )?converted yet|\byet\b", re.I)


def programs(suite):
    """What a suite runs, in its own words."""
    out = subprocess.run([os.path.join(ROOT, "tests", suite, "run"), "--list"], check=True,
                         capture_output=True, text=True).stdout
    return set(out.split())


def named(row):
    return "%s: %s: %s" % (row.kind, row.name, row.field)


def decided(rows):
    """Every crossing has a level"""
    seen = set()
    for row in rows:
        if row.kind not in tables.KINDS:
            yield "%s: no such kind" % named(row)
        if (row.kind, row.name, row.field) in seen:
            yield "%s: twice" % named(row)
        seen.add((row.kind, row.name, row.field))
        if row.level not in ("FULL", "DENY", "PASS"):
            yield "%s: %s" % (named(row), row.level)


def explained(rows):
    """A refusal names its errno, a pass says why, and nothing is left for later"""
    for row in rows:
        word = row.note.split(":")[0]
        if row.level == "DENY" and not ("E" + word[1:] == word and hasattr(errno, word)):
            yield "%s: the note of a refusal starts with the errno and a colon" % named(row)
        if row.level in ("PASS", "DENY") and len(row.note) < 12:
            yield "%s: does not say why" % named(row)
        if UNFINISHED.search(row.note):
            yield "%s: %s" % (named(row), row.note)


def proven(rows):
    """Every crossing names a program that is run and proves it"""
    probes, denials = programs("probe"), programs("deny")
    for row in rows:
        names = row.probe.split()
        if not names:
            yield "%s: no probe" % named(row)
        for name in names:
            if name not in probes and not (row.level == "DENY" and name in denials):
                yield "%s: %s is not run" % (named(row), name)


def consistent(rows):
    """The calls' own rows say the same"""
    calls = {call.nr: call for call in tables.syscalls(ROOT)}
    levels = {}
    for row in rows:
        for nr in tables.numbers_of(row) if row.kind == "syscall" else ():
            if nr not in calls:
                yield "%s: there is no call %d" % (named(row), nr)
            levels.setdefault(nr, {}).setdefault(row.level, row)
    for nr, by_level in sorted(levels.items()):
        call = calls.get(nr)
        if not call:
            continue
        if call.support == "DENY" and set(by_level) != {"DENY"}:
            yield "%s is refused, but: %s" % (call.name, named(next(iter(by_level.values()))))
    for row in rows:
        numbers = tables.numbers_of(row) if row.kind == "syscall" and row.level == "FULL" else []
        if numbers and all(nr in calls and calls[nr].support == "PASS" for nr in numbers):
            yield "%s passes, but is converted: %s" % (calls[numbers[0]].name, named(row))
    for call in calls.values():
        if call.support == "PARTIAL" or UNFINISHED.search(call.note):
            yield "%s: %s: %s" % (call.name, call.support, call.note)


# Arguments that are no numbers of processes themselves, or not scalars.
NO_ID = {"flags", "op", "which", "idtype", "siginfo", "nstype", "fd", "offset", "parent_tid",
         "child_tid", "ignored", "scope"}


def calls_of(row):
    """The names that tests/probe/junk.c uses for the calls of a row."""
    words = row.name.split()
    if row.kind == "syscall":
        return words[:1]
    if row.kind == "syscall-op":
        return ["_".join(words[:2])]
    return ["%s_%s" % (row.kind, words[0])]


def junk(rows):
    """Every scalar number is tried with junk around it"""
    with open(os.path.join(ROOT, "tests/probe/junk.c"), encoding="utf-8") as f:
        text = f.read()
    tried = set(re.findall(r"\bJ\((\w+), (\d),", text))
    for row in rows:
        if row.kind not in ("syscall", "syscall-op", "ioctl", "prctl") or row.direction == "out":
            continue
        if row.level not in ("FULL", "PASS"):
            continue
        for arg, word in re.findall(r"\barg(\d)(?: (\w+))?", row.field):
            for call in calls_of(row) if word not in NO_ID else ():
                if (call, arg) not in tried:
                    yield "%s: J(%s, %s, ...) is not in tests/probe/junk.c" % (named(row), call, arg)


def at_random(rows):
    """Random sequences make every call, or it is said why not"""
    done = subprocess.run([os.path.join(ROOT, "tests/random/run"), "--list"], check=True,
                          capture_output=True, text=True).stdout.split()
    excluded = {}
    with open(os.path.join(ROOT, "tests/random/excluded"), encoding="utf-8") as f:
        for line in f:
            name, _, reason = line.partition(":")
            if not line.startswith("#"):
                excluded[name] = reason.strip()
    names = {call.nr: call.name for call in tables.syscalls(ROOT)}
    wanted = {names.get(nr) for row in rows if row.kind == "syscall" for nr in tables.numbers_of(row)}
    for name in sorted(wanted.difference(done, excluded)):
        yield "%s is neither made nor excluded" % name
    for name, reason in sorted(excluded.items()):
        if name in done or name not in wanted or len(reason) < 8:
            yield "%s is excluded for nothing" % name


def main():
    try:
        rows = tables.crossings(ROOT)
    except (ValueError, IndexError) as e:
        print("not ok - shape: the list of crossings can be read\n# %s" % e)
        return 1
    bad = 0
    for rule in (decided, explained, proven, consistent, junk, at_random):
        findings = list(rule(rows))
        print("%s - shape: %s" % ("not ok" if findings else "ok",
                                  rule.__doc__[0].lower() + rule.__doc__[1:]))
        for finding in findings[:40]:
            print("# " + finding)
        if len(findings) > 40:
            print("# and %d more" % (len(findings) - 40))
        bad |= bool(findings)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
