"""A store under damage and the oracle of what it must answer: right bytes or a clean error, in the end right bytes."""

import concurrent.futures
import hashlib
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
from bodies import KIB, MIB, body  # noqa: E402
from server import BINARY, Server  # noqa: E402
from wire import Answer, Call, Wire  # noqa: E402

BUCKET = "corrupt"
# Small sets and segments, so that there are many; a small cache, so that the view is read from its files.
SETTINGS = {"KURA_JOURNAL_SEGMENT_SIZE": "1MiB", "KURA_SET_MEMBER_SIZE": "4MiB", "KURA_CACHE_SIZE": "1MiB"}
INLINE = [0, 1, 700, 4 * KIB, 16 * KIB]
LARGE = [16 * KIB + 1, 100 * KIB, 128 * KIB, 128 * KIB + 1, 600 * KIB, 2 * MIB]
KEYS_INLINE, KEYS_LARGE = 260, 60
KEYS_ARCHIVED, ARCHIVED_BYTES = 400, 16 * KIB  # Never overwritten: their part of the log is archived as it is.
READERS = 3
PATIENCE_SECONDS = 60.0


class Wrong(Exception):
    """What must never be: other bytes, a wrong listing, no answer in the end, damage that stays."""


class Store:
    def __init__(self, base: pathlib.Path, drives: int = 6):
        self.base = base
        self.drives = [base / f"d{i + 1}" for i in range(drives)]
        for drive in self.drives:
            drive.mkdir(parents=True, exist_ok=True)
        self.server = Server(self.drives, base / "kura.log", settings=SETTINGS)
        self.objects: dict[str, tuple[int, str]] = {}  # Key -> arguments of body().
        self.errors = 0  # Clean refusals on the way.

    # ---- one request

    def ask(self, method: str, path: str, query=(), data: bytes = b"") -> Answer:
        """The first answer that is none of 5xx; a server that starts over is waited for."""
        deadline, last = time.monotonic() + PATIENCE_SECONDS, None
        while True:
            try:
                with Wire(self.server.endpoint, timeout=30) as wire:
                    wire.send(Call(self.server.endpoint, method, path, list(query), body=data).sign().wire())
                    answer = wire.answer()
                if answer.status < 500:
                    return answer
                last = f"{answer.status} {answer.code}"
            except (AssertionError, OSError) as error:
                last = str(error)[:200]
            self.errors += 1
            if self.server.process.poll() is not None:
                raise Wrong(f"the server ended with {self.server.process.returncode}:\n{self.said()}")
            if time.monotonic() > deadline:
                raise Wrong(f"{method} {path} fails for {PATIENCE_SECONDS:.0f} s: {last}\n{self.said()}")
            time.sleep(0.1)

    def once(self, key: str) -> Answer | None:
        """One GET as it is answered; None when the connection ends before the answer does."""
        try:
            with Wire(self.server.endpoint, timeout=30) as wire:
                wire.send(Call(self.server.endpoint, "GET", f"/{BUCKET}/{key}").sign().wire())
                return wire.answer()
        except (AssertionError, OSError):
            return None

    def admin(self, method: str, path: str, **query) -> dict:
        answer = self.ask(method, f"/kura/admin/v1/{path}", list(query.items()))
        if answer.status != 200:
            raise Wrong(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return json.loads(answer.body)

    # ---- content

    def create(self):
        assert self.ask("PUT", f"/{BUCKET}").status == 200
        for number in range(KEYS_ARCHIVED):
            self.put(f"archived/{number}", ARCHIVED_BYTES, f"archived {number}")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.is_archived(f"archived/{KEYS_ARCHIVED // 4}"):
            if time.monotonic() > deadline:
                raise Wrong("old log is not archived")
            self.admin("POST", "housekeep")

    def is_archived(self, key: str) -> bool:
        return all(place["kind"] == "archived" for place in self.places(key))

    def places(self, key: str) -> list[dict]:
        return self.admin("GET", "object/where", bucket=BUCKET, key=key)["items"]

    def put(self, key: str, size: int, seed: str):
        answer = self.ask("PUT", f"/{BUCKET}/{key}", data=body(size, seed))
        if answer.status != 200:
            raise Wrong(f"PUT {key}: {answer.status} {answer.code}")
        self.objects[key] = (size, seed)

    def churn(self, chance: random.Random, inline: int, large: int) -> list[str]:
        """Writes over old objects and deletes a few. Returns keys of bodies in sets that are open, or may be."""
        fresh = []
        for n in range(inline + large):
            if n < inline:
                key, size = f"inline/{chance.randrange(KEYS_INLINE)}", chance.choice(INLINE)
            else:
                key, size = f"large/{chance.randrange(KEYS_LARGE)}", chance.choice(LARGE)
                fresh.append(key)
            if chance.random() < 0.05:
                self.ask("DELETE", f"/{BUCKET}/{key}")
                self.objects.pop(key, None)
            else:
                self.put(key, size + chance.randrange(2), str(chance.random()))
        fresh += [f"archived/{number}" for number in chance.sample(range(KEYS_ARCHIVED), 4)]
        return [key for key in fresh if key in self.objects]

    def check(self):
        """Full read-back: the listing, then every byte."""
        listed = self.listing()
        wanted = {key: (size, hashlib.md5(body(size, seed)).hexdigest()) for key, (size, seed) in self.objects.items()}
        if listed != wanted:
            off = [k for k in {*listed, *wanted} if listed.get(k) != wanted.get(k)][:5]
            raise Wrong("wrong listing: " + "; ".join(f"{k}: {listed.get(k)} is not {wanted.get(k)}" for k in off))
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            list(pool.map(self.check_object, sorted(self.objects)))
        counters = self.admin("GET", "buckets")["items"][0]
        if (counters["objects"], counters["bytes"]) != (len(wanted), sum(size for size, _ in wanted.values())):
            raise Wrong(f"wrong counters: {counters}")

    def check_object(self, key: str):
        answer = self.ask("GET", f"/{BUCKET}/{key}")
        if answer.status != 200:
            raise Wrong(f"GET {key}: {answer.status} {answer.code}")
        self.compare(key, answer)

    def compare(self, key: str, answer: Answer):
        right = body(*self.objects[key])
        if answer.body != right:
            at = next((i for i, (a, b) in enumerate(zip(answer.body, right)) if a != b), min(len(right), len(answer.body)))
            raise Wrong(f"wrong bytes: {key} ({len(right)} bytes) differs from byte {at}, answered {len(answer.body)}")

    def listing(self) -> dict[str, tuple[int, str]]:
        found, token = {}, None
        while True:
            query = [("list-type", "2")] + ([("continuation-token", token)] if token else [])
            answer = self.ask("GET", f"/{BUCKET}", query)
            if answer.status != 200:
                raise Wrong(f"LIST: {answer.status} {answer.code}")
            text = answer.body.decode()
            for row in re.findall(r"<Contents>(.*?)</Contents>", text, re.S):
                field = lambda name: re.search(rf"<{name}>(.*?)</{name}>", row, re.S).group(1)
                etag = field("ETag").replace("&quot;", "").replace("&#34;", "").strip('"')
                found[field("Key")] = (int(field("Size")), etag)
            token = re.search(r"<NextContinuationToken>(.*?)</NextContinuationToken>", text)
            if not token:
                return found
            token = token.group(1)

    def live_ranges(self, keys: list[str]) -> dict[int, list[tuple[int, int]]]:
        """Where the bodies of these objects surely are, by set: parts of member files."""
        ranges: dict[int, list[tuple[int, int]]] = {}
        for key in keys:
            for place in self.places(key):
                if place["kind"] != "journal":
                    length = place["storedBytes"] if place["kind"] != "striped" else place["storedBytes"] // 4
                    ranges.setdefault(place["set"], []).append((place["offset"], place["offset"] + max(length, 64)))
        return ranges

    # ---- the node

    def status(self) -> dict:
        return self.admin("GET", "status")

    def scrub(self) -> dict:
        """Asks for one and waits for its end, also when the node starts over meanwhile."""
        runs = self.admin("GET", "scrub")["runs"]
        self.admin("POST", "scrub")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            state = self.admin("GET", "scrub", wait="1")
            if not state["busy"] and state["runs"] > runs:
                return state
            if not state["busy"] and state["runs"] == 0:  # A new process, which was asked for none.
                runs = 0
                self.admin("POST", "scrub")
            if time.monotonic() > deadline:
                raise Wrong(f"the scrub never ends: {state}")

    def said(self, lines: int = 12) -> str:
        """The node's last lines for its operator."""
        text = self.server.log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in text if not line.startswith("{")][-lines:])

    def stop(self, kill: bool = False):
        if kill:
            self.server.kill()
        else:
            self.server.stop()

    def start(self):
        try:
            self.server.start()
        except AssertionError as error:
            raise Wrong(f"no start: {str(error)[:200]}\n{self.said()}") from None

    def verify_journal(self):
        done = subprocess.run([str(BINARY), "journal", "verify", *map(str, self.drives), "--json"],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Wrong(f"journal verify: {done.stdout[:1000]} {done.stderr[:1000]}")

    def copy_to(self, folder: pathlib.Path):
        for attempt in range(5):  # A running server may remove a file meanwhile.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            done = subprocess.run(["cp", "-a", "--sparse=always", *map(str, self.drives), str(folder)],
                                  capture_output=True, text=True)
            if done.returncode == 0:
                return
        raise OSError(done.stderr)
