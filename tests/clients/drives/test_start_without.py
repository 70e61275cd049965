"""A start, and a process that starts over, do without what is wrong in the place of one drive."""

import pathlib

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
