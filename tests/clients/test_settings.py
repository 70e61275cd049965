"""Settings that change what clients see: domains, strict region, parity by storage class, the test transform."""

import socket

import boto3
import botocore.client
import pytest

from bodies import KIB, MIB, SIZES, body
from s3 import read, refused, s3_client
from server import Server

pytestmark = pytest.mark.kura
BUCKET = "settings"


@pytest.fixture
def serve(tmp_path):
    servers = []

    def start(**settings) -> Server:
        drives = [tmp_path / f"d{i}" for i in range(1, 7)]
        for drive in drives:
            drive.mkdir(exist_ok=True)
        servers.append(Server(drives, tmp_path / "kura.log", settings=settings).start())
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def names_lead_here(monkeypatch):
    """Every name below store.test is this machine, as a wildcard DNS record would say."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: resolve(
        "127.0.0.1" if str(host).endswith("store.test") else host, *rest, **named))


def test_virtual_host_style(serve, names_lead_here):
    server = serve(KURA_DOMAIN="store.test")
    s3 = boto3.client("s3", endpoint_url=f"http://store.test:{server.port}", region_name="us-east-1",
                      aws_access_key_id=server.endpoint.access_key, aws_secret_access_key=server.endpoint.secret_key,
                      config=botocore.client.Config(s3={"addressing_style": "virtual"}, retries={"total_max_attempts": 1}))
    s3.create_bucket(Bucket=BUCKET)
    hosts = []
    s3.meta.events.register("before-send.s3", lambda request, **_: hosts.append(request.url))
    # Below a domain nothing shadows a key, not even the paths of health and the admin API.
    for key in ("a/b c", "health/live", "metrics", "kura/admin/v1/status"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        assert read(s3, BUCKET, key) == key.encode()
    assert [row["Key"] for row in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [
        "a/b c", "health/live", "kura/admin/v1/status", "metrics"]
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts/b c")["UploadId"]
    etag = s3.upload_part(Bucket=BUCKET, Key="parts/b c", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    done = s3.complete_multipart_upload(Bucket=BUCKET, Key="parts/b c", UploadId=upload,
                                        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert done["Location"] == f"http://{BUCKET}.store.test:{server.port}/parts/b%20c"
    assert all(url.startswith(f"http://{BUCKET}.store.test:") for url in hosts), hosts
    assert read(s3_client(server.endpoint), BUCKET, "a/b c") == b"a/b c"  # The same by path.


def client_of(endpoint, region: str):
    return boto3.client("s3", endpoint_url=endpoint.url, region_name=region, aws_access_key_id=endpoint.access_key,
                        aws_secret_access_key=endpoint.secret_key,
                        config=botocore.client.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))


def test_regions(serve):
    server = serve(KURA_REGION="eu-central-1")
    for region in ("us-east-1", "eu-central-1", "moon-1"):
        assert client_of(server.endpoint, region).list_buckets()["Buckets"] == []
    server.stop()
    strict = serve(KURA_REGION="eu-central-1", KURA_REGION_STRICT="true")
    assert client_of(strict.endpoint, "eu-central-1").list_buckets()["Buckets"] == []
    with refused("AuthorizationHeaderMalformed", 400):
        client_of(strict.endpoint, "us-east-1").list_buckets()


@pytest.mark.parametrize("standard, reduced, wanted", [("", "", (2, 1)), ("EC:3", "EC:2", (3, 2))])
def test_parity_by_storage_class(serve, standard, reduced, wanted):
    settings = {"KURA_STORAGE_CLASS_STANDARD": standard, "KURA_STORAGE_CLASS_RRS": reduced}
    server = serve(**{name: value for name, value in settings.items() if value})
    s3 = s3_client(server.endpoint)
    s3.create_bucket(Bucket=BUCKET)
    assert server.kura("status")["parity"] == dict(zip(("STANDARD", "REDUCED_REDUNDANCY"), wanted))
    for storage_class in ("STANDARD", "REDUCED_REDUNDANCY"):
        s3.put_object(Bucket=BUCKET, Key=storage_class, Body=body(2 * MIB), StorageClass=storage_class)
    server.stop()
    for drive in server.drives[:wanted[0]]:
        for member in (drive / "sets").iterdir():
            member.unlink()
    server.start()
    assert read(s3, BUCKET, "STANDARD") == body(2 * MIB)
    with refused("ServiceUnavailable", 503):  # One member more than this class can spare.
        read(s3, BUCKET, "REDUCED_REDUNDANCY")


def test_stored_size_differs_from_size(serve):
    """A transform that adds 16 bytes per 64 KiB, as encryption will: sizes, ranges and ETags are of what was sent."""
    s3 = s3_client(serve(KURA_TEST_TRANSFORM="true").endpoint)
    s3.create_bucket(Bucket=BUCKET)
    for size in SIZES:
        data = body(size)
        s3.put_object(Bucket=BUCKET, Key="k", Body=data)
        assert s3.head_object(Bucket=BUCKET, Key="k")["ContentLength"] == size
        assert read(s3, BUCKET, "k") == data
        if size > 64 * KIB:
            assert read(s3, BUCKET, "k", Range=f"bytes={64 * KIB - 3}-{64 * KIB + 5}") == data[64 * KIB - 3:64 * KIB + 6]
            assert read(s3, BUCKET, "k", Range="bytes=-7") == data[-7:]
