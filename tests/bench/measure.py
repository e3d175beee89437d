#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures ops.c natively, under a bare filter, inside, and under what subpid is compared with, taking turns.

usage: measure.py [--quick] [--short] [--rows A,B] [--seconds N] [--sides A,B] [--cpu N] FOLDER
FOLDER holds ops, floor, subpid and macro/. The table goes to standard output, JSON to descriptor 3.
--short is everything in about a minute; --quick asks only whether every row can be measured.

A row's ratio is the median of the ratios of its rounds, or the ratio of the best times where there were only a
few. In a round each program is measured once, in
an order that moves on by one every round, so whatever else the machine does meets all alike. All
programs are started anew several times, because where a program happens to be mapped decides how many
pages a fault brings in, and thereby what a fork costs.
"""
import argparse
import json
import os
import platform
import statistics
import sys
import time

import scale
from sides import SideError, commands, end, start, usable

# name, operation, count a batch, limit to native, limit to the floor, both patched
MICRO = [
    ("getpid", "getpid", 2000, 0.2, None),
    ("getppid", "getppid", 2000, 2, None),
    ("getpgrp", "getpgrp", 2000, 0.5, None),
    ("gettid", "gettid", 2000, 2, None),
    ("getuid", "getuid", 20000, None, 1.03),
    ("read /dev/zero", "read", 20000, None, 1.03),
    ("open+close", "open", 500, 1.10, None),
    ("stat", "stat", 1000, 1.10, None),
    ("send+recv", "send", 2000, None, 1.03),
    ("sendmsg+recvmsg", "sendmsg", 1000, None, 1.03),
    ("sigprocmask", "sigprocmask", 1000, 1.5, None),
    ("sigaction", "sigaction", 1000, None, None),
    ("waitpid (nothing)", "waitpid", 500, None, None),
    ("kill(other, 0)", "kill0", 500, 4, None),
    ("kill(self)+handler", "kill", 300, None, None),
    ("signal ping-pong", "signals", 100, 1.5, None),
    ("pipe ping-pong", "pipes", 200, None, None),
    ("fork+wait", "fork", 20, 1.08, None),
    ("vfork+wait", "vfork", 50, None, None),
    ("vfork+exec true", "vfork-exec", 8, 1.12, None),
    ("posix_spawn true", "spawn", 8, 1.12, None),
    ("thread+join", "thread", 50, 1.10, None),
    ("/proc/self/stat", "proc-stat", 200, 3, None),
    ("list /proc, 500 tasks", "list", 3, None, None),
]
MACRO = [
    ("sh, 1,000 commands", "@commands", 1, 1.12, None),
    ("make -j2", "@make", 1, 1.05, None),
    ("Python, subprocess", "@python", 1, 1.10, None),
    ("find", "@find", 1, None, 1.03),
    ("redis-benchmark", "@redis", 1, None, 1.03),
    ("pgbench", "@pgbench", 1, None, None),
    ("nginx, ab", "@nginx", 1, None, None),
    ("gzip", "@gzip", 1, None, 1.03),
]
AROUND = {"list": ("crowd 500", "disperse 1")}  # done before and behind each batch, by each in its turn
SIDES = ["native", "floor", "patched", "inside", "first", "unshare", "bwrap", "proot", "strace"]
ROUNDS_MAX = 15  # of one start
STARTS = 6
MACRO_SIDES_NOT = ("first",)


def one(side, row):
    around = AROUND.get(row[1])
    if around:
        side.do(around[0].split()[0], int(around[0].split()[1]))
    got = side.do(row[1], row[2])
    if around:
        side.do(around[1].split()[0], int(around[1].split()[1]))
    return got


def take_turns(sides, row, seconds, rounds_max):
    """Rounds of one row with the programs of one start: a list of {side: (wall, cpu)}."""
    rounds, order = [], list(sides)
    if row[2] > 1 and row[1] not in AROUND:  # caches, areas of threads
        for side in order:
            sides[side].do(row[1], max(1, row[2] // 10))
    began = time.monotonic()
    while len(rounds) < rounds_max and (not rounds or time.monotonic() - began < seconds):
        rounds.append({side: one(sides[side], row) for side in order})
        order = order[1:] + order[:1]
    return rounds


def ratios(rounds, index, above, below):
    if 1 < len(rounds) < 5 and min(r[below][index] for r in rounds) > 0:
        return [min(r[above][index] for r in rounds) / min(r[below][index] for r in rounds)]
    out = [r[above][index] / r[below][index] for r in rounds if r[below][index] > 0]
    return out or [float("nan")]


def summary(row, rounds, names):
    name, op, _, limit_native, limit_floor = row
    result = {"row": name, "op": op, "rounds": len(rounds), "limit": limit_native or limit_floor,
              "against": "floor" if limit_floor else "native", "sides": {}}
    for side in names:
        wall, cpu = ratios(rounds, 0, side, "native"), ratios(rounds, 1, side, "native")
        entry = {"ns": statistics.median(r[side][0] for r in rounds),
                 "ratio": statistics.median(wall), "cpu": statistics.median(cpu)}
        if len(wall) > 3:
            quarter = statistics.quantiles(wall, n=4)
            entry["quartiles"] = [quarter[0], quarter[2]]
        if "floor" in names:
            entry["floor"] = statistics.median(ratios(rounds, 0, side, "floor"))
        result["sides"][side] = entry
    return result


def verdict(value, limit):
    if limit is None:
        return ""
    return f"{limit:g} {'within' if value <= limit else 'ABOVE'}"


def header(names):
    return f"{'':23}{'native':>12}" + "".join(f"{n:>9}" for n in names if n != "native") + "  limit"


def judged(r):
    """The side that is to keep the limit, and its ratio to what the limit is about."""
    side = "patched" if "patched" in r["sides"] else "inside"
    return side, r["sides"].get(side, {}).get("floor" if r["against"] == "floor" else "ratio",
                                              float("nan"))


def line(r, names):
    s = r["sides"]
    text = f"{r['row']:23}{s['native']['ns'] / 1000:>9.2f} us"
    text += "".join(f"{s[n]['ratio']:>9.2f}" for n in names if n != "native")
    against = " of floor" if r["against"] == "floor" and r["limit"] else ""
    return f"{text}  {verdict(judged(r)[1], r['limit'])}{against}"


class Run:
    def __init__(self, args):
        self.args = args
        self.failed = 0
        self.out = {"cpus": len(os.sched_getaffinity(0)), "kernel": platform.release(),
                    "load": [os.getloadavg()[0]], "micro": [], "macro": [], "scale": {}, "not": {}}

    def say(self, text):
        if not self.args.quick:
            print(text, flush=True)

    def result(self, good, name, why=""):
        self.failed |= not good
        if self.args.quick or not good:
            print(f"{'ok' if good else 'not ok'} - bench: {name}" + (f"\n# {why}" if why else ""),
                  flush=True)

    def rows(self, rows, names, seconds, starts, rounds, key):
        taken = {row[1]: [] for row in rows}
        row = ("the programs start",)
        try:
            for _ in range(starts if rows else 0):
                sides = start(self.args.folder, names)
                for row in rows:
                    taken[row[1]] += take_turns(sides, row, seconds / starts, rounds)
                row = ("the programs end",)
                end(sides)
        except SideError as e:
            self.result(False, row[0], e)
            return
        if rows:
            self.say("\n" + header(names))
        for row in rows:
            r = summary(row, taken[row[1]], names)
            self.out[key].append(r)
            self.result(all(e["ns"] > 0 for e in r["sides"].values()), row[0])
            self.say(line(r, names))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rows")
    parser.add_argument("--sides")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--crowd", type=int, default=30000)
    parser.add_argument("--cpu", type=int)
    parser.add_argument("folder")
    args = parser.parse_args()
    starts, rounds, seconds, macro_seconds = STARTS, ROUNDS_MAX, args.seconds, 4 * args.seconds
    wanted = args.rows.split(",") if args.rows else None
    sides = args.sides.split(",") if args.sides else SIDES
    if args.short:
        seconds, macro_seconds, starts, args.crowd = 0.5, 0.5, 1, min(args.crowd, 1000)
        wanted = wanted or [r[1] for r in MICRO] + ["@commands", "@python", "@gzip", "scale"]
    if args.quick:
        seconds, macro_seconds, starts, rounds, args.crowd = 0.1, 0.1, 1, 2, min(args.crowd, 100)
        sides = [s for s in sides if s in SIDES[:5]]
        wanted = wanted or [r[1] for r in MICRO] + ["@commands", "scale"]
    if args.cpu is not None:
        os.sched_setaffinity(0, {args.cpu})
    run = Run(args)
    known = [s for s in sides if s == "native" or s in commands(args.folder) or s not in SIDES[:5]]
    names, run.out["not"] = usable(args.folder, known)
    for name, why in run.out["not"].items():
        run.say(f"without {name}: {why}")
    if "native" not in names or "inside" not in names:
        run.result(False, "the programs start", str(run.out["not"]))
        sys.exit(1)
    run.say(f"{run.out['cpus']} processors, load {run.out['load'][0]:.1f} at first; ratios to native, "
            "medians of rounds in turns")
    run.rows([r for r in MICRO if not wanted or r[1] in wanted], names, seconds, starts, rounds, "micro")
    run.rows([r for r in MACRO if not wanted or r[1] in wanted],
             [n for n in names if n not in MACRO_SIDES_NOT], macro_seconds, min(starts, 2), rounds, "macro")
    if not run.failed and (not wanted or "scale" in wanted or "memory" in wanted):
        try:
            run.out["scale"] = scale.measure(args.folder, names, args.crowd, seconds / 20)
            scale.show(run)
        except SideError as e:
            run.result(False, "scale", e)
    run.out["load"].append(os.getloadavg()[0])
    run.out["limits"] = {"inside": "patched" if "patched" in names else "inside"}
    try:
        os.write(3, (json.dumps(run.out, indent=1) + "\n").encode())
    except OSError:
        pass
    sys.exit(1 if run.failed else 0)


if __name__ == "__main__":
    main()
