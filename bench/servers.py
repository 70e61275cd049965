"""The servers that a run compares: started on six folders of their own, their CPU read from outside."""

import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/clients"))
import server as test_server  # noqa: E402

DRIVES = 6
SAMPLE_SECONDS = 0.25
BUSY_SHARE = 0.02  # Of one core.
SETTLE_SECONDS_MAX = 60


class Kura(test_server.Server):
    name = "kura"


class Minio(test_server.Server):
    """The binary at `program`, with parity 2 as Kura has it on six drives."""

    name = "minio"
    program = ""

    def command(self) -> list[str]:
        return [self.program, "server", "--quiet", "--address", f"127.0.0.1:{self.port}",
                "--console-address", f"127.0.0.1:{test_server.free_port()}", *map(str, self.drives)]

    def environment(self) -> dict[str, str]:
        # CI_CD: it otherwise refuses folders on the drive that holds the system.
        return {"PATH": os.environ["PATH"], "HOME": str(self.log.parent), "MINIO_CI_CD": "1",
                "MINIO_STORAGE_CLASS_STANDARD": "EC:2", "MINIO_ROOT_USER": self.endpoint.access_key,
                "MINIO_ROOT_PASSWORD": self.endpoint.secret_key}

    def get(self, path: str) -> tuple[int, str]:
        return super().get(f"/minio{path}")


def start(kind: type[test_server.Server], folder: pathlib.Path) -> test_server.Server:
    home = folder / kind.name
    drives = [home / f"d{number}" for number in range(1, DRIVES + 1)]
    for drive in drives:
        drive.mkdir(parents=True)
    return kind(drives, home / "log").start()


def cpu_ns(pid: int) -> int:
    """User and system time of all threads of a process, those that ended included."""
    return time.clock_gettime_ns(~pid << 3 | 2)  # clock_getcpuclockid(3), which Python lacks.


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


def machine() -> dict[str, str | int | float]:
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {"cpu": model[1] if model else "unknown", "cores": os.cpu_count() or 0, "kernel": os.uname().release,
            "load_before": round(os.getloadavg()[0], 2)}


def machine_cpu_s() -> float:
    """CPU seconds that anything on this machine has used."""
    user, nice, system, _, _, irq, softirq = map(int, pathlib.Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
