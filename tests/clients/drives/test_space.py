"""What is deleted gives its room back: the drives hold at most 5% more than those of an empty store.

Goal: neither bodies that left the log, nor the log, nor snapshots, nor sets that are still open keep
room that nothing lives in. Method: small objects are written to an empty store and deleted; in the
short form once they have left the log, so that they stand in one set with the snapshots, and not all.
"""

import concurrent.futures
import pathlib
import time

import pytest

from bodies import KIB, MIB, body
from s3 import keys_of, read, s3_client
from server import Server, drive_folders

BUCKET = "space"
# Sets rest after 15 s: once what left the log does, and once more what the snapshots moved to.
SECONDS_MAX = 180


def used_bytes(folders) -> int:
    """Files may go while they are counted."""
    total = 0
    for path in (p for folder in folders for p in pathlib.Path(folder).rglob("*")):
        try:
            total += path.stat().st_blocks * 512 if path.is_file() else 0
        except FileNotFoundError:
            pass
    return total


def wait_until(holds, what, seconds=SECONDS_MAX):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


def each(endpoint, call, items):
    """In threads of two processes, as one is kept busy by signing."""
    half = len(items) // 2
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        for done in [pool.submit(call, endpoint, items[:half]), pool.submit(call, endpoint, items[half:])]:
            done.result()


def put_all(endpoint, numbers):
    s3 = s3_client(endpoint, read_timeout=60)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=BUCKET, Key=f"{n:08d}", Body=body(4 * KIB, str(n))), numbers))


def delete_all(endpoint, numbers):
    s3 = s3_client(endpoint, read_timeout=60)
    for first in range(0, len(numbers), 1000):
        errors = s3.delete_objects(Bucket=BUCKET, Delete={"Quiet": True, "Objects": [
            {"Key": f"{n:08d}"} for n in numbers[first:first + 1000]]}).get("Errors")
        assert not errors, errors[:3]


def check_space_comes_back(server, count, kept, destaged):
    """Objects whose number is in `kept` are not deleted."""
    s3 = s3_client(server.endpoint, read_timeout=60)
    s3.create_bucket(Bucket=BUCKET)
    time.sleep(3)  # The log prepares its next segment.
    start = used_bytes(server.drives)
    log = [pathlib.Path(drive) / "journal" for drive in server.drives]
    log_start = used_bytes(log)
    each(server.endpoint, put_all, range(count))
    peak = used_bytes(server.drives)
    assert peak > start + count * 4 * KIB, "the objects took no space"
    if destaged:
        wait_until(lambda: used_bytes(log) <= log_start, lambda: "the objects stay in the log")
    each(server.endpoint, delete_all, [n for n in range(count) if n not in kept])
    assert keys_of(s3, BUCKET) == [f"{n:08d}" for n in kept]
    began = time.monotonic()
    wait_until(lambda: used_bytes(server.drives) <= start * 1.05,
               lambda: f"start {start}, peak {peak}, now {used_bytes(server.drives)}")
    for n in kept:
        assert read(s3, BUCKET, f"{n:08d}") == body(4 * KIB, str(n))
    print(f"start {start}, peak {peak}, back to {used_bytes(server.drives)} after {time.monotonic() - began:.0f} s")


def test_space_comes_back(make_store):
    store = make_store(size_mib=1024)
    check_space_comes_back(store.server, 5_000, kept=range(0, 5_000, 200), destaged=True)
    # Writing goes on.
    store.s3.put_object(Bucket=BUCKET, Key="large", Body=body(8 * MIB))
    assert read(store.s3, BUCKET, "large") == body(8 * MIB)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_space_comes_back_after_one_gib(tmp_path):
    """On drives of whatever size the disk below has: members of 256 MiB, segments of 64 MiB."""
    server = Server(drive_folders(tmp_path), tmp_path / "kura.log").start()
    try:
        check_space_comes_back(server, 262_144, kept=range(0), destaged=False)
    finally:
        server.kill()
