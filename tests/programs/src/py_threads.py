# SPDX-License-Identifier: Apache-2.0
"""threading: numbers of threads, churn, forks and programs started from threads."""
import os
import subprocess
import threading
import time

main = threading.get_native_id()
print(main == os.getpid())
ids, barrier = [], threading.Barrier(50)


def body():
    ids.append(threading.get_native_id())
    barrier.wait(15)


threads = [threading.Thread(target=body) for _ in range(50)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(set(ids)), main in ids, os.getpid() in ids)
for _ in range(1000):
    t = threading.Thread(target=int)
    t.start()
    t.join()
# A joiner is woken before the thread has left the process.
for _ in range(100):
    left = [int(i) for i in os.listdir("/proc/self/task")]
    if left == [os.getpid()]:
        break
    time.sleep(0.01)
print(left == [os.getpid()])
codes = []


def child(i):
    codes.append(subprocess.run(["sh", "-c", f"exit {i}"]).returncode)


threads = [threading.Thread(target=child, args=(i,)) for i in range(20)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(sorted(codes))
pids = []


def forks():
    pid = os.fork()
    if pid == 0:
        os._exit(threading.get_native_id() != os.getpid())
    pids.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


threads = [threading.Thread(target=forks) for _ in range(20)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(pids == [0] * 20)
