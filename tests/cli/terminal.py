# SPDX-License-Identifier: Apache-2.0
"""A job-control shell on a pseudo-terminal, driven as a user drives it."""
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

PROMPT = "ready> "


class Timeout(Exception):
    pass


class Terminal:
    """An interactive bash that owns a terminal; type() and expect() are the user."""

    def __init__(self, env=None, argv=("bash", "--norc", "--noprofile", "-i")):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Python ignores it, and its children would.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.environ.update({"PS1": PROMPT, "TERM": "dumb", "LC_ALL": "C", "HISTFILE": ""})
            os.environ.update(env or {})
            os.execvp(argv[0], argv)
        self.resize(24, 200)
        self.seen = ""

    def resize(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def read(self, seconds):
        if not select.select([self.fd], [], [], max(0, seconds))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError as e:
            if e.errno != errno.EIO:
                raise
            data = b""
        self.text += data.decode("utf-8", "replace").replace("\r", "")
        self.seen += data.decode("utf-8", "replace").replace("\r", "")
        return bool(data)

    def expect(self, pattern, seconds=10):
        """Waits for the pattern in what has not been expected yet; returns the match."""
        end = time.monotonic() + seconds
        while True:
            m = re.search(pattern, self.text, re.S | re.M)
            if m:
                self.text = self.text[m.end():]
                return m
            left = end - time.monotonic()
            if left <= 0 or not self.read(left):
                if time.monotonic() < end and self.alive():
                    continue
                raise Timeout(f"no {pattern!r} in {self.text[-400:]!r}; before: {self.seen[-600:]!r}")

    def prompt(self, seconds=10):
        return self.expect("^(?:\x1b\\[[^a-z]*[a-z])*" + re.escape(PROMPT), seconds)

    def type(self, text):
        os.write(self.fd, text.encode())

    def line(self, text):
        self.type(text + "\n")

    def run(self, text, pattern=None, seconds=10):
        """A line and its whole output up to the next prompt."""
        mark = f"end-{time.monotonic_ns()}"
        self.line(f"{text}; echo {mark[:4]}''{mark[4:]}")
        m = self.expect(f"(.*?){mark}\n", seconds)
        self.prompt(seconds)
        out = m.group(1).split("\n", 1)[-1]
        if pattern is not None and not re.search(pattern, out, re.S | re.M):
            raise Timeout(f"{text!r} printed {out!r}, not {pattern!r}")
        return out

    def status(self, wanted, seconds=10):
        """The status of the last command, as $? has it."""
        self.line("echo st''atus=$?")
        got = int(self.expect(r"status=(\d+)", seconds).group(1))
        self.prompt(seconds)
        if got != wanted:
            raise Timeout(f"status {got}, not {wanted}; before: {self.seen[-600:]!r}")

    def alive(self):
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] == 0
        except ChildProcessError:
            return False

    def close(self):
        try:
            os.close(self.fd)
        except OSError:
            pass
        for _ in range(200):
            if not self.alive():
                return
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass
