# SPDX-License-Identifier: Apache-2.0
"""signal: handlers, masks, sigwait, sigtimedwait with the sender, timers, pidfd, wakeup descriptors."""
import os
import select
import signal
import socket
import threading
import time

got = []
signal.signal(signal.SIGUSR1, lambda n, f: got.append(n))
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
print(got == [signal.SIGUSR1] * 3)

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGRTMIN})
print(signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, []))
os.kill(os.getpid(), signal.SIGUSR2)
print(signal.SIGUSR2 in signal.sigpending())
info = signal.sigwaitinfo({signal.SIGUSR2})
print(info.si_signo == signal.SIGUSR2, info.si_pid == os.getpid(), info.si_uid == os.getuid())
pid = os.fork()
if pid == 0:
    os.kill(os.getppid(), signal.SIGRTMIN)
    os._exit(5)
info = signal.sigtimedwait({signal.SIGRTMIN}, 10)
print(info.si_pid == pid)
info = os.waitid(os.P_PID, pid, os.WEXITED)
print(info.si_pid == pid, info.si_status, info.si_code == os.CLD_EXITED)

signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.signal(signal.SIGALRM, lambda n, f: got.append(n))
while signal.SIGALRM not in got:
    time.sleep(0.01)
print("timer")

r, w = socket.socketpair()
w.setblocking(False)
signal.set_wakeup_fd(w.fileno())
os.kill(os.getpid(), signal.SIGUSR1)
print(r.recv(1) == bytes([signal.SIGUSR1]))
signal.set_wakeup_fd(-1)

pid = os.fork()
if pid == 0:
    time.sleep(30)
    os._exit(0)
fd = os.pidfd_open(pid)
signal.pidfd_send_signal(fd, signal.SIGTERM)
info = os.waitid(os.P_PIDFD, fd, os.WEXITED)
print(info.si_pid == pid, info.si_status == signal.SIGTERM)
for bad in (2 ** 22 - 1, 99999):
    try:
        os.kill(bad, 0)
    except ProcessLookupError:
        print("no such process")

read, write = os.pipe()
signal.signal(signal.SIGCHLD, lambda n, f: os.write(write, b"c"))
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    # The handler runs before the next instruction of Python's, which a read that just began would keep waiting.
    while not select.select([read], [], [], 0.05)[0]:
        pass
    os.read(read, 1)
    os.waitpid(pid, 0)
print("children noticed")
counter = [0]
signal.signal(signal.SIGUSR1, lambda n, f: counter.__setitem__(0, counter[0] + 1))
stop = time.monotonic() + 1
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
loops = 0
while time.monotonic() < stop:
    os.getpid()
    os.getppid()
    loops += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(loops > 100)
