"""A closed loop over keep-alive connections: each sends its next request when the last is answered."""

import dataclasses
import re
import select
import socket
import time

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
SCRATCH_BYTES = 1 << 20
HEAD_BYTES_MAX = 1 << 16
ANSWER_SECONDS = 60


class Unexpected(Exception):
    """An answer that no case expects: the figures would mean nothing."""


@dataclasses.dataclass
class Outcome:
    seconds: float
    client_cpu_s: float
    answer_bytes: int  # Of the last answer, head included.


class Connection:
    def __init__(self, address: tuple[str, int]):
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.unsent: list[memoryview] = []
        self.head = b""
        self.left: int | None = None  # Bytes of the answer still to come, None before its head ends.
        self.answer_bytes = 0

    def begin(self, parts: tuple[bytes, ...]) -> bool:
        self.unsent = [memoryview(part) for part in parts]
        self.head, self.left = b"", None
        return self.flush()

    def flush(self) -> bool:
        """Sends what the socket takes; whether that was all."""
        while self.unsent:
            try:
                sent = self.socket.sendmsg(self.unsent)
            except BlockingIOError:
                return False
            while self.unsent and sent >= len(self.unsent[0]):
                sent -= len(self.unsent.pop(0))
            if sent:
                self.unsent[0] = self.unsent[0][sent:]
        return True

    def receive(self, scratch: memoryview) -> bool:
        """Takes what has arrived; whether the answer is complete."""
        count = self.socket.recv_into(scratch)
        if count == 0:
            raise Unexpected("the server closed a connection")
        if self.left is None:
            self.head += scratch[:count]
            end = self.head.find(b"\r\n\r\n") + 4
            if end < 4 and len(self.head) < HEAD_BYTES_MAX:
                return False
            length = LENGTH.search(self.head, 0, end)
            if not self.head.startswith(b"HTTP/1.1 200") or not length:
                raise Unexpected(" ".join(self.head[:400].decode(errors="replace").split()))
            self.answer_bytes = end + int(length[1])
            self.left = self.answer_bytes - len(self.head)
        else:
            self.left -= count
        if self.left < 0:
            raise Unexpected("more bytes than content-length says")
        return self.left == 0


class Load:
    def __init__(self, address: tuple[str, int], connections: int):
        self.connections = [Connection(address) for _ in range(connections)]
        self.scratch = memoryview(bytearray(SCRATCH_BYTES))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.connections:
            connection.socket.close()

    def run(self, requests: list[tuple[bytes, ...]]) -> Outcome:
        """Sends every request, each as (head, body) or (head,), and insists on 200 for each."""
        begun, cpu, waiting = time.perf_counter(), time.process_time(), iter(requests)
        poll = select.epoll()
        by_number = {c.socket.fileno(): c for c in self.connections}
        answered, last = 0, self.connections[0]
        for connection, request in zip(self.connections, waiting):
            poll.register(connection.socket, self.interest(connection.begin(request)))
        with poll:
            while answered < len(requests):
                ready = poll.poll(ANSWER_SECONDS)
                if not ready:
                    raise Unexpected(f"no answer in {ANSWER_SECONDS} s")
                for number, events in ready:
                    connection = by_number[number]
                    if events & select.EPOLLOUT and connection.flush():
                        poll.modify(number, select.EPOLLIN)
                    if not events & ~select.EPOLLOUT or not connection.receive(self.scratch):
                        continue
                    answered, last = answered + 1, connection
                    request = next(waiting, None)
                    if request is not None and not connection.begin(request):
                        poll.modify(number, self.interest(False))
        return Outcome(time.perf_counter() - begun, time.process_time() - cpu, last.answer_bytes)

    @staticmethod
    def interest(all_sent: bool) -> int:
        return select.EPOLLIN if all_sent else select.EPOLLIN | select.EPOLLOUT
