"""One server for all attacks, with a bucket to attack and its journal, log and memory watched."""

import dataclasses
import shutil

import pytest

from routes import B, operations
from s3 import s3_client
from server import Server, drives_base
from watch import Watch


@dataclasses.dataclass
class Target:
    server: Server
    watch: Watch
    upload: str  # Of key "k", with part 1.
    routes: list[dict]

    @property
    def endpoint(self):
        return self.server.endpoint


@pytest.fixture
def make_server(tmp_path_factory, full):
    """Servers of a test's own, with the settings it names."""
    made = []

    def make(drives: int = 6, **settings) -> Server:
        base = drives_base(tmp_path_factory, full)
        folders = [base / f"d{i}" for i in range(1, drives + 1)]
        for folder in folders:
            folder.mkdir()
        log = tmp_path_factory.mktemp("attacked") / "kura.log"
        made.append((Server(folders, log, settings={f"KURA_{k.upper()}": str(v) for k, v in settings.items()}), base))
        return made[-1][0].start()

    yield make
    for server, base in made:
        server.kill()
        shutil.rmtree(base)


@pytest.fixture(scope="session")
def target(tmp_path_factory, full):
    base = drives_base(tmp_path_factory, full)
    drives = [base / "drives" / f"d{i}" for i in range(1, 7)]
    for drive in drives:
        drive.mkdir(parents=True)
    server = Server(drives, tmp_path_factory.mktemp("attacks") / "kura.log").start()
    try:
        s3 = s3_client(server.endpoint)
        s3.create_bucket(Bucket=B)
        s3.put_object(Bucket=B, Key="k", Body=b"0123456789")
        upload = s3.create_multipart_upload(Bucket=B, Key="k")["UploadId"]
        s3.upload_part(Bucket=B, Key="k", UploadId=upload, PartNumber=1, Body=b"part")
        yield Target(server, Watch(server), upload, operations())
        assert server.stop() == 0, server.log_tail()
    finally:
        server.kill()
        shutil.rmtree(base)


@pytest.fixture(autouse=True)
def silent_log(request):
    """After each test on the shared server."""
    yield
    if "target" in request.fixturenames:
        request.getfixturevalue("target").watch.assert_log_is_silent()
