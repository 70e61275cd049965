"""The metadata view may be lost at any time: it is rebuilt, and the same comes out."""

import shutil
import time

from bodies import KIB, MIB, body
from s3 import keys_of, read
from traffic import Traffic
from wire import Call, Wire

BUCKET = "seen"
QUIET_SECONDS = 4
SMALL_LOG = {"KURA_JOURNAL_SEGMENT_SIZE": "1MiB"}


def place_of_view(mounts) -> int:
    places = [i for i, disk in enumerate(mounts.disks) if (disk / "view" / "CURRENT").exists()]
    assert len(places) == 1, places
    return places[0]


def until(condition, seconds: float, what: str):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (OSError, AssertionError):
            pass
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def fill(s3) -> dict[str, bytes]:
    """Everything that has rows: sizes of each layout, an upload under way, overwrites, deletions."""
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket=BUCKET + "-2")
    objects = {f"{n}/{size}": body(size, str(n)) for n in range(15) for size in (0, 5 * KIB, 40 * KIB, 200 * KIB)}
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"before")
        s3.put_object(Bucket=BUCKET, Key=key, Body=data, Metadata={"a": key})
    for key in list(objects)[::7]:
        s3.delete_object(Bucket=BUCKET, Key=key)
        del objects[key]
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="upload")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="upload", UploadId=upload, PartNumber=1, Body=body(5 * MIB))
    return objects


def check(s3, objects):
    assert keys_of(s3, BUCKET) == sorted(objects)
    wrong = [key for key, data in objects.items() if read(s3, BUCKET, key) != data]
    assert not wrong, f"other bytes in {wrong}"


def settled_digest(server) -> str:
    """Once background work is over, such as dropping a set that was found empty twice."""
    end, since = None, time.monotonic()
    deadline = since + 60
    while time.monotonic() < since + QUIET_SECONDS:
        assert time.monotonic() < deadline, "the log never rests"
        time.sleep(0.3)
        now = server.kura("status")["journal"]["end"]
        if now != end:
            end, since = now, time.monotonic()
    digest = server.kura("view", "digest")["digest"]
    assert server.kura("status")["journal"]["end"] == end, "not at rest"
    return digest


def forget_view(store):
    """Every drive's view folder is gone, as the README allows at any time."""
    for disk in store.mounts.disks:
        shutil.rmtree(disk / "view", ignore_errors=True)


def test_its_drive_is_lost_under_traffic(store):
    objects = fill(store.s3)
    pid, lost = store.server.process.pid, place_of_view(store.mounts)
    assert store.server.kura("status")["view"]["drive"] == str(store.mounts.folders[lost])
    with Traffic(store.server.endpoint, BUCKET) as traffic:
        time.sleep(1)
        store.mounts.lose(lost)
        until(lambda: store.server.kura("status")["view"]["drive"] != str(store.mounts.folders[lost]), 40,
              "the view is on no other drive")
        before = len(traffic.acknowledged)
        until(lambda: len(traffic.acknowledged) > before + 8, 30, "no PUT succeeds")
    assert not (store.mounts.folders[lost] / "view").exists(), "built below a mount point"
    traffic.check(store.s3)
    check(store.s3, {**objects, **{k: body(*c) for k, c in traffic.acknowledged.items()},
                     **{k: read(store.s3, BUCKET, k) for k in traffic.asked - set(traffic.acknowledged)
                        if k in keys_of(store.s3, BUCKET, Prefix=k)}})
    assert (store.server.process.poll(), store.server.process.pid) == (None, pid)
    store.mounts.attach(lost)  # What it holds of the view is old by now.
    until(lambda: all(d["online"] for d in store.server.kura("drive", "ls")["items"]), 30, "the drive is not taken back")
    store.restart()
    assert place_of_view(store.mounts) != lost
    check(store.s3, {k: read(store.s3, BUCKET, k) for k in keys_of(store.s3, BUCKET)})
    traffic.check(store.s3)


def test_deleted_and_rebuilt(store):
    objects = fill(store.s3)
    store.restart()
    digest, counters = settled_digest(store.server), store.server.kura("bucket", "ls")["items"]
    assert counters[0]["objects"] == len(objects) and counters[0]["bytes"] == sum(map(len, objects.values()))
    assert counters[0]["uploads"] == 1
    store.server.stop()
    forget_view(store)
    store.server.start()
    view = store.server.kura("status")["view"]
    assert view["replayedRecords"] > 2 * len(objects) and not view["fromSnapshot"]
    assert settled_digest(store.server) == digest
    assert store.server.kura("bucket", "ls")["items"] == counters
    check(store.s3, objects)
    store.s3.put_object(Bucket=BUCKET, Key="more", Body=b"x")
    assert settled_digest(store.server) != digest, "a digest of nothing"


def housekeep(server):
    """Bodies out of the log, a snapshot, the log cut, now."""
    with Wire(server.endpoint) as wire:
        wire.send(Call(server.endpoint, "POST", "/kura/admin/v1/housekeep").sign().wire())
        assert wire.answer().status == 200


def put_small(s3, prefix: str, count: int, objects: dict, size: int = 8 * KIB):
    for n in range(count):
        objects[f"{prefix}/{n}"] = body(size, f"{prefix}/{n}")
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{n}", Body=objects[f"{prefix}/{n}"])


def test_only_the_tail_is_replayed(make_store):
    """The log is cut; then the view comes from its files, and without them from a snapshot."""
    store = make_store(settings=SMALL_LOG)
    objects = {}
    store.s3.create_bucket(Bucket=BUCKET)
    put_small(store.s3, "old", 600, objects)
    until(lambda: store.server.kura("status")["journal"]["start"] > 2 << 20, 60, "the log is never cut")
    put_small(store.s3, "new", 50, objects)
    store.restart()
    assert store.server.kura("status")["view"]["replayedRecords"] < 50, "what was flushed is replayed"
    check(store.s3, objects)

    # A log of one segment gives housekeeping nothing to do, which would change rows between two looks.
    for attempt in range(5):
        housekeep(store.server)
        put_small(store.s3, f"newer{attempt}", 50, objects, size=KIB)
        if store.server.kura("status")["journal"]["segments"] == 1:
            break
    digest_of = lambda: (settled_digest(store.server), store.server.kura("bucket", "ls"))
    store.restart()
    before = digest_of()
    store.server.stop()
    forget_view(store)
    store.server.start()
    view = store.server.kura("status")["view"]
    assert view["fromSnapshot"] and 50 <= view["replayedRecords"] < 600, view
    assert digest_of() == before
    check(store.s3, objects)


def test_killed_and_rebuilt_from_a_snapshot(make_store):
    """As above, after kill -9 and with two drives emptied: snapshot, tail and bodies are on the others."""
    store = make_store(settings=SMALL_LOG)
    objects = {}
    store.s3.create_bucket(Bucket=BUCKET)
    put_small(store.s3, "old", 600, objects)
    until(lambda: store.server.kura("status")["journal"]["start"] > 2 << 20, 60, "the log is never cut")
    put_small(store.s3, "new", 200, objects)
    store.server.kill()
    forget_view(store)
    for i in (0, 3):
        store.mounts.replace(i)
    store.server.start()
    assert store.server.kura("status")["view"]["fromSnapshot"]
    check(store.s3, objects)
