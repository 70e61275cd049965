"""The ledger: what the store acknowledged, synced before the next call; and, apart, what was asked.

One call is one line of the file of questions and, once it is acknowledged, one of the file of
answers, which is synced. What has no answer may have happened or not. Truth is what the two say
together, written whole when a check has found out what became of the open questions.
"""

import json
import os
import pathlib


def write_whole(path: pathlib.Path, fields: dict):
    """The old file or the new one, whatever happens."""
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        json.dump(fields, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


class Truth:
    """keys: key -> value or None; uploads: id -> key and parts; buckets: name -> there or not."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        fields = json.loads(path.read_text()) if path.exists() else {}
        self.keys, self.uploads, self.buckets = (fields.get(n, {}) for n in ("keys", "uploads", "buckets"))

    def save(self):
        write_whole(self.path, {"keys": self.keys, "uploads": self.uploads, "buckets": self.buckets})

    def apply(self, question: dict, answer: dict):
        match question["op"]:
            case "put" | "delete":
                for key in question["keys"]:
                    self.keys[key] = question["value"]
            case "create":
                self.uploads[answer["upload"]] = {"key": question["keys"][0], "parts": {}}
            case "part":
                self.uploads[question["upload"]]["parts"][question["part"]] = question["value"]
            case "complete":
                self.keys[question["keys"][0]] = question["value"]
                del self.uploads[question["upload"]]
            case "abort":
                del self.uploads[question["upload"]]
            case "bucket":
                self.buckets[question["bucket"]] = question["value"]


class Ledger:
    """Of one writer, for keys, uploads and a bucket of its own."""

    def __init__(self, folder: pathlib.Path, worker: int, truth: Truth):
        self.worker, self.truth = worker, truth
        self.paths = [folder / f"asked-{worker}.jsonl", folder / f"acknowledged-{worker}.jsonl"]
        self.open: dict[int, dict] = {}  # Number -> question without an answer.
        self.count = self.acknowledged = 0
        self.replay()
        self.files = [path.open("a") for path in self.paths]

    def replay(self):
        lines = [path.read_text().splitlines() if path.exists() else [] for path in self.paths]
        answers = {a["n"]: a for a in (json.loads(line) for line in lines[1] if line.endswith("}"))}
        for question in (json.loads(line) for line in lines[0] if line.endswith("}")):
            self.count = question["n"]
            if self.count in answers:
                self.truth.apply(question, answers[self.count])
            else:
                self.open[self.count] = question

    def write(self, which: int, fields: dict):
        self.files[which].write(json.dumps(fields) + "\n")
        self.files[which].flush()

    def ask(self, op: str, **fields) -> int:
        self.count += 1
        self.open[self.count] = {"n": self.count, "op": op, **fields}
        self.write(0, self.open[self.count])
        return self.count

    def acknowledge(self, number: int, **fields):
        self.write(1, {"n": number, **fields})
        os.fsync(self.files[1].fileno())
        self.truth.apply(self.open.pop(number), fields)
        self.acknowledged += 1

    def frozen(self) -> set[str]:
        """Keys, uploads and buckets that an open question may still change."""
        return {name for q in self.open.values()
                for name in (*q.get("keys", ()), q.get("upload"), q.get("bucket")) if name}

    def settle(self):
        """REQUIRES: truth was found out and saved."""
        self.open.clear()
        for file in self.files:
            file.truncate(0)

    def close(self):
        for file in self.files:
            file.close()
