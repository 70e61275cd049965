"""Any two of six drives lost, emptied or corrupted: right bytes. One more: a clean 503, never wrong bytes."""

import collections
import itertools
import time

import botocore.exceptions
import pytest

from bodies import KIB, MIB, SIZES, body
from s3 import keys_of, read, s3_client
from server import make_certificate, until

BUCKET = "kept"
INLINE_MAX = 16 * KIB
SINGLES = [(i,) for i in range(6)]
PAIRS = list(itertools.combinations(range(6), 2))
IN_CI = SINGLES + [(0, 1), (2, 5), (3, 4)]


def subsets():
    return [pytest.param(s, marks=() if s in IN_CI else pytest.mark.full, id="+".join(str(i + 1) for i in s))
            for s in SINGLES + PAIRS]


def fill(s3) -> dict[str, bytes]:
    s3.create_bucket(Bucket=BUCKET)
    objects = {f"{n}/{size}": body(size, str(n)) for n in range(3) for size in SIZES}
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    return objects


def check(s3, objects):
    assert keys_of(s3, BUCKET) == sorted(objects)
    wrong = [key for key, data in objects.items() if read(s3, BUCKET, key) != data]
    assert not wrong, f"other bytes in {wrong}"


def write_more(s3, objects, name):
    for size in SIZES:
        objects[f"{name}/{size}"] = body(size, name)
        s3.put_object(Bucket=BUCKET, Key=f"{name}/{size}", Body=objects[f"{name}/{size}"])


@pytest.mark.parametrize("lost", subsets())
def test_lost_while_running(store, lost):
    objects = fill(store.s3)
    for i in lost:
        store.mounts.lose(i)
    check(store.s3, objects)
    write_more(store.s3, objects, "without")
    check(store.s3, objects)
    store.restart()
    check(store.s3, objects)
    for i in lost:
        store.mounts.attach(i)
    store.restart()
    write_more(store.s3, objects, "again")
    check(store.s3, objects)


@pytest.mark.parametrize("emptied", subsets())
def test_emptied(store, emptied):
    objects = fill(store.s3)
    store.server.stop()
    for i in emptied:
        store.mounts.replace(i)
    store.server.start()
    check(store.s3, objects)
    write_more(store.s3, objects, "after")
    check(store.s3, objects)


@pytest.mark.parametrize("corrupted", subsets())
def test_corrupted(store, corrupted):
    objects = fill(store.s3)
    store.server.stop()
    for i in corrupted:
        store.mounts.corrupt(i, seed=i)
    store.server.start()
    check(store.s3, objects)
    write_more(store.s3, objects, "after")
    check(store.s3, objects)


def test_a_scrub_tells_what_it_found_itself(store):
    fill(store.s3)
    store.mounts.corrupt(4, seed=3)
    first, second = (store.server.kura("drive", "scrub") for _ in range(2))
    assert first["damagedShards"] > 0 and first["repairedShards"] > 0 and first["lostStripes"] == 0
    counts = {name: count for name, count in second.items() if name.startswith(("damaged", "repaired", "lost"))}
    assert len(counts) == 6 and not any(counts.values()), counts


def test_rebuilt_onto_replaced_drives(store):
    """After the rebuild of two replaced drives, two others may go."""
    objects = fill(store.s3)
    before = [len(store.mounts.files(i)) for i in (0, 1)]
    for i in (0, 1):
        store.mounts.replace(i)
    store.restart()
    deadline = time.monotonic() + 120
    while below_full_parity(store.server) or any(len(store.mounts.files(i)) < 2 for i in (0, 1)):
        assert time.monotonic() < deadline, f"not rebuilt; files before: {before}"
        time.sleep(0.5)
    sets = store.server.kura("status")["sets"]
    assert sets["membersRebuilt"] > 0 and sets["membersMissing"] == 0, sets
    for i in (2, 3):
        store.mounts.lose(i)
    check(store.s3, objects)


def below_full_parity(server) -> float:
    """The gauge that says how many bytes wait for the rebuild."""
    text = server.get("/metrics")[1]
    rows = [line for line in text.splitlines() if "below_full_parity" in line and not line.startswith("#")]
    assert rows, "no metric of bytes below full parity"
    return sum(float(row.rsplit(" ", 1)[1]) for row in rows)


def read_or_refused(s3, key) -> bytes | str:
    """The object; "refused" by a clean 503; or "cut", as drives go or the node starts over meanwhile."""
    try:
        return read(s3, BUCKET, key)
    except botocore.exceptions.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503, error
        return "refused"
    except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError,
            botocore.exceptions.IncompleteReadError):
        return "cut"


# The journal's mirrors and the view are on the first drives, so both kinds of loss are here.
@pytest.mark.parametrize("lost", [(1, 3, 5), (0, 1, 2)], ids=["2+4+6", "1+2+3"])
def test_one_too_many_is_a_clean_503(store, lost):
    """And when the drives are back, so are the objects, without anybody's help."""
    objects = fill(store.s3)
    pid = store.server.process.pid
    for i in lost:
        store.mounts.lose(i)
    large = {key for key, data in objects.items() if len(data) > INLINE_MAX}
    deadline = time.monotonic() + 60
    refused = set()
    while not refused >= large:
        for key, data in objects.items():
            got = read_or_refused(store.s3, key)
            assert got in ("refused", "cut", data), f"wrong bytes of {key}"
            refused |= {key} if got == "refused" else set()
        assert time.monotonic() < deadline, f"still read: {sorted(large - refused)}"
        time.sleep(0.2)
    for i in lost:
        store.mounts.attach(i)
    deadline = time.monotonic() + 60
    while any(read_or_refused(store.s3, key) != data for key, data in objects.items()):
        assert time.monotonic() < deadline, "the drives are back, and it still answers 503"
        time.sleep(0.5)
    patient = s3_client(store.server.endpoint, retries={"total_max_attempts": 8, "mode": "standard"})
    write_more(patient, objects, "again")
    check(patient, objects)
    assert (store.server.process.poll(), store.server.process.pid) == (None, pid)


def test_whoever_connects_while_it_starts_over_is_answered(make_store, tmp_path):
    """Each process that looks for the drives goes on with the socket of the one before, and with its settings."""
    config = tmp_path / "kura.toml"
    config.write_text('requests_max = 77\n')
    store = make_store(count=3, settings={"KURA_CONFIG": str(config)})
    store.s3.create_bucket(Bucket=BUCKET)
    store.s3.put_object(Bucket=BUCKET, Key="kept", Body=b"kept")
    config.write_text("requests_max = [half a fi")
    for i in range(3):
        store.mounts.lose(i)
    until(lambda: "answering 503 until they are back" in store.server.log_tail(2000), 30, "it does not wait")
    answers, end = collections.Counter(), time.monotonic() + 7
    while time.monotonic() < end:
        for path in ("/health/live", "/health/ready", f"/{BUCKET}/kept"):
            answers[path, store.server.get(path)[0]] += 1
    assert set(answers) == {("/health/live", 200), ("/health/ready", 503), (f"/{BUCKET}/kept", 503)}
    for i in range(3):
        store.mounts.attach(i)
    store.server.wait_ready()
    assert read(store.s3, BUCKET, "kept") == b"kept"
    items = {item["name"]: item for item in store.server.kura("config", "show", "--origin")["items"]}
    settings = {name: item["value"] for name, item in items.items()}
    assert items["requests-max"] == {"name": "requests-max", "value": "77", "origin": "file", "source": str(config), "line": 1}
    assert str(settings["requests-max"]) == "77", settings


def test_a_certificate_that_is_being_replaced_while_it_starts_over(make_store, tmp_path):
    """The process before had the old one; the next one waits for the whole of the new one."""
    make_certificate(tmp_path)
    store = make_store(count=3, tls=tmp_path)
    server, certificate = store.server, (tmp_path / "cert.pem").read_text()
    (tmp_path / "cert.pem").write_text("half of it")
    for i in range(3):
        store.mounts.lose(i)
    until(lambda: "waiting for --tls-cert, --tls-key" in server.log_tail(3000), 30, "it does not wait")
    time.sleep(1)
    assert server.process.poll() is None, server.log_tail()
    (tmp_path / "cert.pem").write_text(certificate)
    until(lambda: server.get("/health/ready")[0] == 503, 10, "not served with the new one")
    (tmp_path / "cert.pem").write_text("half again")
    time.sleep(4)
    server.process.terminate()
    assert server.process.wait(5) == 0, server.log_tail()


def test_too_few_drives_to_start(store):
    fill(store.s3)
    store.server.stop()
    for i in (0, 1, 2):
        store.mounts.lose(i)
    store.server.launch()
    deadline = time.monotonic() + 20
    ready = 0
    while store.server.process.poll() is None and time.monotonic() < deadline:
        try:
            ready = store.server.get("/health/ready")[0]
        except OSError:
            ready = 0
        assert ready != 200, "ready with half of its drives"
        time.sleep(0.2)
    for i in (0, 1, 2):
        store.mounts.attach(i)
    store.server.kill()
    store.server.start()
    assert len(keys_of(store.s3, BUCKET)) == 3 * len(SIZES)


@pytest.mark.full
def test_large_object_over_lost_drives(store):
    data = body(200 * MIB)
    store.s3.create_bucket(Bucket=BUCKET)
    store.s3.put_object(Bucket=BUCKET, Key="k", Body=data)
    for i in (0, 4):
        store.mounts.lose(i)
    assert read(store.s3, BUCKET, "k") == data
