#!/usr/bin/env python3
"""Writes the golden snapshots from rows.txt and the grammar in projections/metadata/README.md alone.

A second implementation of the format on purpose: it shares no code with the writer under test. The
files are part of the format and never change; run it only to add one. Needs the module xxhash.
"""
import pathlib
import struct

import xxhash

HERE = pathlib.Path(__file__).parent


def checksummed(data):
    return data + struct.pack(">Q", xxhash.xxh3_64_intdigest(data))


def chunk(kind, payload):
    return checksummed(kind + struct.pack(">I", len(payload)) + payload)


def header(version, reader, position):
    return checksummed(b"KURASNAP" + struct.pack(">HH", version, reader) + position)


def read_rows():
    rows = []
    for line in (HERE / "rows.txt").read_text().splitlines():
        key, _, value = line.partition(" ")
        rows.append((bytes.fromhex(key), bytes.fromhex(value)))
    return rows


def main():
    rows = read_rows()
    position = dict(rows)[b"n"]
    payload = b"".join(struct.pack(">I", len(b)) + b for row in rows for b in row)
    digest = xxhash.xxh3_128_digest(payload)
    body = chunk(b"R", payload) + chunk(b"E", struct.pack(">Q", len(rows)) + digest)
    (HERE / "view.snapshot").write_bytes(header(1, 1, position) + body)
    (HERE / "newer.snapshot").write_bytes(header(3, 2, position) + body)


if __name__ == "__main__":
    main()
