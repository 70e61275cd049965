"""Form `kill`: clients write, the server dies, and after the restart everything acknowledged is there.

A cycle starts the server on what the last one left, checks it against the ledger, lets clients write,
and kills it: every other cycle at a fail point, else at random. Start, rebuild and check are part of
the cycle, so the server may die in any of them.
"""

import pathlib
import random
import shutil
import threading
import time

from check import Check, Violation
from ledger import Ledger, Truth
from progress import Progress
from s3_calls import Gone, S3Calls
from scenes import Scene, scene_for
from store import Store, fail_points
from writer import BUCKET, Writer

WRITERS, KEYS = 4, 12
POINT_PATIENCE_S = 1.5  # How long clients write until an armed point is given up.


class KillForm:
    keys = KEYS  # Of each writer.

    def __init__(self, state: pathlib.Path, drives: pathlib.Path, seed: int, progress: Progress,
                 only: str | None = None, planted: str | None = None):
        self.planted = planted
        self.state, self.drives, self.seed, self.progress = state, drives, seed, progress
        self.all_points = fail_points()
        self.points = [p for p in self.all_points if only is None or p.startswith(only)]
        self.only = only
        if not progress.resumed:
            shutil.rmtree(drives, ignore_errors=True)
        if not drives.exists():
            self.clear_ledger()
        drives.mkdir(parents=True, exist_ok=True)
        self.store = self.make_store()
        self.store.bring_back()
        self.open_ledgers()

    def make_store(self) -> Store:
        return Store(self.drives, self.state / "kura.log")

    def open_ledgers(self):
        self.truth = Truth(self.state / "truth.json")
        self.ledgers = [Ledger(self.state, worker, self.truth) for worker in range(WRITERS)]

    def forget(self):
        """A new store: nothing was acknowledged."""
        for ledger in self.ledgers:
            ledger.close()
        self.clear_ledger()
        self.open_ledgers()

    def clear_ledger(self):
        for file in (*self.state.glob("*.jsonl"), self.state / "truth.json"):
            file.unlink(missing_ok=True)

    def next_point(self, chance: random.Random) -> str | None:
        """One of those that were met least. REQUIRES: a cycle's own chance."""
        if not self.points or (self.only is None and self.progress.cycles % 2 == 0):
            return None
        rank = {p: self.progress.points[p] + self.progress.missed[p] / 3 for p in self.points}
        least = min(rank.values())
        return chance.choice([p for p in self.points if rank[p] <= least])

    def cycle(self):
        chance = random.Random(f"{self.seed}/{self.progress.cycles}")
        point = self.next_point(chance)
        scene, armed = self.draw_scene(point, chance), self.arm(point, chance)
        self.plan = f"{type(scene).__name__}, {armed or 'random'}"
        if scene.needs_rest:
            self.rest()
        if type(scene).__name__ == "Fresh":
            self.forget()
        scene.prepare(self.store)
        self.store.start(armed)
        died = self.until_dead(scene, chance)
        if point:
            (self.progress.points if died else self.progress.missed)[point] += 1
        self.progress.counts["point kills" if died else "random kills"] += 1

    def arm(self, point: str | None, chance: random.Random) -> str | None:
        """Which time it is reached counts."""
        if point is None:
            return None
        met = self.progress.points[point]
        return f"{point}:{1 if met == 0 else chance.randint(1, 12 if met % 2 else 2)}"

    def draw_scene(self, point: str | None, chance: random.Random) -> Scene:
        return scene_for(point, chance)

    def dead(self, chance: random.Random):
        """The server was killed; drives are as it left them."""

    def rest(self):
        """A start without disturbance, to full parity and the end of all questions, and a clean stop."""
        self.store.start()
        self.store.wait_ready()
        self.check(True)
        code = self.store.server.stop()
        if code != 0:
            raise Violation(f"a clean stop ended with {code}:\n{self.store.server.log_tail()}")

    def until_dead(self, scene: Scene, chance: random.Random) -> bool:
        """Whether it died by itself, at the point that was armed."""
        died, writers = False, []
        try:
            died = not self.store.wait_ready()
            if not died:
                scene.ready(self.store)
                self.check(scene.complete)
                writers, died = self.write(scene, chance)
        except Gone:
            if not self.store.wait_dead(5):
                raise Violation(f"the server runs and does not answer:\n{self.store.server.log_tail()}")
            died = True
        self.store.kill()
        self.dead(chance)
        scene.over(self.store)
        for writer in writers:
            writer.join()
        self.judge_writers(writers)
        return died

    def check(self, complete: bool):
        """REQUIRES: it is ready. Raises Violation and Gone."""
        s3 = S3Calls(self.store.endpoint)
        if s3.ask("HEAD", f"/{BUCKET}").status == 404 and not self.truth.keys:
            s3.call("PUT", f"/{BUCKET}")
        read = Check(self.store.endpoint, self.truth, self.ledgers).run()
        self.progress.counts["reads"] += read
        if complete:
            self.store.wait_healthy()

    def write(self, scene: Scene, chance: random.Random) -> tuple[list[Writer], bool]:
        """Until the server is dead. Returns also whether it died by itself."""
        seed = f"{self.seed}/{self.progress.cycles}"
        writers = [Writer(self.store.endpoint, ledger, seed, self.keys) for ledger in self.ledgers]
        ended = threading.Event()
        beside = threading.Thread(target=scene.busy, args=(self.store, ended), daemon=True)
        for thread in (*writers, beside):
            thread.start()
        seconds = chance.uniform(*scene.traffic_s)
        self.store.wait_dead(max(seconds, POINT_PATIENCE_S) if self.store.point else seconds)
        died = self.store.shoot()
        for writer in writers:
            writer.stop.set()
        ended.set()
        beside.join()
        return writers, died

    def judge_writers(self, writers: list[Writer]):
        for writer in writers:
            self.progress.refused.update(writer.refused)
            if writer.faults:
                raise Violation("; ".join(writer.faults[:5]))
        self.progress.counts["acks"] += sum(ledger.acknowledged for ledger in self.ledgers)
        for ledger in self.ledgers:
            ledger.acknowledged = 0

    def run(self, cycles: int, report):
        while self.progress.cycles < cycles:
            begun = time.monotonic()
            self.cycle()
            self.progress.cycles += 1
            self.progress.seconds += time.monotonic() - begun
            self.progress.save()
            report(self)
        self.rest()

    def stop(self):
        self.store.kill()

    def interrupted(self):
        """The drives stay, for the next time."""
        self.store.kill()
        self.store.bring_back()

    def close(self):
        self.store.kill()
        shutil.rmtree(self.drives, ignore_errors=True)
