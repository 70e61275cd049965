"""boto3: conditional reads, writes and deletes, attributes, storage classes, settings not there."""

import concurrent.futures
import datetime

import botocore.exceptions
import pytest

from bodies import body
from s3 import read, refused

HOUR = datetime.timedelta(hours=1)


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    at = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    for call in (s3.get_object, s3.head_object):
        for good in ({"IfMatch": etag}, {"IfMatch": "*"}, {"IfNoneMatch": '"other"'}, {"IfModifiedSince": at - HOUR},
                     {"IfUnmodifiedSince": at + HOUR}, {"IfMatch": etag, "IfUnmodifiedSince": at - HOUR}):
            assert call(Bucket=bucket, Key="k", **good)["ETag"] == etag
        for bad in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": at - HOUR}):
            with refused("PreconditionFailed", 412):
                call(Bucket=bucket, Key="k", **bad)
        for same in ({"IfNoneMatch": etag}, {"IfModifiedSince": at}, {"IfNoneMatch": etag, "IfModifiedSince": at - HOUR}):
            with refused("304", 304):
                call(Bucket=bucket, Key="k", **same)


def test_conditional_put(s3, bucket):
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=first)["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=first)
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == second
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=bucket, Key="absent", Body=b"3", IfMatch=first)


def test_racing_creators_have_one_winner(s3, bucket):
    def create(i):
        try:
            s3.put_object(Bucket=bucket, Key="k", Body=str(i).encode(), IfNoneMatch="*")
            return i
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        winners = [i for i in pool.map(create, range(16)) if i is not None]
    assert len(winners) == 1
    assert read(s3, bucket, "k") == str(winners[0]).encode()


@pytest.mark.kura
def test_conditional_delete(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch='"other"')
    assert read(s3, bucket, "k") == b"1"
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    with refused("NoSuchKey", 404):
        s3.head_object(Bucket=bucket, Key="k")


def test_copy_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"x")["ETag"]
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", CopySourceIfMatch=etag)
    with refused("PreconditionFailed", 412):
        s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", CopySourceIfMatch='"other"')
    with refused("PreconditionFailed", 412):
        s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", CopySourceIfNoneMatch=etag)


def test_attributes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=body(50), ChecksumAlgorithm="SHA256")["ETag"]
    asked = ["ETag", "Checksum", "ObjectSize", "StorageClass", "ObjectParts"]
    answer = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=asked)
    assert (answer["ETag"], answer["ObjectSize"]) == (etag.strip('"'), 50)
    assert answer["StorageClass"] == "STANDARD"
    assert "ChecksumSHA256" in answer["Checksum"]


def test_storage_classes(s3, bucket):
    s3.put_object(Bucket=bucket, Key="rr", Body=body(300_000), StorageClass="REDUCED_REDUNDANCY")
    s3.put_object(Bucket=bucket, Key="st", Body=b"x", StorageClass="STANDARD")
    assert s3.head_object(Bucket=bucket, Key="rr")["StorageClass"] == "REDUCED_REDUNDANCY"
    assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="st")
    listed = {row["Key"]: row["StorageClass"] for row in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert listed == {"rr": "REDUCED_REDUNDANCY", "st": "STANDARD"}
    assert read(s3, bucket, "rr") == body(300_000)
    with refused("InvalidStorageClass", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="NO_SUCH_CLASS")


def test_wrong_content_md5(s3, bucket):
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    with refused("InvalidDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5="not base64")
    with refused("NoSuchKey", 404):
        s3.head_object(Bucket=bucket, Key="k")


@pytest.mark.kura
@pytest.mark.parametrize("call, code", [
    ("get_bucket_policy", "NoSuchBucketPolicy"),
    ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_bucket_cors", "NoSuchCORSConfiguration"),
    ("get_bucket_tagging", "NoSuchTagSet"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration"),
    ("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
    ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    ("get_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
])
def test_settings_not_configured(s3, bucket, call, code):
    with refused(code, 404):
        getattr(s3, call)(Bucket=bucket)


def test_versioning_was_never_on(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
