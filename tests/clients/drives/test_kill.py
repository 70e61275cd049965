"""kill -9 in the middle of uploads, 20 times, against a synced ledger: nothing lost, nothing half-visible."""

import hashlib
import json
import os
import random
import threading

import botocore.exceptions
import pytest

from bodies import KIB, MIB, body
from s3 import keys_of, s3_client
from server import Server, drive_folders

BUCKET = "ledger"
WORKERS, KEYS, KILLS = 6, 8, 20
SIZES = [0, 1, 4 * KIB, 16 * KIB, 16 * KIB + 1, 100 * KIB, 128 * KIB + 1, 700 * KIB, 2 * MIB]
ABSENT = None


class Ledger:
    """What was acknowledged, on disk before the next step; and what was asked and never answered."""

    def __init__(self, path):
        self.file = path.open("a")
        self.lock = threading.Lock()
        self.acknowledged: dict[str, str | None] = {}  # Key -> MD5 of its bytes, or ABSENT.
        self.asked: dict[str, str | None] = {}

    def ask(self, key, digest):
        with self.lock:
            self.asked[key] = digest

    def acknowledge(self, key, digest):
        with self.lock:
            self.file.write(json.dumps([key, digest]) + "\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            self.acknowledged[key] = digest
            del self.asked[key]


def put_in_parts(s3, key, chance):
    parts = [body(5 * MIB, str(chance.random())), body(chance.choice(SIZES), str(chance.random()))]
    digest = hashlib.md5(b"".join(parts)).hexdigest()
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    done = [{"PartNumber": n, "ETag": s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=n, Body=data)["ETag"]}
            for n, data in enumerate(parts, 1)]
    return digest, lambda: s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": done})


def work(endpoint, ledger: Ledger, worker: int, seed: int):
    """One writer on keys of its own, until the server dies under it."""
    s3, chance = s3_client(endpoint, connect_timeout=5, read_timeout=20), random.Random(seed)
    try:
        while True:
            key, kind = f"{worker}/{chance.randrange(KEYS)}", chance.random()
            if kind < 0.15:
                digest, act = ABSENT, lambda: s3.delete_object(Bucket=BUCKET, Key=key)
            elif kind < 0.2:
                digest, act = put_in_parts(s3, key, chance)
            else:
                data = body(chance.choice(SIZES), str(chance.random()))
                digest, act = hashlib.md5(data).hexdigest(), lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=data)
            ledger.ask(key, digest)
            act()
            ledger.acknowledge(key, digest)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError):
        return


def settle(s3, ledger: Ledger):
    """Compares the store with the ledger, then takes what is there as the new truth."""
    listed = {row["Key"]: row for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
              for row in page.get("Contents", [])}
    for key in {*ledger.acknowledged, *ledger.asked, *listed}:
        found = ABSENT
        if key in listed:
            data = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            assert len(data) == listed[key]["Size"], f"{key} is half there"
            found = hashlib.md5(data).hexdigest()
        allowed = {ledger.acknowledged.get(key, ABSENT)} | ({ledger.asked[key]} if key in ledger.asked else set())
        assert found in allowed, f"{key}: found {found}, allowed {allowed}"
        ledger.acknowledged[key] = found
    ledger.asked.clear()


@pytest.mark.timeout(900)
def test_kill(tmp_path):
    server = Server(drive_folders(tmp_path), tmp_path / "kura.log").start()
    ledger, chance = Ledger(tmp_path / "ledger"), random.Random(20)
    s3 = s3_client(server.endpoint)
    s3.create_bucket(Bucket=BUCKET)
    try:
        for round_number in range(KILLS):
            writers = [threading.Thread(target=work, args=(server.endpoint, ledger, w, round_number * WORKERS + w))
                       for w in range(WORKERS)]
            for writer in writers:
                writer.start()
            threading.Event().wait(chance.uniform(0.2, 2.0))
            server.kill()
            for writer in writers:
                writer.join()
            server.start()
            settle(s3, ledger)
        assert len(ledger.acknowledged) > WORKERS, "hardly anything was written"
        assert len(keys_of(s3, BUCKET)) == sum(d is not ABSENT for d in ledger.acknowledged.values())
    finally:
        server.kill()
