"""Half of the drives lost, where that is as many as there is parity: it reads, and writes once one is back."""

import itertools
import subprocess
import time

import botocore.exceptions
import pytest

from bodies import KIB, MIB, body
from s3 import keys_of, read, refused
from server import BINARY
from test_view import forget_view, settled_digest

BUCKET = "kept"
SIZES = [0, 1, 4 * KIB, 16 * KIB + 1, 100 * KIB, 2 * MIB]
SECONDS = 60  # Of patience; it takes about six.
SMALL_LOG = {"KURA_JOURNAL_SEGMENT_SIZE": "1MiB"}
CASES = [(n, lost) for n in (2, 4) for lost in itertools.combinations(range(n), n // 2)]


def cases(in_ci):
    return [pytest.param(*case, marks=() if case in in_ci else pytest.mark.full,
                         id=f"{case[0]}-" + "+".join(str(i + 1) for i in case[1])) for case in CASES]


class Filled:
    """A store with objects, and what a client has to see of them."""

    def __init__(self, store):
        self.store, self.s3, self.server = store, store.s3, store.server
        self.s3.create_bucket(Bucket=BUCKET)
        self.objects = {f"{n}/{size}": body(size, str(n)) for n in range(2) for size in SIZES}
        for key, data in self.objects.items():
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        self.s3.put_object(Bucket=BUCKET, Key="gone", Body=b"gone")
        self.s3.delete_object(Bucket=BUCKET, Key="gone")
        self.upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="upload")["UploadId"]
        part = self.s3.upload_part(Bucket=BUCKET, Key="upload", UploadId=self.upload, PartNumber=1, Body=body(5 * MIB))
        self.etag = part["ETag"]

    def check(self):
        assert [b["Name"] for b in self.s3.list_buckets()["Buckets"]] == [BUCKET]
        assert keys_of(self.s3, BUCKET) == sorted(self.objects)
        wrong = [key for key, data in self.objects.items() if read(self.s3, BUCKET, key) != data]
        assert not wrong, f"other bytes in {wrong}"
        for key, data in self.objects.items():
            assert self.s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] == len(data)
        parts = self.s3.list_parts(Bucket=BUCKET, Key="upload", UploadId=self.upload)["Parts"]
        assert [(p["PartNumber"], p["Size"]) for p in parts] == [(1, 5 * MIB)]
        assert self.s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"][0]["UploadId"] == self.upload

    def check_soon(self):
        """As check(), once: connections drop where the process starts over."""
        soon(self.check)

    def write_soon(self, name: str):
        key, data = f"{name}/{300 * KIB}", body(300 * KIB, name)
        # One that was cut may have happened, so it counts from the first try on.
        self.objects[key] = data
        soon(lambda: self.s3.put_object(Bucket=BUCKET, Key=key, Body=data))


def soon(action):
    """Repeats it while it is refused with 503 or cut; anything else is an error at once."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return action()
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503, error
            last = error
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError,
                botocore.exceptions.IncompleteReadError) as error:
            last = error
        assert time.monotonic() < deadline, last
        time.sleep(0.2)


def uncut(write):
    """Again while it is cut because its process starts over, which says nothing."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return write()
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def kura(server, *words) -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), *words], capture_output=True, text=True, timeout=30,
                          env={**server.environment(), "KURA_ENDPOINT": server.endpoint.url})


def said(server) -> str:
    return server.log.read_text(errors="replace")


def gauge(server, name: str) -> float:
    rows = [line for line in server.get("/metrics")[1].splitlines() if line.startswith(name + " ")]
    assert len(rows) == 1, rows
    return float(rows[0].split()[1])


def why_read_only(server) -> str:
    try:
        return server.kura("status")["readOnlyReason"]
    except AssertionError:
        return ""  # Between two processes.


def until(condition, what: str):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def check_refusals(filled, here: int, count: int):
    """Of a node that started so: every write at once, with the reason."""
    s3, server = filled.s3, filled.server
    some = "1 drive of {} is" if here == 1 else f"{here} drives of {{}} are"
    why = f"read-only: {some.format(count)} here, {count // 2 + 1} are needed to write"
    begin = time.monotonic()
    for write in (lambda: s3.put_object(Bucket=BUCKET, Key="new", Body=b"new"),
                  lambda: s3.put_object(Bucket=BUCKET, Key="new", Body=body(3 * MIB)),
                  lambda: s3.delete_object(Bucket=BUCKET, Key="0/1"),
                  lambda: s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "0/1"}]}),
                  lambda: s3.copy_object(Bucket=BUCKET, Key="new", CopySource=f"{BUCKET}/0/1"),
                  lambda: s3.create_bucket(Bucket="new"), lambda: s3.delete_bucket(Bucket=BUCKET),
                  lambda: s3.create_multipart_upload(Bucket=BUCKET, Key="new"),
                  lambda: s3.upload_part(Bucket=BUCKET, Key="upload", UploadId=filled.upload, PartNumber=2, Body=b"2"),
                  lambda: s3.complete_multipart_upload(
                      Bucket=BUCKET, Key="upload", UploadId=filled.upload,
                      MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": filled.etag}]}),
                  lambda: s3.abort_multipart_upload(Bucket=BUCKET, Key="upload", UploadId=filled.upload)):
        with refused("ServiceUnavailable", 503) as caught:
            write()
        assert caught.value.response["Error"]["Message"] == why
    assert time.monotonic() - begin < 10, "not at once"
    for words in (("key", "create"), ("drive", "scrub")):
        done = kura(server, *words)
        assert done.returncode == 6 and why in done.stderr, done
    status = server.kura("status")
    assert (status["state"], status["readOnly"], status["readOnlyReason"]) == ("read-only", True, why)
    assert f"readOnlyReason: {why}" in kura(server, "status").stdout
    assert sum(drive["online"] for drive in status["drives"]) == here
    assert sorted(d["path"] for d in server.kura("drive", "ls")["items"]) == sorted(map(str, server.drives))
    assert gauge(server, "kura_read_only") == 1
    for path, expected in (("/health/live", 200), ("/health/ready", 200), ("/minio/health/cluster", 503),
                           ("/minio/health/cluster/read", 200)):
        assert server.get(path)[0] == expected, path
    assert server.kura("object", "where", f"{BUCKET}/0/{2 * MIB}")["items"]
    assert server.kura("journal", "tail")["items"]


def check_takes_writes(filled, name: str):
    """Without anybody's help, and with everything that was acknowledged."""
    filled.write_soon(name)
    filled.check_soon()
    status = filled.server.kura("status")
    assert not status["readOnly"] and status["readOnlyReason"] == "", status
    assert gauge(filled.server, "kura_read_only") == 0
    assert filled.server.get("/minio/health/cluster")[0] == 200


def check_digest(filled):
    """The view is what the log makes. Starts seal sets, so the first look is behind one."""
    filled.store.restart()
    digest = settled_digest(filled.server)
    assert filled.server.stop() == 0
    forget_view(filled.store)
    filled.server.start()
    assert settled_digest(filled.server) == digest
    assert not any((disk / "view.new").exists() for disk in filled.store.mounts.disks), "a view that nobody needs"


@pytest.mark.parametrize("count,lost", cases([(2, (0,)), (4, (1, 3))]))
def test_half_lost_while_running(make_store, count, lost):
    """The view is on the first drive: with it, the process starts over."""
    store = make_store(count=count)
    filled = Filled(store)
    pid = store.server.process.pid
    for i in lost:
        store.mounts.lose(i)
    until(lambda: why_read_only(store.server), "it does not notice")
    filled.check_soon()
    with refused("ServiceUnavailable", 503):
        uncut(lambda: filled.s3.put_object(Bucket=BUCKET, Key="new", Body=b"new"))
    if 0 in lost:  # The view's: it starts over.
        until(lambda: why_read_only(store.server).endswith("needed to write"), "it does not start over")
        filled.check()
        check_refusals(filled, count - len(lost), count)
    for i in lost:
        store.mounts.attach(i)
    check_takes_writes(filled, "again")
    assert (store.server.process.poll(), store.server.process.pid) == (None, pid)
    assert store.server.stop() == 0


@pytest.mark.parametrize("count,lost", cases([(4, (0, 2))]))
def test_half_lost_before_a_start(make_store, full, count, lost):
    """The log was cut, so that the view comes from a snapshot; the drives come back one by one."""
    store = make_store(count=count, settings=SMALL_LOG)
    filled = Filled(store)
    for n in range(200):
        filled.objects["0/1"] = body(15 * KIB, str(n))
        filled.s3.put_object(Bucket=BUCKET, Key="0/1", Body=filled.objects["0/1"])
    until(lambda: store.server.kura("status")["journal"]["start"] > MIB, "the log is never cut")
    store.server.kill()
    forget_view(store)
    for i in lost:
        store.mounts.lose(i)
    store.server.start()
    assert store.server.kura("status")["view"]["fromSnapshot"]
    filled.check()
    check_refusals(filled, count - len(lost), count)
    missing = ", ".join(str(store.mounts.folders[i]) for i in lost)
    here = count - len(lost)
    assert f"{here} of the cluster's {count} drives {'is' if here == 1 else 'are'} here; missing: {missing}\n" in said(store.server)
    # One that starts and stops so changes nothing.
    assert store.server.stop() == 0
    store.server.start()
    pid = store.server.process.pid
    filled.check()
    for i in lost:
        store.mounts.attach(i)
        check_takes_writes(filled, f"back-{i}")
    assert (store.server.process.poll(), store.server.process.pid) == (None, pid)
    if full:
        check_digest(filled)
        filled.check()


def test_a_new_drive_cures_it(make_store):
    """The lost one never comes back; an empty one is added to the node that only reads."""
    store = make_store(count=2)
    filled = Filled(store)
    store.server.stop()
    store.mounts.lose(1)
    store.server.start()
    filled.check()
    assert kura(store.server, "drive", "add", str(store.mounts.folders[0])).returncode == 5  # It is here.
    added = store.mounts.add()
    done = kura(store.server, "drive", "add", str(store.mounts.folders[added]))
    assert done.returncode == 0, done
    check_takes_writes(filled, "with-it")
    online = [d["path"] for d in store.server.kura("drive", "ls")["items"] if d["online"]]
    assert sorted(online) == [str(store.mounts.folders[i]) for i in (0, added)]
    store.server.kill()
    store.server.start()
    filled.check()


def test_one_more_lost_than_it_reads_with(make_store):
    """A first start is refused in one line; one that starts over waits, and says for what, once."""
    store = make_store(count=4)
    filled, server = Filled(store), store.server
    server.stop()
    lost = (0, 1, 3)
    for i in lost:
        store.mounts.lose(i)
    names = ", ".join(str(store.mounts.folders[i]) for i in lost)
    server.launch()
    assert server.process.wait(60) == 6, server.log_tail()
    why = f"the journal needs 2 of its 4 drives to be sure of its newest records, and 1 has a readable record; " \
          f"not here: {names}: bring them back"
    assert server.log_tail(1) == f"kura: {why}"
    server.log.write_text("")
    server.settings["KURA_STARTED_OVER"] = "lost"
    server.launch()
    pid, deadline, told = server.process.pid, time.monotonic() + 5, 0
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log_tail()
        for words in (("status",), ("drive", "ls")):
            done = kura(server, *words)
            assert done.returncode == 6, done
            told += done.stderr == f"kura: waiting for drives: {why}\n"
        status, text = server.get(f"/{BUCKET}/0/1")
        assert status == 503 and str(store.mounts.base) not in text, "names of drives for strangers"
        time.sleep(0.1)
    assert told > 4, server.log_tail()
    lines = [line for line in said(server).splitlines() if line.startswith("kura: ")]
    for i in lost:
        assert sum(line.startswith(f"kura: {store.mounts.folders[i]} is offline: nothing is mounted") for line in lines) == 1, lines
    assert sum(line == f"kura: {why}; answering 503 until they are back" for line in lines) == 1, lines
    store.mounts.attach(3)
    server.wait_ready()
    filled.check_soon()
    check_refusals(filled, 2, 4)
    store.mounts.attach(0)
    check_takes_writes(filled, "back")
    assert server.process.pid == pid and server.stop() == 0
