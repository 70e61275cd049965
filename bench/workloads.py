"""What is measured, at which sizes and with how many requests in flight."""

import dataclasses
import pathlib
import re

from generator import RAW

SIZES = {"4KiB": 4 << 10, "64KiB": 64 << 10, "1MiB": 1 << 20, "64MiB": 64 << 20}
# One request in flight on each. Group commit and batching depend on it: it stands beside every figure.
CONNECTIONS = {"4KiB": 64, "64KiB": 32, "1MiB": 16, "64MiB": 16}
LIST_KEYS, LIST_CONNECTIONS = 1000, 16
WRITES = ("put", "delete", "mixed")
NEEDS = {"delete": "put", "paced": "get"}  # Delete takes what put wrote; paced halves the rate of get.
RUN_BYTES_MAX = 1 << 30  # Of bodies that one run may write.
LARGE_OPERATIONS_MAX = 48  # Of 64 MiB each.


@dataclasses.dataclass(frozen=True)
class Workload:
    operation: str  # put, get, stat, delete, mixed, list, and paced: GET at half the rate of the get before it.
    size: str

    @property
    def name(self) -> str:
        return f"list-{LIST_KEYS}" if self.operation == "list" else f"{self.operation}-{self.size}"

    @property
    def connections(self) -> int:
        return LIST_CONNECTIONS if self.operation == "list" else CONNECTIONS[self.size]

    @property
    def size_bytes(self) -> int:
        return SIZES[self.size]

    @property
    def bucket(self) -> str:
        return f"bench-{self.size.lower()}"

    @property
    def writes(self) -> bool:
        return self.operation in WRITES

    @property
    def count_max(self) -> int | None:
        if self.operation == "put":
            return RUN_BYTES_MAX // self.size_bytes
        return LARGE_OPERATIONS_MAX if self.size == "64MiB" else None


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much of it: a run ends after `seconds` or the workload's count_max, whichever comes first."""

    rounds: int
    seconds: float
    pool: dict[str, int]  # Objects of each size that get, stat, list and mixed read.
    program: pathlib.Path = RAW


QUICK = Scale(2, 3, {"4KiB": 2000, "64KiB": 500, "1MiB": 128, "64MiB": 8})
FULL = Scale(5, 8, {"4KiB": 20000, "64KiB": 4000, "1MiB": 1000, "64MiB": 16})


def workloads() -> list[Workload]:
    """In the order of a round: what another one needs comes before it."""
    made = []
    for size in SIZES:
        operations = ("put", "get", "mixed") if size == "64MiB" else ("put", "get", "stat", "delete", "mixed")
        made += [Workload(operation, size) for operation in operations]
        if size == "4KiB":
            made += [Workload("paced", size), Workload("list", size)]
    return made


def matching(pattern: re.Pattern | None) -> list[Workload]:
    """The workloads whose names match, and those that they need."""
    names = {workload for workload in workloads() if not pattern or pattern.search(workload.name)}
    names |= {Workload(NEEDS[workload.operation], workload.size) for workload in names if workload.operation in NEEDS}
    return [workload for workload in workloads() if workload in names]
