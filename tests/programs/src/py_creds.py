# SPDX-License-Identifier: Apache-2.0
"""Workers that prove who they are to a server, in each way the kernel has."""
import array
import os
import socket
import struct
from multiprocessing import Process

PATH = "creds.sock"


def worker(n):
    s = socket.socket(socket.AF_UNIX)
    s.connect(PATH)
    peer = struct.unpack("iii", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    said = struct.pack("iii", os.getpid(), os.getuid(), os.getgid())
    s.sendmsg([b"%d %d" % (n, peer)], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, said)])
    s.recv(1)
    try:
        lie = struct.pack("iii", os.getppid(), os.getuid(), os.getgid())
        s.sendmsg([b"lie"], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, lie)])
    except PermissionError:
        s.sendmsg([b"refused"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
    s.recv(1)


def receive(s):
    text, control, flags, _ = s.recvmsg(4096, 4096)
    pids, fds = [], 0
    for level, kind, data in control:
        if kind == socket.SCM_CREDENTIALS:
            pids.append(struct.unpack("iii", data)[0])
        elif kind == socket.SCM_RIGHTS:
            for fd in array.array("i", data):
                os.close(fd)
                fds += 1
    return text.decode(), pids, fds


if __name__ == "__main__":
    server = socket.socket(socket.AF_UNIX)
    server.bind(PATH)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    server.listen()
    for n in range(5):
        p = Process(target=worker, args=(n,))
        p.start()
        c, _ = server.accept()
        peer = struct.unpack("iii", c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        print(n, os.getpid(), p.pid, peer, receive(c))
        c.send(b"x")
        print(receive(c))
        c.send(b"x")
        p.join()
        c.close()
