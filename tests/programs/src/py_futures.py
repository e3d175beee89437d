# SPDX-License-Identifier: Apache-2.0
"""concurrent.futures: both executors, and what happens when a worker is killed."""
import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def cube(i):
    return i ** 3


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with ProcessPoolExecutor(3) as ex:
        print(list(ex.map(cube, range(12))))
    with ThreadPoolExecutor(16) as ex:
        print(sum(ex.map(cube, range(200))))
    try:
        with ProcessPoolExecutor(2) as ex:
            list(ex.map(die, range(2)))
    except BrokenProcessPool:
        print("broken pool noticed")
