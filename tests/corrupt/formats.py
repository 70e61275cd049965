"""Where Kura's files hold bytes that count, read from the files themselves by their documented grammars.

Sources: journal/README.md, actors/disk/README.md. A file of no known type is an error: whoever adds a type of
file says here what protects it.
"""

import dataclasses
import pathlib
import re
import struct

BLOCK = 4096
SEGMENT_HEADER, RECORD_HEADER = 4096, 128
NO_END = 1 << 62

# What a node writes, by name below a drive's folder.
TYPES = {
    r"drive|drive\.copy": "identity",
    r"journal/mirrors": "mirror-set",
    r"journal/[0-9a-f]{16}\.seg": "journal",
    r"sets/[0-9a-f]{8}\.seg": "set",
    r"view/\d+\.sst": "view-sst",
    r"view/MANIFEST-\d+": "view-manifest",
    r"view/CURRENT": "view-current",
    r"view/OPTIONS-\d+": "view-options",
    r"view/IDENTITY": "view-identity",
    r"view/LOCK": "view-lock",
    r"view/\d+\.log": "view-wal",
    # The reserve is room without content.
    r"(.*\.new|view\.new/.*|view/.*\.dbtmp|view\.reserve)": "unfinished",
}
# RocksDB writes them for people or for its own next start and takes nothing from them.
INERT = {"view-options", "view-identity"}
EMPTY = {"view-lock", "view-wal", "unfinished"}  # Nothing in them counts; a log with records is refused.


class UnknownFile(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Place:
    """Bytes that one checksum covers. `unit` has copies or parity on other drives, or in a file beside it."""

    type: str
    drive: int
    path: str
    start: int
    length: int
    unit: tuple

    @property
    def end(self) -> int:
        return self.start + self.length


def type_of(path: str) -> str:
    for pattern, name in TYPES.items():
        if re.fullmatch(pattern, path):
            return name
    raise UnknownFile(f"{path}: a file of no known type; say in tests/corrupt/formats.py what protects it")


def files_of(drive: pathlib.Path) -> list[str]:
    return sorted(p.relative_to(drive).as_posix() for p in drive.rglob("*") if p.is_file())


def journal_places(drive: int, path: str, data: bytes):
    base = int(path[8:24], 16)
    yield Place("journal", drive, path, 0, SEGMENT_HEADER, ("journal", base, 0))
    at = SEGMENT_HEADER
    while data[at:at + 4] == b"KREC":
        payload, body = struct.unpack_from("<II", data, at + 32)
        length = -(-(RECORD_HEADER + payload + body) // 16) * 16
        yield Place("journal", drive, path, at, length, ("journal", base, at))
        at += length


def stripe_at(data: bytes, at: int) -> tuple[int, tuple] | None:
    """Length with its header, and whose upload it is."""
    if data[at:at + 4] != b"KSTR" or struct.unpack_from("<Q", data, at + 16)[0] != at:
        return None
    count = struct.unpack_from("<H", data, at + 14)[0]
    shard = struct.unpack_from("<I", data, at + 24)[0]
    header = -(-(56 + 8 * count) // 64) * 64
    return header + shard, (data[at + 32:at + 48], data[at + 56:at + 56 + 8 * count], header)


def set_places(drive: int, path: str, data: bytes, snapshots: set):
    """`snapshots`: the uploads that are known to be one."""
    number = int(path[5:13], 16)
    yield Place("set-header", drive, path, 0, BLOCK, ("set", number, 0))
    at = BLOCK
    while at + 64 <= len(data):
        stripe = stripe_at(data, at)
        if not stripe:
            at = data.find(b"KSTR", at + 1)
            if at < 0:
                return
            continue
        length, (incarnation, reservations, _) = stripe
        kind = "snapshot" if (incarnation, reservations) in snapshots else "stripe"
        yield Place(kind, drive, path, at, length, ("set", number, at))
        at += length


def snapshots_in(data: bytes) -> set:
    """Uploads whose first piece begins as a snapshot does."""
    found, at = set(), data.find(b"KSTR", BLOCK)
    while at >= 0:
        stripe = stripe_at(data, at)
        if stripe and data[at + stripe[1][2]:].startswith(b"KURASNAP"):
            found.add(stripe[1][:2])
        at = data.find(b"KSTR", at + 1)
    return found


def is_open_set(data: bytes) -> bool:
    """Its members are cut to their length when it is sealed."""
    return len(data) >= struct.unpack_from("<Q", data, 8 + 4 + 4 + 16 + 8)[0]


class Index:
    """Every place on every drive of a store that is whole."""

    def __init__(self, drives: list[pathlib.Path]):
        self.data: dict[tuple[int, str], bytes] = {}
        self.places: dict[tuple[int, str], list[Place]] = {}
        self.copies: dict[tuple, int] = {}
        self.open_sets: set[int] = set()
        for drive, folder in enumerate(drives):
            for path in files_of(folder):
                if type_of(path) == "unfinished":
                    continue
                try:
                    self.data[drive, path] = (folder / path).read_bytes()
                except FileNotFoundError:  # A running server removed it.
                    continue
                if type_of(path) in EMPTY and self.data[drive, path]:
                    raise UnknownFile(f"{path} is not empty: what protects it?")
        sets = {key: data for key, data in self.data.items() if type_of(key[1]) == "set"}
        snapshots = set().union(*map(snapshots_in, sets.values()))
        self.open_sets = {int(path[5:13], 16) for (_, path), data in sets.items() if is_open_set(data)}
        for (drive, path), data in self.data.items():
            places = list(self.read(drive, path, data, snapshots))
            self.places[drive, path] = places
            for place in places:
                self.copies[place.unit] = self.copies.get(place.unit, 0) + 1

    @staticmethod
    def read(drive: int, path: str, data: bytes, snapshots: set):
        kind = type_of(path)
        if kind == "journal":
            yield from journal_places(drive, path, data)
        elif kind == "set":
            yield from set_places(drive, path, data, snapshots)
        elif kind == "identity":
            yield Place(kind, drive, path, 0, len(data), ("identity", drive))
        elif kind == "mirror-set":
            yield Place(kind, drive, path, 0, len(data), ("mirror-set",))
        elif kind not in EMPTY and data:
            yield Place(kind, drive, path, 0, len(data), ("view", path))

    def of_type(self, kind: str) -> list[Place]:
        return [p for places in self.places.values() for p in places if p.type == kind]

    def touched(self, drive: int, path: str, start: int, end: int) -> list[Place]:
        return [p for p in self.places.get((drive, path), []) if p.start < end and start < p.end]

    def allowed(self, unit: tuple) -> int:
        """How many members or copies of it may be wrong at once."""
        return {"set": 2, "mirror-set": 2, "identity": 1, "view": 1}.get(unit[0], self.copies[unit] - 1)
