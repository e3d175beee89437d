# SPDX-License-Identifier: Apache-2.0
"""multiprocessing with fork: queues, pipes, locks, shared values, terminate, exit codes."""
import multiprocessing as mp
import os
import signal
import time


def put(q, lock, value, i):
    with lock:
        value.value += i
    q.put((i, os.getppid() == mp.parent_process().pid))


def hang():
    time.sleep(60)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


mp.set_start_method("fork")
queue, lock, value = mp.Queue(), mp.Lock(), mp.Value("i", 0)
procs = [mp.Process(target=put, args=(queue, lock, value, i)) for i in range(10)]
for p in procs:
    p.start()
print(sorted(queue.get(timeout=15) for _ in procs))
for p in procs:
    p.join(15)
print(value.value, [p.exitcode for p in procs], mp.active_children())
p = mp.Process(target=hang)
p.start()
print(p.is_alive(), os.kill(p.pid, 0))
p.terminate()
p.join(15)
print(p.exitcode)
p = mp.Process(target=die)
p.start()
p.join(15)
print(p.exitcode)
with mp.Manager() as manager:
    d = manager.dict()
    procs = [mp.Process(target=d.__setitem__, args=(i, i * i)) for i in range(4)]
    for p in procs:
        p.start()
    for p in procs:
        p.join(15)
    print(sorted(d.items()))
