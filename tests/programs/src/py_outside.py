# SPDX-License-Identifier: Apache-2.0
"""`serve PATH`: a server outside; `ask PATH`: what a member sees of it, and it of the member."""
import os
import socket
import struct
import sys

SO_PEERPIDFD = 77


def number(s):
    return struct.unpack("iii", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def serve(path):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(path + ".new")
    server.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    server.listen()
    os.rename(path + ".new", path)
    while True:
        s, _ = server.accept()
        said = [struct.unpack("iii", d)[0] for _, _, d in s.recvmsg(100, 100)[1]]
        # The same task is meant both times, by its number out here.
        s.send(b"one" if said == [number(s)] and said[0] > 1 else b"%d %d" % (said[0], number(s)))
        s.close()


def ask(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    s.connect(path)
    print("listener", number(s))
    try:
        fd = s.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD)
        print("a pidfd")
        os.close(fd)
    except OSError as e:
        print(e)
    said = struct.pack("iii", os.getpid(), os.getuid(), os.getgid())
    s.sendmsg([b"me"], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, said)])
    text, control, flags, _ = s.recvmsg(100, 100)
    print("sender", text, [struct.unpack("iii", d)[0] for _, _, d in control], flags)


{"serve": serve, "ask": ask}[sys.argv[1]](sys.argv[2])
