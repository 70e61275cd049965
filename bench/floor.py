"""What a case costs before any design: its bytes through loopback TCP, and the hashes of its body.

Each is CPU of the serving side alone, measured in the same run and with the same byte counts.
"""

import hashlib
import os
import socket
import time

SCRATCH_BYTES = 1 << 20
HASH_SECONDS = 0.05


def take(stream: socket.socket, count: int, scratch: memoryview):
    while count:
        got = stream.recv_into(scratch[:min(count, len(scratch))])
        if got == 0:
            raise ConnectionError("the other side of the exchange ended")
        count -= got


def client(streams: list[socket.socket], request: bytes, answer_bytes: int, turns: int):
    scratch = memoryview(bytearray(SCRATCH_BYTES))
    for _ in range(turns):
        for stream in streams:
            stream.sendall(request)
        for stream in streams:
            take(stream, answer_bytes, scratch)


def connect(count: int) -> tuple[list[socket.socket], list[socket.socket]]:
    near, far = [], []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(count):
            near.append(socket.create_connection(listener.getsockname()))
            far.append(listener.accept()[0])
    for stream in near + far:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


def exchange_us(request_bytes: int, answer_bytes: int, connections: int, count: int) -> float:
    """One blocking recv loop and one send for each request, `connections` requests in flight."""
    turns = max(1, count // connections)
    near, far = connect(connections)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for stream in far:
                stream.close()
            client(near, bytes(request_bytes), answer_bytes, turns)
            status = 0
        finally:
            os._exit(status)
    for stream in near:
        stream.close()
    answer, scratch = bytes(answer_bytes), memoryview(bytearray(SCRATCH_BYTES))
    begun = time.process_time_ns()
    for _ in range(turns):
        for stream in far:
            take(stream, request_bytes, scratch)
            stream.sendall(answer)
    used = time.process_time_ns() - begun
    for stream in far:
        stream.close()
    if os.waitpid(child, 0)[1] != 0:
        raise ConnectionError("the exchange's client failed")
    return used / 1000 / (turns * connections)


def hash_us(body: bytes, names: tuple[str, ...]) -> float:
    """One digest of the whole body after the other, by OpenSSL."""
    if not names:
        return 0.0
    count, begun = 0, time.thread_time_ns()
    while (used := time.thread_time_ns() - begun) < HASH_SECONDS * 1e9:
        for name in names:
            hashlib.new(name, body, usedforsecurity=False).digest()
        count += 1
    return used / 1000 / count
