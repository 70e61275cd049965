"""Kura alone at growing numbers of objects: what each operation, restart and rebuild costs, and how it grows."""

import math
import shutil
import sys
import time

import servers
from generator import load
from rounds import READ_REST_SECONDS, WRITE_REST_SECONDS
from workloads import LIST_CONNECTIONS, LIST_KEYS

LEVELS = (10_000, 100_000, 1_000_000, 5_000_000)
CONNECTIONS = 64
RUN_SECONDS = 4
CRASH_PUTS = 20_000
START_SECONDS_MAX = 1800
BUCKET = "growth"

# Of the study's growth goals, 10^4 to 10^6: the most that a figure may grow to, as a factor or in its unit.
FACTOR_MAX = {"put_cpu_us": 1.2, "get_cpu_us": 1.1, "list_cpu_us": 1.5}
VALUE_MAX = {"clean_restart_s": 1, "crash_restart_s": 3, "rebuild_s": 10}
MEMORY_BYTES_PER_OBJECT_MAX = 64


def exponent(counts: list[int], values: list[float]) -> float:
    """b of the least-squares fit value = a * count^b."""
    x, y = [math.log(count) for count in counts], [math.log(max(value, 1e-9)) for value in values]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def cpu_us_per_operation(server, rest_seconds: float, operation: str, **options) -> float:
    begun = servers.cpu_ns(server.process.pid)
    done = load(server, operation, **options)
    return (servers.settle(server.process.pid, rest_seconds) - begun) / 1000 / done["operations"]


def start_s(server, objects: dict, count: int) -> float:
    """Until the first GET is answered."""
    begun = time.monotonic()
    server.launch()
    server.wait_ready(START_SECONDS_MAX)
    load(server, "get", **objects, keys=count, connections=1, count=1)
    return time.monotonic() - begun


def fill(server, objects: dict, begun: int, count: int) -> float:
    """Up to `count` objects. The CPU of the last quarter of the PUTs, measured on a store that rested: so many that
    snapshots and compaction are in it with their share."""
    measured = max(5000, count // 4)
    if count - measured > begun:
        load(server, "put", **objects, first=begun, count=count - measured - begun, connections=CONNECTIONS)
        servers.settle(server.process.pid, WRITE_REST_SECONDS)
        begun = count - measured
    return cpu_us_per_operation(server, WRITE_REST_SECONDS, "put", **objects, first=begun, count=count - begun,
                                connections=CONNECTIONS)


def level(server, objects: dict, begun: int, count: int) -> dict[str, float]:
    pid = server.process.pid
    at_start = time.monotonic()
    made = {"put_cpu_us": fill(server, objects, begun, count), "fill_s": time.monotonic() - at_start}
    servers.fill_page_cache(server)
    load(server, "get", **objects, keys=count, count=count, connections=CONNECTIONS)  # As warm as a store that serves.
    made["get_cpu_us"] = cpu_us_per_operation(server, READ_REST_SECONDS, "get", **objects, keys=count,
                                              seconds=RUN_SECONDS, connections=CONNECTIONS)
    made["list_cpu_us"] = cpu_us_per_operation(server, READ_REST_SECONDS, "list", **objects, keys=count,
                                               seconds=RUN_SECONDS, connections=LIST_CONNECTIONS, list_anywhere=True)
    made["rss_mib"] = servers.memory_mib(pid)[0]
    server.stop(START_SECONDS_MAX)
    made["clean_restart_s"] = start_s(server, objects, count)
    load(server, "put", **objects | {"prefix": "crash-"}, first=count, count=CRASH_PUTS, connections=CONNECTIONS)
    server.kill()
    made["crash_restart_s"] = start_s(server, objects, count)
    server.stop(START_SECONDS_MAX)
    for drive in server.drives:
        shutil.rmtree(drive / "view", ignore_errors=True)
    made["rebuild_s"] = start_s(server, objects, count)
    servers.settle(server.process.pid, WRITE_REST_SECONDS)
    return made


def verdicts(counts: list[int], levels: list[dict[str, float]]) -> list[dict]:
    """Of the first level and the last one up to 10^6."""
    last = max(i for i, count in enumerate(counts) if count <= 1_000_000)
    made = []
    for figure in levels[0]:
        first, value = levels[0][figure], levels[last][figure]
        entry = {"figure": figure, "exponent": exponent(counts, [one[figure] for one in levels]) if last else None,
                 "factor": value / first}
        if figure in FACTOR_MAX:
            entry |= {"goal": f"<= {FACTOR_MAX[figure]}x", "meets": value / first <= FACTOR_MAX[figure]}
        elif figure in VALUE_MAX:
            entry |= {"goal": f"<= {VALUE_MAX[figure]} s", "meets": value <= VALUE_MAX[figure]}
        elif figure == "rss_mib" and last:
            # From the level before it: what has a fixed size is full there, but for large caches.
            grown = (value - levels[last - 1][figure]) * (1 << 20) / (counts[last] - counts[last - 1])
            entry |= {"goal": f"<= {MEMORY_BYTES_PER_OBJECT_MAX} B/object ({grown:.0f}, caches that fill included)",
                      "meets": grown <= MEMORY_BYTES_PER_OBJECT_MAX}
        made.append(entry)
    return made


def table(counts: list[int], levels: list[dict[str, float]], found: list[dict]) -> str:
    lines = [f"{'figure':<18}" + "".join(f"{count:>12,}" for count in counts) + f"{'exponent':>10}{'factor':>8}  goal"]
    for entry in found:
        figure = entry["figure"]
        lines.append(f"{figure:<18}" + "".join(f"{one[figure]:>12,.2f}" for one in levels)
                     + ("-" if entry["exponent"] is None else f"{entry['exponent']:+.3f}").rjust(10)
                     + f"{entry['factor']:>8.2f}"
                     + (f"  {entry['goal']}: {'meets' if entry['meets'] else 'misses'}" if "goal" in entry else ""))
    return "\n".join(lines)


def run(server, objects_max: int, object_bytes: int, cache_size: str, row_cache_size: str) -> tuple[dict, str]:
    load(server, "make-bucket", bucket=BUCKET, connections=1)
    objects = {"bucket": BUCKET, "prefix": "object-", "size": object_bytes}
    counts, levels = [], []
    for count in LEVELS:
        if count > objects_max:
            break
        levels.append(level(server, objects, counts[-1] if counts else 0, count))
        counts.append(count)
        print(f"{count:,} objects: {levels[-1]}", file=sys.stderr)
    found = verdicts(counts, levels)
    text = (f"objects of {object_bytes} B; PUT and GET with {CONNECTIONS} in flight, LIST pages of {LIST_KEYS} from "
            f"random keys with {LIST_CONNECTIONS}; caches of the view {cache_size} of blocks, "
            f"{row_cache_size} of rows\n\n")
    document = {"object_bytes": object_bytes, "cache_size": cache_size, "row_cache_size": row_cache_size,
                "counts": counts, "levels": levels, "growth": found}
    return document, text + table(counts, levels, found)
