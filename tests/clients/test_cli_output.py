"""The forms in which the command line answers, and what they say of drives and of parity."""

import json

import pytest

from bodies import MIB, body
from s3 import s3_client
from server import Server, drive_folders, until
from test_cli import BUCKET, run, server

pytestmark = pytest.mark.kura
__all__ = ["server"]  # The fixture, of a server of its own.


def test_output_formats(server):
    items = server.kura("drive", "ls")["items"]
    lines = run(server, "drive", "ls", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [item["id"] for item in items]
    assert run(server, "drive", "ls", "-o", "name").stdout.split() == [item["path"] for item in items]
    assert json.loads(run(server, "drive", "ls", "-o", "json").stdout)["items"][0]["id"] == items[0]["id"]
    assert run(server, "drive", "ls", KURA_OUTPUT="name").stdout.split() == [item["path"] for item in items]
    yaml = run(server, "status", "-o", "yaml").stdout.splitlines()
    assert yaml[0] == 'apiVersion: "kura/v1"' and "usage:" in yaml and "  buckets: 2" in yaml
    assert sum(line.startswith("    path: ") for line in yaml) == 6  # Below "-" of each drive.
    assert run(server, "status", "-o", "xml").returncode == 2
    ids = run(server, "drive", "ls", "-o", "template={{.id}}\\t{{.online}}{{.absent}}").stdout.splitlines()
    assert ids == [f"{item['id']}\ttrue<no value>" for item in items]
    assert run(server, "status", "-o", "template={{.drives.0.path}}").stdout.strip() == items[0]["path"]


@pytest.mark.parametrize("words, name, only_wide", [
    ("drive ls", "path", {"id", "mirror", "view"}), ("bucket ls", "name", {"versions", "uploads"}),
    ("key ls", "accessKey", {"createdAtMs"}), ("journal tail", "offset", {"epoch", "seq", "requestId"}),
    (f"object where {BUCKET}/large", None, {"offset", "part"}), ("config show", "name", {"origin", "source"}),
    ("doctor", "check", set())])
def test_each_form_shows_something_of_its_own(server, words, name, only_wide):
    server.kura("key", "create")
    items = server.kura(*words.split())["items"]
    columns = set(run(server, *words.split()).stdout.splitlines()[0].split())
    if only_wide:
        wide = run(server, *words.split(), "-o", "wide").stdout.splitlines()
        assert set(wide[0].split()) - columns == only_wide and len(wide) == len(items) + 1
    if name:
        assert run(server, *words.split(), "-o", "name").stdout.splitlines() == [str(item[name]) for item in items]
    assert len(run(server, *words.split(), "-o", "jsonl").stdout.splitlines()) == len(items)


def test_which_drive_holds_what(server):
    drives = {row["path"]: row for row in server.kura("drive", "ls")["items"]}
    status = server.kura("status")
    assert {path for path, row in drives.items() if row["mirror"]} == set(status["journal"]["mirrors"])
    assert [path for path, row in drives.items() if row["view"]] == [status["view"]["drive"]]


def test_bytes_by_parity(tmp_path):
    """What was written before drives were added keeps the parity that it has, and status tells."""
    drives = drive_folders(tmp_path, 4)
    server = Server(drives[:3], tmp_path / "kura.log").start()
    try:
        s3 = s3_client(server.endpoint)
        s3.create_bucket(Bucket=BUCKET)
        assert server.kura("status")["sets"]["bytesByParity"] == {}
        s3.put_object(Bucket=BUCKET, Key="before", Body=body(MIB))
        assert server.kura("status")["sets"]["bytesByParity"] == {"EC:1": MIB}
        server.kura("drive", "add", str(drives[3]))
        assert server.kura("status")["parity"]["STANDARD"] == 2
        s3.put_object(Bucket=BUCKET, Key="after", Body=body(3 * MIB))
        assert server.kura("status")["sets"]["bytesByParity"] == {"EC:1": MIB, "EC:2": 3 * MIB}
        assert f"sets.bytesByParity.EC:1: {MIB}\n" in run(server, "status").stdout
        assert f'kura_set_bytes{{parity="2"}} {3 * MIB}\n' in server.get("/metrics")[1]
        s3.put_object(Bucket=BUCKET, Key="before", Body=body(MIB))  # Written again.
        until(lambda: server.kura("status")["sets"]["bytesByParity"] == {"EC:2": 4 * MIB}, 10, "old bytes count on")
    finally:
        server.kill()


def test_a_drive_of_another_journal_is_not_damage(tmp_path):
    """A mistake of whoever names the drives: a conflict, as it is for drive add."""
    drives = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        server = Server(drive_folders(tmp_path / name, 1), tmp_path / f"{name}.log").start()
        server.stop()
        drives += server.drives
    verified = run(server, "journal", "verify", *map(str, drives))
    assert verified.returncode == 5 and "holds another journal" in verified.stderr, verified
    for drive in drives:
        assert run(server, "journal", "verify", str(drive)).returncode == 0
    started = run(server, "server", "--listen", "127.0.0.1:0", *map(str, drives))
    assert started.returncode == 9 and "drives of 2 clusters" in started.stderr, started
