"""s3cmd (Debian): V1 listings, ACL and location look-ups, MD5 compare, multipart."""

import pytest

import roundtrip
from roundtrip import run


class S3cmd:
    def __init__(self, endpoint, home):
        config = home / "s3cfg"
        config.write_text(f"""[default]
access_key = {endpoint.access_key}
secret_key = {endpoint.secret_key}
host_base = {endpoint.host}
host_bucket = {endpoint.host}
use_https = False
multipart_chunk_size_mb = 5
max_retries = 1
""")
        self.command = ["/usr/bin/s3cmd", "-c", config, "--no-progress"]

    def __call__(self, *args):
        return run(*self.command, *args, env={"LC_ALL": "C.UTF-8"})

    def make_bucket(self, bucket):
        self("mb", f"s3://{bucket}")

    def put_tree(self, folder, bucket):
        self("sync", f"{folder}/", f"s3://{bucket}/")

    def names(self, bucket):
        rows = [line.split(maxsplit=3) for line in self("ls", "-r", f"s3://{bucket}").splitlines()]
        return {row[3].removeprefix(f"s3://{bucket}/"): int(row[2]) for row in rows}

    def get_tree(self, bucket, folder):
        self("sync", f"s3://{bucket}/", f"{folder}/")

    def put(self, file, bucket, key):
        self("put", file, f"s3://{bucket}/{key}")

    def get(self, bucket, key, file):
        self("get", "--force", f"s3://{bucket}/{key}", file)

    def delete(self, bucket, key):
        self("del", f"s3://{bucket}/{key}")

    def clear(self, bucket):
        self("rb", "--recursive", f"s3://{bucket}")


@pytest.fixture
def s3cmd(endpoint, tmp_path):
    return S3cmd(endpoint, tmp_path)


def test_round_trip(s3cmd, s3, new_bucket, tmp_path):
    roundtrip.check(s3cmd, s3, new_bucket, tmp_path)


def test_info_copy_move(s3cmd, s3, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"info")
    s3cmd("put", "--mime-type=text/x-info", tmp_path / "f", f"s3://{bucket}/a")
    assert "text/x-info" in s3cmd("info", f"s3://{bucket}/a")
    s3cmd("cp", f"s3://{bucket}/a", f"s3://{bucket}/b")
    s3cmd("mv", f"s3://{bucket}/b", f"s3://{bucket}/c")
    assert [row["Key"] for row in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a", "c"]
