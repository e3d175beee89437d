# SPDX-License-Identifier: Apache-2.0
"""System calls with NULL, wild and read-only pointers: prints what each gives."""
import ctypes
import errno
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)
readonly = mmap.mmap(-1, 4096, prot=mmap.PROT_READ)
libc.mmap.restype = ctypes.c_void_p
page = libc.mmap(None, ctypes.c_size_t(8192), 1, 0x22, -1, ctypes.c_long(0))
libc.munmap(ctypes.c_void_p(page + 4096), ctypes.c_size_t(4096))
BAD = {"null": 0, "low": 8, "unmapped": page + 4096, "read-only": page, "edge": page + 4092,
       "kernel": 0xffffffff81000000, "non-canonical": 0x8000000000000000, "top": 0xffffffffffffffff}
READS = {"openat": (257, -100, None, 0), "execve": (59, None, 0, 0), "execveat": (322, -100, None, 0, 0, 0),
         "rt_sigaction new": (13, 10, None, 0, 8), "rt_sigprocmask new": (14, 0, None, 0, 8),
         "sigaltstack new": (131, None, 0), "clone3": (435, None, 88), "rt_sigqueueinfo": (129, 0, 10, None),
         "pidfd_send_signal": (424, 0, 0, None, 0), "readlinkat name": (267, -100, None, page, 10),
         "statx name": (332, -100, None, 0, 1, page), "prctl name": (157, 15, None, 0, 0, 0)}
WRITES = {"rt_sigaction old": (13, 10, 0, None, 8), "rt_sigprocmask old": (14, 0, 0, None, 8),
          "sigaltstack old": (131, 0, None), "rt_sigpending": (127, None, 8),
          "readlinkat": (267, -100, ctypes.c_char_p(b"/proc/self/exe"), None, 100),
          "getcwd": (79, None, 100), "pipe2": (293, None, 0), "sysinfo": (99, None),
          "getgroups": (115, 1000, None), "capget": (125, None, None)}


def call(args):
    ctypes.set_errno(0)
    r = libc.syscall(*[a if isinstance(a, ctypes.c_char_p) else ctypes.c_long(a) for a in args])
    return errno.errorcode.get(ctypes.get_errno(), "?") if r == -1 else "ok"


def fill(args, value):
    return [value if a is None else a for a in args]


for kind, table in (("read", READS), ("write", WRITES)):
    for name, args in table.items():
        for what, value in BAD.items():
            if what in ("read-only", "edge") and kind == "read":
                continue
            if what == "null" and (name.startswith("rt_sig") or name.startswith("sigalt") or "pidfd" in name):
                continue
            print(name, what, call(fill(args, value - 2 ** 64 if value >= 2 ** 63 else value)))

for what, value in BAD.items():
    value = value - 2 ** 64 if value >= 2 ** 63 else value
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    if what != "null":
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        print("wait4", what, call((61, pid, value, 0, 0)))
        print("waitid", what, call((247, 1, pid, value, 4, 0)))
        print("wait4 usage", what, call((61, pid, 0, 0, value)))
    try:
        os.waitpid(pid, 0)
        print("still there")
    except ChildProcessError:
        print("reaped")
