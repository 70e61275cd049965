"""Clients that write while something happens to the store."""

import threading

import botocore.exceptions

from bodies import KIB, body
from s3 import keys_of, read, s3_client

SIZES = [0, 1, 4 * KIB, 16 * KIB + 1, 100 * KIB, 300 * KIB]


class Traffic:
    """Writes keys, each once, until it is stopped. What was acknowledged must stay."""

    def __init__(self, endpoint, bucket: str, workers: int = 4):
        self.endpoint, self.bucket = endpoint, bucket
        self.acknowledged: dict[str, tuple[int, str]] = {}  # Key -> arguments of body().
        self.asked: set[str] = set()
        self.refused: list[str] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(workers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def work(self, worker: int):
        s3, n = s3_client(self.endpoint, connect_timeout=5, read_timeout=20), 0
        while not self.ended.is_set():
            key, content = f"traffic/{worker}/{n}", (SIZES[n % len(SIZES)], f"{worker}/{n}")
            self.asked.add(key)
            try:
                s3.put_object(Bucket=self.bucket, Key=key, Body=body(*content))
                self.acknowledged[key] = content
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
                self.refused.append(str(error))
                self.ended.wait(0.1)
            n += 1

    def check(self, s3):
        listed = set(keys_of(s3, self.bucket, Prefix="traffic/"))
        assert set(self.acknowledged) <= listed <= self.asked
        wrong = [k for k, content in self.acknowledged.items() if read(s3, self.bucket, k) != body(*content)]
        assert not wrong, f"other bytes in {wrong}"
