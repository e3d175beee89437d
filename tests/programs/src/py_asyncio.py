# SPDX-License-Identifier: Apache-2.0
"""asyncio: subprocesses under both child watchers, signal handlers in the loop."""
import asyncio
import os
import signal


async def run(i):
    p = await asyncio.create_subprocess_exec("sh", "-c", f"cat; exit {i}", stdin=-1, stdout=-1)
    out, _ = await p.communicate(b"line %d\n" % i)
    return out, p.returncode


async def main():
    print(await asyncio.gather(*(run(i) for i in range(12))))
    p = await asyncio.create_subprocess_exec("sleep", "30")
    p.terminate()
    print(await p.wait())
    try:
        p = await asyncio.create_subprocess_exec("sleep", "30")
        await asyncio.wait_for(p.wait(), 0.2)
    except asyncio.TimeoutError:
        p.kill()
        print("timeout", await p.wait())
    got = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 10)
    print("signal seen")

asyncio.run(main())
asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
asyncio.run(main())
