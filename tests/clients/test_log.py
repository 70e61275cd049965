"""The request log: requests do not wait for whoever reads stderr, and nothing is lost at an orderly end."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from s3 import s3_client
from server import Server, fresh_drives, until

pytestmark = pytest.mark.kura
BUCKET = "logged"


class PipedServer(Server):
    """Its stderr is a pipe, read when the test says so."""

    def launch(self):
        self.reader, write = os.pipe()
        self.process = subprocess.Popen(self.command(), env=self.environment(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=write)
        os.close(write)
        self.text, self.reads = bytearray(), threading.Event()
        self.reads.set()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while self.reads.wait() and (data := os.read(self.reader, 65536)):
            self.text += data

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.lines()[-lines:])

    def lines(self) -> list[str]:
        return self.text.decode(errors="replace").splitlines()

    def dropped(self) -> int:
        name = "kura_log_dropped_lines_total "
        return next(int(line.split()[1]) for line in self.get("/metrics")[1].splitlines() if line.startswith(name))


@pytest.fixture
def server(tmp_path, tmp_path_factory, full):
    with fresh_drives(tmp_path_factory, full, count=4) as drives:
        server = PipedServer(drives, tmp_path / "unused.log").start()
        try:
            yield server
        finally:
            server.reads.set()
            server.kill()


def test_a_stalled_reader_holds_nobody_up(server):
    s3 = s3_client(server.endpoint)
    s3.create_bucket(Bucket=BUCKET)
    server.reads.clear()
    # More than the pipe and the server's memory for it take: each line names a key of a thousand bytes.
    sent, deadline = 0, time.monotonic() + 60
    while sent < 200 or server.dropped() == 0:
        for i in range(100):
            s3.put_object(Bucket=BUCKET, Key=f"{i}".zfill(1000), Body=b"x")
        sent += 100
        assert time.monotonic() < deadline, "nothing is dropped, or nothing goes on"
    server.reads.set()
    until(lambda: any("lines of the log were dropped" in line for line in server.lines()), 10, "nobody says so")
    told = next(line for line in server.lines() if "lines of the log were dropped" in line)
    assert int(told.split()[1]) == server.dropped(), told
    assert server.stop() == 0


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGABRT])
def test_the_last_lines_are_written(server, end):
    s3 = s3_client(server.endpoint)
    s3.create_bucket(Bucket=BUCKET)
    ids = [s3.put_object(Bucket=BUCKET, Key=str(i), Body=b"x")["ResponseMetadata"]["RequestId"] for i in range(300)]
    server.process.send_signal(end)
    assert server.process.wait(30) == (0 if end == signal.SIGTERM else -signal.SIGABRT)
    server.thread.join(10)
    logged = {json.loads(line)["requestId"] for line in server.lines() if line.startswith("{") and line.endswith("}")}
    assert set(ids[:-1]) <= logged  # An abort may come between the last answer and its line.
    assert end != signal.SIGTERM or ids[-1] in logged
