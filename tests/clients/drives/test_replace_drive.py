"""Drives that are replaced in a running node: as often as one likes, no start waits for those that were there before."""

import contextlib
import json
import subprocess
import time

import pytest
from bodies import KIB, MIB, body
from s3 import read
from server import BINARY, until
from wire import Call, Wire

BUCKET = "kept"


def run(server, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), *words, "--json"], capture_output=True, text=True, timeout=60,
                          env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url})


def whole(server) -> bool:
    """Everything has its redundancy back. A node that starts over meanwhile answers nothing."""
    done = run(server, "status", "--timeout", "5")
    if done.returncode != 0:
        return False
    status = json.loads(done.stdout)
    return status["state"] == "ready" and (status["sets"]["membersMissing"], status["sets"]["bytesBelowFullParity"]) == (0, 0)


def fill(s3, name: str) -> dict[str, bytes]:
    written = {f"{name}/{n}": body(size, f"{name}{n}") for n, size in enumerate((100, 20 * KIB, 300 * KIB, 3 * MIB, 9 * MIB))}
    for key, data in written.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    return written


def replace(store, i: int):
    """`drive add` once the node has seen that the old one is gone: until then it says so."""
    store.mounts.replace(i)
    refusals = []

    def added() -> bool:
        done = run(store.server, "drive", "add", str(store.mounts.folders[i]) + "/")
        if done.returncode != 0:
            refusals.append(json.loads(done.stderr))
        # A node that started over on it has taken it by itself.
        return done.returncode == 0 or "a drive of this node already" in refusals[-1]["message"]

    until(added, 60, f"drive {i} is not taken")
    assert {refusal["exitCode"] for refusal in refusals} <= {5, 6}, refusals
    until(lambda: whole(store.server), 120, "no redundancy")


def assert_six(store):
    listed = store.server.kura("drive", "ls")["items"]
    assert sorted(drive["path"] for drive in listed) == sorted(map(str, store.mounts.folders)), listed
    assert all(drive["online"] for drive in listed)
    assert store.server.kura("status")["parity"]["STANDARD"] == 2


def check(store, written: dict[str, bytes]):
    for key, data in written.items():
        assert read(store.s3, BUCKET, key) == data, key


@pytest.mark.timeout(900)
def test_each_drive_is_replaced(make_store):
    """The drive of the view too. Afterwards two may be lost, as ever."""
    store = make_store(size_mib=600)
    store.s3.create_bucket(Bucket=BUCKET)
    written = fill(store.s3, "first")
    for i in range(6):
        replace(store, i)
        assert_six(store)
        written |= fill(store.s3, f"after{i}")
    store.restart()
    assert_six(store)
    check(store, written)
    store.server.stop()
    for i in (4, 5):
        store.mounts.lose(i)
    store.server.start()
    check(store, written)
    written |= fill(store.s3, "on four")
    check(store, written)


@pytest.mark.parametrize("point", ["drive.leave:before", "drive.leave:after", "drive.forget:after", "drive.record:before", "drive.record:after"])
def test_killed_while_a_drive_is_replaced(make_store, point):
    store = make_store()
    store.s3.create_bucket(Bucket=BUCKET)
    written = fill(store.s3, "first")
    views = store.server.kura("status")["view"]["drive"]
    store.server.stop()
    store.server.settings["KURA_FAIL_POINT"] = point
    store.server.start()
    i = next(i for i in range(6) if str(store.mounts.folders[i]) != views)
    store.mounts.replace(i)
    until(lambda: run(store.server, "drive", "add", str(store.mounts.folders[i])).returncode != 0 and store.server.process.poll() is not None,
          60, "the point was not passed")
    del store.server.settings["KURA_FAIL_POINT"]
    store.server.process = None
    store.server.start()
    until(lambda: whole(store.server), 120, "no redundancy")
    assert_six(store)
    check(store, written)


def test_a_drive_that_serves_is_neither_added_nor_removed(make_store):
    store = make_store()
    path = str(store.mounts.folders[2])
    for dry in ([], ["--dry-run"]):
        assert run(store.server, "drive", "add", path, *dry).returncode == 5
        assert run(store.server, "drive", "rm", path, *dry).returncode == 5


def test_a_removal_that_the_journal_refuses_does_not_fit_before_either(make_store):
    """Of two drives each has the journal: without one there is nowhere for its second mirror."""
    store = make_store(count=2)
    store.s3.create_bucket(Bucket=BUCKET)
    paths = [str(folder) for folder in store.mounts.folders]
    lost = 1 - paths.index(store.server.kura("status")["view"]["drive"])
    store.mounts.lose(lost)
    told = "the journal has 1 of 2 mirrors and no drive to add"
    for words in (["--dry-run"], []):
        until(lambda: told in run(store.server, "drive", "rm", paths[lost], *words).stderr, 30, "not refused")
    assert paths[lost] in [drive["path"] for drive in store.server.kura("drive", "ls")["items"]]


def test_more_replaced_than_parity_and_back(make_store):
    """What three of six drives held is gone with them, and comes back with them: nobody writes meanwhile that it is lost."""
    store = make_store()
    server, s3 = store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    written = fill(s3, "first")
    until(lambda: whole(server), 60, "no redundancy")
    for i in (3, 4, 5):
        store.mounts.lose(i)
    elsewhere = [store.mounts.add() for _ in range(3)]
    for i in elsewhere:
        until(lambda: run(server, "drive", "add", str(store.mounts.folders[i])).returncode in (0, 5), 60, "not added")
    time.sleep(8)  # For a rebuild that gives up what it cannot read.
    for i in (3, 4, 5):
        store.mounts.attach(i)
    server.drives = store.mounts.folders
    store.restart()
    check(store, written)
    until(lambda: whole(server), 120, "no redundancy")
    check(store, written)


def test_added_twice_at_once(make_store):
    """One of them joins it; the drive is locked, and known to a process that starts over."""
    store = make_store()
    folder = store.mounts.folders[store.mounts.add()]
    call = Call(store.server.endpoint, "POST", "/kura/admin/v1/drives", body=json.dumps({"path": str(folder)}).encode()).sign()
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(store.server.endpoint)) for _ in range(4)]
        for wire in wires:
            wire.send(call.wire())
        codes = sorted(wire.answer().status for wire in wires)
    assert codes == [200, 409, 409, 409], codes
    assert subprocess.run(["flock", "-n", str(folder), "true"]).returncode == 1
    assert [d["path"] for d in store.server.kura("drive", "ls")["items"]].count(str(folder)) == 1


def test_a_drive_that_is_gone_is_forgotten(make_store):
    """Replaced in another place, or not at all: `drive rm` tells the cluster."""
    store = make_store()
    server, s3 = store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    written = fill(s3, "first")
    assert run(server, "drive", "rm", "/absent").returncode == 3
    for lost, added in ((0, 6), (1, 7), (2, 8)):
        assert store.mounts.add() == added
        folder, gone = str(store.mounts.folders[added]), str(store.mounts.folders[lost])
        store.mounts.lose(lost)

        def offline() -> bool:
            done = run(server, "drive", "rm", gone, "--dry-run")
            if done.returncode != 0:
                return False
            plan = json.loads(done.stdout)
            assert plan["dryRun"] and plan["fits"] and plan["unreadableBytes"] == 0 and plan["movedBytes"] > 0, plan
            # As of five drives, while the one that was added does not count yet.
            assert plan["parity"] == {"STANDARD": 2, "REDUCED_REDUNDANCY": 1} and plan["takesWrites"], plan
            return True

        until(offline, 60, "not seen as lost")
        assert len(server.kura("drive", "ls")["items"]) == 6  # Nothing but a dry run so far.
        # The node may be starting over, on another view.
        until(lambda: run(server, "drive", "add", folder).returncode in (0, 5), 60, "not added")
        removed = {}

        def forgotten() -> bool:
            done = run(server, "drive", "rm", gone)
            removed.update(json.loads(done.stdout or "{}"))
            return done.returncode == 0

        until(forgotten, 60, "not forgotten")
        assert removed["removed"] and removed["path"] == gone
        until(lambda: whole(server), 120, "no redundancy")
        written |= fill(s3, f"after{lost}")
    server.drives = store.mounts.folders[3:]
    store.restart()
    assert len(server.kura("drive", "ls")["items"]) == 6
    check(store, written)
    server.stop()
    for i in (3, 8):
        store.mounts.lose(i)
    server.start()
    check(store, written)
