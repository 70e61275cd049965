"""Malformed requests of every kind: S3's code and status, a connection that still makes sense, no event."""

import base64
import hashlib
import itertools
import json
import re
import zlib

import pytest

from bodies import MIB
from chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Upload, encode
from conftest import serve
from s3 import s3_client
from wire import Call, Wire, ask, stamp

pytestmark = pytest.mark.kura

B = "malformed"
MD5 = lambda data: base64.b64encode(hashlib.md5(data).digest()).decode()
DIGITS = "0" * 64


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory, full):
    """A server of its own: nothing but these requests may move the journal."""
    yield from serve(tmp_path_factory, "malformed", full)


@pytest.fixture(scope="module")
def there(endpoint) -> dict[str, str]:
    """A bucket with an object and an upload of two parts, of which the first is too small."""
    s3 = s3_client(endpoint)
    s3.create_bucket(Bucket=B)
    s3.put_object(Bucket=B, Key="k", Body=b"0123456789")
    s3.put_object(Bucket=B, Key="large", Body=b"a" * MIB)  # From here on a set is open for bodies.
    upload = s3.create_multipart_upload(Bucket=B, Key="m")["UploadId"]
    tags = [s3.upload_part(Bucket=B, Key="m", UploadId=upload, PartNumber=n, Body=b"part %d" % n)["ETag"] for n in (1, 2)]
    return {"upload": upload, "one": tags[0], "two": tags[1]}


def journal_end(endpoint) -> int:
    with Wire(endpoint) as wire:
        wire.send(Call(endpoint, "GET", "/kura/admin/v1/status").sign().wire())
        answer = wire.answer()
        assert answer.status == 200, answer
        return json.loads(answer.body)["journal"]["end"]


CASES = {}


def case(status: int, code: str, name: str | None = None, half_close: bool = False):
    """Registers a function (endpoint, there) -> bytes to send, and what must be answered."""
    def register(build):
        key = name or build.__name__.replace("_", " ").strip()
        assert key not in CASES, key
        CASES[key] = (build, status, code, half_close)
        return build
    return register


def table(status: int, code: str, **builds):
    for name, build in builds.items():
        case(status, code, name.replace("_", " "))(build)


def call(e, method="PUT", path=f"/{B}/k", **more) -> Call:
    return Call(e, method, path, **more)


def signed(e, method="PUT", path=f"/{B}/k", **more) -> bytes:
    return call(e, method, path, **more).sign().wire()


def resigned(e, change, method="GET", path=f"/{B}/k", **more) -> bytes:
    """Signed, then changed."""
    c = call(e, method, path, **more).sign()
    change(c.headers)
    return c.wire()


def with_authorization(e, edit) -> bytes:
    return resigned(e, lambda h: h.update(authorization=edit(h["authorization"])))


def raw_head(e, *lines, start=f"PUT /{B}/k HTTP/1.1", host=True, body=b"") -> bytes:
    c = call(e, body=body, length=False).sign()
    rows = [f"{n}: {v}" for n, v in c.headers.items() if host or n != "host"]
    return "\r\n".join([start, *rows, *lines, "", ""]).encode("latin-1") + body


# Who asks.
table(403, "AccessDenied",
      no_signature=lambda e, t: call(e, "GET").wire(),
      an_x_amz_header_that_is_not_signed=lambda e, t: resigned(e, lambda h: h.update({"x-amz-meta-a": "1"})),
      no_date=lambda e, t: resigned(e, lambda h: h.pop("x-amz-date")),
      a_date_that_is_none=lambda e, t: resigned(e, lambda h: h.update({"x-amz-date": "yesterday"})),
      a_presigned_url_that_expired=lambda e, t: call(e, "GET", date=stamp(-1000)).presign("900").wire(),
      a_presigned_url_of_tomorrow=lambda e, t: call(e, "GET", date=stamp(86000)).presign().wire())
table(403, "SignatureDoesNotMatch",
      another_secret=lambda e, t: signed(e, "GET", secret_key="x" * 40),
      a_signed_header_changed=lambda e, t: resigned(e, lambda h: h.update({"x-amz-meta-a": "2"}), "PUT",
                                                    headers={"x-amz-meta-a": "1"}),
      another_path=lambda e, t: signed(e, "GET").replace(f"/{B}/k ".encode(), f"/{B}/l ".encode(), 1),
      another_query=lambda e, t: signed(e, "GET", f"/{B}", query=[("prefix", "a")]).replace(b"prefix=a", b"prefix=b"),
      another_method=lambda e, t: signed(e, "GET").replace(b"GET", b"DELETE", 1),
      a_presigned_url_for_another_key=lambda e, t: call(e, "GET").presign().wire().replace(b"/k?", b"/l?", 1),
      a_presigned_url_made_to_last=lambda e, t: call(e, "GET").presign().wire().replace(b"Expires=600", b"Expires=601"))
table(403, "InvalidAccessKeyId", an_unknown_key=lambda e, t: signed(e, "GET", access_key="nobody"))
table(403, "RequestTimeTooSkewed",
      a_clock_behind=lambda e, t: signed(e, date=stamp(-1000)), a_clock_ahead=lambda e, t: signed(e, date=stamp(1000)))
table(400, "AuthorizationHeaderMalformed",
      another_service=lambda e, t: signed(e, "GET", service="ec2"),
      another_terminal=lambda e, t: signed(e, "GET", terminal="aws5_request"),
      a_scope_of_another_day=lambda e, t: signed(e, "GET", scope_date="20200101"),
      no_signature_field=lambda e, t: with_authorization(e, lambda a: a[:a.index(",Signature")]),
      a_field_twice=lambda e, t: with_authorization(e, lambda a: a + ",Signature=00"),
      a_credential_of_two_parts=lambda e, t: with_authorization(e, lambda a: re.sub("Credential=[^,]*", "Credential=a/b", a)))
table(400, "InvalidRequest",
      signature_version_2=lambda e, t: with_authorization(e, lambda a: f"AWS {e.access_key}:c2lnbmF0dXJl"),
      a_presigned_url_of_version_2=lambda e, t: call(e, "GET", query=[
          ("AWSAccessKeyId", e.access_key), ("Expires", "2000000000"), ("Signature", "c2ln")]).wire(),
      no_payload_hash=lambda e, t: resigned(e, lambda h: h.pop("x-amz-content-sha256")))
table(501, "NotImplemented",
      signature_version_4A=lambda e, t: with_authorization(e, lambda a: a.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")),
      a_presigned_url_of_version_4A=lambda e, t: call(e, "GET").presign().wire().replace(
          b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256"))
table(400, "InvalidArgument",
      another_scheme=lambda e, t: with_authorization(e, lambda a: "Bearer token"),
      a_payload_hash_of_no_form=lambda e, t: signed(e, payload="whatever"),
      header_and_presigned_url=lambda e, t: call(e, "GET").presign().sign().wire())
table(400, "InvalidToken", a_session_token=lambda e, t: signed(e, "GET", headers={"x-amz-security-token": "x"}))
table(400, "AuthorizationQueryParametersError",
      a_week_and_a_second=lambda e, t: call(e, "GET").presign("604801").wire(),
      a_negative_lifetime=lambda e, t: call(e, "GET").presign("-1").wire(),
      a_lifetime_of_no_number=lambda e, t: call(e, "GET").presign("soon").wire(),
      a_presigned_url_without_date=lambda e, t: re.sub(rb"X-Amz-Date=\w+&", b"", call(e, "GET").presign().wire()),
      a_presigned_url_of_another_service=lambda e, t: call(e, "GET", service="iam").presign().wire())

# Bytes that are no request. Nothing after them may be taken for one.
table(400, "BadRequest",
      noise=lambda e, t: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      no_version=lambda e, t: raw_head(e, "Content-Length: 0", start=f"PUT /{B}/k"),
      an_unknown_version=lambda e, t: raw_head(e, "Content-Length: 0", start=f"PUT /{B}/k HTTP/7.7"),
      a_target_without_slash=lambda e, t: raw_head(e, "Content-Length: 0", start=f"PUT {B}/k HTTP/1.1"),
      no_host=lambda e, t: raw_head(e, "Content-Length: 0", host=False),
      two_hosts=lambda e, t: raw_head(e, "Content-Length: 0", "Host: other"),
      a_negative_length=lambda e, t: raw_head(e, "Content-Length: -1"),
      a_length_with_a_sign=lambda e, t: raw_head(e, "Content-Length: +1", body=b"x"),
      a_length_of_no_number=lambda e, t: raw_head(e, "Content-Length: ten"),
      a_length_beyond_64_bits=lambda e, t: raw_head(e, "Content-Length: 99999999999999999999999"),
      two_lengths=lambda e, t: raw_head(e, "Content-Length: 1", "Content-Length: 2", body=b"xy"),
      length_and_chunks=lambda e, t: raw_head(e, "Content-Length: 1", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
      an_unknown_coding=lambda e, t: raw_head(e, "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
      a_folded_line=lambda e, t: raw_head(e, "Content-Length: 0", "X-A: 1", " folded"),
      a_header_without_colon=lambda e, t: raw_head(e, "Content-Length: 0", "nothing"),
      a_space_before_the_colon=lambda e, t: raw_head(e, "Content-Length : 0"),
      a_control_character=lambda e, t: raw_head(e, "Content-Length: 0", "X-A: a\x00b"),
      a_lone_line_feed=lambda e, t: raw_head(e, "Content-Length: 0").replace(b"\r\nhost", b"\nhost", 1))
table(417, "ExpectationFailed", another_expectation=lambda e, t: raw_head(e, "Content-Length: 0", "Expect: miracles"))
table(400, "RequestHeaderSectionTooLarge",
      a_header_of_40_kib=lambda e, t: raw_head(e, "Content-Length: 0", "X-A: " + "a" * 40960),
      a_head_without_end=lambda e, t: b"GET /" + b"a" * 70_000,
      eleven_hundred_headers=lambda e, t: raw_head(e, "Content-Length: 0", *(f"X-{n}: 1" for n in range(1100))))
table(400, "InvalidURI",
      half_an_escape=lambda e, t: signed(e, "GET", f"/{B}/%4"), an_escape_of_no_number=lambda e, t: signed(e, "GET", f"/{B}/%zz"),
      a_key_that_is_no_utf_8=lambda e, t: signed(e, path=f"/{B}/%FF%FE"))
table(405, "MethodNotAllowed", an_unknown_method=lambda e, t: signed(e, "BREW"), patch=lambda e, t: signed(e, "PATCH"))

# Bodies that are not what was announced.
table(411, "MissingContentLength", no_length=lambda e, t: signed(e, length=False))
table(400, "XAmzContentSHA256Mismatch",
      another_body=lambda e, t: signed(e, body=b"truth").replace(b"\r\n\r\ntruth", b"\r\n\r\nfalse"),
      another_large_body=lambda e, t: signed(e, body=b"a" * MIB, payload=hashlib.sha256(b"b").hexdigest()))
table(400, "BadDigest",
      another_md5=lambda e, t: signed(e, body=b"x", headers={"content-md5": MD5(b"y")}),
      another_crc32=lambda e, t: signed(e, body=b"x", headers={"x-amz-checksum-crc32": encode(zlib.crc32(b"y").to_bytes(4, "big"))}),
      another_sha256=lambda e, t: signed(e, body=b"x", headers={"x-amz-checksum-sha256": encode(hashlib.sha256(b"y").digest())}),
      another_md5_of_a_part=lambda e, t: signed(e, path=f"/{B}/m", query=[("partNumber", "3"), ("uploadId", t["upload"])],
                                                body=b"x", headers={"content-md5": MD5(b"y")}))
table(400, "InvalidDigest",
      an_md5_of_no_base64=lambda e, t: signed(e, body=b"x", headers={"content-md5": "!!!"}),
      an_md5_too_short=lambda e, t: signed(e, body=b"x", headers={"content-md5": "YWJj"}))
table(400, "InvalidRequest",
      a_crc32_of_no_base64=lambda e, t: signed(e, body=b"x", headers={"x-amz-checksum-crc32": "!!!!"}),
      two_checksums=lambda e, t: signed(e, body=b"x", headers={
          "x-amz-checksum-crc32": encode(zlib.crc32(b"x").to_bytes(4, "big")),
          "x-amz-checksum-sha256": encode(hashlib.sha256(b"x").digest())}),
      a_trailer_without_a_form_for_it=lambda e, t: signed(e, body=b"x", headers={"x-amz-trailer": "x-amz-checksum-crc32"}))
case(400, "IncompleteBody", "half a body", half_close=True)(
    lambda e, t: signed(e, body=b"x" * 100, headers={"content-length": "200"}))
case(400, "IncompleteBody", "half a large body", half_close=True)(
    lambda e, t: signed(e, body=b"x" * 400_000, headers={"content-length": "900000"}))
table(400, "EntityTooLarge", six_gib=lambda e, t: signed(e, headers={"content-length": str(6 << 30), "expect": "100-continue"}))


def chunks(e, mode, spoil, declared=None, trailer=("x-amz-checksum-crc32", encode(zlib.crc32(b"onetwo").to_bytes(4, "big")))):
    upload = Upload(e, B, "k", mode, [b"one", b"two"], None if mode == SIGNED else trailer, declared=declared)
    spoil(upload)
    data = b"".join(upload.frames)
    head = "".join(f"{n}: {v}\r\n" for n, v in upload.headers.items())
    return f"PUT {upload.path} HTTP/1.1\r\n{head}content-length: {len(data)}\r\n\r\n".encode() + data


def frame(n, change):
    def spoil(upload):
        upload.frames[n] = change(upload.frames[n])
    return spoil


same = lambda upload: None
table(403, "SignatureDoesNotMatch",
      a_chunk_with_another_byte=lambda e, t: chunks(e, SIGNED, frame(1, lambda f: f.replace(b"two", b"twO"))),
      chunks_swapped=lambda e, t: chunks(e, SIGNED, lambda u: u.frames.insert(0, u.frames.pop(1))),
      a_chunk_without_signature=lambda e, t: chunks(e, SIGNED, frame(0, lambda f: b"3\r\none\r\n")),
      a_trailer_of_another_signature=lambda e, t: chunks(e, SIGNED_TRAILER, frame(-1, lambda f: f.replace(b"signature:", b"signature:0")[:-5] + b"\r\n\r\n")))
table(400, "BadDigest", a_trailer_of_other_bytes=lambda e, t: chunks(e, UNSIGNED_TRAILER, frame(0, lambda f: f.replace(b"one", b"two"))))
table(400, "IncompleteBody",
      a_longer_decoded_length=lambda e, t: chunks(e, SIGNED, same, declared=7),
      a_shorter_decoded_length=lambda e, t: chunks(e, UNSIGNED_TRAILER, same, declared=5),
      no_last_chunk=lambda e, t: chunks(e, SIGNED, lambda u: u.frames.__delitem__(slice(-2, None))))
table(400, "InvalidRequest", a_chunk_size_of_no_number=lambda e, t: chunks(e, SIGNED, frame(0, lambda f: b"zz" + f)))
table(400, "MalformedTrailerError",
      no_trailer=lambda e, t: chunks(e, UNSIGNED_TRAILER, frame(-1, lambda f: b"\r\n")),
      another_trailer=lambda e, t: chunks(e, UNSIGNED_TRAILER, frame(-1, lambda f: f.replace(b"crc32", b"crc99"))))

# What the headers of an object may be.
table(400, "KeyTooLongError", a_key_of_1025_bytes=lambda e, t: signed(e, path=f"/{B}/" + "k" * 1025))
table(400, "MetadataTooLarge", metadata_of_3_kib=lambda e, t: signed(e, headers={"x-amz-meta-a": "a" * 3072}))
table(400, "InvalidStorageClass", an_unknown_storage_class=lambda e, t: signed(e, headers={"x-amz-storage-class": "FLOPPY"}))
table(501, "NotImplemented",
      encryption=lambda e, t: signed(e, headers={"x-amz-server-side-encryption": "AES256"}),
      tags=lambda e, t: signed(e, headers={"x-amz-tagging": "a=b"}))
table(412, "PreconditionFailed",
      if_none_match=lambda e, t: signed(e, headers={"if-none-match": "*"}),
      if_match=lambda e, t: signed(e, headers={"if-match": '"0"'}),
      delete_if_match=lambda e, t: signed(e, "DELETE", headers={"if-match": '"0"'}),
      read_if_match=lambda e, t: signed(e, "GET", headers={"if-match": '"0"'}))
table(404, "NoSuchBucket", a_bucket_that_is_not_there=lambda e, t: signed(e, path="/absent-bucket/k", body=b"x"))
table(404, "NoSuchKey", a_key_that_is_not_there=lambda e, t: signed(e, "GET", f"/{B}/absent"))

# Copies.
source = lambda text, **more: lambda e, t: signed(e, path=f"/{B}/copy", headers={"x-amz-copy-source": text, **more})
table(400, "InvalidArgument", a_source_without_key=source(B), a_source_of_no_escape=source(f"{B}/%zz"),
      a_source_with_another_version=source(f"{B}/k?versionId="))
table(404, "NoSuchKey", a_source_that_is_not_there=source(f"{B}/absent"))
table(412, "PreconditionFailed", a_source_that_changed=source(f"{B}/k", **{"x-amz-copy-source-if-match": '"0"'}))
table(400, "InvalidRequest", a_copy_onto_itself=lambda e, t: signed(e, headers={"x-amz-copy-source": f"{B}/k"}))

# Reads.
read = lambda query=(), **headers: lambda e, t: signed(e, "GET", query=list(query), headers={k: v for k, v in headers.items()})
table(416, "InvalidRange", a_range_behind_the_end=read(range="bytes=10-"), the_last_zero_bytes=read(range="bytes=-0"))
table(400, "InvalidRequest", range_and_part=read([("partNumber", "1")], range="bytes=0-1"))
table(400, "InvalidArgument", part_zero=read([("partNumber", "0")]), part_10001=read([("partNumber", "10001")]))
table(416, "InvalidPartNumber", a_part_that_is_not_there=read([("partNumber", "2")]))
listing = lambda *query: lambda e, t: signed(e, "GET", f"/{B}", query=list(query))
table(400, "InvalidArgument",
      negative_max_keys=listing(("max-keys", "-1")), max_keys_of_no_number=listing(("max-keys", "many")),
      an_unknown_encoding=listing(("encoding-type", "rot13")),
      a_token_of_nobody=listing(("list-type", "2"), ("continuation-token", "made up")))

# Uploads in parts.
upload = lambda method, *query, **more: lambda e, t: signed(
    e, method, f"/{B}/m", query=[(n, v.format(**t)) for n, v in query], **more)
table(404, "NoSuchUpload",
      a_part_of_no_upload=upload("PUT", ("partNumber", "1"), ("uploadId", "none"), body=b"x"),
      parts_of_no_upload=upload("GET", ("uploadId", "none")), abort_of_no_upload=upload("DELETE", ("uploadId", "none")))
table(400, "InvalidArgument",
      upload_of_part_zero=upload("PUT", ("partNumber", "0"), ("uploadId", "{upload}"), body=b"x"),
      upload_of_part_10001=upload("PUT", ("partNumber", "10001"), ("uploadId", "{upload}"), body=b"x"),
      upload_of_part_x=upload("PUT", ("partNumber", "x"), ("uploadId", "{upload}"), body=b"x"))


def complete(*parts):
    rows = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in parts)
    text = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
    return lambda e, t: signed(e, "POST", f"/{B}/m", query=[("uploadId", t["upload"])], body=text.format(**t).encode())


table(400, "InvalidPart", a_part_never_sent=complete((1, "{one}"), (7, "{two}")), a_part_of_another_etag=complete((1, "{two}")))
table(400, "InvalidPartOrder", parts_backwards=complete((2, "{two}"), (1, "{one}")), a_part_twice=complete((1, "{one}"), (1, "{one}")))
table(400, "EntityTooSmall", a_small_part_first=complete((1, "{one}"), (2, "{two}")))
table(400, "MalformedXML", no_part=complete(), a_part_of_no_number=complete(("x", "{one}")))

# Documents.
LAUGHS = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>'
KEYS = b"".join(b"<Object><Key>%d</Key></Object>" % n for n in range(1001))


def delete(data: bytes, md5: bool = True):
    return lambda e, t: signed(e, "POST", f"/{B}", query=[("delete", "")], body=data, headers={"content-md5": MD5(data)} if md5 else {})


table(400, "MalformedXML",
      no_xml=delete(b"delete k"), xml_without_end=delete(b"<Delete><Object><Key>k</Key>"), another_document=delete(b"<Erase/>"),
      nothing_to_delete=delete(b"<Delete></Delete>"), an_object_without_key=delete(b"<Delete><Object></Object></Delete>"),
      a_thousand_and_one_keys=delete(b"<Delete>" + KEYS + b"</Delete>"), entities=delete(LAUGHS),
      a_deep_document=delete(b"<Delete>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Delete>"),
      a_byte_that_is_no_utf_8=delete(b"<Delete><Object><Key>\xff</Key></Object></Delete>"),
      configuration_of_no_xml=lambda e, t: signed(e, path="/another-bucket", body=b"{}"))
table(400, "InvalidRequest", delete_without_digest=delete(b"<Delete><Object><Key>k</Key></Object></Delete>", md5=False))
table(400, "InvalidBucketName",
      a_bucket_of_two_letters=lambda e, t: signed(e, path="/ab"), a_bucket_in_capitals=lambda e, t: signed(e, path="/UPPER-case"),
      a_bucket_like_an_address=lambda e, t: signed(e, path="/192.168.0.1"), a_bucket_of_64=lambda e, t: signed(e, path="/" + "b" * 64))
table(409, "BucketAlreadyOwnedByYou", a_bucket_again=lambda e, t: signed(e, path=f"/{B}"))


@pytest.mark.parametrize("name", CASES)
def test_refused(endpoint, there, name):
    build, status, code, half_close = CASES[name]
    before = journal_end(endpoint)
    answer = ask(endpoint, build(endpoint, there), half_close)
    assert (answer.status, answer.code) == (status, code), answer.body.decode(errors="replace")[:600]
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["x-amz-request-id"].encode() in answer.body
    assert journal_end(endpoint) == before, "a refused request wrote to the journal"


WHOLE = ["bytes=abc", "bytes=5-2", "items=0-1", "bytes", "bytes=", "bytes=0-1,3-4", "bytes=--1", "0-1"]


@pytest.mark.parametrize("form", WHOLE)
def test_ranges_that_are_none_give_all(endpoint, there, form):
    answer = ask(endpoint, signed(endpoint, "GET", headers={"range": form}))
    assert (answer.status, answer.body) == (200, b"0123456789")


def test_nothing_was_changed(endpoint, there):
    s3 = s3_client(endpoint)
    assert [row["Key"] for row in s3.list_objects_v2(Bucket=B)["Contents"]] == ["k", "large"]
    assert s3.get_object(Bucket=B, Key="k")["Body"].read() == b"0123456789"
    assert [row["PartNumber"] for row in s3.list_parts(Bucket=B, Key="m", UploadId=there["upload"])["Parts"]] == [1, 2]
    assert [row["Name"] for row in s3.list_buckets()["Buckets"]] == [B]
