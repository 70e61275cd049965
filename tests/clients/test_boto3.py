"""boto3: what every version must do. Runs with the newest and with the last before 2025."""

import hashlib
import io
import urllib.error
import urllib.request

import pytest
from boto3.s3.transfer import TransferConfig

from bodies import GIB, KIB, MIB, ODD_KEYS, SIZES, body, stream
from s3 import keys_of, read, refused, s3_client

PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)


@pytest.mark.parametrize("size", SIZES)
def test_put_head_get(s3, bucket, size):
    data = body(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert put["ETag"] == head["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    assert head["ContentLength"] == size
    assert read(s3, bucket, "k") == data


@pytest.mark.parametrize("size", SIZES)
def test_overwrite_and_delete(s3, bucket, size):
    s3.put_object(Bucket=bucket, Key="k", Body=body(size))
    s3.put_object(Bucket=bucket, Key="k", Body=body(size + 1, "second"))
    assert read(s3, bucket, "k") == body(size + 1, "second")
    s3.delete_object(Bucket=bucket, Key="k")
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="k")
    with refused("NoSuchKey", 404):
        s3.head_object(Bucket=bucket, Key="k")
    s3.delete_object(Bucket=bucket, Key="k")  # Nothing there: 204 all the same.
    assert keys_of(s3, bucket) == []


def test_multipart_by_transfer(s3, bucket):
    data = body(17 * MIB + 3)
    s3.upload_fileobj(io.BytesIO(data), bucket, "k", Config=PARTS)
    parts = [data[i:i + 5 * MIB] for i in range(0, len(data), 5 * MIB)]
    digest = hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest()
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == f'"{digest}-{len(parts)}"'
    back = io.BytesIO()
    s3.download_fileobj(bucket, "k", back, Config=PARTS)
    assert back.getvalue() == data


class Blocks(io.RawIOBase):
    """A generated body as a file."""

    def __init__(self, size: int):
        self.blocks, self.rest, self.digest = stream(size), b"", hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        out = [self.rest]
        have = len(self.rest)
        while size < 0 or have < size:
            block = next(self.blocks, None)
            if block is None:
                break
            self.digest.update(block)
            out.append(block)
            have += len(block)
        joined = b"".join(out)
        cut = have if size < 0 else min(size, have)
        self.rest = joined[cut:]
        return joined[:cut]


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_five_gib_multipart(s3, bucket):
    source = Blocks(5 * GIB)
    s3.upload_fileobj(source, bucket, "big",
                      Config=TransferConfig(multipart_threshold=64 * MIB, multipart_chunksize=64 * MIB,
                                            max_concurrency=2))
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == 5 * GIB
    digest = hashlib.sha256()
    for block in s3.get_object(Bucket=bucket, Key="big")["Body"].iter_chunks(MIB):
        digest.update(block)
    assert digest.hexdigest() == source.digest.hexdigest()
    s3.delete_object(Bucket=bucket, Key="big")


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key)[:24])
def test_odd_keys(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert read(s3, bucket, key) == key.encode()
    assert keys_of(s3, bucket) == [key]
    v1 = s3.list_objects(Bucket=bucket, Prefix=key[:3], MaxKeys=1)
    assert [row["Key"] for row in v1["Contents"]] == [key]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert read(s3, bucket, "copy") == key.encode()
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": "copy"}]})
    assert sorted(row["Key"] for row in answer["Deleted"]) == sorted([key, "copy"])
    assert keys_of(s3, bucket) == []


def test_key_too_long(s3, bucket):
    with refused("KeyTooLongError", 400):
        s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b"x")


def test_metadata_and_content_headers(s3, bucket):
    headers = {"ContentType": "text/x-test; charset=utf-8", "CacheControl": "max-age=60",
               "ContentDisposition": 'attachment; filename="a b"', "ContentEncoding": "gzip",
               "ContentLanguage": "de, en"}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"one": "1", "two-words": "a  b"}, **headers)
    for answer in (s3.head_object(Bucket=bucket, Key="k"), s3.get_object(Bucket=bucket, Key="k")):
        assert answer["Metadata"] == {"one": "1", "two-words": "a  b"} or \
            answer["Metadata"] == {"one": "1", "two-words": "a b"}  # HTTP may fold inner spaces.
        assert {name: answer[name] for name in headers} == headers
    with refused("MetadataTooLarge", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"big": "x" * 2100})


@pytest.mark.parametrize("size", [1000, 16 * KIB + 1, 128 * KIB + 1, MIB])
def test_ranges(s3, bucket, size):
    data = body(size)
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    for header, begin, end in [("bytes=0-0", 0, 1), ("bytes=10-99", 10, 100), (f"bytes={size - 5}-", size - 5, size),
                               ("bytes=-7", size - 7, size), (f"bytes=0-{size * 2}", 0, size),
                               (f"bytes=-{size * 2}", 0, size), (f"bytes={size // 2}-{size // 2 + 99}", size // 2, size // 2 + 100)]:
        answer = s3.get_object(Bucket=bucket, Key="k", Range=header)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206, header
        assert answer["ContentRange"] == f"bytes {begin}-{end - 1}/{size}", header
        assert answer["Body"].read() == data[begin:end], header
    for call in (s3.get_object, s3.head_object):
        with refused("InvalidRange", 416) as caught:
            call(Bucket=bucket, Key="k", Range=f"bytes={size}-")
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPHeaders"]["content-range"] == f"bytes */{size}"
        if call == s3.get_object:
            assert response["Error"]["RangeRequested"] == f"bytes={size}-"
            assert response["Error"]["ActualObjectSize"] == str(size)


def test_presigned(s3, bucket, endpoint):
    def fetch(url, **options):
        with urllib.request.urlopen(urllib.request.Request(url, **options)) as answer:
            return answer.read()

    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    fetch(put, data=b"presigned", method="PUT")
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    assert fetch(get) == b"presigned"
    named = s3.generate_presigned_url("get_object", ExpiresIn=60, Params={
        "Bucket": bucket, "Key": "a b", "ResponseContentType": "text/plain",
        "ResponseContentDisposition": 'attachment; filename="x y"'})
    with urllib.request.urlopen(named) as answer:
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="x y"'
    for wrong in (get.replace("a%20b", "other"), get[:-1] + ("0" if get[-1] != "0" else "1")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(wrong)
        assert caught.value.code == 403
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(get, method="DELETE")
    assert caught.value.code == 403


def test_wrong_keys(s3, bucket, endpoint):
    import dataclasses
    with refused("SignatureDoesNotMatch", 403):
        s3_client(dataclasses.replace(endpoint, secret_key="wrong" * 8)).list_objects_v2(Bucket=bucket)
    with refused("InvalidAccessKeyId", 403):
        s3_client(dataclasses.replace(endpoint, access_key="nobody")).list_objects_v2(Bucket=bucket)


def test_buckets(s3, new_bucket):
    s3.create_bucket(Bucket=new_bucket)
    with refused("BucketAlreadyOwnedByYou", 409):
        s3.create_bucket(Bucket=new_bucket)
    assert new_bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=new_bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert s3.get_bucket_location(Bucket=new_bucket)["LocationConstraint"] is None
    s3.put_object(Bucket=new_bucket, Key="k", Body=b"x")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=new_bucket)
    s3.delete_object(Bucket=new_bucket, Key="k")
    s3.delete_bucket(Bucket=new_bucket)
    for call in (s3.head_bucket, s3.list_objects_v2, s3.delete_bucket):
        with refused("NoSuchBucket", 404):
            call(Bucket=new_bucket)
    s3.create_bucket(Bucket=new_bucket)
    assert keys_of(s3, new_bucket) == []


@pytest.mark.parametrize("name", ["UPPER-case", "ab", "a" * 64, "dots..twice", "192.168.1.1", "under_score"])
def test_bucket_names(endpoint, name):
    s3 = s3_client(endpoint)
    s3.meta.events.unregister("before-parameter-build.s3", __import__("botocore").handlers.validate_bucket_name)
    with refused("InvalidBucketName", 400):
        s3.create_bucket(Bucket=name)


def test_list_pages_and_delimiters(s3, bucket):
    keys = sorted([f"a/{i:03d}" for i in range(25)] + [f"b/{i}/x" for i in range(7)] + ["c", "a", "a0", "b-1"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert keys_of(s3, bucket) == keys
    assert keys_of(s3, bucket, PaginationConfig={"PageSize": 7}) == keys
    assert keys_of(s3, bucket, Prefix="a/", StartAfter="a/010") == [f"a/{i:03d}" for i in range(11, 25)]
    for size in (1, 2, 3, 1000):
        names, prefixes = [], []
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}):
            names += [row["Key"] for row in page.get("Contents", [])]
            prefixes += [row["Prefix"] for row in page.get("CommonPrefixes", [])]
            assert page["KeyCount"] <= size
        assert (names, prefixes) == (["a", "a0", "b-1", "c"], ["a/", "b/"])
    below = s3.list_objects_v2(Bucket=bucket, Prefix="b/", Delimiter="/")
    assert [row["Prefix"] for row in below["CommonPrefixes"]] == [f"b/{i}/" for i in range(7)]
    v1 = [row["Key"] for page in s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
          for row in page.get("Contents", [])]
    assert v1 == keys
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0


def test_delete_many(s3, bucket):
    keys = [f"k{i:04d}" for i in range(300)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys[:299]] + [{"Key": "absent"}]})
    assert len(answer["Deleted"]) == 300 and "Errors" not in answer
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Quiet": True, "Objects": [{"Key": keys[299]}]})
    assert "Deleted" not in quiet
    assert keys_of(s3, bucket) == []


@pytest.mark.parametrize("size", [0, 100, 100 * KIB, 2 * MIB])
def test_copy(s3, bucket, size):
    data = body(size)
    s3.put_object(Bucket=bucket, Key="a", Body=data, Metadata={"m": "1"}, ContentType="text/a")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    kept = s3.get_object(Bucket=bucket, Key="b")
    assert (kept["Body"].read(), kept["Metadata"], kept["ContentType"]) == (data, {"m": "1"}, "text/a")
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", MetadataDirective="REPLACE",
                   Metadata={"n": "2"}, ContentType="text/c")
    new = s3.get_object(Bucket=bucket, Key="c")
    assert (new["Body"].read(), new["Metadata"], new["ContentType"]) == (data, {"n": "2"}, "text/c")
    with refused("InvalidRequest", 400):  # Onto itself, nothing changed.
        s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/a")
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="d", CopySource=f"{bucket}/absent")
