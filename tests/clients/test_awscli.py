"""AWS CLI: the newest of version 1 (checksums by default) and Debian's version 2 (none)."""

import json
import sys

import pytest

import roundtrip
from bodies import body
from roundtrip import run
from s3 import read


class AwsCli:
    def __init__(self, endpoint, program, home):
        self.command = [program, "--endpoint-url", endpoint.url, "--region", "us-east-1"]
        self.env = {"AWS_ACCESS_KEY_ID": endpoint.access_key, "AWS_SECRET_ACCESS_KEY": endpoint.secret_key,
                    "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}

    def __call__(self, *args):
        return run(*self.command, *args, env=self.env)

    def make_bucket(self, bucket):
        self("s3", "mb", f"s3://{bucket}")

    def put_tree(self, folder, bucket):
        self("s3", "sync", folder, f"s3://{bucket}", "--only-show-errors")

    def names(self, bucket):
        rows = json.loads(self("s3api", "list-objects-v2", "--bucket", bucket, "--page-size", "5", "--output", "json"))
        return {row["Key"]: row["Size"] for row in rows["Contents"]}

    def get_tree(self, bucket, folder):
        self("s3", "sync", f"s3://{bucket}", folder, "--only-show-errors")

    def put(self, file, bucket, key):
        self("s3", "cp", file, f"s3://{bucket}/{key}", "--only-show-errors")

    def get(self, bucket, key, file):
        self("s3", "cp", f"s3://{bucket}/{key}", file, "--only-show-errors")

    def delete(self, bucket, key):
        self("s3", "rm", f"s3://{bucket}/{key}")

    def clear(self, bucket):
        self("s3", "rb", "--force", f"s3://{bucket}")


@pytest.fixture(params=["v1", "v2"])
def aws(request, endpoint, tmp_path):
    return AwsCli(endpoint, f"{sys.prefix}/bin/aws" if request.param == "v1" else "/usr/bin/aws", tmp_path)


def test_round_trip(aws, s3, new_bucket, tmp_path):
    roundtrip.check(aws, s3, new_bucket, tmp_path)


def test_copy_and_move_between_keys(aws, s3, bucket):
    s3.put_object(Bucket=bucket, Key="big", Body=body(9 << 20))  # Copied by UploadPartCopy.
    aws("s3", "cp", f"s3://{bucket}/big", f"s3://{bucket}/copy", "--only-show-errors", "--copy-props", "metadata-directive") \
        if "/usr/bin/aws" in aws.command else aws("s3", "cp", f"s3://{bucket}/big", f"s3://{bucket}/copy", "--only-show-errors")
    aws("s3", "mv", f"s3://{bucket}/copy", f"s3://{bucket}/moved", "--only-show-errors", *(
        ["--copy-props", "metadata-directive"] if "/usr/bin/aws" in aws.command else []))
    assert read(s3, bucket, "moved") == body(9 << 20)
    assert "copy" not in aws("s3", "ls", f"s3://{bucket}/")


def test_checksum_and_presign(aws, s3, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"checked")
    aws("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", tmp_path / "f", "--checksum-algorithm", "SHA256")
    # Version 1 would presign by Signature Version 2 otherwise, which Kura refuses with a clear 400.
    aws("configure", "set", "default.s3.signature_version", "s3v4")
    url = aws("s3", "presign", f"s3://{bucket}/k", "--expires-in", "60").strip()
    assert run("/usr/bin/curl", "-sf", url) == "checked"


def test_an_open_upload_keeps_no_bucket(aws, s3, new_bucket):
    s3.create_bucket(Bucket=new_bucket)
    s3.put_object(Bucket=new_bucket, Key="k", Body=b"x")
    upload = s3.create_multipart_upload(Bucket=new_bucket, Key="m")["UploadId"]
    s3.upload_part(Bucket=new_bucket, Key="m", UploadId=upload, PartNumber=1, Body=body(300_000))
    aws("s3", "rb", "--force", f"s3://{new_bucket}")
    assert new_bucket not in [row["Name"] for row in s3.list_buckets()["Buckets"]]
