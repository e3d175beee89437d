# SPDX-License-Identifier: Apache-2.0
"""Process groups, sessions, orphans, waits for groups, wait options."""
import os
import signal
import time

pid = os.fork()
if pid == 0:
    os.setsid()
    inner = os.fork()
    if inner == 0:
        os.setpgid(0, 0)
        os._exit((os.getpgrp() != os.getpid()) * 1 + (os.getsid(0) != os.getppid()) * 2)
    try:
        os.setpgid(inner, inner)
    except (PermissionError, ProcessLookupError):
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
    os._exit(code + (os.getsid(0) != os.getpid()) * 4)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

children = []
for i in range(3):
    c = os.fork()
    if c == 0:
        time.sleep(30)
        os._exit(0)
    os.setpgid(c, children[0] if children else c)
    children.append(c)
print(all(os.getpgid(c) == children[0] for c in children))
os.killpg(children[0], signal.SIGTERM)
print(sorted(os.waitpid(-children[0], 0)[0] for _ in children) == sorted(children))
try:
    os.waitpid(-children[0], 0)
except ChildProcessError:
    print("ECHILD")

r, w = os.pipe()
c = os.fork()
if c == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os.read(r, 1)  # an end would be reported in place of the continuing
    os._exit(8)
got, status = os.waitpid(c, os.WUNTRACED)
print(got == c, os.WIFSTOPPED(status), os.WSTOPSIG(status) == signal.SIGSTOP)
os.kill(c, signal.SIGCONT)
got, status = os.waitpid(c, os.WCONTINUED)
print(got == c, os.WIFCONTINUED(status))
os.write(w, b"x")
print(os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]))

r, w = os.pipe()
c = os.fork()
if c == 0:
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent:
            time.sleep(0.01)
        os.write(w, b"adopted")
        os._exit(0)
    os._exit(0)
os.waitpid(c, 0)
print(os.read(r, 20))
