"""Headers that a client may not set, and line ends that would make new ones (classes 37 and 38)."""

import re
import socket
import urllib.parse

import pytest

from routes import B, request_of
from s3 import s3_client
from wire import UNSIGNED, Call, Wire, ask

pytestmark = pytest.mark.kura

# Names by which servers tell themselves or each other something. GHSA-3rh2-v3gr-35p9, CVE-2026-42600.
INTERNAL = {
    "x-kura-internal-transform": "TEST_PADDING", "x-kura-version": "1", "x-kura-epoch": "99", "x-kura-size": "1",
    "x-minio-source-mtime": "2020-01-01T00:00:00Z", "x-minio-source-etag": "0" * 32, "x-minio-source-version-id": "null",
    "x-minio-source-deletemarker": "true", "x-minio-source-replication-request": "true", "x-minio-force-delete": "true",
    "x-minio-internal-server-side-encryption-sealed-key": "AAAA", "x-minio-replication-server-side-encryption-iv": "AAAA",
    "x-minio-extract": "true", "x-rustfs-internal-actual-size": "1", "x-rustfs-source-etag": "0" * 32,
    "x-amz-replication-status": "REPLICA", "x-amz-version-id": "made-up", "x-amz-delete-marker": "true",
    "x-amz-mp-parts-count": "7", "x-amz-expiration": "made-up", "x-amz-restore": "made-up", "x-rgw-object-type": "Normal",
    "x-amz-request-id": "made-up", "x-amz-id-2": "made-up", "etag": '"made-up"', "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT",
    "x-forwarded-for": "127.0.0.1", "x-amz-meta-x-amz-request-id": "kept",
}
SIZES = [5, 300_000]


def stored(answer) -> dict[str, str]:
    own = {"date", "x-amz-request-id", "x-amz-id-2", "last-modified", "content-length", "connection"}
    return {name: value for name, value in answer.headers.items() if name not in own}


def writes_an_object(route) -> bool:
    return route["access"] == "write" and route["target"] == "object" and not route["answer"]


@pytest.mark.parametrize("name", INTERNAL)
def test_an_internal_header_is_ignored_or_refused(target, name):
    """By every operation that writes an object: what is stored is what would be stored without it."""
    e, key = target.endpoint, "internal"
    assert {"PutObject", "CopyObject", "CreateMultipartUpload"} <= {r["name"] for r in target.routes if writes_an_object(r)}
    for size in SIZES:
        plain, body = {}, b"i" * size
        for headers in ({}, {name: INTERNAL[name]}):
            answer = ask(e, Call(e, "PUT", f"/{B}/{key}", body=body, headers=headers).sign().wire())
            assert answer.status in (200, 400, 501), answer
            if answer.status != 200:
                continue
            got = ask(e, Call(e, "GET", f"/{B}/{key}").sign().wire())
            assert (got.status, got.body) == (200, body)
            kept = stored(got)
            if name == "x-amz-meta-x-amz-request-id":
                kept.pop(name, None)  # Metadata, under its whole name.
            plain = plain or kept
            assert kept == plain
            assert got.headers["x-amz-request-id"] != INTERNAL[name]
    ask(e, Call(e, "DELETE", f"/{B}/{key}").sign().wire())


@pytest.mark.parametrize("name", INTERNAL)
def test_an_internal_header_changes_no_answer(target, name):
    """On every other route: the same status and code as without it, or a refusal."""
    wrong = []
    for route in target.routes:
        if route["access"] == "write" and not route["answer"] or route["method"] == "HEAD":
            continue
        first, second = (ask(target.endpoint, request_of(route, target.endpoint, target.upload, headers=h).sign().wire())
                         for h in ({}, {name: INTERNAL[name]}))
        if (second.status, second.code) != (first.status, first.code) and second.status not in (400, 501):
            wrong.append(f"{route['name']}: {first.status} {first.code}, then {second.status} {second.code}")
    assert not wrong, "\n".join(wrong)


EVIL = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\0b", "a\x0bb", "a\x7fb", "\u560d\u560aX-Evil: 1",
        "a\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1"]
OVERRIDES = ["response-content-type", "response-content-disposition", "response-content-language", "response-cache-control",
             "response-content-encoding", "response-expires"]


def raw(target, data: bytes) -> bytes:
    """Everything up to the end of the connection."""
    with Wire(target.endpoint) as wire:
        wire.send(data.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\nConnection: close\r\n", 1))
        wire.link.shutdown(socket.SHUT_WR)  # Else it waits for more of a body that it did not read.
        while wire.more():
            pass
        return wire.ahead


def assert_no_new_header(got: bytes):
    # An error document may quote a value, escaped: it is as long as its head says, and the last bytes.
    head, body = got.split(b"\r\n\r\n", 1)
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
    assert len(body) in (0, int(length[1]) if length else 0), got
    assert not re.search(rb"[\r\n]\s*X-Evil", head), head
    assert b"\0" not in head


@pytest.mark.parametrize("value", EVIL)
@pytest.mark.parametrize("name", OVERRIDES)
def test_an_override_makes_no_header(target, name, value):
    for presigned in (False, True):
        call = Call(target.endpoint, "GET", f"/{B}/k", query=[(name, value)])
        got = raw(target, (call.presign() if presigned else call.sign()).wire())
        assert_no_new_header(got)
        if "\u560d" not in value:
            assert got.startswith(b"HTTP/1.1 400 "), got[:300]


@pytest.mark.parametrize("value", EVIL)
def test_a_query_makes_no_header_on_any_route(target, value):
    """Prefixes, markers, delimiters, ids: what a route may repeat in its answer."""
    names = ["prefix", "marker", "delimiter", "key-marker", "upload-id-marker", "continuation-token", "start-after",
             "versionId", "encoding-type", "id", "x-amz-meta-a", "x-amz-website-redirect-location"]
    for route in target.routes:
        if route["access"] == "write" and not route["answer"]:
            continue
        call = request_of(route, target.endpoint, target.upload, query=[(n, value) for n in names])
        assert_no_new_header(raw(target, call.sign().wire()))


STORED = ["x-amz-meta-a", "content-disposition", "content-type", "content-language", "cache-control", "expires",
          "x-amz-website-redirect-location", "content-encoding"]


@pytest.mark.parametrize("value", EVIL)
def test_a_stored_header_makes_no_other(target, value):
    """Sent raw, and hoisted into a presigned URL, where it arrives unescaped."""
    e, s3 = target.endpoint, s3_client(target.endpoint)
    for name in STORED:
        # Raw, a line end is a line end: then the header is another one and not signed with the first.
        call = Call(e, "PUT", f"/{B}/evil", headers={name: value.encode().decode("latin-1")}, body=b"x").sign()
        raw(target, call.wire())
        call = Call(e, "PUT", f"/{B}/evil", query=[(name, value)], body=b"x", payload=UNSIGNED).presign()
        raw(target, call.wire())
        got = raw(target, Call(e, "GET", f"/{B}/evil").sign().wire())
        assert_no_new_header(got)
        s3.delete_object(Bucket=B, Key="evil")


@pytest.mark.parametrize("value", EVIL)
def test_a_path_makes_no_header(target, value):
    for path in (f"/{B}/" + urllib.parse.quote(value, safe=""), "/" + urllib.parse.quote(value, safe="")):
        for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            assert_no_new_header(raw(target, Call(target.endpoint, method, path).sign().wire()))


def test_errors_are_escaped(target):
    """A key in an error document is text, and no browser takes the document for a page (class 39)."""
    path = f"/{B}/" + urllib.parse.quote("<script>alert(1)</script>&\"'")
    answer = ask(target.endpoint, Call(target.endpoint, "GET", path).sign().wire())
    assert answer.status == 404 and b"<script>" not in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/xml"
