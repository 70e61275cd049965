"""Damage that nothing can mend: an error and never other bytes. Then one copy comes back, and with it everything."""

import random

from damage import Write, apply
from formats import Index, Place
from store import BUCKET, Store, Wrong

CORRUPT = 7  # The exit code.


def go_beyond(store: Store, chance: random.Random) -> str:
    """What came of it."""
    outcome = (lose_stripe if chance.random() < 0.5 else lose_record)(store, chance)
    store.check()
    store.scrub()
    return outcome


def spoil(store: Store, chance: random.Random, places: list[Place], index: Index) -> list[Write]:
    writes = []
    for p in places:
        at = p.start + 64 + chance.randrange(p.length - 64)
        writes.append(Write(p.drive, p.path, at, bytes([index.data[p.drive, p.path][at] ^ 1])))
    apply(store.drives, writes)
    return writes


def bring_back(store: Store, writes: list[Write], index: Index):
    apply(store.drives, [Write(w.drive, w.path, w.start, index.data[w.drive, w.path][w.start:w.end]) for w in writes])


def lose_stripe(store: Store, chance: random.Random) -> str:
    key = chance.choice([k for k in store.objects if k.startswith("large/") and store.objects[k][0] > 20000])
    place = store.admin("GET", "object/where", bucket=BUCKET, key=key)["items"][0]
    index = Index(store.drives)
    members = [p for p in index.of_type("stripe") if place["kind"] != "journal" and p.unit[1] == place["set"]
               and p.start <= place["offset"] < p.end]
    if not members:
        return "still in the log"
    writes = spoil(store, chance, chance.sample(members, 4), index)
    answer = store.once(key)
    whole = answer is not None and answer.status == 200
    if whole:
        store.compare(key, answer)
    elif answer is not None and answer.status < 500:
        raise Wrong(f"GET beyond parity: {answer.status} {answer.code}")
    bring_back(store, writes[2:], index)
    return "stripe right" if whole else "stripe refused"


def lose_record(store: Store, chance: random.Random) -> str:
    """On every mirror. Not of the last append: nobody can know that it was there."""
    store.stop()
    index = Index(store.drives)
    starts = sorted({p.unit for p in index.of_type("journal") if p.start}, key=lambda u: u[1] + u[2])
    unit = chance.choice(starts[:-60] or starts[:1])
    writes = spoil(store, chance, [p for p in index.of_type("journal") if p.unit == unit], index)
    store.server.launch()
    code = store.server.process.wait(60)
    said = store.said(1)
    if code != CORRUPT or str(unit[1] + unit[2]) not in said:
        raise Wrong(f"record {unit} is lost on every mirror, and a start ends with {code}: {said}")
    bring_back(store, writes[:1], index)
    store.start()
    return "record refused"
