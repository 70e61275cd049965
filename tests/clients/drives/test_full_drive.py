"""Full drives: PUT is refused with a clear error, the rest goes on, and room heals it without a restart."""

import shutil
import threading
import time

import botocore.exceptions
import pytest

from bodies import KIB, MIB, body
from s3 import keys_of, read
from server import until

BUCKET = "full"
SMALL = {"KURA_JOURNAL_SEGMENT_SIZE": "1MiB", "KURA_SET_MEMBER_SIZE": "4MiB"}


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


def segments_on(store, i):
    return list((store.mounts.disks[i] / "journal").glob("*.seg"))


def test_full_drives_of_the_journal(make_store):
    """Mirrors that have no room for another segment give their place to drives that have."""
    store = make_store(size_mib=160, settings=SMALL)
    s3, objects = store.s3, {}
    s3.create_bucket(Bucket=BUCKET)
    for turn in range(3):
        full = next(i for i in range(6) if segments_on(store, i))
        store.mounts.fill_up(full)
        for n in range(500):  # Two segments and more.
            objects[f"{turn}/{n}"] = body(4 * KIB, f"{turn}/{n}")
            s3.put_object(Bucket=BUCKET, Key=f"{turn}/{n}", Body=objects[f"{turn}/{n}"])
        assert segments_on(store, full) == []
        assert sum(segments_on(store, i) != [] for i in range(6)) == 3
        if turn == 1:
            store.server.kill()
            store.server.start()
        store.mounts.remove_ballast(full)
    assert keys_of(s3, BUCKET) == sorted(objects)
    for key, data in objects.items():
        assert read(s3, BUCKET, key) == data


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


def fill_up(store):
    for i in range(len(store.mounts.disks)):
        store.mounts.fill_up(i)


def make_room(store):
    for i in range(len(store.mounts.disks)):
        store.mounts.remove_ballast(i)


def status_of(call):
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"]
    except botocore.exceptions.ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("drives", [1, pytest.param(6, marks=pytest.mark.full)])
def test_a_load_on_full_drives(make_store, drives):
    """Small PUTs and DELETEs go on while nothing on any drive has room, the view included: the process stays."""
    store = make_store(count=drives, size_mib=160, settings=SMALL)
    s3, objects = store.s3, {}
    s3.create_bucket(Bucket=BUCKET)
    for size in (100, 12 * KIB, 16 * KIB):
        for n in range(20):
            objects[f"{size}/{n}"] = body(size, str(n))
            s3.put_object(Bucket=BUCKET, Key=f"{size}/{n}", Body=objects[f"{size}/{n}"])
    for turn in range(2):
        fill_up(store)
        deadline = time.monotonic() + 15
        refused = deleted = n = 0
        while time.monotonic() < deadline:
            n += 1
            if n % 50 == 0:
                fill_up(store)
            key = f"turn{turn}/{n % 30}"
            put = status_of(lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=body(16 * KIB, key)))
            if put == 200:
                objects[key] = body(16 * KIB, key)
                continue
            refused += 1
            assert put in (503, 507), put
            gone = sorted(objects)[n % len(objects)]
            if len(objects) > 30 and status_of(lambda: s3.delete_object(Bucket=BUCKET, Key=gone)) == 204:
                del objects[gone]
                deleted += 1
            assert store.server.process.poll() is None, "the process ended"
        assert refused, "never full"
        assert keys_of(s3, BUCKET) == sorted(objects)
        make_room(store)
        until_written(s3, 30)
        objects["again"] = body(MIB, "again")
    assert "starting over" not in store.server.log.read_text()
    for key, data in objects.items():
        assert read(s3, BUCKET, key) == data


@pytest.mark.parametrize("drives", [pytest.param(1, marks=pytest.mark.full), pytest.param(3, marks=pytest.mark.full), 6])
def test_starts_on_drives_that_stay_full(make_store, drives):
    """Somebody else takes what a start gave back: the next one serves reads, and writes once there is room."""
    store = make_store(count=drives, size_mib=160, settings=SMALL)
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    objects = {str(n): body([9 * KIB, 100 * KIB][n % 2], str(n)) for n in range(60)}
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    fill_up(store)
    for _ in range(4):
        store.server.kill()
        fill_up(store)
        store.server.start()
        assert keys_of(s3, BUCKET) == sorted(objects)
        for key, data in objects.items():
            assert read(s3, BUCKET, key) == data
        assert status_of(lambda: s3.put_object(Bucket=BUCKET, Key="new", Body=b"x")) in (503, 507)
    make_room(store)
    until_written(s3, 30)
    for key, data in objects.items():
        assert read(s3, BUCKET, key) == data


def test_the_view_is_removed_while_its_drive_is_full(make_store):
    """What is in memory goes on top of the view that it belongs to, and of no new one."""
    store = make_store(count=1, size_mib=160, settings=SMALL)
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    objects = {str(n): body([9 * KIB, 100 * KIB][n % 2], str(n)) for n in range(60)}
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    drive = store.mounts.disks[0]
    store.server.stop()
    (drive / "view.reserve").unlink()
    fill_up(store)
    store.server.start()
    until(lambda: "it waits for room" in store.server.log.read_text(), 30, "the view has room")
    shutil.rmtree(drive / "view")
    make_room(store)
    until_written(s3, 30)
    for _ in range(2):
        for key, data in objects.items():
            assert read(s3, BUCKET, key) == data
        assert set(keys_of(s3, BUCKET)) >= set(objects)
        store.server.stop()
        store.server.start()


def test_a_start_without_room_for_its_mirror_set(make_store):
    """Not even the prepared segment is left to give up: it only reads, says so, and writes by itself once it can."""
    store = make_store(size_mib=160, settings=SMALL)
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    objects = {str(n): body(9 * KIB, str(n)) for n in range(20)}
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    fill_up(store)
    deadline = time.monotonic() + 60
    while not (reason := store.server.kura("status").get("readOnlyReason", "")):
        assert time.monotonic() < deadline, "every start found room for a mirror set"
        store.server.kill()
        for disk in store.mounts.disks:  # As if appends had used it.
            for segment in sorted((disk / "journal").glob("*.seg"))[1:]:
                if not segment.read_bytes()[4096:].strip(b"\0"):
                    segment.unlink()
        fill_up(store)
        store.server.start()
    assert "No space left" in reason
    assert keys_of(s3, BUCKET) == sorted(objects)
    for key, data in objects.items():
        assert read(s3, BUCKET, key) == data
    assert status_of(lambda: s3.put_object(Bucket=BUCKET, Key="new", Body=b"x")) == 503
    assert status_of(lambda: s3.delete_object(Bucket=BUCKET, Key="0")) == 503
    pid = store.server.process.pid
    make_room(store)
    until_written(s3, 30)
    assert (store.server.process.poll(), store.server.process.pid) == (None, pid)
    for key, data in objects.items():
        assert read(s3, BUCKET, key) == data


def lose_the_view_while_full(store) -> bool:
    """Whether the process that starts over finds no room: some is there while what it held before is given back."""
    stop = threading.Event()

    def said(what: str) -> int:
        return store.server.log.read_text().count(what)

    def keep_full():
        while not stop.is_set():
            fill_up(store)

    filling = threading.Thread(target=keep_full)
    filling.start()
    try:
        time.sleep(1)
        store.mounts.lose(0)
        until(lambda: said("answering 503 until") or said("kura: serving") > 1, 40, "it did not start over")
        if said("kura: serving") > 1:
            return False
        assert store.server.get("/health/live")[0] == 200
        assert store.server.get("/health/ready")[0] == 503
        time.sleep(3)
        assert store.server.process.poll() is None, store.server.log_tail()
    finally:
        stop.set()
        filling.join()
    return True


def test_the_view_is_lost_while_the_other_drives_are_full(make_store):
    """The process starts over and finds no room for another view: it waits for some instead of ending."""
    objects = {str(n): body(9 * KIB, str(n)) for n in range(300)}
    for _ in range(4):
        store = make_store(count=3, size_mib=160, settings=SMALL)
        s3 = store.s3
        s3.create_bucket(Bucket=BUCKET)
        for key, data in objects.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        if waits := lose_the_view_while_full(store):
            break
    assert waits, store.server.log_tail()
    make_room(store)
    until_written(s3, 30)
    for key, data in objects.items():
        assert read(s3, BUCKET, key) == data
