"""rclone (Debian): sync, check of hashes, server-side copy, multipart."""

import json

import pytest

import roundtrip
from bodies import make_tree
from roundtrip import run


class Rclone:
    def __init__(self, endpoint, home):
        self.env = {"RCLONE_CONFIG_KURA_TYPE": "s3", "RCLONE_CONFIG_KURA_PROVIDER": "Other",
                    "RCLONE_CONFIG_KURA_ENDPOINT": endpoint.url, "RCLONE_CONFIG_KURA_ACCESS_KEY_ID": endpoint.access_key,
                    "RCLONE_CONFIG_KURA_SECRET_ACCESS_KEY": endpoint.secret_key, "RCLONE_CONFIG_KURA_REGION": "us-east-1",
                    "RCLONE_CONFIG": str(home / "none.conf"), "RCLONE_S3_UPLOAD_CUTOFF": "5M", "RCLONE_S3_CHUNK_SIZE": "5M",
                    "RCLONE_RETRIES": "1", "RCLONE_LOW_LEVEL_RETRIES": "1"}

    def __call__(self, *args):
        return run("/usr/bin/rclone", *args, env=self.env)

    def make_bucket(self, bucket):
        self("mkdir", f"kura:{bucket}")

    def put_tree(self, folder, bucket):
        self("sync", folder, f"kura:{bucket}")
        self("check", folder, f"kura:{bucket}")
        self("check", "--download", folder, f"kura:{bucket}")

    def names(self, bucket):
        return {row["Path"]: row["Size"] for row in json.loads(self("lsjson", "-R", "--files-only", f"kura:{bucket}"))}

    def get_tree(self, bucket, folder):
        self("sync", f"kura:{bucket}", folder)

    def put(self, file, bucket, key):
        self("copyto", file, f"kura:{bucket}/{key}")

    def get(self, bucket, key, file):
        self("copyto", f"kura:{bucket}/{key}", file)

    def delete(self, bucket, key):
        self("deletefile", f"kura:{bucket}/{key}")

    def clear(self, bucket):
        self("purge", f"kura:{bucket}")


@pytest.fixture
def rclone(endpoint, tmp_path):
    return Rclone(endpoint, tmp_path)


def test_round_trip(rclone, s3, new_bucket, tmp_path):
    roundtrip.check(rclone, s3, new_bucket, tmp_path)


def test_sync_again_changes_nothing_and_server_side_copy(rclone, s3, bucket, tmp_path):
    make_tree(tmp_path / "t")
    rclone.put_tree(tmp_path / "t", bucket)
    before = {row["Key"]: row["LastModified"] for row in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    rclone("sync", tmp_path / "t", f"kura:{bucket}")
    assert before == {row["Key"]: row["LastModified"] for row in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    rclone("copy", f"kura:{bucket}/size", f"kura:{bucket}/copy")
    rclone("check", "--download", f"kura:{bucket}/size", f"kura:{bucket}/copy")
