"""A drive that answers nothing: its file system lies in a file of another one, which is frozen."""

import dataclasses
import fcntl
import os
import pathlib
import signal
import subprocess
import threading
import time

import botocore.exceptions
import pytest

from s3 import read, s3_client
from server import Server, until
from traffic import Traffic

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
BUCKET = "hanging"
pytestmark = pytest.mark.full
OFFLINE_SECONDS = 10  # After which a drive that hangs is lost (README).


def run(*command) -> str:
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout.strip()


class HangingDrive:
    """REQUIRES: root, loop devices."""

    def __init__(self, base):
        self.outer, self.folder, self.undo = base / "outer", base / "d1", []
        self.mount(base / "outer.img", 400, self.outer)
        self.mount(self.outer / "inner.img", 250, self.folder)
        self.below = os.open(self.outer, os.O_RDONLY)

    def mount(self, image, mib, folder):
        with image.open("wb") as file:
            file.truncate(mib << 20)
        run("mkfs.ext4", "-q", image)
        folder.mkdir()
        device = run("losetup", "--find", "--show", image)
        self.undo.append(["losetup", "--detach", device])
        run("mount", device, folder)
        self.undo.append(["umount", "-l", folder])

    def hang(self):
        fcntl.ioctl(self.below, FIFREEZE, 0)

    def go_on(self):
        try:
            fcntl.ioctl(self.below, FITHAW, 0)
        except OSError:
            pass  # It does not hang.

    def close(self):
        self.go_on()
        os.close(self.below)
        for command in reversed(self.undo):
            run(*command)


def children_of(process: int) -> list[int]:
    """By any of its threads."""
    tasks = pathlib.Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def ended(process: int) -> bool:
    """But for threads that wait in the kernel for the drive."""
    status = pathlib.Path(f"/proc/{process}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def goes_on(server):
    """In a child: it has to, while a call to the drive of its view hangs."""
    until(lambda: "starting over" in server.log_tail(2000), 3 * OFFLINE_SECONDS, "it did not start over")
    until(lambda: children_of(server.process.pid), 10, "it went on by itself")
    server.wait_ready(5 * OFFLINE_SECONDS)


@pytest.fixture
def hanging(tmp_path):
    drive = HangingDrive(tmp_path)
    yield drive
    drive.close()


@pytest.fixture
def server(hanging, tmp_path):
    """Four drives, parity 2; the first one is a mirror of the journal."""
    folders = [hanging.folder, *(tmp_path / f"d{n}" for n in (2, 3, 4))]
    for folder in folders[1:]:
        folder.mkdir()
    server = Server(folders, tmp_path / "kura.log").start()
    s3_client(server.endpoint).create_bucket(Bucket=BUCKET)
    yield server
    hanging.go_on()
    server.kill()


class Pulse(threading.Thread):
    """The longest time that the node kept somebody waiting who asks whether it lives."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.longest, self.ended = server, 0.0, threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            begun = time.monotonic()
            try:
                assert self.server.get("/health/live")[0] == 200
            finally:
                self.longest = max(self.longest, time.monotonic() - begun)


def test_a_drive_that_hangs_is_lost_and_keeps_nobody(hanging, server):
    with Traffic(server.endpoint, BUCKET) as traffic:
        time.sleep(2)
        assert traffic.acknowledged
        pulse = Pulse(server)
        pulse.start()
        hanging.hang()
        time.sleep(OFFLINE_SECONDS - 2)
        pulse.ended.set()
        pulse.join()
        assert pulse.longest < 2, "a loop waited for the drive"
        # The view lies on it: the node starts over, and the start waits for the drive again.
        before = len(traffic.acknowledged)
        until(lambda: len(traffic.acknowledged) > before + 20, 5 * OFFLINE_SECONDS, "nothing more was acknowledged")
        goes_on(server)
        hanging.go_on()
        time.sleep(1)
    traffic.check(s3_client(server.endpoint))
    # Whether it serves by itself or through a child, signals and exit codes are those of the process.
    assert server.stop() == 0
    server.start()
    traffic.check(s3_client(server.endpoint))


def test_small_bodies_alone_show_that_the_drive_of_the_view_hangs(hanging, tmp_path, server):
    """They go into the journal, which does without the drive, and the pool writes nothing: only the view is stuck."""
    s3, n = s3_client(server.endpoint, read_timeout=25), 0
    for n in range(300):
        s3.put_object(Bucket=BUCKET, Key=f"before/{n}", Body=b"b" * 3000)
    hanging.hang()

    def put() -> bool:
        try:
            s3.put_object(Bucket=BUCKET, Key=f"while/{time.monotonic_ns()}", Body=b"w" * 3000)
            return True
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return False

    until(lambda: put() and "starting over" in server.log_tail(2000), 6 * OFFLINE_SECONDS, "nobody noticed")
    goes_on(server)
    assert put() and read(s3, BUCKET, "before/7") == b"b" * 3000
    # Asked to end it does so, and what hangs keeps no lock of the other drives.
    others = Server(server.drives[1:], tmp_path / "others.log")
    server.process.send_signal(signal.SIGTERM)
    try:
        until(lambda: ended(server.process.pid), 4 * OFFLINE_SECONDS, "it did not end")
        others.endpoint = dataclasses.replace(others.endpoint, access_key=server.endpoint.access_key,
                                              secret_key=server.endpoint.secret_key)
        others.start()
        assert read(s3_client(others.endpoint), BUCKET, "before/7") == b"b" * 3000
    finally:
        hanging.go_on()
        others.kill()
    server.process.wait()


def test_a_node_that_serves_through_a_child_dies_as_a_whole(hanging, server):
    """The view lies on the first drive, so the node starts over while a call to that drive hangs."""
    hanging.hang()
    with Traffic(server.endpoint, BUCKET):
        goes_on(server)
        child = children_of(server.process.pid)[0]
        server.process.kill()
        until(lambda: ended(child), 5, "the child outlived it")
    hanging.go_on()
    server.process.wait()
    server.start()


def test_what_a_dead_process_has_under_way_harms_nobody(hanging, server):
    """Its direct writes reach the drive after it is gone: the next process waits for them."""
    with Traffic(server.endpoint, BUCKET) as traffic:
        time.sleep(2)
        hanging.hang()
        time.sleep(1)
        server.process.kill()
        later = threading.Timer(4, hanging.go_on)
        later.start()
        server.process.wait()
        server.launch()
        server.wait_ready(40)
        time.sleep(2)
    later.join()
    assert traffic.acknowledged
    traffic.check(s3_client(server.endpoint))
    assert server.stop() == 0
    server.start()
    traffic.check(s3_client(server.endpoint))
