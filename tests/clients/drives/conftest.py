"""A server of its own for each test, on drives that can be lost."""

import pytest

from mounts import Mounts
from s3 import s3_client
from server import Server


class Store:
    """`inside`: the drives are folders of that name in the file systems; else those that are added count too."""

    def __init__(self, base, settings=None, inside="", tls=None, **options):
        self.mounts = Mounts(base, **options)
        drives = self.mounts.folders
        if inside:
            drives = [folder / inside for folder in drives]
            for drive in drives:
                drive.mkdir()
        self.server = Server(drives, base / "kura.log", tls=tls, settings=settings)
        self.s3 = s3_client(self.server.endpoint, read_timeout=60)

    def restart(self):
        self.server.stop()
        self.server.start()

    def close(self):
        self.server.kill()
        self.mounts.close()


@pytest.fixture
def make_store(tmp_path):
    stores = []

    def make(**options):
        base = tmp_path / f"store{len(stores)}"
        base.mkdir()
        stores.append(Store(base, **options))
        stores[-1].server.start()
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(make_store):
    return make_store()
