"""How far a campaign came: in a file, so that it goes on where it was interrupted."""

import collections
import hashlib
import json
import pathlib

from ledger import write_whole


class Progress:
    """Counts of one form and seed, for one binary: another one begins anew."""

    def __init__(self, folder: pathlib.Path, binary: pathlib.Path):
        self.path = folder / "progress.json"
        self.binary = hashlib.sha256(binary.read_bytes()).hexdigest()
        fields = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.resumed = fields.get("binary") == self.binary
        fields = fields if self.resumed else {}
        self.cycles = fields.get("cycles", 0)
        self.seconds = fields.get("seconds", 0.0)
        self.counts = collections.Counter(fields.get("counts", {}))  # acks, kills, reads, ...
        self.points = collections.Counter(fields.get("points", {}))  # Deaths by fail point.
        self.missed = collections.Counter(fields.get("missed", {}))  # Armed and not reached.
        self.refused = collections.Counter(fields.get("refused", {}))

    def save(self):
        write_whole(self.path, {"binary": self.binary, "cycles": self.cycles, "seconds": self.seconds,
                                "counts": self.counts, "points": self.points, "missed": self.missed,
                                "refused": self.refused})

    def line(self, total: int, points: int) -> str:
        c = self.counts
        return (f"cycle {self.cycles}/{total}: {c['acks']} acknowledged, {c['reads']} keys read back, "
                f"{c['random kills']} killed at random, {c['point kills']} at fail points "
                f"({sum(1 for n in self.points.values() if n)}/{points}), {sum(self.refused.values())} refused, "
                f"{self.seconds / max(1, self.cycles):.1f} s each")
