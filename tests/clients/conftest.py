"""Fixtures: one server for all client tests, or the S3 endpoint that the environment names."""

import itertools
import os

import pytest

from s3 import s3_client
from server import Endpoint, Server, fresh_drives, make_certificate

EXTERNAL = os.environ.get("KURA_TEST_ENDPOINT")
_numbers = itertools.count()


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="the long cases too")


def pytest_collection_modifyitems(config, items):
    def left_out(item):
        long_case = item.get_closest_marker("full") and not config.getoption("--full")
        return long_case or (EXTERNAL and item.get_closest_marker("kura"))

    config.hook.pytest_deselected(items=[item for item in items if left_out(item)])
    items[:] = [item for item in items if not left_out(item)]


@pytest.fixture(scope="session")
def full(request):
    return request.config.getoption("--full")


def serve(tmp_path_factory, name, full, tls=False):
    folder = tmp_path_factory.mktemp(name)
    if tls:
        make_certificate(folder)
    with fresh_drives(tmp_path_factory, full) as drives:
        server = Server(drives, folder / "kura.log", folder if tls else None).start()
        try:
            yield server.endpoint
            assert server.stop() == 0, server.log_tail()
        finally:
            server.kill()


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory, full):
    if EXTERNAL:
        yield Endpoint(EXTERNAL, os.environ["KURA_TEST_ACCESS_KEY"], os.environ["KURA_TEST_SECRET_KEY"])
    else:
        yield from serve(tmp_path_factory, "store", full)


@pytest.fixture(scope="session")
def endpoint_tls(tmp_path_factory, full):
    if EXTERNAL and os.environ.get("KURA_TEST_TLS_ENDPOINT"):
        yield Endpoint(os.environ["KURA_TEST_TLS_ENDPOINT"], os.environ["KURA_TEST_ACCESS_KEY"],
                       os.environ["KURA_TEST_SECRET_KEY"], os.environ["KURA_TEST_TLS_CA"])
    else:
        yield from serve(tmp_path_factory, "store_tls", full, tls=True)


@pytest.fixture(scope="session")
def s3(endpoint):
    return s3_client(endpoint)


@pytest.fixture(scope="session")
def s3_tls(endpoint_tls):
    return s3_client(endpoint_tls)


@pytest.fixture
def new_bucket():
    """A name no other test uses."""
    return f"test-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def bucket(s3, new_bucket):
    s3.create_bucket(Bucket=new_bucket)
    return new_bucket


@pytest.fixture
def bucket_tls(s3_tls, new_bucket):
    s3_tls.create_bucket(Bucket=new_bucket)
    return new_bucket
