"""Kinds of damage, as changes of bytes in files, planned so that everything stays within parity."""

import dataclasses
import pathlib
import random

from formats import INERT, NO_END, Index, Place

KINDS = ("flip", "zero-512", "zero-4096", "truncate", "swap-in-file", "swap-members", "swap-sets", "stale")


@dataclasses.dataclass
class Write:
    """`data` None: cut the file at `start`."""

    drive: int
    path: str
    start: int
    data: bytes | None

    @property
    def end(self) -> int:
        return NO_END if self.data is None else self.start + len(self.data)


@dataclasses.dataclass
class Injection:
    kind: str
    type: str
    writes: list[Write]
    places: list[Place]  # What is wrong by it.
    found: str = ""  # By what it was made right: "start", "read", "scrub".

    def __str__(self):
        where = ", ".join(f"drive {w.drive} {w.path} {w.start}"
                          + (" cut" if w.data is None else f"+{len(w.data)}") for w in self.writes)
        return f"{self.kind} of {self.type}: {where}"


class Planner:
    def __init__(self, chance: random.Random, index: Index, past: dict[tuple[int, str], bytes], live=None):
        self.chance, self.index, self.past = chance, index, past
        self.live = live  # Of open sets under a running server only these stripes; None: all.
        self.wrong: dict[tuple, set] = {}  # Unit -> drives (of an identity: files) with damage.
        self.written: dict[tuple, list[tuple[int, int]]] = {}
        self.view_hit = False
        self.by_type: dict = {}

    def places(self, kind: str) -> list[Place]:
        if kind not in self.by_type:
            self.by_type[kind] = self.index.of_type(kind)
        return self.by_type[kind]

    def outdated(self, type_: str) -> list[Place]:
        """Those whose bytes were others a round ago. A whole older mirror set is no damage: it tells of another history,
        and its drive is left out."""
        if type_ == "mirror-set":
            return []
        if ("past", type_) not in self.by_type:
            self.by_type["past", type_] = [
                p for p in self.places(type_) if (p.drive, p.path) in self.past and
                self.past[p.drive, p.path][p.start:p.end] != self.index.data[p.drive, p.path][p.start:p.end]]
        return self.by_type["past", type_]

    def plan(self, kind: str, type_: str) -> Injection | None:
        """None: not possible here, or not any more within parity."""
        places = self.outdated(type_) if kind == "stale" else self.places(type_)
        if not places or (type_.startswith("view-") and type_ not in INERT and self.view_hit):
            return None
        place = self.chance.choice(places)
        writes = self.writes(kind, place, place.start + self.chance.randrange(place.length))
        return self.accept(Injection(kind, type_, writes, [])) if writes else None

    def accept(self, injection: Injection) -> Injection | None:
        for write in injection.writes:
            before = self.index.data[write.drive, write.path]
            for place in self.index.touched(write.drive, write.path, write.start, write.end):
                if self.changes(before, write, place) and place not in injection.places:
                    injection.places.append(place)
            for start, end in self.written.get((write.drive, write.path), []):
                if write.start < end and start < write.end:
                    return None
        if not any(place.type == injection.type for place in injection.places):
            return None
        wrong: dict[tuple, set] = {}
        for place in injection.places:
            if place.unit[0] == "set" and self.live is not None and not self.live(place):
                return None
            member = place.path if place.unit[0] == "identity" else place.drive
            wrong.setdefault(place.unit, set(self.wrong.get(place.unit, ()))).add(member)
        if any(len(members) > self.index.allowed(unit) for unit, members in wrong.items()):
            return None
        self.wrong.update(wrong)
        for write in injection.writes:
            self.written.setdefault((write.drive, write.path), []).append((write.start, write.end))
        self.view_hit |= injection.type.startswith("view-") and injection.type not in INERT
        return injection

    @staticmethod
    def changes(before: bytes, write: Write, place: Place) -> bool:
        start, end = max(write.start, place.start), min(write.end, place.end)
        after = b"" if write.data is None else write.data[start - write.start:end - write.start]
        return after != before[start:end]

    def writes(self, kind: str, place: Place, at: int) -> list[Write]:
        key, data = (place.drive, place.path), self.index.data[place.drive, place.path]
        if kind == "flip":
            return [Write(*key, at, bytes([data[at] ^ 1 << self.chance.randrange(8)]))]
        if kind == "truncate":
            return [Write(*key, at, None)]
        size = 512 if kind == "zero-512" else 4096 if kind == "zero-4096" else self.chance.choice((512, 4096))
        start = at // size * size
        block = data[start:start + size]
        if kind.startswith("zero"):
            return [Write(*key, start, bytes(len(block)))]
        if kind == "stale":
            old = self.past.get(key)
            if old is None:
                return []
            if place.length < size:  # A small file is replaced as a whole.
                return [Write(*key, 0, old)] if place.start == 0 and len(old) == len(data) else []
            old = old[start:start + size]
            return [Write(*key, start, old)] if len(old) == len(block) else []
        other = self.other_block(kind, place, start, size)
        if not other:
            return []
        (drive, path), there = other
        theirs = self.index.data[drive, path][there:there + size]
        if len(theirs) != len(block):
            return []
        return [Write(*key, start, theirs), Write(drive, path, there, block)]

    def other_block(self, kind: str, place: Place, start: int, size: int):
        """With what the block changes places."""
        if kind == "swap-in-file":
            other = self.chance.choice(self.index.places[place.drive, place.path])
            there = (other.start + self.chance.randrange(other.length)) // size * size
            return ((place.drive, place.path), there) if there != start else None
        if kind == "swap-members" and place.unit[0] == "set":
            others = [key for key in self.index.places if key[1] == place.path and key[0] != place.drive]
            return (self.chance.choice(others), start) if others else None
        if kind == "swap-sets" and place.unit[0] in ("set", "journal"):
            others = [p for p in self.places(place.type) if p.drive == place.drive and p.path != place.path]
            if not others:
                return None
            other = self.chance.choice(others)
            return ((other.drive, other.path), (other.start + self.chance.randrange(other.length)) // size * size)
        return None


def apply(drives: list[pathlib.Path], writes: list[Write], running: bool = False):
    """Through descriptors of its own; a file is not replaced, so that a running server sees it. A server that is
    `running` may have removed one meanwhile."""
    for write in writes:
        if running and not (drives[write.drive] / write.path).exists():
            continue
        with (drives[write.drive] / write.path).open("r+b") as file:
            if write.data is None:
                file.truncate(write.start)
            else:
                file.seek(write.start)
                file.write(write.data)


def is_right(drives: list[pathlib.Path], place: Place, before: bytes) -> bool:
    try:
        with (drives[place.drive] / place.path).open("rb") as file:
            file.seek(place.start)
            return file.read(place.length) == before[place.start:place.end]
    except FileNotFoundError:
        return False
