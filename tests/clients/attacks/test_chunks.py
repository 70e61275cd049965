"""Spoilt aws-chunked bodies on every route that stores one (classes 3 and 4)."""

import zlib

import pytest

from chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Upload, encode
from routes import B, path_of, query_of
from s3 import s3_client
from watch import signatures_of
from wire import ask

pytestmark = pytest.mark.kura

CHUNKS = [b"a" * 5000, b"b" * 70_000, b"c" * 3]
WHOLE = b"".join(CHUNKS)
CRC = ("x-amz-checksum-crc32", encode(zlib.crc32(WHOLE).to_bytes(4, "big")))
FORMS = {SIGNED: None, SIGNED_TRAILER: CRC, UNSIGNED_TRAILER: CRC}


def edit(n, change):
    def spoil(upload):
        upload.frames[n] = change(upload.frames[n])
    return spoil


def each_frame():
    for n in range(3):
        yield f"another byte in chunk {n}", edit(n, lambda f: f[:-3] + b"X" + f[-2:])
        yield f"chunk {n} dropped", lambda u, n=n: u.frames.pop(n)
        yield f"chunk {n} twice", lambda u, n=n: u.frames.insert(n, u.frames[n])
        yield f"chunk {n} cut", edit(n, lambda f: f[:-4] + b"\r\n")
        yield f"chunk {n} longer", edit(n, lambda f: f[:-2] + b"XX\r\n")
        yield f"chunk {n} without its line end", edit(n, lambda f: f[:-2])
        yield f"chunk {n} with a lone line feed", edit(n, lambda f: f.replace(b"\r\n", b"\n", 1))
        yield f"chunk {n} of negative size", edit(n, lambda f: b"-" + f)
        yield f"chunk {n} of a size beyond 64 bits", edit(n, lambda f: b"f" * 17 + f)
        yield f"chunk {n} with a space before its size", edit(n, lambda f: b" " + f)
        yield f"chunk {n} with an endless size line", edit(n, lambda f: b"0" * 9000 + f)


ALL = {
    **dict(each_frame()),
    "chunks swapped": lambda u: u.frames.insert(0, u.frames.pop(1)),
    "no last chunk": lambda u: u.frames.__delitem__(slice(-2, None)),
    "an early last chunk": lambda u: u.frames.insert(1, u.frames[-2]),
    "bytes after the end": lambda u: u.frames.append(b"more"),
    "nothing at all": lambda u: u.frames.clear(),
    "only the last chunk": lambda u: u.frames.__delitem__(slice(0, 3)),
}
# In the unsigned form these are other bytes, which the checksum finds, or other framing: all of the above.
SIGNED_ONLY = {
    "the signature of another chunk": lambda u: u.frames.__setitem__(0, u.frames[0].replace(
        u.frames[0].split(b"=")[1][:64], u.frames[1].split(b"=")[1][:64], 1)),
    "no signature": edit(0, lambda f: b"1388\r\n" + f.split(b"\r\n", 1)[1]),
    "an empty signature": edit(0, lambda f: b"1388;chunk-signature=\r\n" + f.split(b"\r\n", 1)[1]),
    "the last chunk unsigned": edit(-2, lambda f: b"0\r\n"),
    "the last chunk signed by nobody": edit(-2, lambda f: f[:-6] + b"0000\r\n"),
}
TRAILERS = {
    "no trailer": edit(-1, lambda f: b"\r\n"),
    "another trailer": edit(-1, lambda f: f.replace(b"crc32", b"crc99")),
    "a checksum of other bytes": edit(-1, lambda f: f.replace(CRC[1].encode(), encode(b"\0\0\0\1").encode())),
    "a checksum of no base64": edit(-1, lambda f: f.replace(CRC[1].encode(), b"!!!!!!!!")),
    "a checksum cut short": edit(-1, lambda f: f.replace(CRC[1].encode(), CRC[1][:4].encode())),
    "a trailer twice": edit(-1, lambda f: f.split(b"\r\n")[0] + b"\r\n" + f),
    "a trailer never announced": edit(-1, lambda f: b"x-amz-meta-a:b\r\n" + f),
    "an endless trailer": edit(-1, lambda f: b"x-amz-checksum-crc32:" + b"A" * 9000 + b"\r\n\r\n"),
}
TRAILER_SIGNATURES = {
    "a trailer signed by nobody": edit(-1, lambda f: f[:-8] + b"0000\r\n\r\n"),
    "an unsigned trailer": edit(-1, lambda f: f.split(b"\r\n")[0] + b"\r\n\r\n"),
}


def cases():
    for form, trailer in FORMS.items():
        attacks = {**ALL, **(SIGNED_ONLY if form != UNSIGNED_TRAILER else {}), **(TRAILERS if trailer else {}),
                   **(TRAILER_SIGNATURES if form == SIGNED_TRAILER else {})}
        yield from ((form, trailer, name, spoil, None) for name, spoil in attacks.items())
        for n, length in enumerate((0, 1, len(WHOLE) - 1, len(WHOLE) + 1, 1 << 40, (1 << 64) + len(WHOLE))):
            yield form, trailer, f"a decoded length of {length}", lambda u: None, length


def takes_a_stream(route) -> bool:
    return route["method"] == "PUT" and route["target"] == "object" and not route["answer"] and not route["headers"]


@pytest.mark.parametrize("form", FORMS)
def test_spoilt_chunks_store_nothing(target, form):
    routes = [route for route in target.routes if takes_a_stream(route)]
    assert {"PutObject", "UploadPart"} <= {route["name"] for route in routes}
    wrong = []
    for route in routes:
        # Another key: that of an upload must be its own.
        key = "k" if route["query"] else "chunked"
        for _, trailer, name, spoil, declared in (case for case in cases() if case[0] == form):
            upload = Upload(target.endpoint, B, key, form, CHUNKS, trailer, declared=declared,
                            query=query_of(route, target.upload))
            spoil(upload)
            data = b"".join(upload.frames)
            head = "".join(f"{n}: {v}\r\n" for n, v in upload.headers.items())
            assert path_of(route, key=key) == upload.path
            request = f"PUT {upload.target} HTTP/1.1\r\n{head}content-length: {len(data)}\r\n\r\n".encode() + data
            target.watch.used(*signatures_of(request))
            answer = ask(target.endpoint, request)
            if answer.status not in (400, 403) or not answer.code:
                wrong.append(f"{route['name']}, {name}: {answer.status} {answer.code}")
    assert not wrong, "\n".join(wrong)
    s3 = s3_client(target.endpoint)
    assert [row["Key"] for row in s3.list_objects_v2(Bucket=B)["Contents"]] == ["k"]
    assert [part["PartNumber"] for part in s3.list_parts(Bucket=B, Key="k", UploadId=target.upload)["Parts"]] == [1]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_chunks_unspoilt_are_stored(target, form):
    """So that the attacks fail for what is wrong with them."""
    upload = Upload(target.endpoint, B, "chunked", form, CHUNKS, FORMS[form])
    assert upload.send()[0] == 200
    s3 = s3_client(target.endpoint)
    assert s3.get_object(Bucket=B, Key="chunked")["Body"].read() == WHOLE
    s3.delete_object(Bucket=B, Key="chunked")
