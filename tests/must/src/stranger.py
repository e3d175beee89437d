# SPDX-License-Identifier: Apache-2.0
"""Someone outside, whom a program inside has a descriptor of and the same user as: what can it do?

usage: stranger.py SUBPID    prints what went wrong; as `stranger.py --inside FD PID` it is that program
"""
import ctypes
import errno
import fcntl
import os
import signal
import struct
import subprocess
import sys

GET_INFO = 0xC040FF0B
OPEN_BY_HANDLE_AT, NAME_TO_HANDLE_AT, SETNS = 304, 303, 308
libc = ctypes.CDLL(None, use_errno=True)


def call(*args):
    r = libc.syscall(*args)
    return r if r >= 0 else -ctypes.get_errno()


def of(fn, *args):
    try:
        return fn(*args)
    except OSError as e:
        return -e.errno


def expect(what, got, *want):
    if got not in want:
        print("%s: %s" % (what, errno.errorcode.get(-got, got) if isinstance(got, int) else got))


def inside(fd, hid):
    info = bytearray(struct.pack("Q56x", 1))
    expect("its number", of(fcntl.ioctl, fd, GET_INFO, info), -errno.EREMOTE, -errno.ENOTTY)
    expect("what was written", bytes(info), struct.pack("Q56x", 1))
    expect("a signal", of(signal.pidfd_send_signal, fd, signal.SIGKILL), -errno.EINVAL, -errno.EPERM)
    handle = (ctypes.c_char * 136)()
    struct.pack_into("Ii", handle, 0, 128, 0)
    mount = ctypes.c_int()
    own = os.pidfd_open(os.getpid())
    if call(NAME_TO_HANDLE_AT, fd, b"", handle, ctypes.byref(mount), 0x1000) == 0:
        expect("by handle", call(OPEN_BY_HANDLE_AT, own, handle, 0), -errno.ESTALE)
    expect("its namespace", call(SETNS, fd, 0x20000000), -errno.EPERM)
    expect("its priority", of(os.getpriority, os.PRIO_PROCESS, hid), -errno.ESRCH)
    for who in (0, os.getuid()):
        expect("everybody's priority", of(os.setpriority, os.PRIO_USER, who, 7), None)
        expect("now", os.getpriority(os.PRIO_PROCESS, 0), 7)
        expect("of all", os.getpriority(os.PRIO_USER, who), 7)
    expect("clock", call(228, ~hid << 3 | 2, ctypes.byref((ctypes.c_long * 2)())), -errno.EINVAL)


def main():
    if sys.argv[1] == "--inside":
        inside(int(sys.argv[2]), int(sys.argv[3]))
        return
    child = subprocess.Popen(["sleep", "60"])
    fd = os.pidfd_open(child.pid)
    nice = os.getpriority(os.PRIO_PROCESS, child.pid)
    run = [sys.argv[1], "run", "--", sys.executable, __file__, "--inside", str(fd), str(child.pid)]
    expect("status", subprocess.run(run, pass_fds=[fd], timeout=20).returncode, 0)
    expect("it lives", child.poll(), None)
    expect("its priority afterwards", os.getpriority(os.PRIO_PROCESS, child.pid), nice)
    child.kill()
    child.wait()


main()
