"""The roofline and the gates as data.

Sources: the project's performance study, "Roofline per core" (best measured stages of this kind of machine, one core
of an EPYC Zen 5, summed), "Ratios", "Against the roofline", "Growth goals"; and the product's own gates for three
figures, which are stricter than the study's.
"""

import dataclasses

# Server CPU us per operation that the best measured stages add up to. PUT synced, multi-buffer MD5; 4 KiB inline in
# the journal. GET from the page cache with a resident index. There is none for STAT, DELETE, LIST and a mix.
ROOFLINE_US = {"put-4KiB": 20.5, "put-64KiB": 109, "put-1MiB": 672, "put-64MiB": 41_500,
               "get-4KiB": 9.4, "get-64KiB": 20.9, "get-1MiB": 200, "get-64MiB": 15_000}


# The study's machine, idle: CPU us of nginx for a GET of 4 KiB, sendfile off. What floor.py measures over this says how
# many times slower a machine is, or what else it does.
STUDY_FLOOR = ("get-4KiB", 8.3)


@dataclasses.dataclass(frozen=True)
class Goal:
    workload: str
    figure: str
    gate: float  # Must hold.
    aim: float   # Beyond it.
    source: str

    @property
    def more_is_better(self) -> bool:
        return self.figure.endswith(("_ratio", "_share"))

    def verdict(self, value: float | None) -> str:
        if value is None:
            return "not measured"
        for name, bound in (("aim", self.aim), ("gate", self.gate)):
            if value >= bound if self.more_is_better else value <= bound:
                return f"meets {name}"
        return "misses"


RATIOS, ROOFLINE, PRODUCT = "ratios against MinIO", "against the roofline, first release", "product"

# floor_share: nginx's CPU over Kura's, in the same run (floor.py). Every *_ratio says how many times better Kura is: its rate over the peer's, the peer's CPU, p99 or memory over its own.
GOALS = (
    Goal("put-4KiB", "ops_ratio", 4, 10, RATIOS),
    Goal("put-4KiB", "cpu_ratio", 6, 15, RATIOS),
    Goal("get-4KiB", "ops_ratio", 3, 5, RATIOS),
    Goal("stat-4KiB", "ops_ratio", 3, 6, RATIOS),
    Goal("delete-4KiB", "ops_ratio", 3, 6, RATIOS),
    Goal("mixed-4KiB", "ops_ratio", 3, 6, RATIOS),
    Goal("put-64KiB", "ops_ratio", 3, 6, RATIOS),
    Goal("get-64KiB", "ops_ratio", 2, 3, RATIOS),
    Goal("put-1MiB", "ops_ratio", 1.5, 2.5, RATIOS),
    Goal("get-1MiB", "ops_ratio", 1.3, 2, RATIOS),
    Goal("put-64MiB", "ops_ratio", 1.2, 2, RATIOS),
    Goal("put-64MiB", "cpu_ratio", 1.5, 2.5, RATIOS),
    Goal("get-64MiB", "ops_ratio", 1.0, 1.3, RATIOS),
    Goal("get-64MiB", "cpu_ratio", 1.3, 2, RATIOS),
    Goal("list-1000", "ops_ratio", 5, 20, RATIOS),
    Goal("paced-4KiB", "p99_ratio", 2, 4, RATIOS),
    Goal("put-4KiB", "rss_ratio", 1, 2, RATIOS),
    # cpu_us counts until the server rests, with moving bodies out of the journal. The study's prototypes moved none:
    # answered_us, until the last answer, is what theirs can be compared with.
    Goal("put-4KiB", "cpu_us", 40, 24, PRODUCT),
    Goal("put-4KiB", "answered_us", 40, 24, PRODUCT),
    Goal("put-64KiB", "cpu_us", 120, 80, PRODUCT),
    Goal("put-64KiB", "answered_us", 120, 80, PRODUCT),
    Goal("get-4KiB", "cpu_us", 21, 13.5, PRODUCT),
    Goal("get-4KiB", "floor_share", 0.5, 0.8, ROOFLINE),
    Goal("get-1MiB", "cpu_us", 200 / 0.75, 200 / 0.9, ROOFLINE),
    Goal("put-1MiB", "cpu_us", 672 / 0.65, 672 / 0.85, ROOFLINE),
    Goal("put-64MiB", "cpu_us", 41_500 / 0.7, 41_500 / 0.9, ROOFLINE),
    Goal("get-64MiB", "cpu_us", 15_000 / 0.7, 15_000 / 0.9, ROOFLINE),
    Goal("put-4KiB", "syncs_per_op", 0.1, 0.03, ROOFLINE),
    Goal("put-4KiB", "device_per_user_byte", 6, 4, ROOFLINE),
    Goal("put-1MiB", "device_per_user_byte", 1.6, 1.53, ROOFLINE),
    Goal("put-64MiB", "device_per_user_byte", 1.6, 1.53, ROOFLINE),
)
