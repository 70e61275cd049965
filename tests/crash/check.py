"""The oracle: the store against the ledger. Each name is what was acknowledged, or what was asked last."""

import concurrent.futures
import hashlib
import threading

from ledger import Ledger, Truth
from s3_calls import Refused, S3Calls
from writer import BUCKET

READERS = 4


class Violation(Exception):
    pass


class Check:
    """One comparison. Afterwards the truth is what was found, and no question is open."""

    def __init__(self, endpoint, truth: Truth, ledgers: list[Ledger], patience_s: float = 30):
        self.endpoint, self.truth, self.ledgers = endpoint, truth, ledgers
        self.patience_s = patience_s
        self.s3 = self.patient_calls()
        self.local = threading.local()
        self.questions = [q for ledger in ledgers for q in ledger.open.values()]

    def patient_calls(self) -> S3Calls:
        """Reads may be refused for a while, not for good."""
        return S3Calls(self.endpoint, patience_s=self.patience_s)

    def run(self) -> int:
        """Returns the number of keys read. Raises Violation, or Gone when the server ends meanwhile."""
        try:
            return self.compare()
        except Refused as refused:
            raise Violation(f"a read is refused for {self.patience_s} s: {refused}") from refused

    def compare(self) -> int:
        listed = self.s3.listing(BUCKET, page=1000 if len(self.truth.keys) % 2 else 7)
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            names = sorted({*self.truth.keys, *listed, *(k for q in self.questions for k in q.get("keys", ()))})
            found = dict(zip(names, pool.map(lambda name: self.look(name, listed.get(name)), names)))
        for name, value in found.items():
            self.judge(name, value)
        uploads = self.check_uploads(found)
        self.check_counters(listed, uploads)
        buckets = self.check_buckets()
        self.truth.keys, self.truth.uploads, self.truth.buckets = found, uploads, buckets
        self.truth.save()
        for ledger in self.ledgers:
            ledger.settle()
        self.s3.close()
        return len(found)

    def look(self, key: str, row: dict | None) -> dict | None:
        """The value that GET, HEAD and the listing agree on."""
        if not hasattr(self.local, "s3"):
            self.local.s3 = self.patient_calls()
        got, head = (self.local.s3.ask(method, f"/{BUCKET}/{key}") for method in ("GET", "HEAD"))
        if row is None:
            if (got.status, head.status) != (404, 404):
                raise Violation(f"{key} is not listed, and GET says {got.status}, HEAD {head.status}")
            return None
        if (got.status, head.status) != (200, 200):
            raise Violation(f"{key} is listed, and GET says {got.status}, HEAD {head.status}: {got.body[:300]!r}")
        sight = {(a.headers["etag"].strip('"'), int(a.headers["content-length"])) for a in (got, head)}
        if sight != {(row["etag"], row["size"])} or len(got.body) != row["size"]:
            raise Violation(f"{key}: listed as {row}, GET and HEAD say {sight}, {len(got.body)} bytes came")
        return {**row, "sha": hashlib.sha256(got.body).hexdigest()}

    def judge(self, key: str, value: dict | None):
        asked = [q["value"] for q in self.questions if q["op"] in ("put", "delete", "complete") and key in q["keys"]]
        allowed = [self.truth.keys.get(key), *asked]
        if value not in allowed:
            raise Violation(f"{key}: found {value}; acknowledged {allowed[0]}; asked since {asked}")

    def check_uploads(self, found: dict) -> dict:
        listed = self.s3.uploads(BUCKET)
        open_of = {}
        for question in self.questions:
            if "upload" in question:
                open_of.setdefault(question["upload"], []).append(question)
        for upload, known in self.truth.uploads.items():
            ends = [q for q in open_of.get(upload, []) if q["op"] in ("complete", "abort")]
            completed = [q for q in ends if q["op"] == "complete" and found.get(known["key"]) == q["value"]]
            if upload not in listed and not (completed or any(q["op"] == "abort" for q in ends)):
                raise Violation(f"upload {upload} of {known['key']} is gone and was not ended; asked {ends}")
            if upload in listed and completed:
                raise Violation(f"upload {upload} of {known['key']} is there and completed")
        created = [q["keys"][0] for q in self.questions if q["op"] == "create"]
        out = {}
        for upload, key in listed.items():
            if upload not in self.truth.uploads:
                if key not in created:
                    raise Violation(f"upload {upload} of {key}: nobody began it")
                created.remove(key)
            out[upload] = {"key": key, "parts": self.check_parts(upload, key, open_of.get(upload, []))}
        return out

    def check_parts(self, upload: str, key: str, questions: list[dict]) -> dict:
        known = self.truth.uploads.get(upload, {"parts": {}})["parts"]
        listed, out = self.s3.parts(f"/{BUCKET}/{key}", upload), {}
        for part in {*known, *listed}:
            allowed = [known.get(part)] + [q["value"] for q in questions if q["op"] == "part" and q["part"] == part]
            same = [v for v in allowed if (v and {"etag": v["etag"], "size": v["size"]}) == listed.get(part)]
            if not same:
                raise Violation(f"part {part} of upload {upload} of {key}: {listed.get(part)}, allowed {allowed}")
            if same[0]:
                out[part] = same[0]
        return out

    def check_counters(self, listed: dict, uploads: dict):
        (counted,) = [b for b in self.s3.admin("GET", "buckets")["items"] if b["name"] == BUCKET]
        counted = {n: counted[n] for n in ("objects", "bytes", "uploads")}
        right = {"objects": len(listed), "bytes": sum(row["size"] for row in listed.values()), "uploads": len(uploads)}
        if counted != right:
            raise Violation(f"counters say {counted}, the listings {right}")

    def check_buckets(self) -> dict[str, bool]:
        out = {}
        for name in sorted({*self.truth.buckets, *(q["bucket"] for q in self.questions if q["op"] == "bucket")}):
            status = self.s3.ask("HEAD", f"/{name}").status
            allowed = [self.truth.buckets.get(name, False)]
            allowed += [q["value"] for q in self.questions if q["op"] == "bucket" and q["bucket"] == name]
            if status not in (200, 404) or (status == 200) not in allowed:
                raise Violation(f"bucket {name}: HEAD says {status}, allowed {allowed}")
            out[name] = status == 200
        return out
