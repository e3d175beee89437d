# SPDX-License-Identifier: Apache-2.0
"""The ways in which a program can be run, each as one process that answers lines (ops.c)."""
import os
import select
import shutil
import subprocess
import time

ANSWER_SECONDS = 180

# What strace has to look at to know who is whose child, and what a number is asked for.
STRACED = "trace=%process,getpid,gettid,getppid,getpgrp,getpgid,kill,rt_sigaction,rt_sigprocmask"


class SideError(RuntimeError):
    pass


class Side:
    """One running ops program."""

    def __init__(self, name, command, env=None):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL if name in QUIET else None,
                                        env={**os.environ, **(env or {})})
        self.buffer = b""
        if self.line() != "ready":
            raise SideError(f"{name} does not start")

    def line(self):
        end = time.monotonic() + ANSWER_SECONDS
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise SideError(f"{self.name} does not answer")
            got = os.read(self.process.stdout.fileno(), 4096)
            if not got:
                raise SideError(f"{self.name} ended")
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
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


QUIET = {"unshare", "bwrap", "proot", "strace"}


def commands(folder):
    """Name -> (command, environment) of every way, in the order of the columns."""
    ops = os.path.join(folder, "ops")
    subpid = [os.path.join(folder, "subpid"), "run", "--"]
    inside = subpid + ["/bin/sh", "-c", '"$@"; exit $?', "sh", ops, "inside"]
    with open(subpid[0], "rb") as f:
        can_patch = b"SUBPID_PATCH" in f.read()
    # The last word is no argument of the program; it is how pid_of finds it.
    found = {
        "native": ([ops, "native"], {}),
        "floor": ([os.path.join(folder, "floor"), ops, "floor"], {}),
        "patched": (inside[:-1] + ["patched"], {"SUBPID_PATCH": "on"}) if can_patch else None,
        "inside": (inside, {"SUBPID_PATCH": "off"}),
        "first": (subpid + [ops, "first"], {"SUBPID_PATCH": "off"}),
        "unshare": (["unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc",
                     ops, "unshare"], {}),
        "bwrap": (["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", ops, "bwrap"],
                  {}),
        "proot": (["proot", ops, "proot"], {}),
        "strace": (["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", STRACED, ops,
                    "strace"], {}),
    }
    return {name: way for name, way in found.items()
            if way and (os.path.isabs(way[0][0]) or shutil.which(way[0][0]))}


def usable(folder, names):
    """Those of the names that can be run here, and why the others cannot."""
    ways, good, bad = commands(folder), [], {}
    for name in names:
        if name not in ways:
            bad[name] = "not installed"
            continue
        try:
            side = Side(name, *ways[name])
            if side.do("fork", 1)[0] <= 0 or side.end():
                raise SideError("it fails")
            good.append(name)
        except (SideError, OSError, ValueError) as e:
            bad[name] = str(e)
    return good, bad


def start(folder, names):
    ways, sides = commands(folder), {}
    try:
        for name in names:
            sides[name] = Side(name, *ways[name])
    except SideError:
        for side in sides.values():
            side.process.kill()
        raise
    return sides


def end(sides):
    ended = {name: side.end() for name, side in sides.items()}
    if any(status for name, status in ended.items() if name not in QUIET):
        raise SideError(f"statuses {ended}")


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
    raise SideError(f"the program {name} is not found in /proc")
