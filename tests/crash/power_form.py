"""Form `power`: unsynced writes are kept, dropped, torn and so reordered, by the simulator.

The simulator decides every write of every drive by itself, so one second of it loses power more often
than a real machine could in an hour, and a failure replays from its seed. A cycle is one loss of power.
"""

import pathlib
import re
import subprocess
import time

from check import Violation
from progress import Progress
from server import BINARY

SIMULATOR = BINARY.parent / "sim" / "kura_sim"
RUNS_AT_ONCE = 20
FOUND, UNREACHED = 10, "Never reached"


class PowerForm:
    def __init__(self, state: pathlib.Path, drives: pathlib.Path, seed: int, progress: Progress, only=None,
                 planted: str | None = None):
        self.plant = ["--plant", "ack-before-sync"] if planted else []
        self.state, self.drives, self.seed, self.progress = state, drives, seed, progress
        self.all_points = [p for p in subprocess.run([str(BINARY), "fail-points"], capture_output=True, text=True,
                                                     check=True).stdout.split() if not p.startswith("local.")]
        self.points = self.all_points
        self.plan = ""

    def run(self, cycles: int, report):
        while self.progress.cycles < cycles:
            begun = time.monotonic()
            first = self.seed * 1_000_000 + self.progress.counts["runs"] + 1
            self.plan = f"seeds {first} to {first + RUNS_AT_ONCE - 1}"
            done = subprocess.run([str(SIMULATOR), "run", "--seeds", f"{first}..{first + RUNS_AT_ONCE - 1}",
                                   "--profile", "power", "--twice-every", "0", *self.plant], capture_output=True, text=True)
            if done.returncode != 0 or "VIOLATION" in done.stdout:
                raise Violation(done.stdout + done.stderr[-2000:])
            self.count(done.stderr)
            self.progress.seconds += time.monotonic() - begun
            self.progress.save()
            report(self)

    def count(self, text: str):
        reached = {name: int(n) for n, name in re.findall(r"reached (\d+) times: (.*)", text)}
        counts = self.progress.counts
        counts["runs"] += RUNS_AT_ONCE
        counts["acks"] += int(re.search(r"(\d+) requests answered", text)[1])
        counts["point kills"] += reached.get("crash at a fail point", 0)
        counts["random kills"] += reached.get("crash", 0) - reached.get("crash at a fail point", 0)
        counts["with unsynced writes"] += reached.get("crash with unsynced writes", 0)
        self.progress.cycles += reached.get("crash", 0)
        for name, times in reached.items():
            if name.startswith("fail point "):
                self.progress.points[name.removeprefix("fail point ")] += times

    def stop(self):
        pass

    def interrupted(self):
        pass

    def close(self):
        pass
