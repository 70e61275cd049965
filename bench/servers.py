"""The servers that a run compares, each on one core and six drives; CPU and memory read from outside."""

import os
import pathlib
import re
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/clients"))
import server as test_server  # noqa: E402
from generator import CACHE  # noqa: E402

DRIVES = 6
SERVER_CORE, CLIENT_CORE = 0, 1
SAMPLE_SECONDS = 0.25
BUSY_SHARE = 0.02  # Of one core.
SETTLE_SECONDS_MAX = 60  # Destaging and compaction of what a run wrote.


def on_core(command: list[str]) -> list[str]:
    return ["taskset", "-c", str(SERVER_CORE), *command]


class Kura(test_server.Server):
    name = "kura"

    def command(self) -> list[str]:
        return on_core(super().command())


class Minio(test_server.Server):
    """With parity 2, as Kura has it on six drives, and its own defaults for syncing: durable."""

    name = "minio"

    @staticmethod
    def program() -> str | None:
        own = CACHE / "bin/minio"
        return str(own) if own.exists() else shutil.which("minio")

    def command(self) -> list[str]:
        return on_core([self.program(), "server", "--quiet", "--address", f"127.0.0.1:{self.port}",
                        *map(str, self.drives)])

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.log.parent), "MINIO_BROWSER": "off",
                "MINIO_STORAGE_CLASS_STANDARD": "EC:2", "MINIO_ROOT_USER": self.endpoint.access_key,
                "MINIO_ROOT_PASSWORD": self.endpoint.secret_key}

    def get(self, path: str) -> tuple[int, str]:
        return super().get(f"/minio{path}")


def start(kind: type[test_server.Server], folder: pathlib.Path, volume, settings: dict[str, str]) -> test_server.Server:
    """`settings`: variables of its environment."""
    drives = [volume.path / f"d{number}" for number in range(1, DRIVES + 1)]
    for drive in drives:
        drive.mkdir(exist_ok=True)
    server = kind(drives, folder / "log", settings=settings)
    server.volume = volume
    try:
        return server.start()
    except BaseException:
        server.kill()
        raise


def cpu_ns(pid: int) -> int:
    """User and system time of all threads of a process, those that ended included."""
    return time.clock_gettime_ns(~pid << 3 | 2)  # clock_getcpuclockid(3), which Python lacks.


def forget_peak(pid: int):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def memory_mib(pid: int) -> tuple[float, float]:
    """Resident now, and at its peak since forget_peak."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return tuple(int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024
                 for name in ("VmRSS", "VmHWM"))


def settle(pid: int, quiet_seconds: float) -> int:
    """Waits until the process has rested for so long; its CPU clock when that rest began."""
    busy = before = cpu_ns(pid)
    rested = begun = time.monotonic()
    while time.monotonic() - rested < quiet_seconds:
        if time.monotonic() - begun > SETTLE_SECONDS_MAX:
            print(f"process {pid} did not rest in {SETTLE_SECONDS_MAX} s", file=sys.stderr)
            break
        time.sleep(SAMPLE_SECONDS)
        now = cpu_ns(pid)
        if now - before > SAMPLE_SECONDS * BUSY_SHARE * 1e9:
            busy, rested = now, time.monotonic()
        before = now
    return busy


def fill_page_cache(server: test_server.Server) -> None:
    """Reads every file once: PUTs go past the page cache, and the goals for GETs are for bodies that are in it."""
    for drive in server.drives:
        for folder, _, names in os.walk(drive):
            for name in names:
                try:
                    with open(pathlib.Path(folder, name), "rb", buffering=0) as opened:
                        while opened.read(1 << 20):
                            pass
                except FileNotFoundError:  # The server runs, and removes what it no longer needs.
                    continue


def machine() -> dict[str, str | int | float]:
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {"cpu": model[1] if model else "unknown", "cores": os.cpu_count() or 0, "kernel": os.uname().release,
            "load_before": round(os.getloadavg()[0], 2)}


def machine_cpu_s() -> float:
    """CPU seconds that anything on this machine has used."""
    user, nice, system, _, _, irq, softirq = map(int, pathlib.Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
