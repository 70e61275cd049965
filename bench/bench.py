"""Server CPU per request for PUT, GET and LIST at 4 KiB and 1 MiB. README.md says how to read it."""

import argparse
import collections
import http.client
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import floor
import servers
from cases import CASES, KEYS, SIZES, Case, Requests, bucket
from load import Load, Unexpected
from signing import Signer

FREE_GIB_FILL, FREE_GIB_ROUND = 2, 0.5  # 1,000 and 200 objects of 1 MiB, half again as parity, and their journal.

# Kura moves small bodies out of the journal once nothing was written for 3 to 4 seconds. That is a PUT's cost.
WRITE_REST_SECONDS = 5
READ_REST_SECONDS = 0.5


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"./dev bench: {message}; ./dev bench --help lists the arguments\n")


def arguments() -> argparse.Namespace:
    parser = Parser(prog="./dev bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds after one to warm up (5)")
    parser.add_argument("--payload", choices=("unsigned", "signed"), default="unsigned",
                        help="whether a PUT carries its body's SHA-256 (unsigned)")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()),
                        help="where the drives go, in a folder that is removed afterwards (TMPDIR)")
    parser.add_argument("--minio", metavar="PATH", help="a MinIO program to compare with, round by round")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="every round's figures")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds takes 1 or more")
    if given.minio and not shutil.which(given.minio):
        parser.error(f"--minio: {given.minio} is no program")
    if not given.folder.is_dir():
        parser.error(f"--folder: {given.folder} is no folder")
    needed_gib = (FREE_GIB_FILL + FREE_GIB_ROUND * (given.rounds + 1)) * (2 if given.minio else 1)
    if shutil.disk_usage(given.folder).free < needed_gib * (1 << 30):
        parser.error(f"--folder: {given.folder} has less than {needed_gib} GiB free")
    return given


def build():
    """The release, unless KURA_BINARY names another program."""
    tree = os.environ.get("KURA_TREE")
    if tree and "KURA_BINARY" not in os.environ:
        subprocess.run(["bash", f"{tree}/tools/build.sh", "release", "kura"], check=True, stdout=sys.stderr)


def signer(server) -> Signer:
    return Signer(server.endpoint.host, server.endpoint.access_key, server.endpoint.secret_key)


def load(server, connections: int) -> Load:
    return Load(("127.0.0.1", server.port), connections)


def fetch(server, path: str, query: dict[str, str] | None = None) -> bytes:
    head = signer(server).request("GET", path, query).decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in head[1:] if line)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", head[0].split(" ")[1], headers=fields)
    return connection.getresponse().read()


def prepare(server, requests: Requests):
    """Fills the buckets, and checks once what the loop takes on trust: the bytes that come back."""
    with load(server, 1) as one, load(server, 16) as many:
        one.run(requests.make_buckets(signer(server)))
        for size, body in requests.bodies.items():
            many.run(requests.fill(signer(server), size))
            if fetch(server, f"/{bucket(size)}/object-{KEYS - 1:06}") != body:
                raise Unexpected(f"{server.name}: GET gave other bytes than PUT took")
            listed = fetch(server, f"/{bucket(size)}", {"list-type": "2", "max-keys": str(KEYS)}).count(b"<Key>")
            if listed != KEYS:
                raise Unexpected(f"{server.name}: LIST gave {listed} keys of {KEYS}")
    servers.settle(server.process.pid, WRITE_REST_SECONDS)


def measure(server, case: Case, requests: Requests, round_number: int) -> dict[str, float]:
    made = requests.of(case, signer(server), round_number)
    with load(server, case.connections) as connections:
        begun = servers.cpu_ns(server.process.pid)
        outcome = connections.run(made)
        answered = servers.cpu_ns(server.process.pid)
        rest_seconds = WRITE_REST_SECONDS if case.operation == "PUT" else READ_REST_SECONDS
        rested = servers.settle(server.process.pid, rest_seconds)
    return {"cpu_us": (rested - begun) / 1000 / case.count, "later_us": (rested - answered) / 1000 / case.count,
            "requests_per_s": case.count / outcome.seconds, "client_busy": outcome.client_cpu_s / outcome.seconds,
            "request_bytes": sum(map(len, made[0])), "answer_bytes": outcome.answer_bytes}


def floor_of(case: Case, taken: dict[str, float], body: bytes, hashes: tuple[str, ...]) -> dict[str, float]:
    exchange = floor.exchange_us(taken["request_bytes"], taken["answer_bytes"], case.connections, case.count)
    return {"exchange_us": exchange, "hash_us": floor.hash_us(body, hashes) if case.operation == "PUT" else 0.0}


def median(rows: list[dict[str, float]], field: str) -> float:
    return statistics.median(row[field] for row in rows)


def table(figures: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    names = [name for name in next(iter(figures.values())) if name != "floor"]
    lines = [f"{'case':<20}{'server':<8}{'CPU us/request (min..max)':>32}{'later':>10}{'floor':>9}{'ratio':>7}"
             f"{'requests/s':>12}{'client':>8}" + ("" if len(names) == 1 else f"{'x kura':>8}")]
    for case, by_server in figures.items():
        rows = by_server["floor"]
        limit = statistics.median(row["exchange_us"] + row["hash_us"] for row in rows)
        for name in names:
            rows = by_server[name]
            cpu, spread = median(rows, "cpu_us"), [row["cpu_us"] for row in rows]
            lines.append(f"{case:<20}{name:<8}{f'{cpu:.1f} ({min(spread):.1f}..{max(spread):.1f})':>32}"
                         f"{median(rows, 'later_us'):>10.1f}{limit:>9.1f}{cpu / limit:>7.1f}"
                         f"{median(rows, 'requests_per_s'):>12,.0f}{median(rows, 'client_busy'):>8.0%}"
                         + ("" if len(names) == 1 else f"{cpu / median(by_server['kura'], 'cpu_us'):>8.1f}"))
    return "\n".join(lines)


def run(given: argparse.Namespace, running: list, machine: dict) -> dict:
    requests = Requests({size: os.urandom(count) for size, count in SIZES.items()}, given.payload == "signed")
    hashes = ("sha256", "md5") if given.payload == "signed" else ("md5",)
    for server in running:
        prepare(server, requests)
    figures = {case.name: collections.defaultdict(list) for case in CASES}
    own, all_before = 0.0, servers.machine_cpu_s()
    own_before = sum(servers.cpu_ns(server.process.pid) for server in running) / 1e9 + sum(os.times()[:4])
    for round_number in range(given.rounds + 1):
        for case in CASES:
            for server in running if round_number % 2 else reversed(running):
                taken = measure(server, case, requests, round_number)
                if round_number:
                    figures[case.name][server.name].append(taken)
            if round_number:
                limit = floor_of(case, taken, requests.bodies[case.size], hashes)
                figures[case.name]["floor"].append(limit)
        print(f"round {round_number} of {given.rounds}", file=sys.stderr)
    own = sum(servers.cpu_ns(server.process.pid) for server in running) / 1e9 + sum(os.times()[:4]) - own_before
    machine["others_cpu_share"] = round(1 - min(1, own / (servers.machine_cpu_s() - all_before)), 3)
    return figures


def report(given: argparse.Namespace, machine: dict, figures: dict):
    print(f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}; other programs took "
          f"{machine['others_cpu_share']:.0%} of the CPU time used; {given.rounds} rounds, {given.payload} payload\n")
    print(table(figures), flush=True)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine, "rounds": given.rounds, "payload": given.payload,
                                          "cases": figures}, indent=1) + "\n")


def main() -> int:
    # Asked to end, it still stops the servers and removes their folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    given = arguments()
    try:
        build()
    except subprocess.CalledProcessError:
        return 1  # The build has said why.
    servers.Minio.program = given.minio or ""
    kinds = [servers.Kura] + ([servers.Minio] if given.minio else [])
    machine = servers.machine()
    running = []
    with tempfile.TemporaryDirectory(prefix="kura-bench-", dir=given.folder) as folder:
        try:
            for kind in kinds:
                running.append(servers.start(kind, pathlib.Path(folder)))
            report(given, machine, run(given, running, machine))
        except (AssertionError, OSError, Unexpected) as error:
            print(f"./dev bench: {error}", file=sys.stderr)
            return 1
        finally:
            for server in running:
                server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
