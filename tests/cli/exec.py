#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exec on a terminal: exec.py SUBPID, with a container named tty. One line a test."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

SUBPID = sys.argv[1]
failed = 0


def report(name, good, *why):
    global failed
    print(("ok" if good else "not ok") + f" - cli: exec on a terminal: {name}")
    if not good:
        failed = 1
        for line in why:
            print(f"# {line!r}"[:300])


class Terminal:
    """subpid on a pty, as a shell would start it."""

    def __init__(self, *words, rows=33, columns=77):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(SUBPID, [SUBPID, *words])
        self.resize(rows, columns)
        self.seen = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, text, limit=15):
        end = time.monotonic() + limit
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    data = os.read(self.fd, 4096)
                except OSError:
                    break
                if not data:
                    break
                self.seen += data
        return text in self.seen

    def type(self, text):
        os.write(self.fd, text)

    def status(self):
        self.until(b"\0never", 0.5)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return status


t = Terminal("exec", "-it", "tty", "sh", "-c", "tty; test -t 0 -a -t 1 -a -t 2 && echo all; read x; echo got=$x")
good = t.until(b"all")
t.type(b"hello\n")
good &= t.until(b"got=hello")
status = t.status()
report("a terminal of its own, input and output", good and status == 0, t.seen, status)

t = Terminal("exec", "tty", "sh", "-c", "echo ready; read x; stty size")
t.until(b"ready")
t.resize(44, 99)
t.type(b"\n")
report("the size of the window follows", t.until(b"44 99"), t.seen)
t.status()

t = Terminal("exec", "-t", "tty", "sh", "-c", "trap 'echo int; exit 3' INT; echo ready; while :; do sleep .02; done")
t.until(b"ready")
t.type(b"\x03")
good = t.until(b"int")
status = t.status()
report("Ctrl-C reaches the program inside", good and os.waitstatus_to_exitcode(status) == 3, t.seen, status)

t = Terminal("exec", "-it", "tty", "bash", "--norc", "-i")
t.type(b"PS1=; echo st''art\n")
good = t.until(b"start\r\n")
t.type(b"sleep 4460\n")
# In the foreground: the terminal's group is not the shell's any more.
for _ in range(500):
    if os.popen("ps -eo stat=,args= | awk '/[s]leep 4460/ && $1 ~ /[+]/'").read():
        break
    time.sleep(0.02)
t.type(b"\x1a")
good &= t.until(b"Stopped")
t.type(b"jobs; kill %1; wait; echo do''ne\n")
good &= t.until(b"done\r\n")
t.type(b"exit 5\n")
status = t.status()
report("job control of a shell inside", good and os.waitstatus_to_exitcode(status) == 5, t.seen, status)

t = Terminal("exec", "-t", "tty", "sh", "-c", "kill -KILL $$")
status = t.status()
report("death by a signal", os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status)

t = Terminal("exec", "-t", "tty", "sh", "-c", "seq 20000; echo last")
report("what was written before the end arrives", t.until(b"last"), t.seen[-100:])
t.status()

# The caller's settings are what they were.
master, slave = os.openpty()
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.execv(SUBPID, [SUBPID, "exec", "-t", "tty", "true"])
os.waitpid(pid, 0)
report("the caller's settings are restored", termios.tcgetattr(slave) == before)

# The terminal goes away: so does what ran on it.
t = Terminal("exec", "-it", "tty", "sh", "-c", "echo ready; exec sleep 4444")
t.until(b"ready")
os.close(t.fd)
os.waitpid(t.pid, 0)
for _ in range(200):
    left = os.popen("ps -eo stat=,args= | awk '$1 !~ /^Z/ && /[s]leep 4444/'").read()
    if not left:
        break
    time.sleep(0.02)
report("a hang-up ends what ran on it", not left, left)
sys.exit(failed)
