"""Full drives: PUT is refused with a clear error, the rest goes on, and room heals it without a restart."""

import time

import botocore.exceptions
import pytest

from bodies import KIB, MIB, body
from s3 import keys_of, read

BUCKET = "full"


def put_until_refused(s3, size, objects, limit=2000):
    for n in range(limit):
        try:
            s3.put_object(Bucket=BUCKET, Key=f"{size}/{n}", Body=body(size, str(n)))
            objects[f"{size}/{n}"] = body(size, str(n))
        except botocore.exceptions.ClientError as error:
            return error.response
    raise AssertionError("never full")


def assert_refusal(response):
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    assert status in (503, 507), response
    assert response["Error"]["Code"] in ("InsufficientStorage", "ServiceUnavailable", "SlowDown"), response
    assert response["Error"]["Message"], response


def until_written(s3, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        try:
            s3.put_object(Bucket=BUCKET, Key="again", Body=body(MIB, "again"))
            return
        except botocore.exceptions.ClientError as error:
            assert time.monotonic() < deadline, f"still refused: {error}"
            time.sleep(0.5)


@pytest.mark.parametrize("size", [4 * KIB, MIB])
def test_all_drives_full(make_store, size):
    # A small log is full after hundreds of objects instead of thousands.
    store = make_store(size_mib=1024, settings={"KURA_JOURNAL_SEGMENT_SIZE": "2MiB"})
    s3, objects = store.s3, {"kept": body(300 * KIB)}
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="kept", Body=objects["kept"])
    for i in range(6):
        store.mounts.ballast(i, leave_mib=3)
    assert_refusal(put_until_refused(s3, size, objects, limit=60_000))
    for key in list(objects)[:50]:
        assert read(s3, BUCKET, key) == objects[key]
    assert keys_of(s3, BUCKET) == sorted(objects)
    gone = [key for key in objects if key != "kept"][:20]
    for key in gone:
        s3.delete_object(Bucket=BUCKET, Key=key)
        del objects[key]
    assert keys_of(s3, BUCKET) == sorted(objects)
    for i in range(6):
        store.mounts.remove_ballast(i)
    until_written(s3)
    assert read(s3, BUCKET, "again") == body(MIB, "again")
    for key, data in objects.items():
        assert read(s3, BUCKET, key) == data


def test_one_drive_full(store):
    """The other five take the writes."""
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    store.mounts.ballast(2, leave_mib=1)
    for n in range(40):
        s3.put_object(Bucket=BUCKET, Key=str(n), Body=body(MIB, str(n)))
    for n in range(40):
        assert read(s3, BUCKET, str(n)) == body(MIB, str(n))


@pytest.mark.full
@pytest.mark.timeout(900)
def test_filled_by_objects_and_emptied(make_store):
    store = make_store(size_mib=1536)
    s3, objects = store.s3, {}
    s3.create_bucket(Bucket=BUCKET)
    assert_refusal(put_until_refused(s3, 8 * MIB, objects))
    for key in list(objects)[::10]:
        assert read(s3, BUCKET, key) == objects[key]
    for key in objects:
        s3.delete_object(Bucket=BUCKET, Key=key)
    until_written(s3, 120)
    for n in range(len(objects) // 2):  # The space is there again.
        s3.put_object(Bucket=BUCKET, Key=f"second/{n}", Body=body(8 * MIB, "second"))


def test_a_start_with_every_drive_full_to_the_last_byte(make_store):
    """The view needs room to be opened: some is kept for that."""
    store = make_store(size_mib=512)
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    objects = {str(n): body(4 * KIB, str(n)) for n in range(300)}
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    store.restart()
    for _ in range(2):
        store.server.kill()
        for i in range(6):
            store.mounts.ballast(i, leave_mib=0)
        store.server.start()
        assert keys_of(s3, BUCKET) == sorted(objects)
        for key in list(objects)[::50]:
            assert read(s3, BUCKET, key) == objects[key]
        for i in range(6):
            store.mounts.remove_ballast(i)
    until_written(s3)
