# SPDX-License-Identifier: Apache-2.0
"""subprocess: pipes, statuses, timeouts, signals, sessions, pre-exec code."""
import os
import signal
import subprocess
import sys

print(subprocess.check_output(["echo", "out"]))
print(subprocess.run("exit 7", shell=True).returncode)
print(subprocess.run(["sh", "-c", "kill -9 $$"]).returncode)
print(subprocess.run(["cat"], input=b"x" * 300000, capture_output=True).stdout.count(b"x"))
try:
    subprocess.run(["sleep", "30"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("timeout")
try:
    subprocess.run(["/nonexistent/program"])
except FileNotFoundError as e:
    print("ENOENT", e.errno)
try:
    subprocess.run(["/etc"])
except PermissionError as e:
    print("EACCES", e.errno)
p = subprocess.Popen(["sleep", "30"])
print(p.poll())
p.send_signal(signal.SIGTERM)
print(p.wait(), p.poll())
p = subprocess.Popen(["sleep", "30"], start_new_session=True)
print(os.getpgid(p.pid) == p.pid, os.getsid(p.pid) == p.pid)
os.killpg(p.pid, signal.SIGKILL)
print(p.wait())
p = subprocess.Popen(["sh", "-c", "echo $$"], stdout=subprocess.PIPE, text=True,
                     preexec_fn=lambda: os.setpgid(0, 0))
print(int(p.communicate()[0]) == p.pid)
procs = [subprocess.Popen([sys.executable, "-c", f"raise SystemExit({i})"]) for i in range(8)]
print([p.wait() for p in procs])
r, w = os.pipe()
p = subprocess.Popen(["sh", "-c", f"echo through >&{w}"], pass_fds=[w])
os.close(w)
print(os.read(r, 100), p.wait())
