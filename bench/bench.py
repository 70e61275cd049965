"""Kura and MinIO side by side: server CPU per operation, rates, latencies, memory, device bytes and syncs.

`./dev bench growth` measures Kura alone at growing numbers of objects. README.md says how to read both.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import floor
import growth
import report
import rounds
import servers
from generator import RAW, SDK, LoadFailed
from volume import PlainFolder, Unmountable, Volume
from workloads import FULL, LIST_KEYS, QUICK, Scale, matching

QUICK_SECONDS = 12 * 60  # After so long --quick begins no further run; rest and report come on top.


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"./dev bench: {message}; ./dev bench --help lists the arguments\n")


def arguments() -> argparse.Namespace:
    parser = Parser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("compare", "growth"), default="compare")
    parser.add_argument("--quick", action="store_true", help="two short rounds: within 15 minutes")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--rounds", type=int, help=f"measured rounds ({FULL.rounds}; {QUICK.rounds} with --quick)")
    parser.add_argument("--seconds", type=float, help=f"of a run ({FULL.seconds}; {QUICK.seconds} with --quick)")
    parser.add_argument("--only", metavar="REGEX", type=re.compile, help="the workloads whose names match")
    parser.add_argument("--peer", choices=("minio", "none"), default="minio", help="what to compare with (minio)")
    parser.add_argument("--load", choices=("raw", "sdk"), default="raw",
                        help="raw: a loop that costs little; sdk: the requests of a real client (raw)")
    parser.add_argument("--cache-size", default="256MiB", help="Kura's cache of blocks of its metadata view (256MiB)")
    parser.add_argument("--row-cache-size", default="128MiB", help="and of rows in front of it (128MiB; 0: none)")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()),
                        help="where the loop images go, in a folder that is removed afterwards (TMPDIR)")
    parser.add_argument("--image-gib", type=int, default=24, help="size of a store's image; it is sparse (24)")
    parser.add_argument("--objects", type=int, help="4 KiB objects that list and the reads find (by scale)")
    parser.add_argument("--objects-max", type=int, default=1_000_000, help="growth: the largest store (1000000)")
    parser.add_argument("--object-bytes", type=int, default=4096,
                        help="growth: size of an object (4096, which the goals are for)")
    given = parser.parse_args()
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds takes 1 or more")
    if given.objects is not None and given.objects < LIST_KEYS:
        parser.error(f"--objects takes {LIST_KEYS} or more")
    if given.seconds is not None and given.seconds <= 0:
        parser.error("--seconds takes more than 0")
    if not given.folder.is_dir():
        parser.error(f"--folder: {given.folder} is no folder")
    if len(os.sched_getaffinity(0) & {servers.SERVER_CORE, servers.CLIENT_CORE}) < 2:
        parser.error("needs two cores: one for the server, one for the client")
    if shutil.disk_usage(given.folder).free < (given.image_gib << 30) / 2:
        parser.error(f"--folder: {given.folder} has less than {given.image_gib // 2} GiB free")
    return given


def install(given: argparse.Namespace) -> str | None:
    """Builds the release, and what else is wanted. Why there is no peer, if there is none."""
    tree = os.environ.get("KURA_TREE")
    if tree and "KURA_BINARY" not in os.environ:
        subprocess.run(["bash", f"{tree}/tools/build.sh", "release", "kura", "kura_load"], check=True,
                       stdout=sys.stderr)
    tools = [name for name, wanted in (("sdk", given.load == "sdk"), ("minio", given.peer == "minio"))
             if wanted and given.what == "compare"]
    if tree:
        subprocess.run(["bash", f"{tree}/tools/setup.sh", "bench", *tools], stdout=sys.stderr)
    if "sdk" in tools and not SDK.exists():
        sys.exit("./dev bench: the SDK's load generator could not be built")
    if "minio" not in tools:
        return "no peer was asked for"
    return None if servers.Minio.program() else "MinIO could not be installed"


def volume_in(folder: pathlib.Path, gib: int, stack: contextlib.ExitStack) -> tuple[Volume | PlainFolder, str | None]:
    """A mounted loop image, or a plain folder and why it is one."""
    volume = Volume(folder, gib)
    stack.callback(volume.unmount)
    try:
        return volume.mount(), None
    except Unmountable as error:
        why = f"no loop image can be mounted here, and MinIO takes nothing else: {error}"
        print(f"./dev bench: {why}\nKura runs alone, on plain folders; device figures are missing", file=sys.stderr)
        return PlainFolder(folder / "plain"), why


@contextlib.contextmanager
def stores(given: argparse.Namespace, missing: str | None):
    """Yields the running servers, Kura first, and why the peer is missing if it is."""
    with tempfile.TemporaryDirectory(prefix="kura-bench-", dir=given.folder) as home, contextlib.ExitStack() as stack:
        running = []
        for kind in (servers.Kura, servers.Minio):
            if kind is servers.Minio and missing:
                break
            folder = pathlib.Path(home) / kind.name
            folder.mkdir()
            volume, unmountable = volume_in(folder, given.image_gib, stack)
            missing = missing or unmountable
            try:
                server = servers.start(kind, folder, volume, {"KURA_CACHE_SIZE": given.cache_size,
                                                               "KURA_ROW_CACHE_SIZE": given.row_cache_size})
            except AssertionError as error:
                if kind is servers.Kura:
                    raise
                missing = f"MinIO did not start: {error}"
                print(f"./dev bench: {missing}", file=sys.stderr)
                break
            stack.callback(server.kill)
            running.append(server)
        yield running, missing


def compare(given: argparse.Namespace, missing: str | None) -> tuple[dict, str, int]:
    scale = QUICK if given.quick else FULL
    pool = scale.pool | ({"4KiB": given.objects} if given.objects else {})
    scale = Scale(given.rounds or scale.rounds, given.seconds or scale.seconds, pool,
                  RAW if given.load == "raw" else SDK)
    chosen = matching(given.only)
    if given.load == "sdk":  # An SDK sends when it can, not when a request is due.
        chosen = [workload for workload in chosen if workload.operation != "paced"]
    if not chosen:
        sys.exit("./dev bench: --only matches no workload")
    deadline = given.begun + QUICK_SECONDS if given.quick else None
    machine = servers.machine()
    with stores(given, missing) as (running, missing):
        own, everything = own_cpu_s(running), servers.machine_cpu_s()
        for server in running:
            rounds.prepare(server, chosen, scale)
        results = rounds.run(running, chosen, scale, deadline)
        with tempfile.TemporaryDirectory(prefix="kura-floor-", dir=given.folder) as home:
            floors = floor.measure_all(running[0], chosen, scale, pathlib.Path(home))
        used = servers.machine_cpu_s() - everything
        machine["others_cpu_share"] = round(1 - min(1, (own_cpu_s(running) - own) / used), 3)
    rows, slower = [], report.slowness(floors)
    machine["slower_than_study"] = slower
    for workload in chosen:
        failed = [why for (name, _), why in results.failed.items() if name == workload.name]
        rows.append(report.row(workload, "minio", results.by_run[workload.name], missing or next(iter(failed), None),
                               given.load, floors.get(workload.name), slower))
    speed = f"; nginx says that it is {slower:.2f} times slower than the study's" if slower else ""
    head = (f"{machine['cpu']}, Linux {machine['kernel']}; server on core {servers.SERVER_CORE}, client on core "
            f"{servers.CLIENT_CORE}; other programs took {machine['others_cpu_share']:.0%} of the CPU time used{speed}; "
            f"{results.rounds} rounds of {scale.seconds} s; {given.load} load; objects to read {scale.pool}; Kura's caches "
            f"{given.cache_size} of blocks, {given.row_cache_size} of rows\n\n")
    return ({"machine": machine, "rounds": results.rounds, "load": given.load, "cache_size": given.cache_size,
             "row_cache_size": given.row_cache_size, "pool": scale.pool, "rows": rows},
            head + report.table(rows), 1 if results.failed else 0)


def own_cpu_s(running: list) -> float:
    return sum(servers.cpu_ns(server.process.pid) for server in running) / 1e9 + sum(os.times()[:4])


def main() -> int:
    # Asked to end, it still stops the servers, unmounts and removes their folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    given = arguments()
    try:
        missing = install(given)
    except subprocess.CalledProcessError:
        return 1  # The build has said why.
    given.begun = time.monotonic()
    os.sched_setaffinity(0, {servers.CLIENT_CORE})
    try:
        if given.what == "growth":
            with stores(given, missing) as (running, _):
                document, text = growth.run(running[0], given.objects_max, given.object_bytes, given.cache_size,
                                            given.row_cache_size)
            status = 0
        else:
            document, text, status = compare(given, missing)
    except (AssertionError, OSError, LoadFailed) as error:
        print(f"./dev bench: {error}", file=sys.stderr)
        return 1
    print(json.dumps(document, indent=1) if given.json else text, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
