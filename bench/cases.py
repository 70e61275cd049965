"""The measured cases and their requests. Buckets of 1,000 objects are read; PUT makes new keys elsewhere."""

import dataclasses
import hashlib

from signing import UNSIGNED, Signer

KEYS = 1000
SIZES = {"4 KiB": 4 << 10, "1 MiB": 1 << 20}
PUT_BUCKET = "bench-put"


def bucket(size: str) -> str:
    return f"bench-{SIZES[size]}"


@dataclasses.dataclass(frozen=True)
class Case:
    operation: str
    size: str
    connections: int  # Each has one request in flight.
    count: int        # Requests a round.

    @property
    def name(self) -> str:
        return f"{self.operation} {self.size}" if self.operation != "LIST" else f"LIST {KEYS} of {self.size}"


CASES = (
    Case("PUT", "4 KiB", 64, 8000),
    Case("PUT", "1 MiB", 16, 200),
    Case("GET", "4 KiB", 64, 8000),
    Case("GET", "1 MiB", 16, 400),
    Case("LIST", "4 KiB", 16, 400),
    Case("LIST", "1 MiB", 16, 400),
)


class Requests:
    """Requests as (head,) or (head, body), signed when asked for."""

    def __init__(self, bodies: dict[str, bytes], signed_payload: bool):
        self.bodies = bodies
        self.payload = {size: hashlib.sha256(body).hexdigest() if signed_payload else UNSIGNED
                        for size, body in bodies.items()}

    def put(self, signer: Signer, size: str, path: str) -> tuple[bytes, ...]:
        body = self.bodies[size]
        return signer.request("PUT", path, body=body, payload=self.payload[size]), body

    def make_buckets(self, signer: Signer) -> list[tuple[bytes, ...]]:
        return [(signer.request("PUT", f"/{name}", body=b""),) for name in (PUT_BUCKET, *map(bucket, SIZES))]

    def fill(self, signer: Signer, size: str) -> list[tuple[bytes, ...]]:
        return [self.put(signer, size, f"/{bucket(size)}/object-{key:06}") for key in range(KEYS)]

    def of(self, case: Case, signer: Signer, round_number: int) -> list[tuple[bytes, ...]]:
        numbers = range(case.count)
        if case.operation == "PUT":
            prefix = f"/{PUT_BUCKET}/{SIZES[case.size]}-{round_number}"
            return [self.put(signer, case.size, f"{prefix}-{number:06}") for number in numbers]
        if case.operation == "GET":
            return [(signer.request("GET", f"/{bucket(case.size)}/object-{number % KEYS:06}"),) for number in numbers]
        query = {"list-type": "2", "max-keys": str(KEYS)}
        return [(signer.request("GET", f"/{bucket(case.size)}", query),)] * case.count
