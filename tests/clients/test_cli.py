"""The command line, the admin API, health, metrics and the request log of a running node."""

import concurrent.futures
import http.client
import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from bodies import KIB, MIB, body
from s3 import read, refused, s3_client
from server import BINARY, Endpoint, Server, drive_folders, free_port, until
from wire import Call, ask, encode_query

pytestmark = pytest.mark.kura
BUCKET, OTHER = "cli", "other"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    base = tmp_path_factory.mktemp("cli")
    server = Server(drive_folders(base), base / "kura.log").start()
    s3 = s3_client(server.endpoint)
    for bucket in (BUCKET, OTHER):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=BUCKET, Key="small", Body=b"small")
    s3.put_object(Bucket=BUCKET, Key="large", Body=body(MIB))
    yield server
    server.kill()


def run(server, *words: str | bytes, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), *words], capture_output=True, text=True, timeout=30,
                          env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url, **environment})


def keyed(endpoint: Endpoint, key: dict):
    return s3_client(Endpoint(endpoint.url, key["accessKey"], key["secretKey"]))


@pytest.mark.parametrize("words", ["status", "drive ls", "drive scrub", "bucket ls", f"object where {BUCKET}/small", "journal tail",
                                   "view digest", "key ls", "config show", "config show --origin", "version"])
def test_json_and_text(server, words):
    answer = server.kura(*words.split())
    assert answer["apiVersion"] == "kura/v1"
    text = run(server, *words.split())
    assert text.returncode == 0 and text.stdout.strip() and not text.stderr
    with pytest.raises(ValueError):
        json.loads(text.stdout)  # A table or lines, for people.


def test_shared_flags_stand_anywhere(server):
    for words in (["--json", "drive", "ls"], ["drive", "-o", "json", "ls"], ["-o=json", "--timeout", "9", "drive", "ls"]):
        assert json.loads(run(server, *words).stdout)["items"], words
    nobody = ["--endpoint", f"http://127.0.0.1:{free_port()}"]  # A flag wins over the environment, wherever it stands.
    for words in ([*nobody, "--json", "status"], ["status", *nobody, "--json"]):
        assert json.loads(run(server, *words).stderr)["code"] == "Unavailable", words
    assert run(server, "drive", "ls", "-o", "name", KURA_OUTPUT="json").stdout.split() == [row["path"] for row in server.kura("drive", "ls")["items"]]
    for mistake in ({"KURA_OUTPUT": "xml"}, {"KURA_TIMEOUT": "soon"}, {"KURA_TIMEOUT": "0"}, {"KURA_INSECURE": "perhaps"}):
        done = run(server, "status", **mistake)
        assert done.returncode == 2 and list(mistake)[0] in done.stderr, done


def test_every_flag_has_a_variable(server):
    assert len(json.loads(run(server, "journal", "tail", "--json", KURA_MAX="1").stdout)["items"]) == 1
    assert len(json.loads(run(server, "journal", "tail", "--max", "2", "--json", KURA_MAX="1").stdout)["items"]) == 2
    assert json.loads(run(server, "key", "create", KURA_JSON="1", KURA_DRY_RUN="true", KURA_BUCKET=OTHER).stdout)["bucket"] == OTHER
    wrong = run(server, "journal", "tail", KURA_MAX="many")
    assert wrong.returncode == 2 and "KURA_MAX" in wrong.stderr
    assert run(server, "status", KURA_MAX="many").returncode == 0  # Of another command.
    assert "KURA_FROM" in run(server, "journal", "tail", "--help").stdout


def test_arguments_that_are_none(server):
    """One line or one document, whatever the bytes."""
    for words in (["key", "create", "--description", b"\xff"], ["key", "disable", b"\xff"], ["drive", "ls", "--offline", b"/tmp/\xff"]):
        assert run(server, *words, "--json").returncode == 2
        assert json.loads(run(server, *words, "--json").stderr)["code"] == "Usage"
    for form in ("template=", "template={{.state", "template={{state}}", "jsno"):
        assert run(server, "status", "-o", form).returncode == 2, form
    for offset in ("-1", "9" * 30, "abc"):
        assert run(server, "journal", "tail", "--from", offset).returncode == 2, offset
    for told in ({"KURA_JSON": "1"}, {"KURA_OUTPUT": "json"}):
        for words in (["status", "--frob"], ["statsu"]):
            message = json.loads(run(server, *words, **told).stderr)["message"]
            assert "environment" not in message, message
    assert not run(server, "status", "-o", "jsno").stderr.startswith("{")
    nothing = run(server, "drive", "ls", "--offline", "/nonexistent")
    assert nothing.returncode == 3 and "/nonexistent" in nothing.stderr
    assert subprocess.run([str(BINARY), "server"], env={**server.environment(), "KURA_CONFIG": "/nope"}, capture_output=True).returncode == 9


def test_a_strict_region(tmp_path):
    strict = Server(drive_folders(tmp_path), tmp_path / "kura.log", settings={"KURA_REGION": "eu-x", "KURA_REGION_STRICT": "true"}).start()
    try:
        assert run(strict, "status").returncode == 0  # The same variable as the server's.
        assert run(strict, "--region", "eu-x", "status", KURA_REGION="").returncode == 0
        assert run(strict, "status", KURA_REGION="us-east-1").returncode == 4
    finally:
        strict.kill()


def test_a_secret_that_could_not_be_written(server):
    """The key was made, and nobody knows its secret: so it is named."""
    for words in (["key", "create"], ["key", "create", "--json"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(BINARY), *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30,
                                  env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url})
        message = json.loads(done.stderr)["message"] if "--json" in words else done.stderr.removeprefix("kura: ").rstrip("\n")
        told, _, key = message.partition("; the secret of the new access key is lost: kura key disable ")
        assert (done.returncode, told) == (1, "cannot write the output: No space left on device"), done
        assert run(server, "key", "disable", key).returncode == 0
    closed = subprocess.run([str(BINARY), "status"], stderr=subprocess.PIPE, text=True, timeout=30, preexec_fn=lambda: os.close(1),
                            env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url})
    assert (closed.returncode, closed.stderr) == (1, "kura: cannot write the output: Bad file descriptor\n"), closed


def test_dry_runs_change_nothing(server, tmp_path):
    keys, drives = server.kura("key", "ls")["items"], server.kura("drive", "ls")["items"]
    planned = server.kura("key", "create", "--access", "read-only", "--bucket", BUCKET, "--description", "d", "--dry-run")
    assert planned == {"apiVersion": "kura/v1", "access": "read-only", "bucket": BUCKET, "description": "d", "dryRun": True}
    assert json.loads(run(server, "key", "create", "--bucket", "absent", "--dry-run", "--json").stderr)["code"] == "NoSuchBucket"
    assert run(server, "key", "disable", "KUabsent", "--dry-run").returncode == 3
    made = server.kura("key", "create")
    assert server.kura("key", "disable", made["accessKey"], "--dry-run")["disabled"] is False
    assert keyed(server.endpoint, made).head_object(Bucket=BUCKET, Key="small")
    assert len(server.kura("key", "ls")["items"]) == len(keys) + 1

    fresh, used = tmp_path / "fresh", tmp_path / "used"
    fresh.mkdir()
    used.mkdir()
    (used / "file").write_text("mine")
    assert server.kura("drive", "add", str(fresh), "--dry-run") == {"apiVersion": "kura/v1", "path": str(fresh), "dryRun": True}
    assert list(fresh.iterdir()) == [] and len(server.kura("drive", "ls")["items"]) == len(drives)
    for folder, code in ((used, 2), (tmp_path / "absent", 3), (drives[0]["path"], 5), ("relative", 2)):
        assert [run(server, "drive", "add", str(folder), *dry).returncode for dry in ([], ["--dry-run"])] == [code, code], folder
    runs = server.kura("status")["scrub"]["runs"]
    planned = server.kura("drive", "scrub", "--dry-run")
    assert planned["dryRun"] and not planned["busy"] and sorted(planned["drives"]) == sorted(row["path"] for row in drives)
    assert server.kura("status")["scrub"]["runs"] == runs  # 1 MiB of 4 + 2, in whole blocks.
    assert 1.5 * MIB <= planned["plannedBytes"] == server.kura("drive", "scrub")["plannedBytes"] < 2 * MIB
    answer = ask(server.endpoint, Call(server.endpoint, "POST", "/kura/admin/v1/housekeep", query=[("dry-run", "1")]).sign().wire())
    assert answer.status == 400 and b"no dry run" in answer.body


def test_a_person_is_asked_before_a_key_ends(server):
    made = server.kura("key", "create")
    environment = {**server.environment(), "KURA_ENDPOINT": server.endpoint.url}

    def disable(typed: bytes, *flags: str) -> int:
        ours, terminal = pty.openpty()
        asked = subprocess.Popen([str(BINARY), "key", "disable", made["accessKey"], *flags], stdin=terminal, env=environment,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        os.write(ours, typed)
        said = asked.communicate(timeout=20)[1]
        os.close(ours)
        os.close(terminal)
        assert ("for good?" in said) == (not flags)
        return asked.returncode

    assert disable(b"n\n") == 1 and disable(b"\n") == 1
    assert keyed(server.endpoint, made).head_object(Bucket=BUCKET, Key="small")
    assert disable(b"", "--yes") == 0
    with refused("InvalidAccessKeyId", 403):
        keyed(server.endpoint, made).get_object(Bucket=BUCKET, Key="small")
    assert disable(b"y\n") == 0


def test_scrub_tells_how_far_it_is(server):
    done = run(server, "drive", "scrub", "--progress", "json", "--json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["doneBytes"] == lines[-1]["plannedBytes"] == json.loads(done.stdout)["readBytes"] > MIB
    assert all(line["progress"] == "scrub" for line in lines) and "seconds" in lines[-1] and "secondsLeft" in lines[0]
    assert run(server, "drive", "scrub", "-q").stderr == ""
    assert run(server, "drive", "scrub", "--progress", "loud").returncode == 2


def test_mistyped_commands(server):
    for words, said in ((["statsu"], "did you mean status?"), (["key", "lst"], "did you mean ls?"), (["key"], "ls, create, disable"),
                        (["drives", "--json"], "did you mean drive?"), (["frobnicate"], "there are: server, status")):
        done = run(server, *words)
        assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1, done
    assert "Usage" in run(server, "help").stdout and "--offline" in run(server, "help", "drive", "ls").stdout


def test_watch(server):
    watching = subprocess.Popen([str(BINARY), "status", "--watch", "-o", "jsonl"], stdout=subprocess.PIPE, text=True,
                                env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url})
    try:
        assert [json.loads(watching.stdout.readline())["usage"]["buckets"] for _ in range(2)] == [2, 2]
    finally:
        watching.kill()
        watching.wait()


@pytest.mark.parametrize("words, code, name, answered", [
    (f"object where {BUCKET}/absent", 3, "NoSuchKey", True), ("key disable KUabsent", 3, "NotFound", True),
    ("object where nothing", 2, "InvalidArgument", False), ("nonsense", 2, "Usage", False), ("journal tail --max 0", 2, "Usage", False)])
def test_failures_as_documents(server, words, code, name, answered):
    for flag in (["--json"], ["-o", "yaml"]):
        done = run(server, *words.split(), *flag)
        failure = json.loads(done.stderr)
        assert (done.returncode, done.stdout, failure["code"]) == (code, "", name), failure
        assert set(failure) == {"apiVersion", "code", "message", "resource", "requestId", "hint", "retryable", "exitCode"}
        assert (failure["exitCode"], failure["retryable"]) == (code, False)
        assert bool(failure["requestId"]) == answered and bool(failure["resource"]) == answered
    if answered:  # Lines are gathered before they are written.
        until(lambda: failure["requestId"] in server.log.read_text(), 5, "the log does not know the request")


def test_nobody_answers():
    """Neither a port that is closed nor a peer that is silent keeps a script waiting."""
    keys = {"KURA_ROOT_ACCESS_KEY": "someone", "KURA_ROOT_SECRET_KEY": "something", "PATH": ""}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port, code in ((free_port(), "Unavailable"), (silent.getsockname()[1], "TimedOut")):
            done = subprocess.run([str(BINARY), "status", "--json", "--timeout", "1"], capture_output=True, text=True, timeout=20,
                                  env={**keys, "KURA_ENDPOINT": f"http://127.0.0.1:{port}"})
            failure = json.loads(done.stderr)
            assert (done.returncode, failure["code"], failure["retryable"]) == (6, code, True), failure


def test_doctor(server):
    done = run(server, "doctor", "--json")
    answer = json.loads(done.stdout)
    assert answer["apiVersion"] == "kura/v1" and "clock" in [row["check"] for row in answer["items"]]
    assert done.returncode == (0 if all(row["ok"] for row in answer["items"]) else 1)
    assert all((row["result"] == "pass") != bool(row["advice"]) and row["ok"] == (row["result"] != "fail") for row in answer["items"])


def test_what_status_says(server):
    status = server.kura("status")
    assert status["usage"] == {"buckets": 2, "objects": 2, "bytes": MIB + 5}
    assert len([drive for drive in status["drives"] if drive["online"]]) == 6
    assert len(status["journal"]["mirrors"]) == 3 and status["parity"] == {"STANDARD": 2, "REDUCED_REDUNDANCY": 1}
    assert {row["name"]: row["objects"] for row in server.kura("bucket", "ls")["items"]} == {BUCKET: 2, OTHER: 0}
    assert [p["kind"] for p in server.kura("object", "where", f"{BUCKET}/small")["items"]] == ["journal"]
    large = server.kura("object", "where", f"{BUCKET}/large")["items"][0]
    assert large["kind"] == "striped" and len(large["drives"]) == 6


def test_journal_tail(server):
    rows = server.kura("journal", "tail")["items"]
    puts = [row for row in rows if row["event"] == "put_committed"]
    assert len(puts) == 2 and [row["offset"] for row in rows] == sorted(row["offset"] for row in rows)
    behind = server.kura("journal", "tail", "--from", str(puts[-1]["offset"]), "--max", "1")["items"]
    assert [row["offset"] for row in behind] == [puts[-1]["offset"]]
    assert server.kura("journal", "tail", "--max", "2")["items"] == rows[-2:]


def test_origins(server):
    rows = {row["name"]: row for row in server.kura("config", "show", "--origin")["items"]}
    assert rows["listen"]["origin"] == "flag" and rows["root-access-key"]["origin"] == "environment"
    assert rows["region"] == {"name": "region", "value": "us-east-1", "origin": "default", "source": ""}
    assert server.endpoint.secret_key not in json.dumps(rows)
    assert "origin" not in server.kura("config", "show")["items"][0]


@pytest.mark.parametrize("wanted", [{"access": 5}, {"access": ["read-only"]}, {"acces": "read-only"}, {"access": "none"},
                                    {"access": "read-only", "bucket": ["cli"]}, {"bucket": 5}, {"bucket": ""}, {"bucket": None}])
def test_a_key_comes_out_as_it_was_meant_or_not_at_all(server, wanted):
    """A mistake must not make a key that may do more."""
    before = server.kura("key", "ls")["items"]
    assert admin_status(server, "POST", "keys", json.dumps(wanted).encode())[0] == 400
    assert server.kura("key", "ls")["items"] == before
    assert run(server, "key", "create", "--access", "read-only", "--bucket", "").returncode == 2


def test_keys(server):
    reader = server.kura("key", "create", "--access", "read-only", "--description", "for the report")
    writer = server.kura("key", "create", "--bucket", BUCKET)
    s3 = keyed(server.endpoint, reader)
    assert read(s3, BUCKET, "small") == b"small"
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"")
    with refused("AccessDenied", 403):
        s3.delete_object(Bucket=BUCKET, Key="small")
    s3 = keyed(server.endpoint, writer)
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"by a key")
    s3.delete_object(Bucket=BUCKET, Key="k")
    for call in (lambda: read(s3, OTHER, "k"), lambda: s3.list_objects_v2(Bucket=OTHER),
                 lambda: s3.put_object(Bucket=OTHER, Key="k", Body=b""), lambda: s3.delete_bucket(Bucket=OTHER),
                 lambda: s3.copy_object(Bucket=OTHER, Key="k", CopySource=f"{BUCKET}/small"),
                 lambda: s3.copy_object(Bucket=BUCKET, Key="k", CopySource=f"{OTHER}/k")):
        with refused("AccessDenied", 403):
            call()
    rows = {row["accessKey"]: row for row in server.kura("key", "ls")["items"]}
    assert rows[reader["accessKey"]]["access"] == "read-only" and rows[writer["accessKey"]]["bucket"] == BUCKET
    assert not any("secretKey" in row for row in rows.values())
    server.kura("key", "disable", reader["accessKey"])
    with refused("InvalidAccessKeyId", 403):
        read(keyed(server.endpoint, reader), BUCKET, "small")


def test_a_table_keeps_its_rows(server):
    key = server.kura("key", "create", "--description", "two\nlines\x1b[2J")
    rows = [row for row in run(server, "key", "ls").stdout.splitlines() if row.startswith(key["accessKey"])]
    assert len(rows) == 1 and "two?lines?[2J" in rows[0]
    assert {row["accessKey"]: row["description"] for row in server.kura("key", "ls")["items"]}[key["accessKey"]] == "two\nlines\x1b[2J"


@pytest.mark.parametrize("words, code", [
    ("nonsense", 2), ("key create --access everything", 2), ("object where nothing", 2), ("journal tail --max 0", 2),
    (f"object where {BUCKET}/absent", 3), ("object where absent/k", 3), ("key disable KUabsent", 3),
])
def test_exit_codes(server, words, code):
    done = run(server, *words.split())
    assert done.returncode == code and done.stderr.strip(), done
    assert code == 2 or len(done.stderr.strip().splitlines()) == 1


def test_exit_codes_of_the_connection(server):
    assert run(server, "status", KURA_ROOT_SECRET_KEY="wrong-wrong-wrong").returncode == 4
    assert run(server, "status", KURA_ROOT_ACCESS_KEY="", KURA_ROOT_SECRET_KEY="").returncode == 4
    assert run(server, "status", KURA_ENDPOINT=f"http://127.0.0.1:{free_port()}").returncode == 6


def admin_status(server, method: str, path: str, data: bytes | None = None, **key) -> tuple[int, str]:
    call = Call(server.endpoint, method, f"/kura/admin/v1/{path}", body=data or b"", **key).sign()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    target = f"{call.path}?{encode_query(call.query)}" if call.query else call.path
    connection.request(method, target, body=call.body, headers=call.headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_admin_api_is_for_the_root_key(server):
    key = server.kura("key", "create")
    assert admin_status(server, "GET", "status")[0] == 200
    assert admin_status(server, "GET", "status", access_key=key["accessKey"], secret_key=key["secretKey"])[0] == 403
    status, text = server.get("/kura/admin/v1/status")
    assert status == 403 and "drives" not in text


def test_admin_methods(server):
    before = len(server.kura("key", "ls")["items"])
    for method, path in (("DELETE", "keys"), ("PUT", "keys"), ("GET", "keys/disable"), ("POST", "status")):
        assert admin_status(server, method, path)[0] == 405, (method, path)
    assert admin_status(server, "GET", "nothing")[0] == 404
    assert admin_status(server, "POST", "keys", b"not json")[0] == 400
    assert len(server.kura("key", "ls")["items"]) == before


def test_health_and_metrics(server):
    for path in ("/health/live", "/health/ready", "/minio/health/live", "/minio/health/ready", "/minio/health/cluster",
                 "/minio/health/cluster/read", "/minio/health/cluster?maintenance=true"):
        assert server.get(path)[0] == 200, path
    for path in ("/minio/health/", "/minio/health/lives", "/minio/health/cluster/write"):
        assert server.get(path)[0] == 404, path
    read(s3_client(server.endpoint), BUCKET, "small")
    with refused("NoSuchKey", 404):
        read(s3_client(server.endpoint), BUCKET, "absent")
    values = dict(line.rsplit(" ", 1) for line in server.get("/metrics")[1].splitlines() if not line.startswith("#"))
    numbers = {name: float(value) for name, value in values.items()}
    assert numbers['kura_s3_requests_total{api="GetObject",code="200"}'] >= 1
    assert numbers['kura_s3_requests_total{api="GetObject",code="NoSuchKey"}'] >= 1
    assert any(name.startswith("kura_s3_request_duration_seconds_bucket{") for name in numbers)
    assert sum(value for name, value in numbers.items() if name.startswith("kura_drive_up{")) == 6
    assert numbers["kura_journal_syncs_total"] >= 3 and numbers["kura_journal_append_duration_seconds_count"] >= 1
    assert numbers["kura_bytes_below_full_parity"] == 0 and numbers["kura_object_bytes"] == MIB + 5


def test_buckets_come_in_pages(server):
    names = [f"paged-{i:04}" for i in range(620)]
    s3 = s3_client(server.endpoint)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: s3.create_bucket(Bucket=name), names))
        s3.put_object(Bucket=names[-1], Key="k", Body=b"12345")
        status, answer = admin_status(server, "GET", "buckets")
        first = json.loads(answer)
        assert (status, len(first["items"]), first["next"]) == (200, 500, first["items"][-1]["name"])
        listed = server.kura("bucket", "ls")
        assert "next" not in listed
        rows = {row["name"]: row for row in listed["items"]}
        assert list(rows) == sorted([BUCKET, OTHER, *names]) and len(listed["items"]) == len(rows)
        assert (rows[names[-1]]["objects"], rows[names[-1]]["bytes"]) == (1, 5)
        some = json.loads(admin_status(server, "GET", "buckets", query=[("after", "paged-0003"), ("max", "2")])[1])
        assert [row["name"] for row in some["items"]] == ["paged-0004", "paged-0005"] and some["next"] == "paged-0005"
        for wrong in ("0", "501", "x"):
            assert admin_status(server, "GET", "buckets", query=[("max", wrong)])[0] == 400
        s3.delete_object(Bucket=names[-1], Key="k")
        list(pool.map(lambda name: s3.delete_bucket(Bucket=name), names))


def log_entry(server, answer: dict) -> dict:
    """What the request log says about the request of this answer."""
    request_id, deadline = answer["ResponseMetadata"]["RequestId"], time.monotonic() + 5
    while True:
        lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
        for entry in map(json.loads, lines):
            if entry["requestId"] == request_id:
                return entry
        assert time.monotonic() < deadline
        time.sleep(0.05)


def received_bytes(server) -> int:
    lines = server.get("/metrics")[1].splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("kura_s3_received_bytes_total "))


@pytest.mark.parametrize("size", [1, 4 * KIB, MIB])
def test_received_bytes_are_counted(server, size):
    before = received_bytes(server)
    answer = s3_client(server.endpoint).put_object(Bucket=OTHER, Key="counted", Body=body(size))
    assert size < log_entry(server, answer)["bytesIn"] < size + 4 * KIB
    assert size < received_bytes(server) - before < size + 8 * KIB
    s3_client(server.endpoint).delete_object(Bucket=OTHER, Key="counted")


def test_request_log_has_the_id_of_the_answer(server):
    entry = log_entry(server, s3_client(server.endpoint).head_object(Bucket=BUCKET, Key="small"))
    assert (entry["operation"], entry["status"], entry["method"]) == ("HeadObject", 200, "HEAD")
    age = datetime.now(timezone.utc) - datetime.fromisoformat(entry["time"].replace("Z", "+00:00"))
    assert timedelta() <= age < timedelta(seconds=60)
    assert server.endpoint.secret_key not in server.log.read_text()


def test_drain_and_offline(tmp_path):
    drives = drive_folders(tmp_path)
    server = Server(drives, tmp_path / "kura.log").start()
    try:
        s3 = s3_client(server.endpoint)
        s3.create_bucket(Bucket=BUCKET)
        data, begun, result = body(20 * MIB), threading.Event(), []

        class Slow:
            """The client reads its own file slowly: the drain comes in the middle."""

            at = 0

            def read(self, size=-1):
                begun.set()
                time.sleep(0.02)
                piece = data[self.at:self.at + MIB]
                self.at += len(piece)
                return piece

        url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "k"})

        def upload():
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("PUT", url.split(str(server.port), 1)[1], body=Slow(), headers={"content-length": str(len(data))})
            result.append(connection.getresponse().status)

        thread = threading.Thread(target=upload)
        thread.start()
        begun.wait(10)
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        thread.join()
        assert result == [200]
        assert server.process.wait(20) == 0
        folders = [str(drive) for drive in drives]
        for words in ([word for f in folders for word in ("--offline", f)], ["--offline", "--json", *folders], [*folders, "--offline"]):
            listed = json.loads(run(server, "drive", "ls", "--json", *words).stdout)
            assert [row["state"] for row in listed["items"]] == ["ok"] * 6
        assert run(server, "drive", "ls", *folders).returncode == run(server, "drive", "ls", "--offline").returncode == 2
        verified = run(server, "journal", "verify", "--json", *folders)
        assert verified.returncode == 0 and json.loads(verified.stdout)["whole"] is True, verified
        segment = max((path for drive in drives for path in (drive / "journal").glob("*.seg")), key=lambda p: p.stat().st_mtime)
        with segment.open("r+b") as file:
            file.seek(4096 + 40)
            file.write(b"\xff\xff")
        assert run(server, "journal", "verify", *folders).returncode == 7
        server.start()
        assert read(s3_client(server.endpoint), BUCKET, "k") == data
        assert run(server, "journal", "verify", *folders).returncode == 5  # It runs: its drives are in use.
    finally:
        server.kill()
