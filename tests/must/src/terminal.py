# SPDX-License-Identifier: Apache-2.0
"""Types at an interactive bash on a pseudo-terminal. Each scenario is played without subpid first
and then with it; what was seen on the terminal has to be the same.

usage: terminal.py SUBPID REPEAT [SCENARIO...]   prints one line a scenario
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PROMPT = "READY> "
SCENARIOS = {}


def scenario(f):
    SCENARIOS[f.__name__] = f
    return f


class Terminal:
    """A bash -i on a terminal of its own. see() waits for a text and keeps what it captures."""

    def __init__(self, prefix):
        self.p = prefix
        self.seen = []
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {"PATH": os.environ["PATH"], "HOME": os.getcwd(), "TERM": "dumb", "PS1": PROMPT,
                   "INPUTRC": "/dev/null", "LC_ALL": "C", "HISTFILE": "",
                   "SUBPID_MUST_MARK": os.environ.get("SUBPID_MUST_MARK", "")}
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], env)
        self.size(25, 90)
        self.wait(PROMPT)
        self.run("bind 'set enable-bracketed-paste off'; ulimit -c 0")

    def size(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, text):
        os.write(self.fd, text.encode())

    def line(self, text):
        self.send(text + "\n")

    def wait(self, pattern, limit=10):
        """Waits until the pattern is on the terminal; gives the match, drops the text up to it."""
        end = time.monotonic() + limit
        while True:
            m = re.search(pattern, self.text)
            if m:
                self.text = self.text[m.end():]
                return m
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} within {limit} s; terminal: {self.text!r}; seen: {self.seen}")
            try:
                piece = os.read(self.fd, 4096)
            except OSError:
                piece = b""
            if not piece:
                raise AssertionError(f"terminal closed, no {pattern!r}: {self.text!r}; seen: {self.seen}")
            self.text += piece.decode(errors="replace")

    def see(self, pattern, limit=10):
        m = self.wait(pattern, limit)
        self.seen.append(m.group(1) if m.groups() else m.group(0))

    def run(self, command):
        """A command of the outer shell that returns to the prompt by itself."""
        self.line(command)
        self.wait(PROMPT)

    def status(self):
        """The prompt is back; the status of what ran."""
        self.wait(PROMPT)
        self.line("echo rc=$?")
        self.see(r"rc=(\d+)\r\n")
        self.wait(PROMPT)

    def jobs(self, pattern):
        self.line("jobs")
        self.see(pattern)
        self.wait(PROMPT)

    def hang_up(self):
        """Closes the terminal, as a closed window does."""
        os.close(self.fd)
        self.fd = None
        self.reap()

    def reap(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("the outer shell did not end")

    def close(self):
        if self.fd is None:
            return
        self.line("exit")
        try:
            self.wait("no such text", 10)
        except AssertionError as e:
            if "closed" not in str(e):
                raise
        os.close(self.fd)
        self.reap()


def up(t, more, before=":"):
    """A command that says when it is ready."""
    return f"{t.p}bash -c '{before}; echo u''p; {more}'"


@scenario
def ctrl_c(t):
    """Ctrl-C ends a command without a handler, status 130"""
    t.line(up(t, "exec sleep 300"))
    t.wait("up\r\n")
    time.sleep(0.1)
    t.send("\x03")
    t.status()


@scenario
def ctrl_c_early(t):
    """Ctrl-C right after the start leaves a usable shell"""
    t.line(f"{t.p}sleep 300")
    t.wait("300\r\n")
    time.sleep(0.002 * (os.getpid() % 20))
    t.send("\x03")
    t.wait(PROMPT)
    t.run("jobs")


@scenario
def ctrl_backslash(t):
    """Ctrl-\\ ends a command without a handler, status 131"""
    t.line(up(t, "exec sleep 300"))
    t.wait("up\r\n")
    time.sleep(0.1)
    t.send("\x1c")
    t.status()


@scenario
def ctrl_c_handler(t):
    """Ctrl-C reaches a handler once, and subpid waits for its end"""
    t.line(up(t, "while :; do sleep .05; done", 'trap "echo cau""ght; sleep .3; exit 5" INT'))
    t.wait("up\r\n")
    t.send("\x03")
    t.see("caught")
    t.status()
    assert "caught" not in t.text


@scenario
def ctrl_c_ignored(t):
    """Ctrl-C at a command that ignores it"""
    t.line(up(t, 'sleep .5; echo do""ne', 'trap "" INT'))
    t.wait("up\r\n")
    t.send("\x03")
    t.see("done")
    t.status()


@scenario
def ctrl_c_children(t):
    """Ctrl-C reaches the children of the foreground command"""
    t.line(up(t, "sleep 300; echo rest $?", 'trap "echo pare""nt" INT'))
    t.wait("up\r\n")
    time.sleep(0.2)
    t.send("\x03")
    t.see("parent")
    t.see(r"rest (\d+)")
    t.status()


@scenario
def ctrl_c_python(t):
    """Ctrl-C in python3: KeyboardInterrupt"""
    t.line(f"{t.p}/usr/bin/python3 -c 'import time; print(\"u\" + \"p\"); time.sleep(100)'")
    t.wait("up\r\n")
    t.send("\x03")
    t.see("KeyboardInterrupt")
    t.status()


@scenario
def ctrl_c_pipeline(t):
    """Ctrl-C ends a pipeline of two"""
    t.line(f"{t.p}sh -c 'echo u''p; exec sleep 300' | {t.p}cat")
    t.wait("up\r\n")
    time.sleep(0.1)
    t.send("\x03")
    t.status()


@scenario
def ctrl_z(t):
    """Ctrl-Z, jobs, fg, and the end of input"""
    t.line(f"{t.p}cat")
    t.wait("cat\r\n")
    time.sleep(0.2)
    t.line("one")
    t.see("one\r\none\r\n")
    t.send("\x1a")
    t.see(r"\[1\]\+ +Stopped")
    t.status()
    t.jobs(r"\[1\]\+ +Stopped")
    t.line("fg")
    t.wait("fg\r\n")
    time.sleep(0.2)
    t.line("two")
    t.see("two\r\ntwo\r\n")
    t.send("\x04")
    t.status()


@scenario
def ctrl_z_often(t):
    """Ctrl-Z and fg ten times in a row"""
    t.line(f"{t.p}cat")
    t.wait("cat\r\n")
    time.sleep(0.2)
    for i in range(10):
        t.send("\x1a")
        t.see("Stopped")
        t.wait(PROMPT)
        t.line("fg")
        t.wait("fg\r\n")
        time.sleep(0.05)
        t.line(f"x{i}")
        t.see(f"x{i}\r\nx{i}\r\n")
    t.send("\x04")
    t.status()


@scenario
def ctrl_z_children(t):
    """Ctrl-Z stops the children too, fg continues them"""
    t.line(up(t, 'i=0; while [ $i -lt 30 ]; do sleep .05; i=$((i+1)); done | cat; echo en""d'))
    t.wait("up\r\n")
    t.send("\x1a")
    t.see("Stopped")
    t.wait(PROMPT)
    t.line("fg")
    t.see("end")
    t.status()


@scenario
def background(t):
    """Ctrl-Z, bg, kill %1, wait"""
    t.line(up(t, "exec sleep 100"))
    t.wait("up\r\n")
    time.sleep(0.1)
    t.send("\x1a")
    t.see("Stopped")
    t.wait(PROMPT)
    t.run("bg")
    t.jobs("Running")
    t.line("kill %1; wait %1; echo w=$?")
    t.see(r"w=(\d+)\r\n")
    t.wait(PROMPT)


@scenario
def stop_and_cont(t):
    """kill -STOP %1 and kill -CONT %1 from the shell"""
    t.line(f"{t.p}sleep 100 &")
    t.wait(PROMPT)
    time.sleep(0.3)
    t.line("kill -TSTP %1; sleep .3; echo; jobs")
    t.see("Stopped")
    t.wait(PROMPT)
    t.line("kill -CONT %1; sleep .3; jobs")
    t.see("Running")
    t.wait(PROMPT)
    t.line("kill -9 %1; wait %1; echo w=$?")
    t.see(r"w=(\d+)\r\n")
    t.wait(PROMPT)


@scenario
def stopped_and_killed(t):
    """A stopped job is killed by kill -9 %1"""
    t.line(up(t, "sleep 100; :"))
    t.wait("up\r\n")
    t.send("\x1a")
    t.see("Stopped")
    t.wait(PROMPT)
    t.line("kill -9 %1; sleep .3; wait %1; echo w=$?")
    t.see(r"w=(\d+)\r\n")
    t.wait(PROMPT)


@scenario
def stopped_and_terminated(t):
    """A stopped job is ended by kill %1"""
    t.line(up(t, "exec sleep 100"))
    t.wait("up\r\n")
    time.sleep(0.1)
    t.send("\x1a")
    t.see("Stopped")
    t.wait(PROMPT)
    t.line("kill %1; sleep .5; echo; jobs")
    t.see("Terminated")
    t.wait(PROMPT)


@scenario
def window_size(t):
    """The window's size, and SIGWINCH when it changes"""
    t.line(up(t, 'stty size; trap "stty size; exit" WINCH; echo wait""ing; while :; do sleep .05; done'))
    t.see(r"up\r\n(\d+ \d+)")
    t.wait("waiting")
    t.size(40, 132)
    t.see(r"(\d+ \d+)\r\n")
    t.status()


@scenario
def background_read(t):
    """A background command that reads from the terminal is stopped, fg lets it read"""
    t.line(f"{t.p}cat &")
    t.wait(PROMPT)
    time.sleep(0.5)
    t.jobs("Stopped")
    t.line("fg")
    t.wait("cat\r\n")
    time.sleep(0.2)
    t.line("line")
    t.see("line\r\nline\r\n")
    t.send("\x04")
    t.status()


@scenario
def background_write(t):
    """With tostop a background command that writes is stopped"""
    t.run("stty tostop")
    t.line(f"{t.p}echo word &")
    t.wait(PROMPT)
    time.sleep(0.5)
    t.jobs("Stopped")
    t.line("fg")
    t.wait("echo word\r\n")
    t.see("word\r\n")
    t.status()
    t.run("stty -tostop")


@scenario
def inner_shell(t):
    """An interactive bash inside: jobs, Ctrl-C, Ctrl-Z, fg, exit"""
    t.line(f"PS1='IN> ' {t.p}bash --norc --noprofile -i")
    t.wait(r"\nIN> |^IN> ")
    t.line("bind 'set enable-bracketed-paste off'")
    t.wait("\nIN> ")
    t.line("sh -c 'echo u''p; exec sleep 100'")
    t.wait("up\r\n")
    time.sleep(0.1)
    t.send("\x03")
    t.wait("IN> ")
    t.line("echo rc=$?")
    t.see(r"rc=(\d+)\r\n")
    t.wait("IN> ")
    t.line("sh -c 'echo u''p; exec sleep 100'")
    t.wait("up\r\n")
    time.sleep(0.1)
    t.send("\x1a")
    t.see(r"\[1\]\+ +Stopped +sh")
    t.wait("IN> ")
    t.line("bg")
    t.wait("IN> ")
    t.line("jobs")
    t.see("Running")
    t.wait("IN> ")
    t.line("kill %1; wait; jobs")
    t.wait("IN> ")
    t.line("exit 7")
    t.status()


@scenario
def inner_suspend(t):
    """suspend in an interactive bash inside, fg"""
    t.line(f"PS1='IN> ' {t.p}bash --norc --noprofile -i")
    t.wait(r"\nIN> |^IN> ")
    t.line("suspend")
    t.see("Stopped")
    t.wait(PROMPT)
    t.line("fg")
    t.wait("-i\r\n")
    time.sleep(0.2)
    t.line("echo ba''ck")
    t.see("back\r\n")
    t.line("exit 3")
    t.status()


@scenario
def pipeline(t):
    """A pipeline of two reads from and writes to the terminal"""
    t.line(f"{t.p}cat | {t.p}tr a-z A-Z")
    t.wait("Z\r\n")
    time.sleep(0.3)
    t.line("words")
    t.send("\x04")
    t.see("WORDS")
    t.status()


@scenario
def modes(t):
    """Terminal modes are the command's to change; read -s"""
    t.line(up(t, 'read -s -p "pw: " x; echo; echo got-$x; stty -a | grep -o -- -*echo" "'))
    t.wait("pw: ")
    time.sleep(0.1)
    t.line("secret")
    t.see(r"^\r\ngot-secret\r\n")
    t.see(r"-?echo")
    t.status()


@scenario
def device(t):
    """/dev/tty, tty, isatty"""
    t.line(up(t, 'read x </dev/tty; echo got-$x; tty >/dev/tty; test -t 0 -a -t 1 -a -t 2; echo t=$?'))
    t.wait("up\r\n")
    time.sleep(0.1)
    t.line("typed")
    t.see("got-typed")
    t.see("/dev/pts/")
    t.see("t=0")
    t.status()


@scenario
def pager(t):
    """less at the end of a pipeline, Ctrl-Z, fg, q"""
    t.line(f"stty -a >before; seq 1000 | TERM=vt100 {t.p}less; stty -a >after")
    t.see("\n(10)\r\n")
    t.send("\x1a")
    t.see("Stopped")
    t.wait(PROMPT)
    t.line("fg")
    t.see("\n(10)\r\n")
    t.send("q")
    t.wait(PROMPT)
    t.line("stty -a >after; cmp before after && echo sa''me")
    t.see("same")
    t.wait(PROMPT)


@scenario
def hang_up(t):
    """A closed terminal ends it all"""
    t.line(up(t, "setsid sleep 4243 & sleep 4244") if t.p else up(t, "sleep 4244"))
    t.wait("up\r\n")
    time.sleep(0.1)
    t.hang_up()


@scenario
def hang_up_stopped(t):
    """A closed terminal ends a stopped job too"""
    t.line(up(t, "sleep 4244; :"))
    t.wait("up\r\n")
    t.send("\x1a")
    t.see("Stopped")
    t.hang_up()


@scenario
def hang_up_nohup(t):
    """A command under nohup survives a closed terminal"""
    t.line(f"nohup {t.p}sh -c 'sleep 1; touch survived' >/dev/null 2>&1 &")
    t.wait(PROMPT)
    time.sleep(0.3)
    t.hang_up()
    for _ in range(100):
        if os.path.exists("survived"):
            t.seen.append("survived")
            os.unlink("survived")
            break
        time.sleep(0.1)


def play(name, prefix):
    t = Terminal(prefix)
    try:
        SCENARIOS[name](t)
        t.close()
    except BaseException:
        try:
            os.kill(t.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        raise
    return t.seen


def check(subpid, name, repeat):
    """Plays a scenario natively and so many times with subpid; gives the failure, or nothing."""
    want = play(name, "")
    for i in range(repeat):
        try:
            got = play(name, f"{subpid} run -- ")
        except AssertionError as e:
            return f"run {i + 1} with subpid: {e}\nwithout subpid: {want}"
        if got != want:
            return f"run {i + 1} with subpid: {got}\nwithout subpid: {want}"
    return ""


def result(subpid, name, repeat):
    """The lines to print for a scenario, played in a directory of its own."""
    title = f"must: terminal: {SCENARIOS[name].__doc__}"
    os.mkdir(name)
    os.chdir(name)
    try:
        failure = check(subpid, name, repeat)
    except Exception as e:
        failure = f"without subpid already: {type(e).__name__}: {e}"
    if not failure:
        return f"ok - {title}\n"
    return f"not ok - {title}\n" + "".join(f"#     {line}\n" for line in failure.splitlines())


def main():
    """Four scenarios at a time: most of each is waiting."""
    subpid, repeat, names = sys.argv[1], int(sys.argv[2]), sys.argv[3:] or list(SCENARIOS)
    running, failed = {}, False
    while names or running:
        while names and len(running) < 4:
            name = names.pop(0)
            pid = os.fork()
            if pid == 0:
                text = result(subpid, name, repeat)
                os.write(1, text.encode())
                os._exit(not text.startswith("ok"))
            running[pid] = name
        pid, status = os.wait()
        if running.pop(pid, None):
            failed |= status != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
