"""What one connection carries: requests sent ahead, answers in order, bodies asked for before they are read."""

import random

import pytest

from bodies import KIB, MIB, body
from s3 import read
from wire import Call, Wire

pytestmark = pytest.mark.kura


def call(endpoint, method, bucket, key="", **more):
    return Call(endpoint, method, f"/{bucket}/{key}", **more).sign()


def mixed(endpoint, bucket, count: int):
    """Requests of every kind, and what each must be answered: (bytes, method, status, body or None)."""
    rows, chance = [], random.Random(5)
    for n in range(count):
        data = body(chance.choice([0, 1, 4 * KIB, 40 * KIB]), str(n))
        rows += [(call(endpoint, "PUT", bucket, f"k{n}", body=data).wire(), "PUT", 200, b""),
                 (call(endpoint, "GET", bucket, f"k{n}").wire(), "GET", 200, data),
                 (call(endpoint, "HEAD", bucket, f"k{n}").wire(), "HEAD", 200, b""),
                 (call(endpoint, "GET", bucket, f"absent{n}").wire(), "GET", 404, None),
                 (call(endpoint, "PUT", "absent-bucket", "k", body=b"never read").wire(), "PUT", 404, None),
                 (call(endpoint, "DELETE", bucket, f"k{n}").wire(), "DELETE", 204, b""),
                 (call(endpoint, "GET", bucket, f"k{n}").wire(), "GET", 404, None)]
    return rows


def expect(wire, rows):
    for n, (_, method, status, data) in enumerate(rows):
        answer = wire.answer(head_request=method == "HEAD")
        assert answer.status == status, (n, method, answer)
        assert data is None or answer.body == data, f"the answer to another request than {n}"


def test_requests_sent_at_once_are_answered_in_order(endpoint, bucket):
    rows = mixed(endpoint, bucket, 12)
    with Wire(endpoint) as wire:
        wire.send(b"".join(row[0] for row in rows))
        expect(wire, rows)
        wire.send(rows[0][0])  # It goes on.
        expect(wire, rows[:1])


def test_requests_in_pieces_of_any_size(endpoint, bucket):
    rows = mixed(endpoint, bucket, 2)
    data, chance = b"".join(row[0] for row in rows), random.Random(6)
    with Wire(endpoint) as wire:
        while data:
            size = chance.choice([1, 2, 3, 100, 1000, 50_000])
            wire.send(data[:size])
            data = data[size:]
        expect(wire, rows)


def test_a_large_upload_does_not_let_others_pass(endpoint, bucket):
    large = body(9 * MIB)
    rows = [(call(endpoint, "PUT", bucket, "k", body=large).wire(), "PUT", 200, b""),
            (call(endpoint, "GET", bucket, "k").wire(), "GET", 200, large),
            (call(endpoint, "DELETE", bucket, "k").wire(), "DELETE", 204, b"")]
    with Wire(endpoint) as wire:
        wire.send(b"".join(row[0] for row in rows))
        expect(wire, rows)


@pytest.mark.parametrize("size", [0, 1, 16 * KIB, 300 * KIB])
def test_a_body_is_asked_for(s3, endpoint, bucket, size):
    """The head alone is sent until the server says that it will read the body."""
    data = body(size)
    with Wire(endpoint, timeout=5) as wire:
        for _ in range(3):
            wire.send(call(endpoint, "PUT", bucket, "k", body=data, headers={"expect": "100-continue"}).head())
            assert wire.answer().status == 100
            wire.send(data)
            assert wire.answer().status == 200
    assert read(s3, bucket, "k") == data


@pytest.mark.parametrize("size", [0, 1, 300 * KIB])
def test_a_refused_body_is_not_asked_for(s3, endpoint, bucket, size):
    refused = call(endpoint, "PUT", bucket, "k", body=body(size), secret_key="x" * 40, headers={"expect": "100-continue"})
    with Wire(endpoint, timeout=10) as wire:
        wire.send(refused.head())
        answer = wire.answer()
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
        assert answer.headers["connection"] == "close"
        wire.send(call(endpoint, "GET", bucket, "k").wire())  # Might be the body: never a request.
        assert wire.closed()


def test_who_does_not_wait_is_served(s3, endpoint, bucket):
    for size in (0, 1, 300 * KIB):
        with Wire(endpoint) as wire:
            wire.send(call(endpoint, "PUT", bucket, "k", body=body(size), headers={"expect": "100-continue"}).wire())
            answer = wire.answer()
            assert (wire.answer() if answer.status == 100 else answer).status == 200
        assert read(s3, bucket, "k") == body(size)


def test_a_target_with_its_host(endpoint, bucket):
    """As proxies send it (RFC 9112, 3.2.2): the host of the target is the one that is signed."""
    put = call(endpoint, "PUT", bucket, "k", body=b"absolute").wire()
    get = call(endpoint, "GET", bucket, "k").wire()
    with Wire(endpoint) as wire:
        for request, other in ((put, False), (get, False), (get, True)):
            request = request.replace(b" /", f" http://{endpoint.host}/".encode(), 1)
            wire.send(request.replace(b"host: ", b"host: other.", 1) if other else request)
            answer = wire.answer()
            assert answer.status == 200, answer
        assert answer.body == b"absolute"
        wire.send(get.replace(b" /", b" http://other.example/", 1))
        assert wire.answer().code == "SignatureDoesNotMatch"


def test_a_resumed_download_never_mixes_two_versions(endpoint, bucket, s3):
    old = s3.put_object(Bucket=bucket, Key="k", Body=b"a" * 100)["ETag"]
    new = s3.put_object(Bucket=bucket, Key="k", Body=b"b" * 100)["ETag"]
    with Wire(endpoint) as wire:
        for etag, status, data in ((new, 206, b"b" * 50), (old, 200, b"b" * 100), ("W/" + new, 200, b"b" * 100)):
            wire.send(call(endpoint, "GET", bucket, "k", headers={"range": "bytes=50-", "if-range": etag}).wire())
            answer = wire.answer()
            assert (answer.status, answer.body) == (status, data)


def test_metadata_of_two_kilobytes_in_many_fields(endpoint, bucket, s3):
    want = {f"n{n:03}": "1" for n in range(400)}
    put = call(endpoint, "PUT", bucket, "k", headers={f"x-amz-meta-{name}": "1" for name in want}, body=b"x")
    twice = call(endpoint, "PUT", bucket, "twice", headers={"x-amz-meta-a": "1,2"}, body=b"x").wire()
    with Wire(endpoint) as wire:
        wire.send(put.wire())
        assert wire.answer().status == 200
        wire.send(twice.replace(b"x-amz-meta-a: 1,2\r\n", b"x-amz-meta-a: 1\r\nX-Amz-Meta-A: 2\r\n"))
        assert wire.answer().status == 200
        wire.send(call(endpoint, "HEAD", bucket, "k").wire())
        got = wire.answer(head_request=True).headers
    assert {name[11:]: value for name, value in got.items() if name.startswith("x-amz-meta-")} == want
    assert s3.head_object(Bucket=bucket, Key="twice")["Metadata"] == {"a": "1,2"}
