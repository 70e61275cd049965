"""One writer: a mix of calls on names of its own, each in the ledger, until it is told to stop."""

import collections
import hashlib
import random
import threading

from ledger import Ledger
from s3_calls import UNAVAILABLE, Gone, Refused, S3Calls, content, multipart_etag, value_of

KIB, MIB = 1 << 10, 1 << 20
BUCKET = "ledger"
# Empty; in the event up to 16 KiB; packed up to 128 KiB; striped above.
SIZES = [0, 1, 700, 4 * KIB, 4 * KIB, 16 * KIB, 16 * KIB + 1, 60 * KIB, 128 * KIB, 128 * KIB + 1, 400 * KIB, 2 * MIB]
PART_MIN = 5 * MIB


class Writer(threading.Thread):
    def __init__(self, endpoint, ledger: Ledger, seed: str, keys: int, sizes=None):
        super().__init__(daemon=True)
        self.s3, self.ledger, self.random = S3Calls(endpoint), ledger, random.Random(seed)
        self.seed, self.sizes = seed, sizes or SIZES
        self.keys = [f"{ledger.worker}/{n}" for n in range(keys)]
        self.stop = threading.Event()
        self.refused = collections.Counter()
        self.faults: list[str] = []
        self.drawn = 0

    def run(self):
        acts = [self.put] * 9 + [self.delete, self.copy, self.read, self.read] + [self.multipart] * 4 + [self.bucket]
        while not self.stop.is_set():
            try:
                self.random.choice(acts)()
            except Gone:
                break
            except Refused as refused:
                self.refused[refused.code or str(refused.status)] += 1
                if not refused.not_now:
                    self.faults.append(f"writer {self.ledger.worker} got {refused}")
                self.stop.wait(0.02)
        self.s3.close()

    def free_key(self) -> str | None:
        frozen = self.ledger.frozen()
        free = [key for key in self.keys if key not in frozen]
        if not free:
            self.stop.wait(0.05)
        return self.random.choice(free) if free else None

    def fresh_body(self, size: int | None = None) -> bytes:
        self.drawn += 1
        return content(f"{self.seed}/{self.ledger.worker}/{self.drawn}",
                       self.random.choice(self.sizes) if size is None else size)

    def put(self):
        if (key := self.free_key()) is None:
            return
        data = self.fresh_body()
        value = value_of(data)
        number = self.ledger.ask("put", keys=[key], value=value)
        etag = self.s3.call("PUT", f"/{BUCKET}/{key}", body=data).headers["etag"].strip('"')
        self.ledger.acknowledge(number)
        if etag != value["etag"]:
            self.faults.append(f"{key}: PUT answered ETag {etag}, its bytes are {value['etag']}")

    def delete(self):
        frozen = self.ledger.frozen()
        keys = self.random.sample(self.keys, self.random.randint(1, 3))
        keys = [key for key in keys if key not in frozen]
        if not keys:
            return
        number = self.ledger.ask("delete", keys=keys, value=None)
        if len(keys) == 1:
            self.s3.call("DELETE", f"/{BUCKET}/{keys[0]}")
        else:
            self.s3.delete_many(BUCKET, keys)
        self.ledger.acknowledge(number)

    def copy(self):
        source, key = self.free_key(), self.free_key()
        value = self.ledger.truth.keys.get(source or "")
        if source is None or key is None or source == key or value is None or "-" in value["etag"]:
            return
        number = self.ledger.ask("put", keys=[key], value=value)
        self.s3.call("PUT", f"/{BUCKET}/{key}", headers={"x-amz-copy-source": f"/{BUCKET}/{source}"})
        self.ledger.acknowledge(number)

    def read(self):
        """Its own writes at once: what the store says now, not only after a restart."""
        if (key := self.free_key()) is None:
            return
        value, answer = self.ledger.truth.keys.get(key), self.s3.ask("GET", f"/{BUCKET}/{key}")
        if answer.status in UNAVAILABLE:
            self.refused[f"GET {answer.status}"] += 1
        elif answer.status == 404 and value is not None:
            self.faults.append(f"{key}: acknowledged and not found")
        elif answer.status == 200 and (value is None or hashlib.sha256(answer.body).hexdigest() != value["sha"]):
            self.faults.append(f"{key}: GET gave {len(answer.body)} other bytes than {value}")

    def multipart(self):
        """One step of one of its uploads."""
        frozen = self.ledger.frozen()
        mine = {i: u for i, u in self.ledger.truth.uploads.items()
                if u["key"] in self.keys and u["key"] not in frozen and i not in frozen}
        if len(mine) < 2:
            if (key := self.free_key()) is not None:
                self.begin_upload(key)
            return
        upload = self.random.choice(sorted(mine))
        key, parts = mine[upload]["key"], mine[upload]["parts"]
        path = f"/{BUCKET}/{key}"
        if parts and self.random.random() < 0.1:
            number = self.ledger.ask("abort", upload=upload)
            self.s3.call("DELETE", path, [("uploadId", upload)])
            self.ledger.acknowledge(number)
        elif parts and (len(parts) == 2 or self.random.random() < 0.5):
            self.complete(key, upload, parts)
        else:
            self.part(path, upload, "2" if parts and parts.get("1", {}).get("size", 0) >= PART_MIN else "1")

    def begin_upload(self, key: str):
        number = self.ledger.ask("create", keys=[key])
        answer = self.s3.call("POST", f"/{BUCKET}/{key}", [("uploads", "")])
        upload = answer.body.split(b"<UploadId>")[1].split(b"</UploadId>")[0].decode()
        self.ledger.acknowledge(number, upload=upload)

    def part(self, path: str, upload: str, part: str):
        large = part == "1" and max(self.sizes) >= MIB and self.random.random() < 0.2
        name, size = f"{upload}/{part}/{self.drawn}", PART_MIN if large else self.random.choice(self.sizes)
        self.drawn += 1
        value = {**value_of(content(name, size)), "name": name}
        number = self.ledger.ask("part", upload=upload, part=part, value=value)
        self.s3.call("PUT", path, [("partNumber", part), ("uploadId", upload)], content(name, size))
        self.ledger.acknowledge(number)

    def complete(self, key: str, upload: str, parts: dict):
        data = b"".join(content(parts[n]["name"], parts[n]["size"]) for n in sorted(parts))
        value = value_of(data, multipart_etag([parts[n]["etag"] for n in sorted(parts)]))
        number = self.ledger.ask("complete", keys=[key], upload=upload, value=value)
        self.s3.complete(f"/{BUCKET}/{key}", upload, {n: p["etag"] for n, p in parts.items()})
        self.ledger.acknowledge(number)

    def bucket(self):
        name = f"side-{self.ledger.worker}"
        if name in self.ledger.frozen():
            return
        there = self.ledger.truth.buckets.get(name, False)
        number = self.ledger.ask("bucket", bucket=name, value=not there)
        self.s3.call("DELETE" if there else "PUT", f"/{name}")
        self.ledger.acknowledge(number)
