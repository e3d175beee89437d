# SPDX-License-Identifier: Apache-2.0
"""multiprocessing over unix sockets: authentication, big objects, sockets sent to others, managers."""
import os
import socket
from multiprocessing import Manager, Pipe, Process, Queue
from multiprocessing.connection import Client, Listener


def client(address):
    with Client(address, authkey=b"secret") as c:
        c.send(["x" * 100000, {"n": 1}])
        print(c.recv())


def sender(conn):
    a, b = socket.socketpair()
    conn.send(a)
    print(b.recv(100))
    conn.send("done")


def adder(shared, queue):
    for i in range(50):
        shared.append(i)
    queue.put(os.getppid() > 0)


if __name__ == "__main__":
    with Listener("listener.sock", "AF_UNIX", authkey=b"secret") as listener:
        p = Process(target=client, args=("listener.sock",))
        p.start()
        with listener.accept() as c:
            got = c.recv()
            print(len(got[0]), got[1])
            c.send("thanks")
        p.join()
    here, there = Pipe()
    p = Process(target=sender, args=(there,))
    p.start()
    here.recv().send(b"through a socket that came over a socket")
    print(here.recv())
    p.join()
    with Manager() as manager:
        shared, queue = manager.list(), Queue()
        workers = [Process(target=adder, args=(shared, queue)) for _ in range(4)]
        for w in workers:
            w.start()
        print([queue.get() for _ in workers])
        for w in workers:
            w.join()
        print(len(shared), sum(shared))
