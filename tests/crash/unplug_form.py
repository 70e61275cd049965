"""Form `unplug`: as `kill`, and what the dead process had not synced is dropped, torn or reordered.

Every file of the store counts, those of the metadata view included. The process runs under a shim that
notes writes and syncs, power_shim.c; form `power` asks the same of the drive port, far more often.
"""

import pathlib
import random
import shutil
import subprocess

from kill_form import KillForm
from power_loss import PowerLoss
from scenes import MET_IN, SCENES, Scene
from store import Store

PLANTS = {"log": "/journal/0", "stripes": "/sets/"}  # What the paths have in them.
CHANGE = "change "  # The server dies right before its N-th change of a file.
PLAIN = ["Scene"] * 6 + ["Long", "Fresh", "ViewLost"]


def compile_shim(folder: pathlib.Path) -> pathlib.Path:
    source, shim = pathlib.Path(__file__).with_name("power_shim.c"), folder / "power_shim.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(shim), str(source)], check=True)
    return shim


class ShimStore(Store):
    """A store whose server tells what it changes."""

    def __init__(self, base: pathlib.Path, state: pathlib.Path):
        super().__init__(base, state / "kura.log")
        self.keep, self.changes = base / "keep", base / "changes"
        self.server.settings |= {"LD_PRELOAD": str(compile_shim(state)), "KURA_SHIM_ROOT": str(base),
                                 "KURA_SHIM_LOG": str(self.changes), "KURA_SHIM_KEEP": str(self.keep)}
        self.forget_changes()

    def lie(self, planted: str):
        """Syncs of these files do nothing, as far as a loss of power is concerned."""
        self.server.settings["KURA_SHIM_NO_SYNC"] = PLANTS[planted]

    def forget_changes(self):
        shutil.rmtree(self.keep, ignore_errors=True)
        self.keep.mkdir()
        self.changes.unlink(missing_ok=True)

    def start(self, point=None):
        self.forget_changes()
        self.server.settings.pop("KURA_SHIM_KILL_AT", None)
        if point and point.startswith(CHANGE):
            self.server.settings["KURA_SHIM_KILL_AT"] = point.removeprefix(CHANGE)
            super().start()
            self.point = point  # It ends itself all the same.
        else:
            super().start(point)


class UnplugForm(KillForm):
    def make_store(self) -> Store:
        met = [p for p in self.points if not any(p.startswith(beginning) for beginning, scenes in MET_IN.items()
                                                 if not set(PLAIN) & set(scenes))]
        self.points = met
        store = ShimStore(self.drives, self.state)
        if self.planted:
            store.lie(self.planted)
        return store

    def arm(self, point: str | None, chance: random.Random) -> str | None:
        """Without a fail point: between any two changes, as often in the first ten as in the next hundred."""
        if point is None and chance.random() < 0.8:
            return CHANGE + str(int(10 ** chance.uniform(0, 4)))
        return super().arm(point, chance)

    def draw_scene(self, point: str | None, chance: random.Random) -> Scene:
        return SCENES[chance.choice(PLAIN)](chance)

    def dead(self, chance: random.Random):
        changed = PowerLoss(self.drives, self.store.keep, self.store.changes, chance).strike()
        self.progress.counts["unsynced changes lost"] += changed
        self.progress.counts["losses of power that cost"] += changed > 0
