"""The three aws-chunked forms with every checksum, over http and https, and each way to spoil them."""

import pytest

from bodies import KIB, MIB, body
from chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Upload, encode
from s3 import keys_of, read
from test_boto3_checksums import ALGORITHMS

SHAPES = {"empty": [], "one": [b"x"], "small": [body(16 * KIB)], "even": [body(64 * KIB, str(i)) for i in range(4)],
          "odd": [body(8 * KIB + i, str(i)) for i in range(9)], "large": [body(MIB, str(i)) for i in range(3)]}


def trailer_of(chunks, algorithm="CRC32C"):
    return f"x-amz-checksum-{algorithm.lower()}", encode(ALGORITHMS[algorithm](b"".join(chunks)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_shapes(s3, bucket, endpoint, mode, shape):
    chunks = SHAPES[shape]
    upload = Upload(endpoint, bucket, "a b", mode, chunks, None if mode == SIGNED else trailer_of(chunks))
    assert upload.send()[0] == 200
    assert read(s3, bucket, "a b") == b"".join(chunks)
    assert s3.head_object(Bucket=bucket, Key="a b").get("ContentEncoding") in (None, "")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("mode", [SIGNED_TRAILER, UNSIGNED_TRAILER])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_trailers(request, new_bucket, scheme, mode, algorithm):
    s3 = request.getfixturevalue("s3" if scheme == "http" else "s3_tls")
    endpoint = request.getfixturevalue("endpoint" if scheme == "http" else "endpoint_tls")
    s3.create_bucket(Bucket=new_bucket)
    chunks = SHAPES["odd"]
    name, value = trailer_of(chunks, algorithm)
    assert Upload(endpoint, new_bucket, "k", mode, chunks, (name, value)).send()[0] == 200
    head = s3.head_object(Bucket=new_bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == value
    assert read(s3, new_bucket, "k") == b"".join(chunks)


def flip(frame: bytes) -> bytes:
    at = len(frame) - 10
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1:]


def spoil(upload: Upload, how: str):
    frames = upload.frames
    if how == "flipped byte":
        frames[2] = flip(frames[2])
    elif how == "swapped chunks":
        frames[1], frames[2] = frames[2], frames[1]
    elif how == "dropped chunk":
        del frames[1]
    elif how == "doubled chunk":
        frames.insert(1, frames[1])
    elif how == "no final chunk":
        del frames[-2:]
    elif how == "garbled size":
        frames[1] = b"zz" + frames[1]
    elif how == "flipped ending":
        at = frames[-1].index(b":") + 2
        frames[-1] = frames[-1][:at] + (b"A" if frames[-1][at:at + 1] != b"A" else b"B") + frames[-1][at + 1:]
    elif how == "trailer missing":
        frames[-1] = b"\r\n"
    else:
        raise ValueError(how)


SPOILT = [(mode, how) for mode in (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)
          for how in ("flipped byte", "swapped chunks", "dropped chunk", "doubled chunk", "no final chunk", "garbled size")
          ] + [(mode, how) for mode in (SIGNED_TRAILER, UNSIGNED_TRAILER) for how in ("flipped ending", "trailer missing")]


@pytest.mark.parametrize("mode, how", SPOILT)
def test_spoilt(s3, bucket, endpoint, mode, how):
    chunks = SHAPES["odd"]
    upload = Upload(endpoint, bucket, "k", mode, chunks, None if mode == SIGNED else trailer_of(chunks))
    spoil(upload, how)
    status, text = upload.send()
    assert status in (400, 403) and "<Code>" in text, (status, text)
    assert keys_of(s3, bucket) == []


@pytest.mark.kura
@pytest.mark.parametrize("mode", [SIGNED, UNSIGNED_TRAILER])
@pytest.mark.parametrize("lie", [-1, 1])
def test_wrong_decoded_length(s3, bucket, endpoint, mode, lie):
    chunks = SHAPES["odd"]
    upload = Upload(endpoint, bucket, "k", mode, chunks, None if mode == SIGNED else trailer_of(chunks),
                    declared=sum(map(len, chunks)) + lie)
    status, text = upload.send()
    assert (status, "<Code>IncompleteBody</Code>" in text) == (400, True), text
    assert keys_of(s3, bucket) == []


@pytest.mark.kura
def test_other_forms_are_named(s3, bucket, endpoint):
    for mode, status, code in [("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", 501, "NotImplemented"),
                               ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", 501, "NotImplemented"),
                               ("not-a-hash", 400, "InvalidArgument")]:
        got, text = Upload(endpoint, bucket, "k", mode, [b"x"]).send()
        assert (got, f"<Code>{code}</Code>" in text) == (status, True), text
