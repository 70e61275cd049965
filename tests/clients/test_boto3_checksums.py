"""boto3: the five checksum algorithms, in headers (http) and trailers (https), single and multipart."""

import base64
import hashlib
import zlib

import pytest
from awscrt import checksums

from bodies import KIB, MIB, body
from s3 import read, refused

ALGORITHMS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: checksums.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: checksums.crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
COMPOSITE = ["CRC32", "CRC32C", "SHA1", "SHA256"]
FULL_OBJECT = ["CRC32", "CRC32C", "CRC64NVME"]
PART = 5 * MIB


def digest(algorithm: str, data: bytes) -> str:
    return base64.b64encode(ALGORITHMS[algorithm](data)).decode()


@pytest.fixture(params=["header", "trailer"])
def where(request, s3, s3_tls, new_bucket):
    """boto3 sends the checksum as a header over http and as a trailer over https."""
    client = s3 if request.param == "header" else s3_tls
    client.create_bucket(Bucket=new_bucket)
    return client, new_bucket


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 16 * KIB, 128 * KIB + 1, 3 * MIB + 5])
def test_put(where, algorithm, size):
    s3, bucket = where
    data = body(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data, ChecksumAlgorithm=algorithm)
    want = digest(algorithm, data)
    assert put[f"Checksum{algorithm}"] == want
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == want
    assert got["Body"].read() == data  # boto3 checks it against the checksum, too.
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (want, "FULL_OBJECT")
    assert f"Checksum{algorithm}" not in s3.head_object(Bucket=bucket, Key="k")
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])
    assert attributes["Checksum"][f"Checksum{algorithm}"] == want


@pytest.mark.kura
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_list_names_the_algorithm(s3, bucket, algorithm):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumAlgorithm=algorithm)
    row = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (row["ChecksumAlgorithm"], row["ChecksumType"]) == ([algorithm], "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_given_value_is_checked(where, algorithm):
    s3, bucket = where
    name = f"Checksum{algorithm}"
    s3.put_object(Bucket=bucket, Key="k", Body=b"right", **{name: digest(algorithm, b"right")})
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"wrong", **{name: digest(algorithm, b"right")})
    with refused("InvalidRequest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **{name: "bm90IGEgZGlnZXN0"})
    assert read(s3, bucket, "k") == b"right"


def upload_parts(s3, bucket, algorithm, kind, parts):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=kind)
    assert (upload["ChecksumAlgorithm"], upload["ChecksumType"]) == (algorithm, kind)
    done = []
    for number, data in enumerate(parts, 1):
        answer = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload["UploadId"], PartNumber=number, Body=data,
                                ChecksumAlgorithm=algorithm)
        assert answer[f"Checksum{algorithm}"] == digest(algorithm, data)
        done.append({"PartNumber": number, "ETag": answer["ETag"], f"Checksum{algorithm}": answer[f"Checksum{algorithm}"]})
    return upload["UploadId"], done


@pytest.mark.parametrize("algorithm", COMPOSITE)
def test_multipart_composite(where, algorithm):
    s3, bucket = where
    parts = [body(PART, "1"), body(PART + 3, "2"), body(7, "3")]
    upload, done = upload_parts(s3, bucket, algorithm, "COMPOSITE", parts)
    answer = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": done})
    joined = b"".join(ALGORITHMS[algorithm](p) for p in parts)
    want = digest(algorithm, joined) + "-3"
    assert answer[f"Checksum{algorithm}"] == want
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (want, "COMPOSITE")
    rows = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"])["ObjectParts"]["Parts"]
    assert [(r["Size"], r[f"Checksum{algorithm}"]) for r in rows] == [(len(p), digest(algorithm, p)) for p in parts]
    assert read(s3, bucket, "k") == b"".join(parts)


@pytest.mark.parametrize("algorithm", FULL_OBJECT)
def test_multipart_full_object(where, algorithm):
    s3, bucket = where
    parts = [body(PART, "1"), body(PART + 3, "2"), body(7, "3")]
    upload, done = upload_parts(s3, bucket, algorithm, "FULL_OBJECT", parts)
    want = digest(algorithm, b"".join(parts))
    with refused("BadDigest", 400):
        s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": done},
                                     ChecksumType="FULL_OBJECT", **{f"Checksum{algorithm}": digest(algorithm, b"other")})
    answer = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": done},
                                          ChecksumType="FULL_OBJECT", **{f"Checksum{algorithm}": want})
    assert answer[f"Checksum{algorithm}"] == want
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got[f"Checksum{algorithm}"], got["ChecksumType"]) == (want, "FULL_OBJECT")
    assert got["Body"].read() == b"".join(parts)


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
def test_sha_has_no_full_object_type(s3, bucket, algorithm):
    with refused("InvalidRequest", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_copy_carries_or_changes(s3, bucket, algorithm):
    s3.put_object(Bucket=bucket, Key="a", Body=body(1000), ChecksumAlgorithm=algorithm)
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", ChecksumAlgorithm="SHA256")
    head = s3.head_object(Bucket=bucket, Key="b", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == digest(algorithm, body(1000))
    changed = s3.head_object(Bucket=bucket, Key="c", ChecksumMode="ENABLED")
    assert changed["ChecksumSHA256"] == digest("SHA256", body(1000))
