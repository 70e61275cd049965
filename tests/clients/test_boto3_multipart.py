"""boto3: the multipart family by hand."""

import hashlib

import pytest

from bodies import MIB, body
from s3 import keys_of, read, refused

PART = 5 * MIB


def begin(s3, bucket, key="k", **options):
    return s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]


def part(s3, bucket, upload, number, data, key="k", **options):
    answer = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data, **options)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def complete(s3, bucket, upload, parts, key="k", **options):
    return s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload,
                                        MultipartUpload={"Parts": parts}, **options)


def test_complete_with_gaps_and_overwritten_part(s3, bucket):
    upload = begin(s3, bucket, Metadata={"m": "1"}, ContentType="text/a", StorageClass="REDUCED_REDUNDANCY")
    part(s3, bucket, upload, 3, body(PART, "first try"))
    parts = [part(s3, bucket, upload, 3, body(PART, "3")), part(s3, bucket, upload, 7, body(9, "7"))]
    part(s3, bucket, upload, 9, body(10, "left out"))
    assert keys_of(s3, bucket) == []
    complete(s3, bucket, upload, parts)
    data = body(PART, "3") + body(9, "7")
    head = s3.head_object(Bucket=bucket, Key="k")
    digest = hashlib.md5(hashlib.md5(data[:PART]).digest() + hashlib.md5(data[PART:]).digest()).hexdigest()
    assert (head["ETag"], head["ContentLength"]) == (f'"{digest}-2"', len(data))
    assert (head["Metadata"], head["ContentType"], head["StorageClass"]) == ({"m": "1"}, "text/a", "REDUCED_REDUNDANCY")
    assert read(s3, bucket, "k") == data
    assert read(s3, bucket, "k", Range=f"bytes={PART - 2}-{PART + 2}") == data[PART - 2:PART + 3]


@pytest.mark.kura
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_location_has_the_scheme_of_the_request(request, scheme):
    tls = "_tls" if scheme == "https" else ""
    s3, bucket, endpoint = (request.getfixturevalue(name + tls) for name in ("s3", "bucket", "endpoint"))
    assert endpoint.url.startswith(scheme + "://")
    upload = begin(s3, bucket, "a/b c")
    done = complete(s3, bucket, upload, [part(s3, bucket, upload, 1, b"one", "a/b c")], "a/b c")
    assert done["Location"] == f"{endpoint.url}/{bucket}/a/b%20c"


@pytest.mark.kura
def test_complete_twice_gives_the_same_answer(s3, bucket):
    upload = begin(s3, bucket)
    parts = [part(s3, bucket, upload, 1, b"one")]
    first = complete(s3, bucket, upload, parts)
    assert complete(s3, bucket, upload, parts)["ETag"] == first["ETag"]


def test_get_by_part_number(s3, bucket):
    upload = begin(s3, bucket)
    complete(s3, bucket, upload, [part(s3, bucket, upload, 1, body(PART, "1")), part(s3, bucket, upload, 2, body(77, "2"))])
    answer = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert (answer["Body"].read(), answer["PartsCount"]) == (body(77, "2"), 2)
    assert answer["ContentRange"] == f"bytes {PART}-{PART + 76}/{PART + 77}"
    assert s3.head_object(Bucket=bucket, Key="k", PartNumber=1)["ContentLength"] == PART
    with refused("InvalidPartNumber", 416):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=3)


@pytest.mark.kura
def test_get_of_a_part_without_bytes(s3, bucket):
    """There is no Content-Range for no bytes."""
    upload = begin(s3, bucket)
    complete(s3, bucket, upload, [part(s3, bucket, upload, 1, body(PART)), part(s3, bucket, upload, 2, b"")])
    for call in (s3.get_object, s3.head_object):
        answer = call(Bucket=bucket, Key="k", PartNumber=2)
        assert (answer["ContentLength"], answer["PartsCount"], answer.get("ContentRange")) == (0, 2, None)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_list_parts_in_pages(s3, bucket):
    upload = begin(s3, bucket)
    for number in range(1, 8):
        part(s3, bucket, upload, number, body(number))
    pages = s3.get_paginator("list_parts").paginate(Bucket=bucket, Key="k", UploadId=upload, PaginationConfig={"PageSize": 3})
    rows = [row for page in pages for row in page.get("Parts", [])]
    assert [(row["PartNumber"], row["Size"]) for row in rows] == [(n, n) for n in range(1, 8)]
    assert rows[0]["ETag"] == f'"{hashlib.md5(body(1)).hexdigest()}"'


@pytest.mark.kura
def test_list_uploads(s3, bucket):
    uploads = [(key, begin(s3, bucket, key)) for key in ["a/1", "a/2", "a/2", "b", "c/1"]]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    rows = [(row["Key"], row["UploadId"]) for page in pages for row in page.get("Uploads", [])]
    assert sorted(rows) == sorted(uploads) and [k for k, _ in rows] == [k for k, _ in uploads]
    below = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [row["Prefix"] for row in below["CommonPrefixes"]] == ["a/", "c/"]
    assert [row["Key"] for row in below["Uploads"]] == ["b"]
    assert [row["Key"] for row in s3.list_multipart_uploads(Bucket=bucket, Prefix="a/")["Uploads"]] == ["a/1", "a/2", "a/2"]


def test_abort(s3, bucket):
    upload = begin(s3, bucket)
    done = part(s3, bucket, upload, 1, body(PART))
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    for call in (lambda: part(s3, bucket, upload, 2, b"x"), lambda: complete(s3, bucket, upload, [done]),
                 lambda: s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)):
        with refused("NoSuchUpload", 404):
            call()
    assert keys_of(s3, bucket) == []


def test_refused_completions(s3, bucket):
    upload = begin(s3, bucket)
    one, two = part(s3, bucket, upload, 1, b"small"), part(s3, bucket, upload, 2, b"last")
    with refused("EntityTooSmall", 400):
        complete(s3, bucket, upload, [one, two])
    with refused("InvalidPartOrder", 400):
        complete(s3, bucket, upload, [two, one])
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, [{"PartNumber": 1, "ETag": two["ETag"]}])
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, [one, {"PartNumber": 5, "ETag": one["ETag"]}])
    with refused("MalformedXML", 400):
        complete(s3, bucket, upload, [])
    assert keys_of(s3, bucket) == []
    complete(s3, bucket, upload, [two])  # None of the refusals ended the upload.
    assert read(s3, bucket, "k") == b"last"


@pytest.mark.parametrize("number", [0, 10001])
def test_part_number_limits(s3, bucket, number):
    with refused("InvalidArgument", 400):
        part(s3, bucket, begin(s3, bucket), number, b"x")


def test_upload_part_copy(s3, bucket):
    source = body(12 * MIB, "source")
    s3.put_object(Bucket=bucket, Key="source", Body=source)
    upload = begin(s3, bucket)
    parts = []
    for number, (first, last) in enumerate([(0, PART - 1), (PART, 12 * MIB - 1)], 1):
        answer = s3.upload_part_copy(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number,
                                     CopySource=f"{bucket}/source", CopySourceRange=f"bytes={first}-{last}")
        parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    complete(s3, bucket, upload, parts)
    assert read(s3, bucket, "k") == source
    with refused("InvalidArgument", 400):
        s3.upload_part_copy(Bucket=bucket, Key="k", UploadId=begin(s3, bucket), PartNumber=1, CopySource=f"{bucket}/source",
                            CopySourceRange=f"bytes=0-{12 * MIB}")


def test_conditional_complete(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    upload = begin(s3, bucket)
    parts = [part(s3, bucket, upload, 1, b"new")]
    with refused("PreconditionFailed", 412):
        complete(s3, bucket, upload, parts, IfNoneMatch="*")
    s3.delete_object(Bucket=bucket, Key="k")
    complete(s3, bucket, upload, parts, IfNoneMatch="*")
    assert read(s3, bucket, "k") == b"new"
