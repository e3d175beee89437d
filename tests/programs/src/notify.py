# SPDX-License-Identifier: Apache-2.0
"""A notification socket as a service manager has it, and systemd-notify as the service."""
import os
import socket
import struct
import subprocess

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("notify")
server.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
environ = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify"))
for arguments in (["--ready"], ["--status=working"], ["--ready", "--pid=1"], ["READY=1", "MAINPID=77"]):
    child = subprocess.Popen(["systemd-notify", *arguments], env=environ)
    while True:
        text, control, flags, _ = server.recvmsg(4096, 4096)
        pid = next(struct.unpack("iii", data)[0] for level, kind, data in control
                   if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS))
        who = {child.pid: "systemd-notify", os.getpid(): "its parent"}.get(pid, pid)
        print(arguments, who, sorted(text.decode().split("\n")), flags)
        for level, kind, data in control:
            if kind == socket.SCM_RIGHTS:
                os.close(struct.unpack("i", data)[0])
        if b"BARRIER=1" in text or b"READY" in text or b"STATUS" in text:
            break
    server.setblocking(False)
    try:
        while True:
            for level, kind, data in server.recvmsg(4096, 4096)[1]:
                if kind == socket.SCM_RIGHTS:
                    os.close(struct.unpack("i", data)[0])
    except BlockingIOError:
        pass
    server.setblocking(True)
    # The barrier ends when its descriptor is closed; it may come later than what was looked for.
    while child.poll() is None:
        server.settimeout(0.1)
        try:
            for level, kind, data in server.recvmsg(4096, 4096)[1]:
                if kind == socket.SCM_RIGHTS:
                    os.close(struct.unpack("i", data)[0])
        except TimeoutError:
            pass
        server.settimeout(None)
    print(child.returncode)
