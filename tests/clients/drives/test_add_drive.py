"""A drive joins a running node: new sets use it, and it counts among those that may be lost."""

import os
import subprocess
import time

import botocore.exceptions
from bodies import MIB, body
from s3 import read
from server import BINARY
from traffic import Traffic

BUCKET = "grown"


def until(condition, seconds: float, what: str):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def add(server, folder) -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), "drive", "add", str(folder)], capture_output=True, text=True, timeout=30,
                          env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url})


def test_added_under_load(store):
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    before = {f"before/{n}": body(2 * MIB, str(n)) for n in range(10)}
    for key, data in before.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    with Traffic(store.server.endpoint, BUCKET) as traffic:
        time.sleep(0.5)
        added = store.mounts.add()
        done = add(store.server, store.mounts.folders[added])
        assert done.returncode == 0, done
        count = len(traffic.acknowledged)
        until(lambda: len(traffic.acknowledged) > count + 40, 60, "no traffic behind it")
        until(lambda: len(store.mounts.files(added)) > 1, 20, "no set uses the new drive")
    assert not traffic.refused, traffic.refused[:3]
    label = str(store.mounts.folders[added])
    status = store.server.kura("status")
    assert [d["path"] for d in status["drives"] if d["online"]].count(label) == 1 and len(status["drives"]) == 7
    s3.put_object(Bucket=BUCKET, Key="on-it", Body=body(8 * MIB))
    assert label in store.server.kura("object", "where", f"{BUCKET}/on-it")["items"][0]["drives"]
    assert add(store.server, label).returncode == 5  # Conflict: it is online already.
    for i in (1, 4):
        store.mounts.lose(i)
    traffic.check(s3)
    for key, data in {**before, "on-it": body(8 * MIB)}.items():
        assert read(s3, BUCKET, key) == data
    store.restart()  # Named on the command line now.
    traffic.check(s3)


def test_more_drives_more_may_be_lost(make_store):
    """From three drives to four: the journal has a mirror more, and a process that starts over knows the drive."""
    store = make_store(count=3)
    s3 = store.s3
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="before", Body=b"before")
    assert len(store.server.kura("status")["journal"]["mirrors"]) == 2
    added = store.mounts.add()
    assert add(store.server, store.mounts.folders[added]).returncode == 0
    until(lambda: len(store.server.kura("status")["journal"]["mirrors"]) == 3, 30, "the journal has two mirrors")
    s3.put_object(Bucket=BUCKET, Key="after", Body=b"after")
    status = store.server.kura("status")
    labels = [str(f) for f in store.mounts.folders]
    store.mounts.lose(labels.index(status["view"]["drive"]))

    def view() -> str | None:
        try:
            return store.server.kura("status")["view"]["drive"]
        except (AssertionError, ValueError, subprocess.SubprocessError):
            return None

    def writes():
        try:
            return s3.put_object(Bucket=BUCKET, Key="later", Body=b"later")
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            return False

    until(lambda: view() not in (None, status["view"]["drive"]), 60, "the view stays on its lost drive")
    until(writes, 60, f"no writes on three of four drives:\n{store.server.log_tail()}")
    # A second one: too few for writes (parity + 1), enough for every read.
    kept = view()
    store.mounts.lose(next(i for i in range(4) if os.path.ismount(labels[i]) and labels[i] != kept))
    for key in ("before", "after", "later"):
        assert read(s3, BUCKET, key) == key.encode()


def test_added_while_it_has_no_room_for_the_journal(make_store):
    """Two drives want two mirrors. The node says that it has one, and makes the other one when there is room."""
    store = make_store(count=1, inside="kura", size_mib=200)
    server, mounts = store.server, store.mounts
    store.s3.create_bucket(Bucket=BUCKET)
    added = mounts.add()
    folder = mounts.folders[added] / "kura"
    folder.mkdir()
    mounts.ballast(added, leave_mib=1)
    assert add(server, folder).returncode == 0
    status = server.kura("status")
    journal = status["journal"]
    assert (status["state"], status["readOnly"]) == ("degraded", False), status
    assert (journal["degraded"], len(journal["mirrors"]), journal["mirrorsWanted"]) == (True, 1, 2), journal
    why = "the journal cannot have 2 mirrors: too few other drives have room for a copy of it"
    assert journal["degradedReason"] == why, journal
    store.s3.put_object(Bucket=BUCKET, Key="meanwhile", Body=b"meanwhile")
    mounts.remove_ballast(added)
    until(lambda: server.kura("status")["state"] == "ready", 30, "the journal has one mirror")
    journal = server.kura("status")["journal"]
    assert (journal["degraded"], len(journal["mirrors"]), journal["degradedReason"]) == (False, 2, ""), journal
    assert server.log.read_text().count(why) == 1


def test_what_cannot_be_added(store, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "journal").mkdir()
    (tmp_path / "used" / "journal" / "0.log").write_text("something of somebody")
    for folder, code in ((tmp_path / "used", 2), (tmp_path / "absent", 3), ("relative", 2)):
        done = add(store.server, folder)
        assert done.returncode == code and len(done.stderr.strip().splitlines()) == 1, (folder, done)
    assert len(store.server.kura("drive", "ls")["items"]) == 6


def test_another_disk_where_an_add_got_half_way(make_store):
    """Too few drives are left for an add to end. What is mounted in that place next is a drive like any other."""
    store = make_store(count=6)
    mounts, server = store.mounts, store.server
    store.s3.create_bucket(Bucket=BUCKET)
    store.s3.put_object(Bucket=BUCKET, Key="before", Body=b"before")
    status, labels = server.kura("status"), [str(folder) for folder in mounts.folders]
    kept = {labels.index(status["view"]["drive"]), *map(labels.index, status["journal"]["mirrors"])}
    kept = sorted(kept, key=lambda i: labels[i] != status["view"]["drive"])[:2]
    lost = [i for i in range(6) if i not in kept]
    for i in lost:
        mounts.lose(i)
    until(lambda: sum(d["online"] for d in server.kura("status")["drives"]) == 2, 30, "not seen as lost")
    added = mounts.add()
    for _ in range(2):
        refused = add(server, mounts.folders[added])
        assert refused.returncode == 6 and "too few of the 6 drives" in refused.stderr, refused
        mounts.replace(added)
    for i in lost:
        mounts.attach(i)
    until(lambda: add(server, mounts.folders[added]).returncode == 0, 60, "not added")
    assert read(store.s3, BUCKET, "before") == b"before"
    assert sum(d["online"] for d in server.kura("status")["drives"]) == 7
