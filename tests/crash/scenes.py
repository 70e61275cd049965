"""What else happens in a cycle of kills: drives that go, come back, are emptied, damaged or added.

A scene never takes more than parity allows for good: it begins on a store at full parity, and damage
always lies on one drive.
"""

import pathlib
import random
import threading

from s3_calls import Gone, Refused, S3Calls, content, rows
from store import DRIVES, Store

SCRATCHED_DRIVE = 0  # The only one whose bytes are changed; as the first it is a mirror of the log, as a rule.


class Scene:
    """Nothing but the kill."""

    traffic_s = (0.1, 1.2)
    complete = True     # Whether all drives are there from the start on.
    needs_rest = False  # Whether it begins at full parity and with nothing open.

    def __init__(self, chance: random.Random):
        self.random = chance

    def prepare(self, store: Store):
        """The server is down."""

    def ready(self, store: Store):
        """The server has just started; nothing was read yet."""

    def busy(self, store: Store, ended: threading.Event):
        """Beside the writers; the server may die at any time."""
        while not ended.wait(0.25):
            store.housekeep()

    def over(self, store: Store):
        """The server is dead."""


class Long(Scene):
    """Time for sets to be compacted and, a second later, dropped."""

    traffic_s = (2.0, 3.0)


class Dense(Long):
    """So many new bodies that old log is archived; those of the time before go, so that it is cleaned."""

    bucket, size, batch = "/dense", 16 << 10, 100

    def busy(self, store, ended):
        s3 = S3Calls(store.endpoint)
        try:
            s3.ask("PUT", self.bucket)
            for key in rows(s3.call("GET", self.bucket, [("list-type", "2")]).body, "Contents"):
                s3.ask("DELETE", f"{self.bucket}/{key['Key']}")
            mark = self.random.randrange(1 << 30)
            while not ended.is_set():
                for number in range(self.batch):
                    s3.ask("PUT", f"{self.bucket}/{mark}-{number}", body=content(f"{mark} {number}", self.size))
                mark += 1
                store.housekeep()
        except (Gone, Refused):
            pass
        s3.close()


class Fresh(Scene):
    """The first start."""

    needs_rest = True

    def prepare(self, store):
        store.renew()


class Emptied(Scene):
    """A drive was replaced by an empty one."""

    needs_rest = True

    def prepare(self, store):
        store.empty(self.random.randrange(DRIVES))


class Away(Scene):
    """A drive is missing from the start on."""

    complete = False
    needs_rest = True

    def prepare(self, store):
        store.lose(self.random.randrange(DRIVES))

    def over(self, store):
        store.bring_back()


class Lost(Scene):
    """Drives go while clients write."""

    count = 1
    needs_rest = True
    traffic_s = (0.5, 1.5)

    def busy(self, store, ended):
        if not ended.wait(self.random.uniform(0.05, 0.3)):
            for drive in self.random.sample(range(DRIVES), self.count):
                store.lose(drive)

    def over(self, store):
        store.bring_back()


class LostMany(Lost):
    """More drives go than there is parity; nothing can be acknowledged until they are back."""

    count = 4


class ViewLost(Scene):
    def prepare(self, store):
        for folder in store.folders:
            for file in sorted((folder / "view").glob("*")):
                file.unlink()


class Scratched(Scene):
    """Damage in member files: the check's reads mend it, and a scrub what nobody reads."""

    folder = "sets"
    needs_rest = True

    def damage(self, store: Store):
        for path in sorted((store.folders[SCRATCHED_DRIVE] / self.folder).glob("*")):
            self.scratch(store, path)

    def scratch(self, store: Store, path: pathlib.Path):
        for _ in range(path.stat().st_size >> 16):
            store.flip(path, self.random.randrange(4096, path.stat().st_size))

    def prepare(self, store):
        self.damage(store)

    def busy(self, store, ended):
        try:
            S3Calls(store.endpoint).admin("POST", "scrub")
        except (Gone, Refused):
            pass
        super().busy(store, ended)


class ScratchedHeaders(Scratched):
    """The first block of member files, which only a scrub looks at."""

    def scratch(self, store, path):
        if path.stat().st_size > 64:
            store.flip(path, self.random.randrange(8, 40))


class ScratchedLog(Scratched):
    """Damage in one mirror of the log under a running server: a read mends it."""

    folder = "journal"

    def prepare(self, store):
        pass

    def ready(self, store):
        self.damage(store)

    def scratch(self, store, path):
        for at in range(8192, path.stat().st_size, 4096):
            store.flip(path, at + self.random.randrange(4096))


class HalfBuilt(Scene):
    """What an earlier crash left of segments of the log that were being built."""

    def prepare(self, store):
        for folder in store.folders:
            for segment in sorted((folder / "journal").glob("*.seg"))[:1]:
                segment.with_name(segment.name + ".new").write_bytes(self.random.randbytes(10_000))


class Added(Scene):
    """A seventh drive; from then on it is on the command line."""

    def busy(self, store, ended):
        if len(store.folders) > DRIVES or ended.wait(self.random.uniform(0.05, 0.3)):
            return super().busy(store, ended)
        folder = store.add_folder()
        try:
            S3Calls(store.endpoint).admin("POST", "drives", {"path": str(folder)})
        except (Gone, Refused):
            pass


SCENES = {scene.__name__: scene for scene in
          (Scene, Long, Dense, Fresh, Emptied, Away, Lost, LostMany, ViewLost, Scratched, ScratchedHeaders, ScratchedLog, HalfBuilt, Added)}

# Where a point is met, by the beginning of its name; anywhere if there is none.
MET_IN = {
    "journal.undo": ["LostMany"],
    "journal.refill": ["Lost"],
    "journal.format": ["Fresh"],
    "journal.clear": ["HalfBuilt"],
    "journal.merge": ["Emptied"],
    "journal.repair": ["ScratchedLog"],
    "journal.segment.remove": ["Scene", "Long"],
    "journal.mirror_set": ["Scene", "Fresh", "Lost", "Added"],
    "drive.identity": ["Fresh", "Emptied", "Added"],
    "drive.record": ["Fresh", "Emptied", "Added"],
    "drive.leave": ["Emptied"],
    "drive.forget": ["Emptied"],
    "rebuild": ["Emptied"],
    "repair.stripe": ["Scratched"],
    "repair.header": ["ScratchedHeaders"],
    "archive": ["Dense"],
    "compaction": ["Long"],
    "set.drop": ["Long"],
    "set.cut": ["Scene", "Long", "Added"],
    "set.member.remove": ["Long"],
    "view.create": ["ViewLost"],
    "view.load": ["ViewLost"],
    "view.adopt": ["ViewLost"],
}
OFTEN = ["Scene"] * 12 + ["Long"] * 2 + ["Dense"] * 2 + ["Emptied", "Away", "Lost", "LostMany", "ViewLost", "Scratched", "Added"]


def scene_for(point: str | None, chance: random.Random) -> Scene:
    for beginning, names in MET_IN.items():
        if point and point.startswith(beginning):
            return SCENES[chance.choice(names)](chance)
    return SCENES[chance.choice(OFTEN)](chance)
