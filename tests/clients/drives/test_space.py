"""Small objects written and deleted give their space back: within 5% of the start."""

import concurrent.futures
import time

import pytest

from bodies import KIB, MIB, body
from s3 import s3_client

BUCKET = "space"


def write_range(endpoint, first, last):
    s3 = s3_client(endpoint)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=BUCKET, Key=f"{n:08d}", Body=body(4 * KIB, str(n))), range(first, last)))


def check_space_comes_back(store, count, seconds):
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    for n in range(16):  # What stays.
        s3.put_object(Bucket=BUCKET, Key=f"kept/{n}", Body=body(8 * MIB, str(n)))
    start = store.mounts.used_bytes()
    half = count // 2
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        for done in [pool.submit(write_range, store.server.endpoint, 0, half),
                     pool.submit(write_range, store.server.endpoint, half, count)]:
            done.result()
    peak = store.mounts.used_bytes()
    assert peak > start + count * 4 * KIB, "the objects took no space"
    for first in range(0, count, 1000):
        s3.delete_objects(Bucket=BUCKET, Delete={"Quiet": True, "Objects": [
            {"Key": f"{n:08d}"} for n in range(first, min(first + 1000, count))]})
    deadline = time.monotonic() + seconds
    while store.mounts.used_bytes() > start * 1.05:
        assert time.monotonic() < deadline, f"start {start}, peak {peak}, now {store.mounts.used_bytes()}"
        time.sleep(1)
    for n in range(16):
        assert s3.get_object(Bucket=BUCKET, Key=f"kept/{n}")["Body"].read() == body(8 * MIB, str(n))


def test_space_comes_back(make_store):
    check_space_comes_back(make_store(size_mib=1024), 8_000, 120)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_space_comes_back_after_one_gib(make_store):
    check_space_comes_back(make_store(size_mib=2560), 262_144, 600)
