"""A loss of power behind a process that ran under power_shim.c: what no sync covered may be gone.

Each unsynced write is kept, dropped, or torn at sectors, by itself; a later write that stays keeps its
sector, and with it what was in it before. Of a folder's unsynced changes a random tail is undone: file
systems keep the order of names, and promise no more.
"""

import collections
import dataclasses
import os
import pathlib
import random
import struct

HEAD = struct.Struct("<II6Q")
MAGIC = 0x4B555241
NAMES = {"N", "R", "U"}


@dataclasses.dataclass
class Record:
    kind: str
    number: int
    inode: int
    offset: int
    length: int
    old_size: int
    tail: bytes


def records_of(log: pathlib.Path) -> list[Record]:
    """By number; a record that the end of the process tore is none."""
    data, at, out = log.read_bytes() if log.exists() else b"", 0, []
    while at + HEAD.size <= len(data):
        magic, kind, number, inode, offset, length, tail, old_size = HEAD.unpack_from(data, at)
        assert magic == MAGIC, f"no record at {at}"
        at += HEAD.size
        if at + tail > len(data):
            break
        out.append(Record(chr(kind), number, inode, offset, length, old_size, data[at:at + tail]))
        at += tail
    return sorted(out, key=lambda record: record.number)


class PowerLoss:
    def __init__(self, root: pathlib.Path, keep: pathlib.Path, log: pathlib.Path, chance: random.Random):
        self.root, self.keep, self.random = root, keep, chance
        self.policy = chance.choice(["dropped", "torn", "mixed", "mixed"])
        self.sector = chance.choice([512, 4096])
        records = records_of(log)
        synced = collections.defaultdict(int)
        for record in records:
            if record.kind == "S":
                synced[record.inode] = max(synced[record.inode], record.offset)
        durable = {r.offset for r in records if r.kind == "D"}
        self.open = [r for r in records if r.kind not in "SD" and r.number > synced[r.inode] and r.number not in durable]
        self.changed = 0  # Unsynced writes and names that were not simply kept.

    def strike(self) -> int:
        self.undo_names()
        files = {path.stat().st_ino: path for path in self.root.rglob("*") if path.is_file()}
        of = collections.defaultdict(list)
        for record in self.open:
            if record.kind not in NAMES:
                of[record.inode].append(record)
        for inode, records in of.items():
            if inode in files:
                self.spoil(files[inode], records)
        return self.changed

    def undo_names(self):
        folders = collections.defaultdict(list)
        for record in self.open:
            if record.kind in NAMES:
                folders[record.inode].append(record)
        undone = []
        for records in folders.values():
            undone += records[self.random.randint(0, len(records)):]
        for record in sorted(undone, key=lambda r: -r.number):
            self.changed += 1
            kept = self.keep / str(record.number)
            path = pathlib.Path(os.fsdecode(record.tail.split(b"\0")[0]))
            if record.kind == "N":
                path.unlink(missing_ok=True)
                continue
            if record.kind == "R":
                target = pathlib.Path(os.fsdecode(record.tail.split(b"\0")[1]))
                if target.exists():
                    target.rename(path)
                path = target
            if kept.exists() and path.parent.is_dir():  # Else the folder went after it, and that stays.
                kept.rename(path)

    def fate(self) -> str:
        return self.random.choice(["kept", "dropped", "torn"]) if self.policy == "mixed" else self.policy

    def spoil(self, path: pathlib.Path, records: list[Record]):
        """REQUIRES: `records` are all of the file's that no sync covered, in order."""
        ends = {}  # Number -> where the file ends by what is left of this record.
        pinned: set[int] = set()
        with path.open("r+b") as file:
            for record in reversed(records):
                fate = self.fate()
                self.changed += fate != "kept"
                if record.kind == "T" and fate != "dropped":
                    ends[record.number] = record.offset
                    continue
                length = record.length if record.kind == "W" else max(0, record.old_size - record.offset)
                old = record.tail.ljust(length, b"\0")
                ends[record.number] = self.put_back(file, record, old, fate, pinned)
            size = records[0].old_size
            for record in records:
                end = ends[record.number]
                if record.kind == "T" and end is not None:
                    size = end
                elif record.kind == "W" and end is not None:
                    size = max(size, end)
            file.truncate(size)

    def put_back(self, file, record: Record, old: bytes, fate: str, pinned: set[int]) -> int | None:
        """Sectors of old content. Returns where what stays of the record ends."""
        end, at = None, record.offset
        while at < record.offset + len(old):
            sector = at // self.sector
            to = min((sector + 1) * self.sector, record.offset + len(old))
            if record.kind == "W" and (fate == "kept" or (fate == "torn" and self.random.random() < 0.5)):
                pinned.add(sector)
            if sector in pinned:
                end = to if record.kind == "W" else end
            else:
                os.pwrite(file.fileno(), old[at - record.offset:to - record.offset], at)
            at = to
        return end
