"""The store under test: drives in folders of their own, and a server that may die at any time."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from check import Violation
from s3_calls import Gone, Refused, S3Calls
from server import BINARY, Server

READY_SECONDS = 60
# Small, so that the log is cut and sets are sealed, compacted and dropped within seconds.
SETTINGS = {"KURA_JOURNAL_SEGMENT_SIZE": "1MiB", "KURA_SET_MEMBER_SIZE": "4MiB"}
DRIVES = 6


def fail_points() -> list[str]:
    """The table in the binary."""
    return subprocess.run([str(BINARY), "fail-points"], capture_output=True, text=True, check=True).stdout.split()


class Store:
    """folders[i] is drive i; one that is lost for a while lies beside it."""

    def __init__(self, base: pathlib.Path, log: pathlib.Path):
        self.base = base
        numbers = [int(path.stem[1:]) for path in base.glob("d[0-9]*")]
        self.folders = [base / f"d{n}" for n in range(1, max([DRIVES, *numbers]) + 1)]
        for folder in self.folders:
            if not folder.with_suffix(".away").exists():
                folder.mkdir(parents=True, exist_ok=True)
        self.server = Server(self.folders, log, settings=dict(SETTINGS))
        self.point: str | None = None  # Where the server will kill itself.

    @property
    def endpoint(self):
        return self.server.endpoint

    def start(self, point: str | None = None):
        """Returns as soon as the process runs."""
        self.point = point
        self.server.settings.pop("KURA_FAIL_POINT", None)
        if point:
            self.server.settings["KURA_FAIL_POINT"] = point
        log = self.server.log
        if log.exists():
            log.rename(log.with_suffix(".before"))
        self.server.launch()

    def died(self) -> bool:
        """Whether it killed itself. Raises Violation when it ended otherwise."""
        code = self.server.process.poll() if self.server.process else None
        if code is None:
            return self.server.process is None
        if code != -signal.SIGKILL or not self.point:
            raise Violation(f"the server ended with {code}:\n{self.server.log_tail()}")
        self.server.kill()
        return True

    def wait_ready(self) -> bool:
        """False: it died at its fail point. Raises Violation when it never is."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.died():
            try:
                if self.server.get("/health/ready")[0] == 200:
                    return True
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise Violation(f"not ready in {READY_SECONDS} s:\n{self.server.log_tail()}")
            time.sleep(0.02)
        return False

    def wait_dead(self, seconds: float) -> bool:
        """Whether it killed itself within that time; it has."""
        deadline = time.monotonic() + seconds
        while not self.died():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def kill(self):
        self.server.kill()

    def shoot(self) -> bool:
        """Kills it now. Returns whether it had killed itself before."""
        died = self.died()
        if not died:
            self.server.process.kill()
            self.server.process.wait()
        return died

    def healthy(self) -> bool:
        status = S3Calls(self.endpoint).admin("GET", "status")
        return (all(drive["online"] for drive in status["drives"]) and not status["journal"]["degraded"]
                and not status["sets"]["membersMissing"])

    def wait_healthy(self, seconds: float = 45):
        """What was lost is rebuilt. Raises Violation, or Gone when it dies meanwhile."""
        deadline = time.monotonic() + seconds
        while not self.healthy():
            if time.monotonic() > deadline:
                raise Violation(f"still below full parity after {seconds} s: "
                                f"{S3Calls(self.endpoint).admin('GET', 'status')}")
            time.sleep(0.05)

    def housekeep(self):
        """Bodies out of the log, a snapshot, the log cut. Whatever comes of it."""
        try:
            S3Calls(self.endpoint, timeout=5).admin("POST", "housekeep")
        except (Gone, Refused):
            pass

    def away(self, drive: int) -> pathlib.Path:
        return self.folders[drive].with_suffix(".away")

    def lose(self, drive: int):
        self.folders[drive].rename(self.away(drive))

    def bring_back(self):
        for drive, folder in enumerate(self.folders):
            if self.away(drive).exists():
                shutil.rmtree(folder, ignore_errors=True)
                self.away(drive).rename(folder)

    def empty(self, drive: int):
        shutil.rmtree(self.folders[drive])
        self.folders[drive].mkdir()

    def add_folder(self) -> pathlib.Path:
        self.folders.append(self.base / f"d{len(self.folders) + 1}")
        self.folders[-1].mkdir()
        return self.folders[-1]

    def renew(self):
        """Another cluster, on empty drives."""
        for folder in self.folders:
            shutil.rmtree(folder)
        del self.folders[DRIVES:]
        for folder in self.folders:
            folder.mkdir()

    def flip(self, path: pathlib.Path, at: int):
        with path.open("r+b") as file:
            byte = os.pread(file.fileno(), 1, at)
            os.pwrite(file.fileno(), bytes([byte[0] ^ 0x10]), at)
