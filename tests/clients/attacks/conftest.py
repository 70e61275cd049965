"""One server for all attacks, with a bucket to attack and its journal, log and memory watched."""

import contextlib
import dataclasses

import pytest

from attacked import attacked, settings_of
from routes import B, operations
from s3 import s3_client
from server import Server, fresh_drives
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
    with contextlib.ExitStack() as made:
        def make(drives: int = 6, **settings) -> Server:
            folders = made.enter_context(fresh_drives(tmp_path_factory, full, drives))
            server = Server(folders, tmp_path_factory.mktemp("attacked") / "kura.log", settings=settings_of(settings))
            made.callback(server.kill)
            return server.start()

        yield make


@pytest.fixture(scope="session")
def target(tmp_path_factory, full):
    with attacked(tmp_path_factory, full, b"0123456789") as server:
        s3 = s3_client(server.endpoint)
        upload = s3.create_multipart_upload(Bucket=B, Key="k")["UploadId"]
        s3.upload_part(Bucket=B, Key="k", UploadId=upload, PartNumber=1, Body=b"part")
        yield Target(server, Watch(server), upload, operations())
        assert server.stop() == 0, server.log_tail()


@pytest.fixture(autouse=True)
def silent_log(request):
    """After each test on the shared server."""
    yield
    if "target" in request.fixturenames:
        request.getfixturevalue("target").watch.assert_log_is_silent()
