#!/usr/bin/env python3
"""Writes the golden files of segment sets from the grammar in actors/disk/README.md alone.

A second implementation of the formats on purpose: it shares no code with the coder under test.
The files are part of the format and never change; run it only to add one.
"""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
CLUSTER = bytes.fromhex("c0" * 16)
DRIVE = bytes.fromhex("d1" * 16)
INCARNATION = bytes.fromhex("1c" * 16)
SET, K, M, MEMBER_BYTES = 42, 2, 1, 1 << 20
STRIPED, PACKED = 1, 2


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def times(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


def inverse(a):
    return next(b for b in range(1, 256) if times(a, b) == 1)


def shards_of(data):
    """Data shards and parity shards of one stripe."""
    parity = []
    for i in range(M):
        row = [inverse((K + i) ^ j) for j in range(K)]
        columns = zip(*data)
        out = bytearray()
        for column in columns:
            total = 0
            for coefficient, byte in zip(row, column):
                total ^= times(coefficient, byte)
            out.append(total)
        parity.append(bytes(out))
    return list(data) + parity


def up(value, unit):
    return -(-value // unit) * unit


def stripe(layout, offset, data, used, reservations):
    """The stripe as each member has it."""
    out = []
    for member, shard in enumerate(shards_of(data)):
        header = b"KSTR" + struct.pack("<BBBBIBBHQII", 1, 1, layout, member, SET, K, M,
                                       len(reservations), offset, len(shard), used)
        header += INCARNATION + struct.pack("<II", crc32c(shard), 0)
        header += b"".join(struct.pack("<Q", r) for r in reservations)
        header = header.ljust(up(len(header), 64), b"\0")
        header = header[:52] + struct.pack("<I", crc32c(header)) + header[56:]
        out.append(header + shard)
    return out


def file_header(member):
    header = b"KURASEG\n" + struct.pack("<HHI", 1, 1, SET) + CLUSTER
    header += bytes([member, K, M]).ljust(8, b"\0") + struct.pack("<Q", MEMBER_BYTES)
    header = header.ljust(4096, b"\0")
    return header[:56] + struct.pack("<I", crc32c(header)) + header[60:]


def main():
    # A body of 300 bytes in pieces of 128: one full row of 256 bytes, one of 44 in shards of 64.
    body = bytes(i * 7 % 251 for i in range(300))
    first = stripe(STRIPED, 4096, [body[:128], body[128:256]], 256, [9])
    tail = body[256:].ljust(128, b"\0")
    second = stripe(STRIPED, 4096 + 192, [tail[:64], tail[64:]], 44, [9])
    # Three bodies of two uploads, packed: the largest alone in its column.
    bodies = [b"x" * 100, b"y" * 60, b"z" * 30]
    columns = [bodies[0].ljust(128, b"\0"), (bodies[1] + bodies[2]).ljust(128, b"\0")]
    packed = stripe(PACKED, 8192, columns, 190, [3, 17])
    for member in range(K + M):
        out = file_header(member) + first[member] + second[member]
        (HERE / f"member{member}.seg").write_bytes(out.ljust(8192, b"\0") + packed[member])
    identity = b"KURADRV\n" + struct.pack("<HH", 1, 1) + CLUSTER + DRIVE
    (HERE / "drive").write_bytes(identity + struct.pack("<I", crc32c(identity)))


if __name__ == "__main__":
    main()
