# SPDX-License-Identifier: Apache-2.0
"""A multiprocessing pool with the start method given as argument."""
import multiprocessing as mp
import os
import sys


def work(i):
    return i * i, os.getpid()


if __name__ == "__main__":
    mp.set_start_method(sys.argv[1])
    with mp.Pool(4) as pool:
        results = pool.map(work, range(40), chunksize=1)
        print([r[0] for r in results])
        print({r[1] for r in results} <= {p.pid for p in mp.active_children()} | {w.pid for w in pool._pool})
        print(pool.apply_async(work, (9,)).get(15)[0])
    print(mp.get_start_method())
