"""Fills the stores, then measures every workload on every server, round by round."""

import collections
import sys
import time

import servers
from generator import LoadFailed, load
from workloads import Scale, Workload

# Kura moves small bodies out of the journal once nothing was written for 3 to 4 seconds. That is a PUT's cost.
WRITE_REST_SECONDS = 5
READ_REST_SECONDS = 0.5
NUMBERS_PER_ROUND = 10_000_000
OUT_OF_TIME = "out of time: --quick begins nothing after 12 minutes; --only or no --quick measures it"


def prepare(server, all_workloads: list[Workload], scale: Scale):
    for size in dict.fromkeys(workload.size for workload in all_workloads):
        one = next(workload for workload in all_workloads if workload.size == size)
        load(server, "make-bucket", bucket=one.bucket, connections=1)
        load(server, "put", bucket=one.bucket, prefix="pool-", size=one.size_bytes,
             connections=min(one.connections, scale.pool[size]), count=scale.pool[size])
    servers.settle(server.process.pid, WRITE_REST_SECONDS)
    servers.fill_page_cache(server)


def drive(server, workload: Workload, scale: Scale, round_number: int, before: dict) -> dict:
    """One run. `before`: what this round's runs on this server gave, by workload name."""
    common = {"program": scale.program, "bucket": workload.bucket, "size": workload.size_bytes, "connections": workload.connections}
    written = {"prefix": "put-", "first": round_number * NUMBERS_PER_ROUND}
    pool = {"prefix": "pool-", "keys": scale.pool[workload.size]}
    timed = {"seconds": scale.seconds, "count": workload.count_max}
    if workload.operation == "put":
        return load(server, "put", **common, **written, **timed)
    if workload.operation == "delete":
        return load(server, "delete", **common, **written, count=before[f"put-{workload.size}"]["operations"])
    if workload.operation == "paced":
        rate = before[f"get-{workload.size}"]["ops_per_s"] / 2
        return load(server, "get", **common, **pool, **timed, rate=rate)
    if workload.operation == "mixed":
        return load(server, "mixed", **common, **pool, **timed, first=round_number * NUMBERS_PER_ROUND)
    return load(server, workload.operation, **common, **pool, **timed)


def measure(server, workload: Workload, scale: Scale, round_number: int, before: dict) -> dict:
    pid, volume = server.process.pid, server.volume
    volume.sync()
    device_before = volume.counters()
    servers.forget_peak(pid)
    cpu_before = servers.cpu_ns(pid)
    done = drive(server, workload, scale, round_number, before)
    cpu_answered = servers.cpu_ns(pid)
    cpu_rested = servers.settle(pid, WRITE_REST_SECONDS if workload.writes else READ_REST_SECONDS)
    device_flushed = volume.counters()
    volume.sync()
    device_after = volume.counters()
    count = done["operations"]
    taken = {"operations": count, "ops_per_s": count / done["seconds"], "p50_us": done["p50_us"],
             "p99_us": done["p99_us"], "cpu_us": (cpu_rested - cpu_before) / 1000 / count,
             "answered_us": (cpu_answered - cpu_before) / 1000 / count,
             "later_us": (cpu_rested - cpu_answered) / 1000 / count, "rss_mib": servers.memory_mib(pid)[1],
             "client_busy": done["client_cpu_s"] / done["seconds"]}
    if workload.writes and device_before:
        taken["syncs_per_op"] = (device_flushed[1] - device_before[1]) / count
        if done["put_bytes"]:
            taken["device_per_user_byte"] = (device_after[0] - device_before[0]) / done["put_bytes"]
    if workload.name == "put-64MiB":  # Nothing measures their DELETE, and the image is only so large.
        load(server, "delete", bucket=workload.bucket, prefix="put-", connections=4, count=count,
             first=round_number * NUMBERS_PER_ROUND)
        servers.settle(pid, WRITE_REST_SECONDS)
    return taken


class Results:
    """by_run[workload name][server name]: one dict of figures for each round. failed: why there is none."""

    def __init__(self):
        self.by_run = collections.defaultdict(lambda: collections.defaultdict(list))
        self.failed = {}
        self.rounds = 0


def run(running: list, chosen: list[Workload], scale: Scale, deadline: float | None) -> Results:
    results = Results()
    for round_number in range(1, scale.rounds + 1):
        before = collections.defaultdict(dict)
        for workload in chosen:
            for server in running if round_number % 2 else reversed(running):
                if (workload.name, server.name) in results.failed:
                    continue
                if deadline and time.monotonic() > deadline:
                    print(f"out of time in round {round_number}, before {workload.name}", file=sys.stderr)
                    for late in chosen:  # Those that no round reached.
                        if not results.by_run[late.name][server.name]:
                            results.failed.setdefault((late.name, server.name), OUT_OF_TIME)
                    return results
                try:
                    taken = measure(server, workload, scale, round_number, before[server.name])
                except (LoadFailed, KeyError, ZeroDivisionError) as error:
                    results.failed[workload.name, server.name] = f"{type(error).__name__}: {error}"
                    print(f"{workload.name}: {error}", file=sys.stderr)
                    continue
                before[server.name][workload.name] = taken
                results.by_run[workload.name][server.name].append(taken)
                print(f"round {round_number} {workload.name:<14}{server.name:<6}{taken['ops_per_s']:>10,.0f}/s"
                      f"{taken['cpu_us']:>12,.1f} us", file=sys.stderr)
        results.rounds = round_number
    return results
