# SPDX-License-Identifier: Apache-2.0
"""os.posix_spawn, the exec family, os.popen, os.system, os.forkpty."""
import os
import signal

env = dict(os.environ)
for n in range(50):
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {n}"], env, setpgroup=0,
                         setsigmask=[signal.SIGUSR1], setsigdef=[signal.SIGPIPE])
    got, status = os.waitpid(pid, 0)
    if got != pid or os.waitstatus_to_exitcode(status) != n:
        print("wrong", n, got == pid, status)
pid = os.posix_spawnp("sh", ["sh", "-c", "echo $$ >pid; exec true"], env,
                      file_actions=[(os.POSIX_SPAWN_OPEN, 9, "/dev/null", os.O_RDONLY, 0)])
os.waitpid(pid, 0)
print(int(open("pid").read()) == pid)
try:
    os.posix_spawn("/nonexistent", ["x"], env)
except FileNotFoundError:
    print("ENOENT")
print(os.waitstatus_to_exitcode(os.system("exit 3")), os.popen("echo popen").read())
print(os.spawnlp(os.P_WAIT, "sh", "sh", "-c", "exit 6"))
pid, fd = os.forkpty()
if pid == 0:
    os.execlp("sh", "sh", "-c", "tty >/dev/null && echo on a terminal; [ $(ps -o sid= -p $$) = $$ ] && echo leader")
out = b""
while True:
    try:
        piece = os.read(fd, 1000)
    except OSError:
        break
    if not piece:
        break
    out += piece
print(out, os.waitpid(pid, 0)[1])
