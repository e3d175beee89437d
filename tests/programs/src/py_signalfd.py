# SPDX-License-Identifier: Apache-2.0
"""An event loop as systemd's and QEMU's: signals by a signalfd in an epoll, children by what it says."""
import ctypes
import os
import select
import signal
import struct
import subprocess
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
wanted = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
bits = ctypes.c_uint64(sum(1 << s - 1 for s in wanted))
mask = (ctypes.c_ulong * 16)(bits.value)
fd = libc.signalfd(-1, ctypes.byref(mask), os.O_NONBLOCK | os.O_CLOEXEC)
assert fd >= 0, os.strerror(ctypes.get_errno())
loop = select.epoll()
loop.register(fd, select.EPOLLIN)

alive = {}
for i in range(5):
    alive[subprocess.Popen(["sh", "-c", "read x; exit %d" % i], stdin=subprocess.PIPE)] = i
pid = os.fork()
if not pid:
    os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(40)
threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
by_pid = {p.pid: p for p in alive}
seen = []
order = list(alive)
left, told = len(order) + 1, False
order[0].stdin.close()
while left or not told:
    for ready, _events in loop.poll(5):
        at = os.read(ready, 128 * 3)
        for one in range(0, len(at), 128):
            signo, _errno, code, sender = struct.unpack_from("IiiI", at, one)
            seen.append((signal.Signals(signo).name, code, sender))
            told |= signo == signal.SIGTERM
            # Several ends may be one signal.
            while signo == signal.SIGCHLD:
                try:
                    gone, status = os.waitpid(-1, os.WNOHANG)
                except ChildProcessError:
                    break
                if not gone:
                    break
                left -= 1
                if gone in by_pid:
                    i = order.index(by_pid[gone])
                    seen.append(("ended", i, os.waitstatus_to_exitcode(status)))
                    if i + 1 < len(order):
                        order[i + 1].stdin.close()
                else:
                    seen.append(("forked one", gone == pid, os.waitstatus_to_exitcode(status)))
kinds = sorted({(name, code) for name, code, _ in seen if name.startswith("SIG")})
print(kinds)
print(all(sender in by_pid or sender == pid for name, _, sender in seen if name == "SIGCHLD"))
print([sender == pid for name, _, sender in seen if name == "SIGUSR1"])
print([sender == os.getpid() for name, _, sender in seen if name == "SIGTERM"])
print(sorted(s for s in seen if not s[0].startswith("SIG")), min(by_pid), pid)
sys.stdout.flush()
