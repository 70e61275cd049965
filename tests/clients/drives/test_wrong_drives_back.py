"""Drives that were removed, replaced or outvoted come back: nothing that was acknowledged is lost to them."""

import json
import signal
import subprocess
import time

import botocore.exceptions
import pytest
from bodies import MIB, body
from mounts import Mounts, unmount
from s3 import keys_of, read, s3_client
from server import Server, until
from test_replace_drive import BUCKET, check, fill, run, whole


def place(server, path) -> dict:
    return next(d for d in server.kura("drive", "ls")["items"] if d["path"] == str(path))


def online(store, i: int) -> bool:
    """False also while the node starts over."""
    done = run(store.server, "drive", "ls")
    return done.returncode == 0 and any(d["path"] == str(store.server.drives[i]) and d["online"] for d in json.loads(done.stdout)["items"])


def apart_from_view(store) -> int:
    view = store.server.kura("status")["view"]["drive"]
    return next(i for i in reversed(range(len(store.mounts.folders))) if str(store.mounts.folders[i]) != view)


def replace_by(store, i: int, spare: int):
    """The file system of `spare`, whose folder is not used, takes drive i's place. Returns the old one, and the successor's id."""
    mounts = store.mounts
    mounts.lose(spare)
    mounts.lose(i)
    until(lambda: not online(store, i), 30, "not seen as lost")
    old, mounts.disks[i] = mounts.disks[i], mounts.disks[spare]
    mounts.attach(i)
    until(lambda: run(store.server, "drive", "add", str(mounts.folders[i])).returncode == 0, 30, "not added")
    return old, place(store.server, mounts.folders[i])["id"]


def test_a_drive_added_with_too_many_away_takes_no_writes(make_store):
    """The four that are away are enough to start by themselves: they would not know what it took."""
    store = make_store()
    server, s3 = store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="before", Body=b"known to all")
    status = server.kura("status")
    folders = [str(folder) for folder in store.mounts.folders]
    mirrors, view = [folders.index(path) for path in status["journal"]["mirrors"]], folders.index(status["view"]["drive"])
    away = [i for i in range(6) if i not in mirrors] + [next(i for i in reversed(mirrors) if i != view)]
    for i in away:
        store.mounts.lose(i)
        until(lambda: not online(store, i), 30, "not seen as lost")
    added = store.mounts.add()
    refused = run(server, "drive", "add", str(store.mounts.folders[added]))
    assert refused.returncode == 6, refused
    assert "of the 6 drives that know the journal" in json.loads(refused.stderr)["message"]
    acknowledged = []
    for n in range(3):
        try:
            s3.put_object(Bucket=BUCKET, Key=f"meanwhile{n}", Body=b"?")
            acknowledged.append(f"meanwhile{n}")
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        time.sleep(1)
    server.stop()
    for i in set(range(7)) - set(away):
        store.mounts.lose(i)
    for i in away:
        store.mounts.attach(i)
    server.drives = store.mounts.folders
    server.start()
    assert keys_of(s3, BUCKET) == ["before", *acknowledged]
    s3.put_object(Bucket=BUCKET, Key="on four", Body=b"4")
    for i in set(range(7)) - set(away):
        store.mounts.attach(i)
    until(lambda: all(online(store, i) for i in range(7)), 60, "not back")
    assert keys_of(s3, BUCKET) == ["before", *acknowledged, "on four"]


def test_a_replaced_drive_in_its_old_place_does_not_drive_out_its_successor(make_store):
    store = make_store()
    mounts, server = store.mounts, store.server
    store.s3.create_bucket(Bucket=BUCKET)
    written = fill(store.s3, "first")
    i, spare = apart_from_view(store), mounts.add()
    old, successor = replace_by(store, i, spare)
    mounts.lose(i)
    until(lambda: not online(store, i), 30, "not seen as lost")
    mounts.disks[i], mounts.disks[spare] = old, mounts.disks[i]
    mounts.attach(i)
    until(lambda: "does not count" in server.log_tail(100), 30, "not told")
    time.sleep(3)
    listed = place(server, mounts.folders[i])
    assert (listed["id"], listed["online"]) == (successor, False)
    assert server.log_tail(400).count("does not count") == 1
    mounts.lose(i)
    mounts.disks[i], mounts.disks[spare] = mounts.disks[spare], old
    mounts.attach(i)
    until(lambda: online(store, i) and whole(server), 60, "the successor is not back")
    assert place(server, mounts.folders[i])["id"] == successor
    for key, data in written.items():
        assert read(store.s3, BUCKET, key) == data


def test_a_removed_drive_is_added_again_on_command_only(make_store):
    store = make_store()
    mounts, server = store.mounts, store.server
    i = apart_from_view(store)
    folder = str(mounts.folders[i])
    mounts.lose(i)
    until(lambda: run(server, "drive", "rm", folder).returncode == 0, 30, "not removed")
    mounts.attach(i)
    time.sleep(4)
    assert len(server.kura("drive", "ls")["items"]) == 5
    assert run(server, "drive", "add", folder).returncode == 0
    until(lambda: online(store, i) and whole(server), 60, "not added")
    assert run(server, "drive", "add", folder, "--dry-run").stderr.count("is a drive of this node already") == 1


@pytest.mark.parametrize("removed,writes", [(True, 0), (False, 0), (False, 20)])
def test_a_drive_emptied_in_place_is_added_again(make_store, removed, writes):
    """Its file system stays mounted, and nobody else's lock is in the way. Also when the node went on writing."""
    store = make_store()
    store.s3.create_bucket(Bucket=BUCKET)
    written = fill(store.s3, "first")
    i = apart_from_view(store)
    folder = store.mounts.folders[i]
    for path in sorted(store.mounts.disks[i].rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for n in range(writes):
        written[f"meanwhile{n}"] = body(300_000, f"meanwhile{n}")
        store.s3.put_object(Bucket=BUCKET, Key=f"meanwhile{n}", Body=written[f"meanwhile{n}"])
    if removed:
        until(lambda: run(store.server, "drive", "rm", str(folder)).returncode == 0, 60, "not removed")
    until(lambda: run(store.server, "drive", "add", str(folder)).returncode == 0, 30, "not added")
    until(lambda: online(store, i) and whole(store.server), 60, "not added")
    for key, data in written.items():
        assert read(store.s3, BUCKET, key) == data


def test_the_journal_has_the_mirrors_that_the_drives_ask_for(make_store):
    """Three of four drives are one parity less."""
    store = make_store(count=4)
    assert len(store.server.kura("status")["journal"]["mirrors"]) == 3
    i = apart_from_view(store)
    store.mounts.lose(i)
    until(lambda: run(store.server, "drive", "rm", str(store.mounts.folders[i])).returncode == 0, 60, "not removed")
    assert len(store.server.kura("status")["journal"]["mirrors"]) == 2
    store.s3.create_bucket(Bucket=BUCKET)
    added = store.mounts.add()
    assert run(store.server, "drive", "add", str(store.mounts.folders[added])).returncode == 0
    until(lambda: len(store.server.kura("status")["journal"]["mirrors"]) == 3, 30, "no third mirror")


@pytest.mark.parametrize("inside", ["", "kura"])
def test_all_drives_away_and_back_while_nobody_writes(make_store, inside):
    store = make_store(inside=inside)
    store.s3.create_bucket(Bucket=BUCKET)
    data = body(100, "kept")
    store.s3.put_object(Bucket=BUCKET, Key="kept", Body=data)
    for i in range(6):
        store.mounts.lose(i)
    until(lambda: run(store.server, "drive", "ls").returncode == 6, 30, "not seen as lost")

    def refused() -> bool:
        try:
            store.s3.put_object(Bucket=BUCKET, Key="elsewhere", Body=b"?")
            raise AssertionError("written to no drive")
        except botocore.exceptions.ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        except botocore.exceptions.BotoCoreError:
            return False  # It starts over to look for its drives.

    time.sleep(3)
    until(refused, 30, "no clear answer")
    # Below the mount points nothing was made.
    assert not [name for i in range(6) for name in store.mounts.folders[i].iterdir()]
    for i in range(6):
        store.mounts.attach(i)

    def reads() -> bool:
        try:
            return read(store.s3, BUCKET, "kept") == data
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            return False

    until(reads, 60, "nothing is read again")


def test_folders_inside_the_file_systems(make_store):
    """What is not mounted at a start is missing, and taken when it comes."""
    store = make_store(inside="kura")
    store.s3.create_bucket(Bucket=BUCKET)
    written = fill(store.s3, "first")
    store.server.stop()
    for i in (1, 4):
        store.mounts.lose(i)
    store.server.start()
    assert [online(store, i) for i in range(6)] == [True, False, True, True, False, True]
    written |= fill(store.s3, "on four")
    for i in (1, 4):
        store.mounts.attach(i)
    until(lambda: all(online(store, i) for i in range(6)) and whole(store.server), 60, "not taken back")
    store.mounts.replace(3)
    store.server.drives[3].mkdir()
    until(lambda: run(store.server, "drive", "add", str(store.server.drives[3])).returncode == 0, 30, "not added")
    until(lambda: whole(store.server), 60, "no redundancy")
    for key, data in written.items():
        assert read(store.s3, BUCKET, key) == data
    store.server.stop()
    for i in range(6):
        store.mounts.lose(i)
    store.server.launch()
    assert store.server.process.wait(30) == 3
    assert "none of the drive folders exists" in store.server.log_tail(3)


@pytest.mark.parametrize("into", ["a place of its own", "another drive's place"])
def test_a_copy_of_a_drive_that_serves_is_not_taken(make_store, into):
    """The journal stays where it was: what is acknowledged is not on the copy."""
    store = make_store(count=3)
    mounts, server, s3 = store.mounts, store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    written = fill(s3, "first")
    view = [str(folder) for folder in mounts.folders].index(server.kura("status")["view"]["drive"])
    other, copy = (view + 1) % 3, mounts.add()
    subprocess.run(["cp", "-a", f"{mounts.disks[view]}/.", mounts.disks[copy]], check=True)
    if into == "a place of its own":
        for dry in (["--dry-run"], []):
            refused = run(server, "drive", "add", str(mounts.folders[copy]), *dry)
            assert refused.returncode == 5 and "holds a copy" in json.loads(refused.stderr)["message"], refused
    else:
        mounts.lose(other)
        until(lambda: not online(store, other), 30, "not seen as lost")
        mounts.disks[other], mounts.disks[copy] = mounts.disks[copy], mounts.disks[other]
        mounts.attach(other)
        until(lambda: "holds a copy" in server.log_tail(100), 30, "not told")
        time.sleep(3)
    assert str(mounts.folders[view]) in server.kura("status")["journal"]["mirrors"]
    written |= fill(s3, "after")
    server.stop()
    if into != "a place of its own":
        mounts.lose(other)
        mounts.disks[other], mounts.disks[copy] = mounts.disks[copy], mounts.disks[other]
        mounts.attach(other)
    server.drives = mounts.folders[:3]
    server.start()
    for key, data in written.items():
        assert read(s3, BUCKET, key) == data


def test_a_replaced_drive_does_not_drive_out_its_successor_after_a_restart_either(make_store):
    store = make_store()
    mounts, server = store.mounts, store.server
    i, spare = apart_from_view(store), mounts.add()
    old, successor = replace_by(store, i, spare)
    mounts.lose(i)
    server.drives = mounts.folders[:6]
    store.restart()
    mounts.disks[i], mounts.disks[spare] = old, mounts.disks[i]
    mounts.attach(i)
    until(lambda: "does not count" in server.log_tail(100), 30, "not told")
    assert (place(server, mounts.folders[i])["id"], online(store, i)) == (successor, False)


def test_drives_that_change_places(make_store):
    store = make_store()
    mounts = store.mounts
    i = apart_from_view(store)
    j = next(n for n in range(6) if n not in (i, [str(f) for f in mounts.folders].index(store.server.kura("status")["view"]["drive"])))
    for _ in range(2):
        for n in (i, j):
            mounts.lose(n)
            until(lambda: not online(store, n), 30, "not seen as lost")
        mounts.disks[i], mounts.disks[j] = mounts.disks[j], mounts.disks[i]
        mounts.attach(i)
        time.sleep(3)
        mounts.attach(j)
        until(lambda: sum(d["online"] for d in store.server.kura("drive", "ls")["items"]) == 6, 30, "not back")
        assert len(store.server.kura("drive", "ls")["items"]) == 6
        assert "in use by another kura" not in store.server.log_tail(400)


def test_an_add_that_is_refused_leaves_the_folder_alone(make_store):
    """Before the loss is noticed."""
    store = make_store()
    i, spare = apart_from_view(store), store.mounts.add()
    store.mounts.lose(spare)
    store.mounts.lose(i)
    store.mounts.disks[i], store.mounts.disks[spare] = store.mounts.disks[spare], store.mounts.disks[i]
    store.mounts.attach(i)
    if run(store.server, "drive", "add", str(store.mounts.folders[i])).returncode == 6:
        assert subprocess.run(["flock", "-n", str(store.mounts.disks[i]), "true"]).returncode == 0
    until(lambda: run(store.server, "drive", "add", str(store.mounts.folders[i])).returncode == 0, 30, "not added")


def test_drives_that_were_refused_are_no_cluster(make_store):
    """They have an identity and no journal: a process that starts over waits for those that have one."""
    store = make_store(count=3)
    server, s3, mounts = store.server, store.s3, store.mounts
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="before", Body=b"known to all")
    view = [str(folder) for folder in mounts.folders].index(server.kura("status")["view"]["drive"])
    for i in (n for n in range(3) if n != view):
        mounts.lose(i)
        until(lambda: not online(store, i), 30, "not seen as lost")
    for _ in range(3):
        assert run(server, "drive", "add", str(mounts.folders[mounts.add()])).returncode == 6
    mounts.lose(view)
    until(lambda: "starting over" in server.log_tail(400), 30, "not seen as lost")

    def refused() -> bool:
        try:
            raise AssertionError(s3.list_buckets()["Buckets"])
        except botocore.exceptions.ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        except botocore.exceptions.BotoCoreError:
            return False  # It starts over to look for its drives.

    until(refused, 30, "no clear answer")
    for i in range(3):
        mounts.attach(i)

    def reads() -> bool:
        try:
            return read(s3, BUCKET, "before") == b"known to all"
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            return False

    until(reads, 60, "nothing is read again")


def test_drives_emptied_under_a_running_node_are_lost_drives(make_store):
    """What the node writes there afterwards is in nobody's way, at a start either."""
    store = make_store()
    s3, mounts = store.s3, store.mounts
    s3.create_bucket(Bucket=BUCKET)
    written = fill(s3, "first")
    view = [str(folder) for folder in mounts.folders].index(store.server.kura("status")["view"]["drive"])
    for i in (view, (view + 2) % 6):
        for path in sorted(mounts.disks[i].rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (mounts.disks[i] / "sets").mkdir(exist_ok=True)
        (mounts.disks[i] / "sets/00000009.seg").write_bytes(b"written since")

    def checked() -> bool:
        try:
            return all(read(s3, BUCKET, key) == data for key, data in written.items())
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            return False

    until(checked, 60, "not read")
    store.restart()
    assert checked()
    assert "not the identity of a drive" in store.server.log_tail(100)


def test_sets_wider_than_the_drives_left_are_written_anew(make_store):
    """Five of six drives: what six held has its redundancy again, and two more may be lost."""
    store = make_store(size_mib=600)
    s3, mounts, server = store.s3, store.mounts, store.server
    s3.create_bucket(Bucket=BUCKET)
    written = fill(s3, "first")
    time.sleep(3)
    i = apart_from_view(store)
    mounts.lose(i)
    until(lambda: run(server, "drive", "rm", str(mounts.folders[i])).returncode == 0, 30, "not removed")
    until(lambda: whole(server), 120, "no redundancy")
    server.stop()
    for n in [n for n in range(6) if n != i][:2]:
        mounts.lose(n)
    server.drives = [folder for n, folder in enumerate(mounts.folders) if n != i]
    server.start()
    for key, data in written.items():
        assert read(s3, BUCKET, key) == data


def test_a_folder_above_a_drive_is_none(make_store):
    store = make_store(inside="kura")
    assert run(store.server, "drive", "add", str(store.mounts.folders[0])).returncode == 2
    store.server.stop()
    store.server.drives = store.mounts.folders
    store.server.launch()
    assert store.server.process.wait(30) == 9


def test_a_drive_of_a_copy_of_the_store_that_went_on_by_itself(make_store, tmp_path):
    """It has sets of the same numbers and in them, whole, what this store never wrote. Its mirrors are refused at a start."""
    store = make_store()
    mounts, server, s3 = store.mounts, store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    written = fill(s3, "both")
    server.stop()
    copies = [tmp_path / f"copy{i}" for i in range(6)]
    kept = [tmp_path / f"kept{i}" for i in range(6)]

    def put_back(folders):
        for i, folder in enumerate(folders):
            subprocess.run(["find", mounts.disks[i], "-mindepth", "1", "-delete"], check=True)
            subprocess.run(["cp", "-a", f"{folder}/.", mounts.disks[i]], check=True)

    def keep(folders):
        for i, folder in enumerate(folders):
            subprocess.run(["cp", "-a", mounts.disks[i], folder], check=True)

    keep(kept)
    server.start()
    s3.put_object(Bucket=BUCKET, Key="after", Body=body(5 * MIB, "elsewhere"))
    server.stop()
    keep(copies)
    put_back(kept)
    server.start()
    written["after"] = body(5 * MIB, "here")
    s3.put_object(Bucket=BUCKET, Key="after", Body=written["after"])
    status = server.kura("status")
    view = next(i for i in range(6) if str(mounts.folders[i]) == status["view"]["drive"])
    others = [i for i in range(6) if str(mounts.folders[i]) not in status["journal"]["mirrors"]]
    for i, folder in [(view, "view"), *((i, "sets") for i in others)]:
        server.stop()
        subprocess.run(["find", mounts.disks[i] / folder, "-delete"], check=True)
        subprocess.run(["cp", "-a", copies[i] / folder, mounts.disks[i]], check=True)
        server.start()
        check(store, written)
        scrubbed = server.kura("drive", "scrub")
        assert scrubbed["lostStripes"] == 0, scrubbed
    for i in range(4, 6):
        mounts.lose(i)
    check(store, written)


def contents(folder) -> dict:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_drives_of_a_copy_are_as_good_as_lost(make_store, tmp_path, request):
    """The drives are copied while the store runs, and a second one goes on with the copy: its mirrors move, its log grows."""
    store = make_store()
    mounts, server, s3 = store.mounts, store.server, store.s3
    s3.create_bucket(Bucket=BUCKET)
    written = fill(s3, "both")
    (tmp_path / "copy").mkdir()
    copies = Mounts(tmp_path / "copy")
    request.addfinalizer(copies.close)
    server.process.send_signal(signal.SIGSTOP)
    for disk, folder in zip(mounts.disks, copies.folders):
        subprocess.run(["cp", "-a", f"{disk}/.", folder], check=True)
    server.process.send_signal(signal.SIGCONT)
    copy = Server(copies.folders, tmp_path / "copy.log")
    copy.start()
    mirror = next(i for i in range(6) if str(copies.folders[i]) in copy.kura("status")["journal"]["mirrors"])
    copy.stop()
    copy.drives = [folder for i, folder in enumerate(copies.folders) if i != mirror]
    copy.start()
    s3_client(copy.endpoint).put_object(Bucket=BUCKET, Key="after", Body=body(5 * MIB, "elsewhere"))
    copy.stop()
    written["after"] = body(5 * MIB, "here")
    s3.put_object(Bucket=BUCKET, Key="after", Body=written["after"])
    view = [str(folder) for folder in mounts.folders].index(server.kura("status")["view"]["drive"])
    foreign = [next(i for i in range(6) if i not in (view, mirror)), view]
    as_copied = {i: contents(copies.disks[i]) for i in foreign}

    def swap(i: int):
        mounts.lose(i)
        unmount(mounts.disks[i])
        mounts.disks[i] = copies.disks[i]
        mounts.attach(i)

    swap(foreign[0])
    until(lambda: "is not taken back: " in server.log_tail(50), 30, "taken, or not seen")
    refused = run(server, "drive", "add", str(mounts.folders[foreign[0]]))
    assert refused.returncode == 5 and "went on by itself" in refused.stderr, refused
    until(lambda: "went on by itself" in place(server, mounts.folders[foreign[0]])["reason"], 10, "no reason")
    check(store, written)
    swap(view)
    until(lambda: server.log_tail(200).count("is offline: it holds another history") == 2, 60, "not started over")
    until(lambda: run(server, "drive", "ls").returncode == 0, 30, "not up")
    check(store, written)
    for i in foreign:
        shown = place(server, mounts.folders[i])
        assert not shown["online"] and "went on by itself" in shown["reason"], shown
    server.stop()
    verified = run(server, "journal", "verify", *map(str, mounts.folders))
    assert verified.returncode == 7 and verified.stdout.count("went on by itself") == 2, verified
    for i in foreign:
        now = contents(copies.disks[i])
        changed = {name for name in as_copied[i].keys() | now if as_copied[i].get(name) != now.get(name)}
        # The view is opened by its path, wherever that leads by now.
        assert not {name for name in changed if i != view or not name.startswith("view/")}, changed
    subprocess.run(["find", mounts.folders[foreign[0]], "-mindepth", "1", "-delete"], check=True)
    server.start()
    until(lambda: online(store, foreign[0]), 30, "not taken")
    until(lambda: not place(server, mounts.folders[foreign[1]])["online"], 5, "taken")
    check(store, written)
