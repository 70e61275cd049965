"""Many connections from one process: opened, held, and asked in a closed loop, over several addresses of loopback."""

import collections
import dataclasses
import multiprocessing
import resource
import select
import socket
import time

PORTS_EACH = 20_000  # Of one source address; the kernel's range has 28,000.


def allow_files(count: int) -> int:
    """Raises the limit of open files as far as it goes. Returns what is left for connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 500
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, PermissionError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)


def connect(address, number: int) -> socket.socket:
    """The `number`-th connection, from an address of its own once the ports of one are used up."""
    link = socket.socket()
    link.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: the port is chosen on connect.
    link.bind((f"127.0.0.{2 + number // PORTS_EACH}", 0))
    link.connect(address)
    return link


def hold(address, count: int, data: bytes = b"") -> list[socket.socket]:
    links = []
    for number in range(count):
        links.append(connect(address, number))
        if data:
            links[-1].sendall(data)
    return links


@dataclasses.dataclass
class Tally:
    seconds: float = 0
    done: int = 0
    refused: int = 0
    other: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    latencies: list[float] = dataclasses.field(default_factory=list)  # Of what was done.
    refusals: list[float] = dataclasses.field(default_factory=list)  # Of what was refused.
    closed: int = 0

    def add(self, other: "Tally"):
        self.seconds = max(self.seconds, other.seconds)
        self.done += other.done
        self.refused += other.refused
        self.closed += other.closed
        self.other += other.other
        self.latencies += other.latencies
        self.refusals += other.refusals

    @property
    def rate(self) -> float:
        return self.done / self.seconds

    def p99(self) -> float:
        """Endless if nothing was done."""
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)] if self.latencies else float("inf")


class Client:
    def __init__(self, address, number):
        self.address, self.number = address, number
        self.link, self.head, self.left, self.sent_at, self.unsent = None, b"", None, 0.0, b""

    def open(self, poll, by_number):
        self.link = connect(self.address, self.number)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.link.setblocking(False)
        by_number[self.link.fileno()] = self
        poll.register(self.link.fileno(), select.EPOLLIN)

    def ask(self, poll, data: bytes):
        self.head, self.left, self.sent_at = b"", None, time.perf_counter()
        self.unsent = memoryview(data)
        self.flush(poll)

    def flush(self, poll):
        try:
            while self.unsent:
                self.unsent = self.unsent[self.link.send(self.unsent):]
            poll.modify(self.link.fileno(), select.EPOLLIN)
        except BlockingIOError:
            poll.modify(self.link.fileno(), select.EPOLLIN | select.EPOLLOUT)
        except (BrokenPipeError, ConnectionResetError):
            self.unsent = b""  # The answer says why.

    def take(self, scratch) -> int | None:
        """The status once the answer is whole; -1 if the connection ended; None while more is to come."""
        try:
            count = self.link.recv_into(scratch)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return -1
        if count == 0:
            return -1
        if self.left is None:
            self.head += bytes(scratch[:count])
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return None
            low = self.head[:end].lower()
            at = low.find(b"content-length:")
            length = int(low[at + 15:].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self.left = end + 4 + length - len(self.head)
        else:
            self.left -= count
        return int(self.head[9:12]) if self.left <= 0 else None


def run(address, requests: list[bytes], clients: int, seconds: float, begin_at: float, first: int) -> Tally:
    """A closed loop of `clients`: each asks again as soon as it is answered, whatever the answer."""
    poll, by_number, scratch = select.epoll(), {}, memoryview(bytearray(1 << 18))
    crowd = [Client(address, first + n) for n in range(clients)]
    for client in crowd:
        client.open(poll, by_number)
    time.sleep(max(0.0, begin_at - time.time()))
    tally, sent, begun = Tally(), first, time.perf_counter()
    for client in crowd:
        client.ask(poll, requests[sent % len(requests)])
        sent += 1
    end = begun + seconds
    while (now := time.perf_counter()) < end:
        for number, events in poll.poll(min(0.2, end - now)):
            client = by_number[number]
            if events & select.EPOLLOUT:
                client.flush(poll)
            if not events & ~select.EPOLLOUT:
                continue
            status = client.take(scratch)
            if status is None:
                continue
            took = time.perf_counter() - client.sent_at
            if status == 200:
                tally.done += 1
                tally.latencies.append(took)
            elif status == 503:
                tally.refused += 1
                tally.refusals.append(took)
            else:
                tally.other[status] += 1
            if status == -1 or b"connection: close" in client.head.lower():
                tally.closed += 1
                poll.unregister(number)
                del by_number[number]
                client.link.close()
                client.open(poll, by_number)
            client.ask(poll, requests[sent % len(requests)])
            sent += 1
    tally.seconds = time.perf_counter() - begun
    return tally


def _worker(queue, *arguments):
    queue.put(run(*arguments))


def closed_loop(address, requests: list[bytes], clients: int, seconds: float, processes: int = 1) -> Tally:
    """The same from `processes` processes, begun together."""
    context = multiprocessing.get_context("fork")
    queue, begin_at, total = context.SimpleQueue(), time.time() + 0.3 + clients / 2000, Tally()
    share = [clients // processes + (n < clients % processes) for n in range(processes)]
    workers = [context.Process(target=_worker, args=(queue, address, requests, count, seconds, begin_at, 10_000 * n))
               for n, count in enumerate(share)]
    for worker in workers:
        worker.start()
    for _ in workers:
        total.add(queue.get())
    for worker in workers:
        worker.join()
    return total
