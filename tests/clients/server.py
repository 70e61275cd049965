"""A Kura server for tests: started on a free port over given drive folders, stopped or killed."""

import contextlib
import dataclasses
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

TREE = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("KURA_BINARY", TREE / "build/release/kura"))
READY_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Endpoint:
    url: str
    access_key: str
    secret_key: str
    ca: str | None = None  # File with the certificate to trust, for https.

    @property
    def host(self) -> str:
        return self.url.split("://")[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def drive_folders(base: pathlib.Path, count: int = 6) -> list[pathlib.Path]:
    """d1, d2 and so on in `base`, empty."""
    folders = [base / f"d{i}" for i in range(1, count + 1)]
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


@contextlib.contextmanager
def fresh_drives(tmp_path_factory, full, count: int = 6):
    """In memory where there is room, so that a busy disk makes no test late; drives/ sync to a disk."""
    memory = pathlib.Path("/dev/shm")
    if not full and memory.is_dir() and shutil.disk_usage(memory).free > 6 << 30:
        base = pathlib.Path(tempfile.mkdtemp(prefix="kura-test-", dir=memory))
    else:
        base = tmp_path_factory.mktemp("drives")
    try:
        yield drive_folders(base / "drives", count)
    finally:
        shutil.rmtree(base)


class Server:
    """`drives` are folders; their order is the order given on the command line."""

    def __init__(self, drives: list[pathlib.Path], log: pathlib.Path, tls: pathlib.Path | None = None,
                 settings: dict[str, str] | None = None):
        self.drives, self.log, self.tls = drives, log, tls
        self.settings = settings or {}
        self.port = free_port()
        self.process = None
        scheme = "https" if tls else "http"
        self.endpoint = Endpoint(f"{scheme}://127.0.0.1:{self.port}", "test" + secrets.token_hex(8),
                                 secrets.token_hex(20), str(tls / "cert.pem") if tls else None)

    def command(self) -> list[str]:
        tls = ["--tls-cert", f"{self.tls}/cert.pem", "--tls-key", f"{self.tls}/key.pem"] if self.tls else []
        return [str(BINARY), "server", "--listen", f"127.0.0.1:{self.port}", *tls, *map(str, self.drives)]

    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("KURA_", "AWS_"))}
        return {**clean, **self.settings, "KURA_ROOT_ACCESS_KEY": self.endpoint.access_key,
                "KURA_ROOT_SECRET_KEY": self.endpoint.secret_key}

    def start(self) -> "Server":
        assert BINARY.exists(), f"{BINARY} is missing: ./dev build"
        self.launch()
        self.wait_ready()
        return self

    def launch(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), env=self.environment(), stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def get(self, path: str) -> tuple[int, str]:
        context = ssl.create_default_context(cafile=self.endpoint.ca) if self.tls else None
        try:
            with urllib.request.urlopen(self.endpoint.url + path, timeout=10, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def kura(self, *words: str) -> dict:
        """What a command of the command line says about this node."""
        done = subprocess.run([str(BINARY), *words, "--json"], capture_output=True, text=True, timeout=30,
                              env={**self.environment(), "KURA_ENDPOINT": self.endpoint.url})
        assert done.returncode == 0, (words, done)
        return json.loads(done.stdout)

    def wait_ready(self, seconds: float = READY_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            code = self.process.poll()
            assert code is None, f"kura ended with {code}:\n{self.log_tail()}"
            try:
                if self.get("/health/ready")[0] == 200:
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, f"kura not ready in {seconds} s:\n{self.log_tail()}"
            time.sleep(0.05)

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, seconds: float = 30) -> int:
        """Asks it to drain. Returns the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"kura did not stop in {seconds} s:\n{self.log_tail()}")
        self.process = None
        return code

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def until(condition, seconds: float, what: str):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def make_certificate(folder: pathlib.Path):
    """cert.pem and key.pem for 127.0.0.1 and localhost."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        check=True, capture_output=True)
