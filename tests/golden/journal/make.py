#!/usr/bin/env python3
"""Writes the golden files of the embedded journal from the grammar in journal/README.md alone.

A second implementation of the formats on purpose: it shares no code with the encoder under test.
The files are part of the format and never change; run it only to add one.
"""
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
JOURNAL = bytes.fromhex("a1" * 16)
CLUSTER = bytes.fromhex("c0" * 16)
SEGMENT_BYTES = 5120


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def record(offset, kind, payload=b"", body=b"", opened=0, back=0, since=0, epoch=0, seq=0, seen=0,
           lease_ms=0, partition=0, request=bytes(16), digest=0):
    writer = bytes.fromhex("0f" * 16)
    header = b"KREC" + struct.pack("<HHQ", 1, partition, offset) + JOURNAL
    header += struct.pack("<IIII", len(payload), len(body), crc32c(body), since)
    header += struct.pack("<BBHIQ", kind, opened, 0, lease_ms, epoch) + writer
    header += struct.pack("<QQ", seq, seen) + request + struct.pack("<QI", digest, back)
    assert len(header) == 124
    out = header + struct.pack("<I", crc32c(header + payload)) + payload + body
    return out + bytes(-len(out) % 16)


def segment(base, records):
    header = b"KURAJRNL" + struct.pack("<II", 1, 1) + JOURNAL
    header += struct.pack("<QQ", base, SEGMENT_BYTES)
    header = header.ljust(4092, b"\0")
    out = header + struct.pack("<I", crc32c(header)) + b"".join(records)
    return out.ljust(SEGMENT_BYTES, b"\0")


def mirror_set(generation, start, drives, members):
    out = b"KURAMIRR" + struct.pack("<IIQ", 1, 1, generation) + JOURNAL + CLUSTER
    out += struct.pack("<QIIII", start, len(members) - 1, len(drives), len(members), 0)
    out += b"".join(drives) + b"".join(members)
    return out + struct.pack("<I", crc32c(out))


def changed_mirror_set(generation, drives, members, promised, parity_before, before):
    out = b"KURAMIRR" + struct.pack("<IIQ", 2, 2, generation) + JOURNAL + CLUSTER
    out += struct.pack("<QIIII", 0, len(members) - 1, len(drives), len(members), 0)
    out += b"".join(drives) + b"".join(members)
    out += struct.pack("<QII", promised, parity_before, len(before)) + b"".join(before)
    return out + struct.pack("<I", crc32c(out))


def signed_mirror_set(generation, drives, members, promised, writer, writers, lagging, removed):
    out = b"KURAMIRR" + struct.pack("<IIQ", 3, 3, generation) + JOURNAL + CLUSTER
    out += struct.pack("<QIIII", 0, len(members) - 1, len(drives), len(members), 0)
    out += b"".join(drives) + b"".join(members)
    out += struct.pack("<QII", promised, 0, 0)
    out += writer + struct.pack("<IIII", len(writers), len(lagging), len(removed), 0)
    out += b"".join(writers) + b"".join(lagging) + b"".join(drive + process for drive, process in removed)
    return out + struct.pack("<I", crc32c(out))


def main():
    claim = record(4096, kind=1, epoch=3, lease_ms=1000, partition=5)
    event = record(4096 + len(claim), kind=2, payload=b"payload", body=b"body of 21 bytes long",
                   opened=1, back=len(claim), epoch=3, seq=1, seen=4096, partition=5,
                   request=bytes(range(16)), digest=0x1122334455667788)
    noop = record(4096 + len(claim) + len(event), kind=3, opened=1, back=len(event),
                  since=len(event), epoch=3, seq=2, seen=4096 + len(claim), partition=5)
    drives = [bytes.fromhex(f"d{i}" * 16) for i in range(3)]
    (HERE / "0000000000000000.seg").write_bytes(segment(0, [claim, event, noop]))
    (HERE / "mirrors").write_bytes(mirror_set(2, 0, drives, drives[:2]))
    (HERE / "mirrors2").write_bytes(changed_mirror_set(1003, drives, drives[:2], 2001, 0, drives[:2]))
    writers = [bytes.fromhex(f"e{i}" * 16) for i in range(3)]
    (HERE / "mirrors3").write_bytes(signed_mirror_set(2001, drives, drives[:2], 3000, writers[2], writers[:2], drives[2:], [(b"\xd3" * 16, writers[0])]))


if __name__ == "__main__":
    main()
