"""More drives lost for good than parity mends: what was lost is told, and what is written afterwards is as safe as ever."""

import json
import shutil
import subprocess

import botocore.exceptions
import pytest

from bodies import KIB, body
from s3 import read
from server import BINARY, until

BUCKET = "kept"
SEGMENT = {"KURA_JOURNAL_SEGMENT_SIZE": "1MiB"}


def run(server, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), *words, "--json"], capture_output=True, text=True, timeout=60,
                          env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url})


def fill(s3, name: str, count: int, size: int) -> dict[str, bytes]:
    written = {f"{name}/{n:04}": body(size, f"{name}{n}") for n in range(count)}
    for key, data in written.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    return written


def rest(server):
    """The log is cut, so that only snapshots hold what it began with."""
    until(lambda: server.kura("status")["journal"]["segments"] == 1, 60, "the log is not cut")
    assert server.kura("status")["journal"]["start"] > 1 << 20


def snapshots(server) -> int:
    """Taken lately."""
    return sum(record["event"] == "snapshot_taken" for record in server.kura("journal", "tail", "--max", "1000")["items"])


def check(store, written: dict[str, bytes]):
    for key, data in written.items():
        assert read(store.s3, BUCKET, key) == data, key


def lose_view(store):
    store.server.stop()
    for folder in store.mounts.folders:
        shutil.rmtree(folder / "view", ignore_errors=True)
    store.server.start()


@pytest.mark.timeout(300)
def test_three_of_six_replaced(make_store):
    store = make_store(size_mib=300, settings=SEGMENT)
    server, s3 = store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    lost = fill(s3, "lost" * 50, 600, 4 * KIB) | fill(s3, "large", 8, 300 * KIB)
    rest(server)
    for i in (3, 4, 5):
        store.mounts.replace(i)
    until(lambda: sum(not drive["online"] for drive in server.kura("drive", "ls")["items"]) == 3, 30, "not seen as lost")
    for i in (3, 4, 5):
        until(lambda: run(server, "drive", "add", str(store.mounts.folders[i])).returncode == 0, 30, "not taken")
    status = server.kura("status")
    assert status["state"] == "degraded" and status["sets"]["bytesUnreadable"] > 8 * 300 * KIB, status
    assert server.get("/health/ready")[0] == 200
    metrics = dict(line.rsplit(" ", 1) for line in server.get("/metrics")[1].splitlines() if line[0] != "#")
    assert int(metrics["kura_bytes_unreadable"]) > 8 * 300 * KIB
    scrub = run(server, "drive", "scrub", "-q")
    assert scrub.returncode == 7 and json.loads(scrub.stdout)["lostStripes"] >= 8, scrub
    assert "cannot be read" in scrub.stderr, scrub
    with pytest.raises(botocore.exceptions.ClientError):
        read(s3, BUCKET, "large/0001")

    kept = fill(s3, "after", 50, 4 * KIB) | fill(s3, "after-large", 4, 300 * KIB)
    until(lambda: run(server, "status").returncode == 0, 10, "it has failed")
    lose_view(store)
    check(store, kept)

    for key in lost:
        s3.delete_object(Bucket=BUCKET, Key=key)
    clean = ("ready", 0, 0, 0)

    def state():
        status = server.kura("status")
        return (status["state"], *(status["sets"][name] for name in ("membersMissing", "bytesUnreadable", "bytesBelowFullParity")))

    until(lambda: state() == clean, 60, f"{state()} after everything lost was deleted")
    assert run(server, "drive", "scrub", "-q").returncode == 0
    store.mounts.lose(0)
    store.mounts.lose(1)
    until(lambda: run(server, "status").returncode == 0, 60, "two drives may be lost")
    check(store, kept)


@pytest.mark.timeout(300)
def test_grown_from_one_drive(make_store):
    """What a snapshot had no parity for is safe soon after there is room for it, and status says since when."""
    store = make_store(count=1, inside="kura", size_mib=300, settings=SEGMENT)
    server, s3 = store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    fill(s3, "first" * 50, 600, 4 * KIB)
    rest(server)
    before = snapshots(server)
    assert server.kura("status")["state"] == "ready"
    for _ in range(5):
        i = store.mounts.add()
        store.mounts.ballast(i, leave_mib=1)
        folder = store.mounts.folders[i] / "kura"
        folder.mkdir()
        assert run(server, "drive", "add", str(folder)).returncode == 0
    status = server.kura("status")
    assert (status["state"], status["view"]["snapshotDegraded"]) == ("degraded", True), status
    for i in range(1, 6):
        store.mounts.remove_ballast(i)
    until(lambda: server.kura("status")["state"] == "ready", 60, "the snapshots keep the parity they had")
    kept = fill(s3, "after", 50, 4 * KIB) | fill(s3, "after-large", 4, 300 * KIB)
    assert snapshots(server) >= before + 2
    store.mounts.lose(0)
    until(lambda: server.kura("status")["view"]["drive"] != str(store.mounts.folders[0] / "kura"), 60, "no other view")
    check(store, kept)
