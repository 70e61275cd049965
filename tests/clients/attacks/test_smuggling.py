"""Requests that two readers would cut differently: 400 and the end of the connection, on every method (class 41)."""

import contextlib
import socket

import pytest

from routes import B, name_of, request_of
from wire import Call, Wire

pytestmark = pytest.mark.kura

CHUNKED = "Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
# Lines beside the signed ones, and the body after them. A second request follows in every case.
HEADS = {
    "both lengths": (["Content-Length: 5", CHUNKED], END), "both, the other way": ([CHUNKED, "Content-Length: 5"], END),
    "chunked twice": ([CHUNKED, CHUNKED], END), "chunked twice in one": (["Transfer-Encoding: chunked, chunked"], END),
    "identity": (["Transfer-Encoding: identity"], b""), "identity and a length": (["Transfer-Encoding: identity", "Content-Length: 5"], b"abcde"),
    "an unknown coding": (["Transfer-Encoding: xchunked"], END), "gzip and chunked": (["Transfer-Encoding: gzip, chunked"], END),
    "a quoted coding": (['Transfer-Encoding: "chunked"'], END), "a coding with a tab": (["Transfer-Encoding:\tchunked\x0b"], END),
    "no coding": (["Transfer-Encoding: "], b""), "a coding after a comma": (["Transfer-Encoding: ,chunked"], END),
    "a space before the colon": (["Transfer-Encoding : chunked"], END), "a length before a space": (["Content-Length : 5"], b"abcde"),
    "a folded coding": (["X: y", " Transfer-Encoding: chunked"], END), "a folded value": (["Transfer-Encoding:", " chunked"], END),
    "a line of spaces": (["Content-Length: 0", " "], b""), "two lengths": (["Content-Length: 5", "Content-Length: 0"], b"abcde"),
    "two equal lengths": (["Content-Length: 5", "Content-Length: 5"], b"abcde"), "a list of lengths": (["Content-Length: 5, 5"], b"abcde"),
    "1,1": (["Content-Length: 1,1"], b"a"), "-1": (["Content-Length: -1"], b""), "+1": (["Content-Length: +1"], b"a"),
    "0x1": (["Content-Length: 0x1"], b"a"), "1 1": (["Content-Length: 1 1"], b"a"), "1e0": (["Content-Length: 1e0"], b"a"),
    "an empty length": (["Content-Length: "], b""), "2^64": ([f"Content-Length: {1 << 64}"], b""),
    "2^64 + 1": ([f"Content-Length: {(1 << 64) + 1}"], b"a"), "2^63": ([f"Content-Length: {1 << 63}"], b""),
    "a header without name": ([": x"], b""), "a name with a slash": (["Content/Length: 1"], b"a"),
    "a NUL in a value": (["X: a\0b"], b""), "a bare carriage return": (["X: a\rContent-Length: 5"], b""),
    "a bare line feed": (["X: a\nContent-Length: 5"], b""), "two hosts": (["Host: other"], b""),
    "a coding hidden by a name": (["Transfer-Encoding\0: chunked"], END), "another expectation": (["Expect: 200-ok"], b""),
}
BODIES = {
    "a chunk size with a sign": b"+1\r\na\r\n0\r\n\r\n", "a negative chunk": b"-1\r\na\r\n0\r\n\r\n",
    "a chunk in 0x": b"0x1\r\na\r\n0\r\n\r\n", "a chunk of spaces": b" 1\r\na\r\n0\r\n\r\n", "a chunk, then a space": b"1 \r\na\r\n0\r\n\r\n",
    "a chunk beyond 64 bits": b"10000000000000001\r\na\r\n0\r\n\r\n", "a chunk of 2^63": b"8000000000000000\r\na",
    "a chunk extension": b"1;a=b\r\na\r\n0\r\n\r\n", "an extension with a line feed": b"1;a\nb\r\na\r\n0\r\n\r\n",
    "a chunk longer than its size": b"1\r\nab\r\n0\r\n\r\n", "a chunk without end": b"1\r\na0\r\n\r\n",
    "a lone line feed": b"1\na\n0\n\n", "an empty size": b"\r\na\r\n0\r\n\r\n", "no number": b"zz\r\na\r\n0\r\n\r\n",
    "an endless size": b"0" * 70_000, "an endless trailer": b"0\r\n" + b"a: b\r\n" * 20_000, "a folded trailer": b"0\r\na: b\r\n c\r\n\r\n",
    "a trailer without colon": b"0\r\nabc\r\n\r\n",
}
STARTS = {
    "HTTP/1.2": "HTTP/1.2", "HTTP/2.0": "HTTP/2.0", "HTTP/0.9": "HTTP/0.9", "http/1.1": "http/1.1", "two spaces": " HTTP/1.1",
    "no version": "", "a tab": "\tHTTP/1.1", "a space after it": "HTTP/1.1 ", "HTTP/1.10": "HTTP/1.10",
}


def smuggled(target) -> bytes:
    """Would write the key, were it taken for a request."""
    return Call(target.endpoint, "PUT", f"/{B}/smuggled", body=b"x").sign().wire()


def refused_and_closed(target, data: bytes, status=(400,), must_say: bool = True) -> str:
    """Empty, or what was wrong."""
    with Wire(target.endpoint) as wire:
        try:
            wire.send(data + smuggled(target))
        except OSError:
            pass
        try:
            answer = wire.answer()
        except ConnectionResetError:
            return ""  # It was answered and closed while more was sent.
        if answer.status == 100:
            answer = wire.answer()
        if answer.status not in status or must_say and answer.headers.get("connection") != "close":
            return f"{answer.status} {answer.code} {answer.headers.get('connection')}"
        with contextlib.suppress(OSError):
            wire.link.shutdown(socket.SHUT_WR)  # Else it reads on for a while, so that the answer arrives.
        return "" if wire.closed() else f"more came: {wire.ahead[:200]!r}"


def head_of(target, route, lines, start="HTTP/1.1") -> bytes:
    call = request_of(route, target.endpoint, target.upload, body=b"", length=False, payload="UNSIGNED-PAYLOAD").sign()
    first, rest = call.head().split(b"\r\n", 1)
    first = first.removesuffix(b"HTTP/1.1") + start.encode()
    return first.rstrip(b" ") * (not start) + first * bool(start) + b"\r\n" + rest[:-2] + "".join(
        f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


@pytest.mark.parametrize("name", HEADS)
def test_a_head_with_two_meanings(target, name):
    lines, body = HEADS[name]
    status = (417,) if name == "another expectation" else (400,)
    with target.watch.nothing_written():
        wrong = {name_of(r): found for r in target.routes if r["method"] != "HEAD"
                 if (found := refused_and_closed(target, head_of(target, r, lines) + body, status))}
    assert not wrong


def looks_at_its_body(route) -> bool:
    """The others are done, or not, before it: a DELETE with a body deletes."""
    return route["method"] in ("PUT", "POST") and not route["headers"] and route["name"] != "CreateMultipartUpload"


@pytest.mark.parametrize("name", BODIES)
def test_a_chunked_body_with_two_meanings(target, name):
    """Whatever a route makes of it: one answer, no event, and nothing after it. Some answer before they look
    at the body; then its end is looked for, and the connection ends where it cannot be found."""
    wrong = {}
    with target.watch.nothing_written():
        for route in target.routes:
            if looks_at_its_body(route):
                status = (400, 411) if not route["answer"] else (400, 411, 501)
            elif route["method"] == "GET":
                status = (200, 400, 404, 501)
            else:
                continue
            data = head_of(target, route, [CHUNKED]) + BODIES[name]
            if found := refused_and_closed(target, data, status, must_say=False):
                wrong[name_of(route)] = found
    assert not wrong


@pytest.mark.parametrize("name", STARTS)
def test_a_version_that_is_none(target, name):
    route = next(r for r in target.routes if r["name"] == "PutObject")
    with target.watch.nothing_written():
        assert not refused_and_closed(target, head_of(target, route, ["Content-Length: 0"], STARTS[name]))


def test_http_1_0_ends_after_its_answer(target):
    """Also when it asks for more: what follows it is no request."""
    for lines in ([], ["Connection: keep-alive"], ["Keep-Alive: timeout=5"]):
        route = next(r for r in target.routes if r["name"] == "GetObject")
        with target.watch.nothing_written():
            assert not refused_and_closed(target, head_of(target, route, lines, "HTTP/1.0"), (200,))


def test_a_body_where_none_belongs_is_no_request(target):
    """A GET may carry a body; it is skipped by its length, not read as the next request."""
    inner = smuggled(target)
    call = Call(target.endpoint, "GET", f"/{B}/k", body=inner, payload="UNSIGNED-PAYLOAD").sign()
    with target.watch.nothing_written(), Wire(target.endpoint) as wire:
        wire.send(call.wire() + Call(target.endpoint, "GET", f"/{B}/absent").sign().wire())
        assert wire.answer().status in (200, 400)
        try:
            assert wire.answer().code == "NoSuchKey"
        except AssertionError:
            assert wire.closed()
