#!/usr/bin/env python3
"""Writes first inputs for the fuzz targets: FOLDER/TARGET/NAME. Usage: make_seeds.py FOLDER.

From the golden files, from the vectors and cases of the tests, and from the grammars. What a campaign
makes of them is kept in corpus/ (`./dev fuzz --store`); this is where a new target or grammar starts.
"""

import base64
import hashlib
import hmac
import pathlib
import struct
import subprocess
import sys

import seed_events
import seed_texts

HERE = pathlib.Path(__file__).parent
TESTS = HERE.parent
GOLDEN = TESTS / "golden"
SECRET = b"secret"


def requests() -> list[bytes]:
    """Signed requests: method, target and headers, a blank line between two."""
    out = []
    for block in (TESTS / "s3_auth/botocore_vectors.txt").read_text().split("\n\n")[:60]:
        lines = block.strip("\n").splitlines()
        if len(lines) >= 3:
            fields = "".join(line.replace(":", ": ", 1) + "\r\n" for line in lines[2:])
            out.append(f"{lines[0]} {lines[1]} HTTP/1.1\r\n{fields}\r\n".encode())
    return out


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def aws_chunked(body: bytes, size: int, signed: bool, trailer: bool) -> bytes:
    scope = ["20130524", "us-east-1", "s3", "aws4_request"]
    key = b"AWS4" + SECRET
    for part in scope:
        key = mac(key, part)
    head = f"20130524T000000Z\n{'/'.join(scope)}\n"
    previous = "a" * 64
    out = b""
    pieces = [body[i:i + size] for i in range(0, len(body), size)] + [b""]
    for piece in pieces:
        out += b"%x" % len(piece)
        if signed:
            text = f"AWS4-HMAC-SHA256-PAYLOAD\n{head}{previous}\n{hashlib.sha256().hexdigest()}\n"
            previous = mac(key, text + hashlib.sha256(piece).hexdigest()).hex()
            out += b";chunk-signature=" + previous.encode()
        out += b"\r\n" + (piece + b"\r\n" if piece else b"")
    if trailer:
        field = b"x-amz-checksum-crc32:y/Q5Jg=="
        out += field + b"\r\n"
        if signed:
            text = f"AWS4-HMAC-SHA256-TRAILER\n{head}{previous}\n"
            out += b"x-amz-trailer-signature:"
            out += mac(key, text + hashlib.sha256(field + b"\n").hexdigest()).hex().encode() + b"\r\n"
    return out + b"\r\n"


def framed() -> list[bytes]:
    out = []
    for bits in range(4):
        for body in (b"", b"some bytes that matter"):
            wire = aws_chunked(body, 8, bool(bits & 1), bool(bits & 2))
            out.append(struct.pack("<BBH", bits, 5, len(body)) + wire)
    return out


def token(kind: str, scope: str, name: str) -> bytes:
    head = b"\x01" + kind.encode() + name.encode()
    check = hashlib.sha256(b"list token %d %s" % (len(scope), scope.encode()) + head).digest()[:8]
    return base64.urlsafe_b64encode(head + check).rstrip(b"=")


def tokens() -> list[bytes]:
    out = []
    for number, kind in enumerate("ob"):
        for name in ("", "photos/cat", "ü" * 40):
            out.append(bytes([number, 6]) + b"bucket" + token(kind, "bucket", name))
    return out


def encoded_events(texts: list[str]) -> bytes:
    """A row of events in protobuf's text form, as events with their lengths first."""
    tree = TESTS.parent
    out = b""
    for text in texts:
        done = subprocess.run(
            ["protoc", f"-I{tree}/base/proto", f"-I{tree}/journal/proto", "--encode=kura.v1.Event",
             "event.proto"], input=text.encode(), capture_output=True, check=True)
        out += struct.pack("<H", len(done.stdout)) + done.stdout
    return out


def golden_rows(name: str) -> list[tuple[bytes, bytes]]:
    rows = []
    for line in (GOLDEN / "metadata" / name).read_text().splitlines():
        key, _, value = line.partition(" ")
        rows.append((bytes.fromhex(key), bytes.fromhex(value)))
    return rows


def pairs(rows: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(bytes([len(b)]) + b for row in rows for b in row)


def journal_records() -> list[bytes]:
    log = (GOLDEN / "journal/0000000000000000.seg").read_bytes()
    fields = bytes(range(1, 96)) + b"\x07payload" + struct.pack("<H", 4) + b"body"
    return [log[4096:4224], log[4224:4416], log[4416:4544], bytes(3) + fields, bytes([9, 0, 4]) + fields]


def seeds() -> dict[str, list[bytes]]:
    signed = requests()
    heads = [text.replace("\n", "\r\n").encode() for text in seed_texts.HEADS]
    view = [key for key, _ in golden_rows("rows.txt")]
    disk = GOLDEN / "disk"
    member = (disk / "member1.seg").read_bytes()
    return {
        "http_head": heads + signed[:20],
        "http_chunked": [bytes([piece]) + text.encode() for piece in (0, 6, 255)
                         for text in seed_texts.CHUNKED],
        "aws_chunked": framed(),
        "sigv4_claim": heads + signed,
        "authenticator": [bytes([n % 2, n, 0, 1]) + head for n, head in enumerate(heads + signed)],
        "uri": [text.encode() for text in seed_texts.URIS] + [r.split(b" ")[1] for r in signed],
        "header_values": [bytes([kind]) + text.encode() for kind, texts in enumerate(seed_texts.VALUES)
                          for text in texts],
        "request_target": heads + signed[:20],
        "list_token": tokens(),
        "xml_delete": [text.encode() for text in seed_texts.DELETE],
        "xml_complete": [text.encode() for text in seed_texts.COMPLETE],
        "xml_create_bucket": [text.encode() for text in seed_texts.CREATE_BUCKET],
        "journal_record": journal_records(),
        "journal_files": [
            b"\0" + (GOLDEN / "journal/0000000000000000.seg").read_bytes()[:4096],
            b"\1" + (GOLDEN / "journal/mirrors").read_bytes(),
            b"\2journal/0000000000001400.seg", b"\3" + bytes(range(24)), b"\3" + bytes(range(40, 90))],
        "journal_merge": [bytes([n]) + bytes(i * 37 % 256 for i in range(n)) + damage
                          for n in (0, 1, 6, 39) for damage in seed_texts.DAMAGES],
        "event_fold": [encoded_events(row) for row in seed_events.DATA],
        "control_fold": [b"\0" + encoded_events(row) for row in seed_events.CONTROL]
        + [b"\1" + pairs(golden_rows("control_rows.txt"))],
        "view_rows": [b"\1a\1b" + bytes(40) + key for key in view],
        "snapshot": [b"\1" + (GOLDEN / "metadata" / name).read_bytes()
                     for name in ("view.snapshot", "newer.snapshot")]
        + [bytes([0, 30, 1, 0, 4]) + pairs(golden_rows("rows.txt"))],
        "disk_formats": [b"\0" + member[4096:4160], b"\0" + member[4096 + 384:], b"\1" + member[:4096],
                         b"\2" + (disk / "drive").read_bytes(), b"\x030000002a.seg",
                         b"\4" + bytes(range(60))],
        "config": [bytes([kind]) + text.encode() for kind, texts in enumerate(seed_texts.CONFIG)
                   for text in texts],
    }


def main() -> None:
    for target, inputs in seeds().items():
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


if __name__ == "__main__":
    main()
