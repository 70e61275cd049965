"""Rounds of damage and what must come of it. Each round damages many places within parity, under a running server or
a stopped one, reads everything back, has it scrubbed, and looks on the disks whether every place is right again."""

import collections
import json
import pathlib
import pickle
import random
import re
import shutil
import time

from beyond import go_beyond
from damage import KINDS, Injection, Planner, apply, is_right
from formats import INERT, Index, Place
from store import Store, Wrong

# How often of each type; what cannot be had in a store is drawn again.
WEIGHTS = {"stripe": 46, "snapshot": 8, "set-header": 6, "journal": 20, "mirror-set": 4, "identity": 6, "view-sst": 3,
           "view-manifest": 2, "view-current": 1, "view-options": 1, "view-identity": 1}
ROUND, VIEW_ROUND = 60, 6  # Injections of one round at most; only one that spoils the view can be seen at a time.
SMALL_FILES = ("identity", "mirror-set", "view-current")
DIGEST_SHARE = 0.25  # Of the rounds: the view is compared with one that is built anew.
BEYOND_EVERY = 10  # Rounds, until one goes beyond parity at its end.


class Campaign:
    running_share = 0.5  # Of the rounds: damage under a running server.

    def __init__(self, base: pathlib.Path, seed: int, types: list[str], say=print):
        self.base, self.seed, self.types, self.say = base, seed, types, say
        self.tally: collections.Counter = collections.Counter()  # (type, kind, how it was made right).
        self.beyond: collections.Counter = collections.Counter()
        self.round = 0
        self.refusals = 0
        self.load()

    # ---- kept between runs

    def load(self):
        try:
            kept = json.loads((self.base / "state.json").read_text())
        except FileNotFoundError:
            return
        self.round, self.refusals = kept["round"], kept["refusals"]
        self.tally.update({tuple(row[:3]): row[3] for row in kept["tally"]})
        self.beyond.update(kept["beyond"])

    def save(self):
        fresh = self.base / "state.new"
        fresh.write_text(json.dumps({"round": self.round, "refusals": self.refusals, "beyond": self.beyond,
                                     "tally": [[*key, count] for key, count in sorted(self.tally.items())]}))
        fresh.rename(self.base / "state.json")

    @property
    def done(self) -> int:
        return sum(self.tally.values())

    def run(self, count: int, seconds: float = float("inf")):
        """Rounds until `count` injections have been judged in all, or the time is over."""
        began, first = time.monotonic(), self.done
        self.open_store()
        try:
            while self.done < count and time.monotonic() - began < seconds:
                before = self.done
                self.one_round(min(count - self.done, ROUND))
                self.round += 1
                self.save()
                rate = (self.done - first) / (time.monotonic() - began)
                self.say(f"round {self.round}: {self.done - before} injections, {self.done} of {count} in all, "
                         f"{rate * 60:.0f} a minute")
                if self.done == before:
                    raise Wrong(f"no place to damage of {self.types} in round {self.round}")
        finally:
            self.store.server.kill()

    def open_store(self):
        """A new one: an interrupted round may have left anything behind."""
        shutil.rmtree(self.base / "store", ignore_errors=True)
        self.store = Store(self.base / "store")
        self.past: dict = {}
        self.store.start()
        self.store.create()
        chance = random.Random(f"{self.seed}/{self.round}/first")
        self.store.churn(chance, 300, 60)

    # ---- one round

    def one_round(self, most: int):
        chance = random.Random(f"{self.seed}/{self.round}")
        store, self.chance = self.store, chance
        running = chance.random() < self.running_share
        fresh = store.churn(chance, 30, 8)
        live = store.live_ranges(fresh) if running else {}
        only_view = all(t.startswith("view-") for t in self.types)
        compare = only_view or chance.random() < DIGEST_SHARE
        if not running:
            store.stop(kill=chance.random() < 0.25)
        else:
            time.sleep(0.2)  # Stripes of the last PUT are written; the log may go on.
        index = Index(store.drives)
        planner = Planner(chance, index, self.past, self.live_filter(index, live) if running else None)
        injections = self.plan(planner, most)
        store.copy_to(self.base / "before")
        self.injections, self.index, self.running, self.rebuilt = injections, index, running, False
        self.keep(running)
        for injection in injections:
            apply(store.drives, injection.writes, running)
        self.past = {key: data for key, data in index.data.items()}
        (self.in_running if running else self.in_stopped)(injections, index)
        self.judge(injections)
        if compare:
            self.check_digest()
        if self.round % BEYOND_EVERY == BEYOND_EVERY - 1:
            self.beyond[go_beyond(store, chance)] += 1

    def live_filter(self, index: Index, live: dict):
        def is_live(place: Place) -> bool:
            number = place.unit[1]
            return (number not in index.open_sets or place.type == "set-header" or
                    any(place.start < end and start < place.end for start, end in live.get(number, ())))
        return is_live

    def plan(self, planner: Planner, most: int) -> list[Injection]:
        only_view = all(t.startswith("view-") for t in self.types)
        most = min(most, VIEW_ROUND) if only_view else most
        weights = [WEIGHTS[t] for t in self.types]
        found: list[Injection] = []
        for _ in range(most * 20):
            if len(found) == most:
                break
            type_ = self.chance.choices(self.types, weights)[0]
            kind = self.chance.choices(KINDS, [3, 2, 2, 0.3 if type_ not in SMALL_FILES else 2, 2, 2, 2, 2])[0]
            injection = planner.plan(kind, type_)
            if injection:
                found.append(injection)
        return found

    def in_stopped(self, injections, index):
        self.store.start()
        self.note(injections, index, "start")
        self.read_and_scrub(injections, index)

    def in_running(self, injections, index):
        self.read_and_scrub(injections, index)
        if any(i.type.startswith("view-") for i in injections):
            self.store.stop()  # What RocksDB reads only when it opens.
            self.store.start()
            self.store.check()
            self.note(injections, index, "start")

    def read_and_scrub(self, injections, index):
        store = self.store
        store.check()
        self.note(injections, index, "read")
        state = store.scrub()
        if state["error"] or state["lostStripes"]:
            raise Wrong(f"a scrub within parity ends with {state}")
        self.note(injections, index, "scrub")
        again = store.scrub()
        for name in ("damagedShards", "damagedJournal", "repairedIdentities"):
            if again[name] > state[name]:
                raise Wrong(f"a second scrub finds damage again: {state}, then {again}")
        left = [str(i) for i in injections if not i.found and not i.type.startswith("view-")]
        if left:
            raise Wrong(f"{len(left)} of {len(injections)} not made right by start, reads and scrub:\n" + "\n".join(left[:10]))
        self.check_counters(injections, again)
        store.check()
        self.refusals, store.errors = self.refusals + store.errors, 0

    def check_counters(self, injections: list[Injection], state: dict):
        """Detection is counted, too, unless the counting process was replaced because of the view."""
        if any(i.type.startswith("view-") and i.type not in INERT for i in injections):
            return
        # A set may be dropped, a segment truncated, before anybody looks.
        places = [p for i in injections for p in i.places if any((d / p.path).exists() for d in self.store.drives)
                  and not self.mended_by_length(i, p)]
        shards = {(p.unit, p.drive) for p in places if p.unit[0] == "set"}
        # A prepared segment without records is made anew, however many copies of it are wrong.
        # A mirror whose set a start cannot read is filled anew, whatever its segments hold.
        anew = set() if self.running else {p.drive for p in places if p.unit[0] == "mirror-set"}
        others = {(p.unit, p.drive) for p in places
                  if p.unit[0] == "mirror-set" or p.unit[0] == "journal" and p.drive not in anew
                  and len(self.index.places[p.drive, p.path]) > 1}
        before = self.counters_before
        for name, least in (("repairedShards", len(shards)), ("repairedJournal", len(others))):
            base = before.get(name, 0)
            if state[name] - base < least:
                raise Wrong(f"{least} damaged places and {name} went from {base} to {state[name]}")
        text = self.store.server.get("/metrics")[1]
        below = re.search(r"^kura_bytes_below_full_parity (\d+)$", text, re.M).group(1)
        if below != "0":
            raise Wrong(f"{below} bytes below full parity")

    def mended_by_length(self, injection: Injection, place: Place) -> bool:
        """Zeros that were cut off are there again as soon as a repair behind them makes the file longer."""
        return any(w.data is None and (w.drive, w.path) == (place.drive, place.path) and
                   not any(self.index.data[w.drive, w.path][max(w.start, place.start):place.end])
                   for w in injection.writes)

    # ---- judging

    def note(self, injections: list[Injection], index: Index, how: str):
        """Which injections were made right by now, on the disks, and whether this process built its view anew."""
        self.rebuilt |= self.store.status()["view"]["builtAnew"]
        deadline = time.monotonic() + (0.2 if how == "read" else 0)  # Reads leave repairs to a queue.
        while True:
            for injection in injections:
                if not injection.found and not injection.type.startswith("view-"):
                    injection.found = self.state_of(injection, index, how)
            if time.monotonic() >= deadline or all(i.found for i in injections):
                return
            time.sleep(0.1)

    def state_of(self, injection: Injection, index: Index, how: str) -> str:
        drives, gone = self.store.drives, 0
        for place in injection.places:
            if place.type == "mirror-set":
                if not self.mirror_sets_agree():
                    return ""
            elif not is_right(drives, place, index.data[place.drive, place.path]):
                if any((drive / place.path).exists() for drive in drives):
                    return ""
                gone += 1  # A dropped set, a truncated segment.
        return "gone" if gone == len(injection.places) else how

    def mirror_sets_agree(self) -> bool:
        """Each has a checksum of its own; a newer generation may have taken the damaged one's place."""
        found = {(drive / "journal/mirrors").read_bytes() for drive in self.store.drives}
        return len(found) == 1 and found.pop()[:8] == b"KURAMIRR"

    def judge(self, injections: list[Injection]):
        for injection in injections:
            if injection.type in INERT:
                injection.found = "not used"
            elif injection.type.startswith("view-"):
                injection.found = self.view_outcome(injection)
        left = [str(i) for i in injections if not i.found]
        if left:
            raise Wrong("damage of the view that nobody found:\n" + "\n".join(left))
        self.tally.update((i.type, i.kind, i.found) for i in injections)

    def view_outcome(self, injection: Injection) -> str:
        for write in injection.writes:
            path = self.store.drives[write.drive] / write.path
            if path.exists() and path.stat().st_size >= write.start + len(write.data or b"") > write.start:
                with path.open("rb") as file:
                    file.seek(write.start)
                    same = file.read(len(write.data)) == write.data
                if same and not self.rebuilt:
                    return ""
        return "view rebuilt" if self.rebuilt else "superseded"

    def check_digest(self):
        """The view as damage left it against one that is built from nothing but snapshot and log.

        Both on copies of the drives, right after the start. Background work may move a body just then and change a row,
        hence several attempts; a view that is wrong is so in each of them.
        """
        seen = []
        for _ in range(4):
            self.store.stop()
            seen.append([self.digest_of_copy(keep_view) for keep_view in (True, False)])
            self.store.start()
            if seen[-1][0] == seen[-1][1]:
                return
        raise Wrong(f"the view's digest, and of one built anew: {seen}")

    def digest_of_copy(self, keep_view: bool) -> str:
        folder = self.base / "copy"
        self.store.copy_to(folder)
        copy = Store(folder)
        try:
            for drive in copy.drives:
                if not keep_view:
                    shutil.rmtree(drive / "view", ignore_errors=True)
            copy.start()
            if copy.status()["view"]["builtAnew"] == keep_view:
                raise Wrong(f"a view that was {'there' if keep_view else 'removed'}: {copy.status()['view']}")
            return copy.admin("GET", "view/digest")["digest"]
        finally:
            copy.server.kill()

    # ---- a failure

    def keep(self, running: bool):
        """What it takes to do this round's damage again, beside the copy of the drives before it."""
        self.counters_before = self.store.admin("GET", "scrub") if running else {}
        with (self.base / "before/round.pickle").open("wb") as file:
            pickle.dump({"injections": self.injections, "objects": self.store.objects, "running": running}, file)


def replay(base: pathlib.Path, say=print):
    """The damage of the round that failed, on the drives as they were before it."""
    with (base / "before/round.pickle").open("rb") as file:
        kept = pickle.load(file)
    folder = base / "replay"
    shutil.rmtree(folder, ignore_errors=True)
    store = Store(folder)
    for drive in store.drives:
        shutil.rmtree(drive)
        shutil.copytree(base / "before" / drive.name, drive)
    store.objects = kept["objects"]
    if kept["running"]:
        store.start()
    for injection in kept["injections"]:
        say(str(injection))
        apply(store.drives, injection.writes)
    if not kept["running"]:
        store.start()
    try:
        store.check()
        state = store.scrub()
        store.check()
        say(f"right bytes; scrub: {state}")
    finally:
        store.server.kill()
