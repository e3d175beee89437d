# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# python3: subprocess, multiprocessing, threading, asyncio, signal, posix_spawn.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
py=/usr/bin/python3
needs $py

numbers 'numbers' $py -c '
import os, subprocess, sys, threading
print(os.getpid(), os.getppid(), os.getpgid(0), os.getsid(0), threading.get_native_id())
ps = [subprocess.Popen(["sleep", "0.2"]) for _ in range(3)]; print([p.pid for p in ps])
t = threading.Thread(target=lambda: print(threading.get_native_id())); t.start(); t.join()
print(subprocess.Popen(["true"]).pid, [p.wait() for p in ps])'
for part in subprocess multiprocessing threads asyncio signals spawn groups; do
	same "$part" $py "$src/py_$part.py"
done
same 'subprocess, close_fds, 500 times' $py -c '
import subprocess
[subprocess.run(["true"], close_fds=True, check=True) for _ in range(500)]; print("done")'
same 'multiprocessing, fork' $py "$src/py_pool.py" fork
same 'multiprocessing, spawn' $py "$src/py_pool.py" spawn
same 'multiprocessing, forkserver' $py "$src/py_pool.py" forkserver
same 'concurrent.futures' $py "$src/py_futures.py"
finish
