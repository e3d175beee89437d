# SPDX-License-Identifier: Apache-2.0
"""Reads whatever can be read below the folders given and reports process numbers of the kernel's:
those from 3900000 to 3900999, which the caller sees to that all processes have.
"""
import ctypes
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys

NUMBER = re.compile(rb"(?<![0-9])3900[0-9]{3}(?![0-9])")
SKIP = ("kmsg", "pagemap", "mem", "kcore", "kallsyms", "clear_refs", "trace_pipe", "kpage")


def hold():
    """Things that files in /proc say something about"""
    libc = ctypes.CDLL(None)
    kept = [open("lock%d" % i, "w") for i in range(2)]
    fcntl.lockf(kept[0], fcntl.LOCK_EX)
    fcntl.flock(kept[1], fcntl.LOCK_EX)
    kids = [subprocess.Popen(["sleep", "30"]) for _ in range(2)]
    if hasattr(os, "pidfd_open"):
        os.pidfd_open(kids[0].pid)
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    sock.bind((0, 0))
    signal.setitimer(signal.ITIMER_REAL, 100)
    libc.timer_create(1, 0, ctypes.byref(ctypes.c_int()))
    shm = libc.shmget(0, 4096, 0o1600)
    libc.shmat(shm, 0, 0)
    libc.shmctl(shm, 0, 0)
    return kids, kept, sock


def text(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return os.read(fd, 300000)
    except OSError:
        return b""
    finally:
        os.close(fd)


def places(top):
    for folder, folders, files in os.walk(top):
        # Names that lead out of /proc again, and other spellings of what is there anyway.
        folders[:] = [f for f in folders if f not in ("map_files", "cwd", "root")]
        if folder.count("/") > 2:
            folders[:] = [f for f in folders if f != "net"]
        for name in files + folders:
            yield os.path.join(folder, name), name


def main():
    kids, *rest = hold()
    seen, found = 0, []
    for top in sys.argv[1:]:
        for path, name in places(top):
            if NUMBER.search(name.encode(errors="replace")):
                found.append("name %s" % path)
            try:
                if os.path.islink(path):
                    link = os.readlink(path)
                    if NUMBER.search(link.encode(errors="replace")):
                        found.append("link %s: %s" % (path, link))
                    continue
            except OSError:
                continue
            if name.startswith(SKIP) or os.path.isdir(path):
                continue
            data = text(path)
            seen += data is not None
            match = NUMBER.search(data or b"")
            if match:
                found.append("text %s: %s" % (path, data[max(0, match.start() - 30):match.end() + 20]))
    for kid in kids:
        kid.kill()
        kid.wait()
    for line in found[:20]:
        print(line)
    print("%s read, %d numbers of the kernel's" % ("many" if seen > 300 else seen, len(found)))


main()
