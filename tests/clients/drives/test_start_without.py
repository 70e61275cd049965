"""A start, and a process that starts over, do without what is wrong in the place of one drive."""

import pathlib
import subprocess

import pytest

from mounts import mount, unmount
from server import until
from test_replace_drive import BUCKET, check, fill, run, whole
from test_wrong_drives_back import online, place


def filled(make_store, **options):
    store = make_store(inside="kura", **options)
    store.s3.create_bucket(Bucket=BUCKET)
    return store, fill(store.s3, "first")


def view_of(store) -> int:
    return [str(folder) for folder in store.server.drives].index(store.server.kura("status")["view"]["drive"])


def put_nothing_usable(folder: pathlib.Path, what: str):
    if what == "loop":
        folder.symlink_to(folder)
    else:
        folder.write_text("no folder")


@pytest.mark.parametrize("what", ["loop", "file"])
def test_a_folder_that_cannot_be_opened_is_a_missing_drive(make_store, what):
    store, written = filled(make_store)
    server, i = store.server, 2
    server.stop()
    store.mounts.lose(i)
    put_nothing_usable(server.drives[i], what)
    server.start()
    reason = place(server, server.drives[i])["reason"]
    assert reason.startswith(f"cannot open {server.drives[i]}: ")
    assert server.log_tail(20).count(f"{server.drives[i]} is offline: {reason}") == 1
    check(store, written)
    server.drives[i].unlink()
    store.mounts.attach(i)
    until(lambda: online(store, i) and whole(server), 30, "not back")
    check(store, written)


@pytest.mark.parametrize("what", ["loop", "file"])
def test_a_process_that_starts_over_does_without_such_a_folder(make_store, what):
    store, written = filled(make_store)
    i = view_of(store)
    store.mounts.lose(i)
    put_nothing_usable(store.server.drives[i], what)
    until(lambda: "starting over" in store.server.log_tail(50), 30, "not seen as lost")
    until(lambda: run(store.server, "drive", "ls").returncode == 0, 30, "not up")
    assert "cannot open" in place(store.server, store.server.drives[i])["reason"]
    check(store, written)


@pytest.mark.parametrize("how", ["ro", "full"])
def test_an_empty_drive_that_takes_no_write(make_store, how):
    """It is left out until somebody mends and adds it."""
    store, written = filled(make_store, size_mib=200)
    server, mounts, i = store.server, store.mounts, view_of(store)
    folder = server.drives[i]

    mounts.lose(i)
    unmount(mounts.disks[i])
    mount("-t", "tmpfs", "-o", "size=200m,mode=755", "tmpfs", mounts.disks[i])
    (mounts.disks[i] / "kura").mkdir()
    if how == "ro":
        mount("-o", "remount,ro", mounts.disks[i])
    else:
        mounts.ballast(i, leave_mib=0)
    mounts.attach(i)
    until(lambda: "starting over" in server.log_tail(50), 30, "not seen as lost")
    until(lambda: run(server, "drive", "ls").returncode == 0, 30, "not up")
    assert str(folder) in place(server, folder)["reason"]
    check(store, written)
    store.restart()
    assert server.log_tail(400).count(f"{folder} is offline: ") == 2  # Once by each process.
    assert list(folder.glob("drive")) == []
    check(store, written)
    if how == "ro":
        mount("-o", "remount,rw", mounts.disks[i])
        mount("-o", "remount,bind,rw", mounts.folders[i])
    else:
        mounts.remove_ballast(i)
    assert run(server, "drive", "add", str(folder)).returncode == 0
    until(lambda: online(store, i) and whole(server), 60, "not added")
    check(store, written)


REASONS = {"same": "holds a copy of the drive in", "copy": "holds a copy of the drive in", "of another cluster": "another cluster",
           "somebody's": "holds the folder 'photos'"}


@pytest.mark.parametrize("wrong", REASONS)
def test_a_process_that_starts_over_does_without_a_wrong_drive(make_store, tmp_path, request, wrong):
    """It is in the place of one that was lost. A start by somebody refuses it."""
    store, written = filled(make_store)
    server, mounts, i = store.server, store.mounts, view_of(store)
    other = tmp_path / "wrong"
    other.mkdir()
    mount("-t", "tmpfs", "tmpfs", other)
    request.addfinalizer(lambda: unmount(other))
    mounts.lose(i)
    if wrong == "same":
        mount("--bind", mounts.disks[(i + 1) % 6], mounts.folders[i])
    else:
        if wrong == "copy":
            subprocess.run(["cp", "-a", mounts.disks[(i + 1) % 6] / "kura", other], check=True)
        elif wrong == "of another cluster":
            strange = make_store(count=1, inside="kura")
            strange.server.stop()
            subprocess.run(["cp", "-a", strange.mounts.disks[0] / "kura", other], check=True)
        else:
            (other / "kura/photos").mkdir(parents=True)
        mount("--bind", other, mounts.folders[i])
    until(lambda: "starting over" in server.log_tail(50), 30, "not seen as lost")
    until(lambda: run(server, "drive", "ls").returncode == 0, 30, "not up")
    reason = place(server, server.drives[i])["reason"]
    assert REASONS[wrong] in reason
    assert sum(d["online"] for d in server.kura("drive", "ls")["items"]) == 5
    check(store, written)
    server.stop()
    server.launch()
    assert server.process.wait(30) in (5, 9)
    unmount(mounts.folders[i])
    server.start()
    mounts.attach(i)
    until(lambda: online(store, i) and whole(server), 60, "not back")
    check(store, written)


def test_a_right_drive_takes_the_place_of_a_wrong_one(make_store):
    store, written = filled(make_store)
    mounts, i = store.mounts, view_of(store)
    mounts.lose(i)
    mount("--bind", mounts.disks[(i + 1) % 6], mounts.folders[i])
    until(lambda: "is offline: it holds a copy" in store.server.log_tail(50), 30, "not started over")
    unmount(mounts.folders[i])
    mounts.attach(i)
    until(lambda: online(store, i) and whole(store.server), 60, "not back")
    second = subprocess.run(["flock", "-n", mounts.disks[(i + 1) % 6] / "kura", "true"])
    assert second.returncode == 1, "nothing keeps a second process off the drive"
    check(store, written)


def test_a_removed_drive_stays_removed_when_the_process_was_killed(make_store):
    """The next one has not removed it, and is not told that it is wanted again."""
    store = make_store()
    server, mounts = store.server, store.mounts
    i = (view_of(store) + 3) % 6
    mounts.lose(i)
    until(lambda: run(server, "drive", "rm", str(server.drives[i])).returncode == 0, 30, "not removed")
    server.kill()
    server.start()
    mounts.attach(i)
    until(lambda: "is back" in server.log_tail(50) or "does not count" in server.log_tail(50), 30, "not seen")
    assert len(server.kura("drive", "ls")["items"]) == 5
    assert run(server, "drive", "add", str(server.drives[i])).returncode == 0
    assert len(server.kura("drive", "ls")["items"]) == 6
