#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures ops.c natively, under a bare filter, inside, and inside as number 1, taking turns.

usage: measure.py [--quick] [--rows A,B] [--seconds N] [--crowd N] [--cpu N] FOLDER
FOLDER holds ops, floor and subpid. The table goes to standard output, JSON to descriptor 3.

A row's ratio is the median of the ratios of its rounds. In a round each program is measured once, in
an order that moves on by one every round, so whatever else the machine does meets all alike. All
programs are started anew several times, because where a program happens to be mapped decides how many
pages a fault brings in, and thereby what a fork costs.
"""
import argparse
import json
import os
import re
import resource
import select
import statistics
import subprocess
import sys
import time

# name, operation, count a batch, limit inside : native, limit inside : floor
ROWS = [
    ("getpid", "getpid", 2000, 16, None),
    ("gettid", "gettid", 2000, 16, None),
    ("getppid", "getppid", 2000, 16, None),
    ("getuid", "getuid", 20000, None, 1.03),
    ("read /dev/zero", "read", 20000, None, 1.03),
    ("open+close", "open", 500, None, None),
    ("stat", "stat", 1000, None, None),
    ("send+recv", "send", 2000, None, 1.03),
    ("sendmsg+recvmsg", "sendmsg", 1000, None, None),
    ("sigprocmask", "sigprocmask", 1000, None, None),
    ("kill(self)+handler", "kill", 300, None, None),
    ("fork+wait", "fork", 20, 1.10, None),
    ("vfork+wait", "vfork", 50, None, None),
    ("posix_spawn true", "spawn", 8, 1.20, None),
    ("200 commands", "script", 1, None, None),
    ("/proc/self/stat", "proc-stat", 200, None, None),
    ("thread+join", "thread", 50, 1.25, None),
]
SIDES = ["native", "floor", "inside", "first"]
ROUNDS_MAX = 15  # of one start
STARTS = 6
ANSWER_SECONDS = 120

IMAGE = 0x550000000000
SEGMENT = 0x550000080000
AREAS = 0x550080000000
WINDOW_END = 0x550180000000


class Side:
    """One running ops program."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.buffer = b""
        if self.line() != "ready":
            raise RuntimeError(f"{name} does not start")

    def line(self):
        end = time.monotonic() + ANSWER_SECONDS
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise RuntimeError(f"{self.name} does not answer")
            got = os.read(self.process.stdout.fileno(), 4096)
            if not got:
                raise RuntimeError(f"{self.name} ended")
            self.buffer += got
        text, self.buffer = self.buffer.split(b"\n", 1)
        return text.decode()

    def do(self, op, count):
        """Nanoseconds and processor nanoseconds of one operation."""
        self.process.stdin.write(f"{op} {count}\n".encode())
        self.process.stdin.flush()
        wall, cpu = self.line().split()
        return int(wall) / count, int(cpu) * 1000 / count

    def end(self):
        self.process.stdin.close()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start(folder):
    ops = os.path.join(folder, "ops")
    inside = [os.path.join(folder, "subpid"), "run", "--"]
    # The last word is no argument of the program; it is how pid_of finds it.
    return {
        "native": Side("native", [ops, "native"]),
        "floor": Side("floor", [os.path.join(folder, "floor"), ops, "floor"]),
        "inside": Side("inside", inside + ["/bin/sh", "-c", '"$@"; exit $?', "sh", ops, "inside"]),
        "first": Side("first", inside + [ops, "first"]),
    }


def pid_of(folder, name):
    want = [os.path.join(folder, "ops").encode(), name.encode(), b""]
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                if f.read().split(b"\0") == want:
                    return int(entry)
        except OSError:
            pass
    raise RuntimeError(f"the program {name} is not found in /proc")


def ratios(rounds, index, above, below):
    out = [r[above][index] / r[below][index] for r in rounds if r[below][index] > 0]
    return out or [float("nan")]


def take_turns(sides, row, seconds, rounds_max):
    """Rounds of one row with the programs of one start: a list of {side: (wall, cpu)}."""
    _, op, count, _, _ = row
    rounds = []
    order = list(SIDES)
    for side in order:  # caches, areas of threads
        sides[side].do(op, max(1, count // 10))
    began = time.monotonic()
    while len(rounds) < rounds_max and (
            not rounds or time.monotonic() - began < seconds):
        rounds.append({side: sides[side].do(op, count) for side in order})
        order = order[1:] + order[:1]
    return rounds


def summary(row, rounds):
    name, _, _, limit_native, limit_floor = row
    result = {"row": name, "rounds": len(rounds), "limit": limit_native or limit_floor,
              "against": "floor" if limit_floor else "native"}
    for side in SIDES:
        result[side + "_ns"] = statistics.median(r[side][0] for r in rounds)
    for key, above, below in (("floor", "floor", "native"), ("inside", "inside", "native"),
                              ("first", "first", "native"), ("inside_floor", "inside", "floor")):
        wall, cpu = ratios(rounds, 0, above, below), ratios(rounds, 1, above, below)
        result[key] = statistics.median(wall)
        result[key + "_cpu"] = statistics.median(cpu)
        if len(wall) > 3:
            quarter = statistics.quantiles(wall, n=4)
            result[key + "_quartiles"] = [quarter[0], quarter[2]]
    return result


# --- memory ---------------------------------------------------------------------------------------

def smaps(pid):
    """Kilobytes of the parts of subpid in a process: {part: {field: kB}}."""
    parts = {"segment": {}, "image": {}, "areas": {}}
    part = None
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line)
            if m:
                at = int(m.group(1), 16)
                part = ("image" if IMAGE <= at < SEGMENT else "segment" if SEGMENT <= at < AREAS
                        else "areas" if AREAS <= at < WINDOW_END else None)
                continue
            m = re.match(r"(\w+): +(\d+) kB", line)
            if part and m:
                parts[part][m.group(1)] = parts[part].get(m.group(1), 0) + int(m.group(2))
    return parts


def status_kb(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(rf"^{key}:\s+(\d+) kB", f.read(), re.M).group(1))


def segment_bytes(pid):
    """Bytes of the segment that are backed by memory, whoever touched them."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        st = os.stat(path)
        if os.readlink(path).startswith("/memfd:") and st.st_size > 1 << 20:
            return st.st_blocks * 512
    raise RuntimeError("the segment is not among the descriptors")


def crowd_size(wanted):
    """As many as this machine can hold, with room for itself."""
    with open("/proc/meminfo") as f:
        free_kb = int(re.search(r"MemAvailable:\s+(\d+)", f.read()).group(1))
    limits = [wanted, free_kb // 300]
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if soft != resource.RLIM_INFINITY:
        limits.append(soft - 500)
    with open("/proc/sys/kernel/pid_max") as f:
        limits.append(int(f.read()) // 2)
    return max(50, min(limits))


def memory(folder, wanted):
    sides = start(folder)
    try:
        native, inside = pid_of(folder, "native"), pid_of(folder, "inside")
        alone = smaps(inside)
        space = status_kb(inside, "VmSize") - status_kb(native, "VmSize")
        before = segment_bytes(inside)
        sides["inside"].do("thread", 1)
        threaded = smaps(inside)
        count = crowd_size(wanted)
        sides["inside"].do("crowd", count)
        after = segment_bytes(inside)
        sides["inside"].do("disperse", 1)
        sides["inside"].do("crowd", min(count, 100))
        sides["inside"].do("disperse", 1)
        left = segment_bytes(inside)
    finally:
        for side in sides.values():
            side.end()
    live = count + 2
    return [
        ("registry, bytes a live number", after / live, 64, f"{live} live, {after // 4096} pages"),
        ("registry of an empty tree, KiB", before / 1024, None, "pages, not rounded to the number of tasks"),
        ("registry after they ended, KiB", left / 1024, None, "kept for the next ones"),
        ("resident mapped, KiB", alone["image"]["Size"], 256, "one thread"),
        ("resident private dirty, KiB", alone["image"]["Private_Dirty"], 64, "one thread, just started"),
        ("areas mapped with a second thread, KiB", threaded["areas"].get("Size", 0), None,
         "a chunk for 16 threads, not reserved"),
        ("areas private dirty, KiB", threaded["areas"].get("Private_Dirty", 0), None,
         "after one thread was created and joined"),
        ("segment mapped, KiB", alone["segment"]["Size"], None, "shared by the whole namespace"),
        ("address space of a process, KiB", space, 8192, "VmSize inside minus native"),
    ]


# --- output ---------------------------------------------------------------------------------------

def verdict(value, limit):
    if limit is None:
        return ""
    return f"{limit:g} {'within' if value <= limit else 'ABOVE'}"


def header():
    return (f"{'':22}{'native':>11}{'floor':>9}{'inside':>9}{'of cpu':>9}{'number 1':>9}"
            f"{'in:floor':>9}  limit")


def line(r):
    value = r["inside_floor"] if r["against"] == "floor" else r["inside"]
    return (f"{r['row']:22}{r['native_ns']:>8.0f} ns{r['floor']:>9.2f}{r['inside']:>9.2f}"
            f"{r['inside_cpu']:>9.2f}{r['first']:>9.2f}{r['inside_floor']:>9.2f}  "
            f"{verdict(value, r['limit'])}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--crowd", type=int, default=10000)
    parser.add_argument("--cpu", type=int)
    parser.add_argument("folder")
    args = parser.parse_args()
    seconds, starts, rounds, crowd = args.seconds, STARTS, ROUNDS_MAX, args.crowd
    if args.quick:
        seconds, starts, rounds, crowd = 0.1, 1, 2, min(crowd, 300)
    if args.cpu is not None:
        os.sched_setaffinity(0, {args.cpu})
    wanted = args.rows.split(",") if args.rows else None
    rows = [r for r in ROWS if not wanted or r[1] in wanted]
    out = {"load": os.getloadavg()[0], "cpus": len(os.sched_getaffinity(0)), "rows": [], "memory": []}
    failed = 0

    taken = {row[1]: [] for row in rows}
    row = ("the programs start",)
    try:
        for _ in range(starts):
            sides = start(args.folder)
            for row in rows:
                taken[row[1]] += take_turns(sides, row, seconds / starts, rounds)
            row = ("the programs end",)
            ended = [side.end() for side in sides.values()]
            if any(ended):
                raise RuntimeError(f"statuses {ended}")
    except RuntimeError as e:
        print(f"not ok - bench: {row[0]}\n# {e}", flush=True)
        failed = 1
    if not failed and not args.quick:
        print(f"{out['cpus']} processors, load {out['load']:.1f} at first; ratios to native, medians of "
              "rounds in turns\n")
        print(header())
    for row in rows if not failed else []:
        r = summary(row, taken[row[1]])
        out["rows"].append(r)
        good = all(r[s + "_ns"] > 0 for s in SIDES)
        if args.quick:
            print(f"{'ok' if good else 'not ok'} - bench: {row[0]}", flush=True)
            failed |= not good
        else:
            print(line(r), flush=True)
    if not failed and (not wanted or "memory" in wanted):
        if not args.quick:
            print()
        for name, value, limit, note in memory(args.folder, crowd):
            out["memory"].append({"row": name, "value": value, "limit": limit, "note": note})
            if args.quick:
                print(f"{'ok' if value > 0 else 'not ok'} - bench: {name}", flush=True)
                failed |= value <= 0
            else:
                print(f"{name:42}{value:>9.1f}  {verdict(value, limit):12} {note}", flush=True)
    try:
        os.write(3, (json.dumps(out, indent=1) + "\n").encode())
    except OSError:
        pass
    sys.exit(1 if failed else 0)


main()
