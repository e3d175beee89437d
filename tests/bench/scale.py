# SPDX-License-Identifier: Apache-2.0
"""What calls and memory cost with few and with many live tasks, and how deep in namespaces."""
import os
import re
import resource
import statistics
import time

from sides import Side, SideError, commands, end, pid_of, start

COUNTS = [10, 100, 1000, 10000, 30000]
DEPTHS = [int(d) for d in os.environ.get("BENCH_DEPTHS", "1,10").split(",")]
# name, operation, count a batch; flat but for the last
ROWS = [
    ("spawn", "fork", 10),
    ("kill", "kill0", 200),
    ("wait", "waitpid", 200),
    ("look-up", "lookup", 200),
    ("listing", "list", 1),
]
ROUNDS_MAX = 15

IMAGE = 0x550000000000
SEGMENT = 0x550000080000
AREAS = 0x550080000000
WINDOW_END = 0x550180000000


def crowd_size(wanted, sides):
    """As many as this machine can hold, with room for itself."""
    with open("/proc/meminfo") as f:
        free_kb = int(re.search(r"MemAvailable:\s+(\d+)", f.read()).group(1))
    limits = [wanted, free_kb // 300 // sides]
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if soft != resource.RLIM_INFINITY:
        limits.append((soft - 500) // sides)
    with open("/proc/sys/kernel/pid_max") as f:
        limits.append(int(f.read()) // 2 // sides)
    with open("/proc/sys/kernel/threads-max") as f:
        limits.append((int(f.read()) - 1000) // sides)
    return max(50, min(limits))


# --- memory ---------------------------------------------------------------------------------------

def smaps(pid):
    """Kilobytes of the parts of subpid in a process: {part: {field: kB}}; `all` is the whole of it."""
    parts = {"segment": {}, "image": {}, "areas": {}, "all": {}}
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
            for p in (part, "all") if m else ():
                if p:
                    parts[p][m.group(1)] = parts[p].get(m.group(1), 0) + int(m.group(2))
    return parts


def status_kb(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(rf"^{key}:\s+(\d+) kB", f.read(), re.M).group(1))


def children(pid, most):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()[:most]]


def segment_bytes(pid):
    """Bytes of the segment that are backed by memory, whoever touched them."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        st = os.stat(path)
        if os.readlink(path).startswith("/memfd:") and st.st_size > 1 << 20:
            return st.st_blocks * 512
    raise SideError("the segment is not among the descriptors")


def ancestors(pid):
    """Supervisor and front: the parents of number 1 that run subpid."""
    found = []
    while pid > 1:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        pid = int(fields[1])
        try:
            with open(f"/proc/{pid}/comm") as f:
                name = f.read().strip()
        except OSError:
            break
        if name == "subpid":
            found.append(pid)
    return found


def of_tasks(pids):
    """PSS and page tables of a task, kilobytes: medians of some."""
    pss = [smaps(p)["all"].get("Pss", 0) for p in pids]
    return statistics.median(pss), statistics.median(status_kb(p, "VmPTE") for p in pids)


def fixed(folder):
    """What one process and an empty namespace have."""
    sides = start(folder, ["native", "inside"])
    try:
        native, inside = pid_of(folder, "native"), pid_of(folder, "inside")
        alone = smaps(inside)
        space = status_kb(inside, "VmSize") - status_kb(native, "VmSize")
        before = segment_bytes(inside)
        keepers = 0
        for p in ancestors(inside):
            keepers += status_kb(p, "RssAnon")
        sides["inside"].do("thread", 1)
        threaded = smaps(inside)
    finally:
        end(sides)
    return [
        ("registry of an empty tree, KiB", before / 1024, None, "in pages"),
        ("front and supervisor, own memory, KiB", keepers, None, "of one namespace: RssAnon"),
        ("resident mapped, KiB", alone["image"]["Size"], 256, "one thread"),
        ("resident private dirty, KiB", alone["image"]["Private_Dirty"], 64, "one thread, just started"),
        ("areas mapped with a second thread, KiB", threaded["areas"].get("Size", 0), None,
         "a chunk for 16 threads, not reserved"),
        ("areas private dirty, KiB", threaded["areas"].get("Private_Dirty", 0), None,
         "after one thread was created and joined"),
        ("segment mapped, KiB", alone["segment"]["Size"], None, "shared by the whole namespace"),
        ("address space of a process, KiB", space, 8192, "VmSize inside minus native"),
    ]


# --- many tasks -----------------------------------------------------------------------------------

def rounds_of(sides, op, count, seconds):
    rounds, order, began = [], list(sides), time.monotonic()
    while len(rounds) < ROUNDS_MAX and (not rounds or time.monotonic() - began < seconds):
        rounds.append({n: sides[n].do(op, count)[0] for n in order})
        order = order[1:] + order[:1]
    return {n: statistics.median(r[n] for r in rounds) for n in sides}


def points(folder, names, most, seconds):
    out, made = [], 0
    sides = start(folder, names)
    try:
        most = crowd_size(most, len(names))
        for n in sorted({c for c in COUNTS if c < most} | {most}):
            for name in names:
                sides[name].do("crowd", n - made)
            made = n
            point = {"tasks": n, "ns": {}, "pss": {}, "pte": {}}
            for row, op, count in ROWS:
                point["ns"][row] = rounds_of(sides, op, count, seconds)
            for name in names:
                pids = children(pid_of(folder, name), 5)
                point["pss"][name], point["pte"][name] = of_tasks(pids)
            point["registry"] = segment_bytes(pid_of(folder, "inside")) if "inside" in names else 0
            out.append(point)
        for name in names:
            sides[name].do("disperse", 1)
    finally:
        end(sides)
    return out


def depths(folder, seconds):
    """A fork and a getpid at some depths; those that cannot be reached are left out."""
    way, sides, out = commands(folder)["inside"], {}, []
    subpid = way[0][:3]
    try:
        for d in DEPTHS:
            try:
                sides[d] = Side(f"depth {d}", subpid * (d - 1) + way[0], way[1])
            except SideError:
                break
        got = {op: rounds_of(sides, op, count, seconds)
               for op, count in (("fork", 20), ("getpid", 2000), ("vfork-exec", 8))} if sides else {}
        for d in sides:
            out.append({"depth": d, "ns": {op: got[op][d] for op in got}})
    except (SideError, OSError):
        pass
    finally:
        for side in sides.values():
            side.end()
    return out


def measure(folder, names, most, seconds):
    names = [n for n in ("native", "patched" if "patched" in names else None, "inside") if n]
    return {"sides": names, "points": points(folder, names, most, seconds), "memory": fixed(folder),
            "depths": depths(folder, seconds)}


def show(run):
    s = run.out["scale"]
    run.say(f"\n{'live tasks':14}" + "".join(f"{p['tasks']:>12}" for p in s["points"])
            + "   inside, us; ratio to native")
    for row, _, _ in ROWS:
        run.say(f"{row:14}" + "".join(
            f"{p['ns'][row]['inside'] / 1000:>7.1f}{p['ns'][row]['inside'] / p['ns'][row]['native']:>5.1f}"
            for p in s["points"]))
    last = s["points"][-1]
    live = last["tasks"] + 2
    s["memory"].insert(0, ("registry, bytes a live number", last["registry"] / live, 64,
                           f"{live} live, {last['registry'] // 4096} pages"))
    s["memory"].insert(1, ("a forked task, PSS more than native, KiB",
                           last["pss"]["inside"] - last["pss"]["native"], None, "page tables not in it"))
    s["memory"].insert(2, ("a forked task, page tables more, KiB",
                           last["pte"]["inside"] - last["pte"]["native"], None, ""))
    run.say("")
    for name, value, limit, note in s["memory"]:
        told = "" if limit is None else f"{limit:g} {'within' if value <= limit else 'ABOVE'}"
        run.say(f"{name:42}{value:>9.1f}  {told:12} {note}")
        if run.args.quick:
            run.result(value == value, name)
    for d in s["depths"]:
        base = s["depths"][0]["ns"]
        run.say(f"depth {d['depth']:<6}" + "".join(
            f"{op} {d['ns'][op] / base[op]:.2f}   " for op in d["ns"]) + "of depth 1")
    run.result(len(s["points"]) > 0, "scale")
