"""Form `full`: drives fill up under the writers, the server dies while they are full, and room comes back.

Drives are small file systems in memory, so this form needs root. Room is taken by foreign files, at
once or down to the last bytes; half of the cycles start the server on full drives, which has to serve
every read and to take writes again as soon as there is room, without a restart.
"""

import errno
import pathlib
import random
import shutil
import threading
import time

from check import Violation
from kill_form import KillForm
from mounts import Mounts
from s3_calls import Gone, Refused, S3Calls
from scenes import Scene
from server import Server
from store import SETTINGS, Store
from writer import BUCKET, Writer

DRIVE_MIB, KEYS = 160, 40
LEFT_MIB = [0, 0, 0.02, 0.3, 1.2, 3]


class MountedStore(Store):
    def __init__(self, base: pathlib.Path, log: pathlib.Path):
        self.base = base
        shutil.rmtree(base, ignore_errors=True)
        base.mkdir(parents=True)
        self.mounts = Mounts(base, size_mib=DRIVE_MIB)
        self.folders = self.mounts.folders
        self.server = Server(self.folders, log, settings=dict(SETTINGS))
        self.point = None

    def fill(self, drives: list[int], left_mib: float):
        for drive in drives:
            for _ in range(20):  # The server takes room meanwhile.
                try:
                    self.mounts.ballast(drive, left_mib)
                    break
                except OSError as error:
                    if error.errno not in (errno.ENOSPC, errno.EINVAL):
                        raise

    def make_room(self):
        for disk in self.mounts.disks:
            (disk / "ballast").unlink(missing_ok=True)

    def bring_back(self):
        self.make_room()

    def close(self):
        self.kill()
        self.mounts.close()


class Filled(Scene):
    traffic_s = (0.8, 2.0)

    def busy(self, store: MountedStore, ended: threading.Event):
        if ended.wait(self.random.uniform(0.05, 0.4)):
            return
        drives = list(range(len(store.folders)))
        if self.random.random() < 0.3:
            drives = self.random.sample(drives, self.random.randint(1, len(drives)))
        store.fill(drives, self.random.choice(LEFT_MIB))
        super().busy(store, ended)

    def over(self, store):
        """Room comes back later."""


class FullForm(KillForm):
    keys = KEYS

    def make_store(self) -> Store:
        self.clear_ledger()  # The drives of an earlier time are gone.
        return MountedStore(self.drives, self.state / "kura.log")

    def cycle(self):
        chance = random.Random(f"{self.seed}/{self.progress.cycles}")
        point = self.next_point(chance) if chance.random() < 0.5 else None
        armed = f"{point}:{chance.randint(1, 5)}" if point else None
        scene = Filled(chance)
        self.plan = f"{type(scene).__name__}, {armed or 'random'}"
        self.store.start(armed)
        died = self.until_dead(scene, chance)
        if point:
            (self.progress.points if died else self.progress.missed)[point] += 1
        self.progress.counts["point kills" if died else "random kills"] += 1
        if chance.random() < 0.5:
            self.plan += ", started full"
            self.start_full(chance)
        self.store.make_room()

    def start_full(self, chance: random.Random):
        self.store.start()
        self.store.wait_ready()
        self.check(False)
        self.progress.counts["started full"] += 1
        if chance.random() < 0.3:
            return self.store.kill()
        self.delete_some(chance)
        self.store.make_room()
        self.until_written()
        self.store.kill()

    def delete_some(self, chance: random.Random):
        """Full drives take deletions."""
        there = sorted(key for key, value in self.truth.keys.items() if value)
        for key in chance.sample(there, min(3, len(there))):
            ledger = self.ledgers[int(key.split("/")[0])]
            number = ledger.ask("delete", keys=[key], value=None)
            try:
                S3Calls(self.store.endpoint).call("DELETE", f"/{BUCKET}/{key}")
                ledger.acknowledge(number)
                self.progress.counts["deleted while full"] += 1
            except Refused as refused:
                self.progress.refused[f"DELETE {refused.code}"] += 1

    def until_written(self, seconds: float = 30):
        """REQUIRES: there is room."""
        writer = Writer(self.store.endpoint, self.ledgers[0], f"{self.plan}/{self.progress.cycles}", KEYS)
        deadline = time.monotonic() + seconds
        while True:
            try:
                return writer.put()
            except Refused as refused:
                if time.monotonic() > deadline:
                    raise Violation(f"room is back for {seconds} s, and a PUT gets {refused}") from refused
                time.sleep(0.2)
            except Gone as gone:
                raise Violation(f"the server is gone: {self.store.server.log_tail()}") from gone

    def interrupted(self):
        self.close()

    def close(self):
        self.store.close()
        super().close()
