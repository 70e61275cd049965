"""Who may not read learns nothing, and who may not write writes nothing (class 8, and keys with fewer rights)."""

import re

import pytest

from routes import B, request_of
from s3 import s3_client
from volley import Volley
from wire import Call, Wire, ask

pytestmark = pytest.mark.kura

CONDITIONS = {
    "plain": {}, "if_none_match": {"if-none-match": '"781e5e245d69b566979b86e28d23f2c7"'}, "if_match": {"if-match": "*"},
    "if_modified_since": {"if-modified-since": "Thu, 01 Jan 2099 00:00:00 GMT"}, "range": {"range": "bytes=0-0"},
    "range_behind": {"range": "bytes=1000000-"}, "if_range": {"range": "bytes=0-0", "if-range": '"0"'},
}


def shape(answer):
    """An answer without what differs between any two of them."""
    own = {"date", "x-amz-request-id", "x-amz-id-2"}
    body = re.sub(rb"<(RequestId|HostId|Resource)>.*?</\1>", b"", answer.body)
    return answer.status, {n: v for n, v in answer.headers.items() if n not in own}, body


def made_up(call: Call) -> Call:
    call.sign()
    call.headers["authorization"] = call.headers["authorization"][:-4] + "0000"
    return call


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("who", ["nobody", "a bad signature"])
def test_a_stranger_gets_one_answer(target, name, who):
    """The same for a key that is there, one that is not, and one in a bucket that is not."""
    wrong = []
    with target.watch.nothing_written():
        for route in target.routes:
            if route["target"] == "service":
                continue
            answers = []
            for bucket, key in ((B, "k"), (B, "l"), ("absent-bucket", "k")):
                call = request_of(route, target.endpoint, target.upload, bucket, key, headers=CONDITIONS[name])
                if who != "nobody":
                    made_up(call)
                data = call.wire()
                answer = ask(target.endpoint, data) if route["method"] != "HEAD" else head(target, data)
                assert answer.status == 403, (route["name"], answer)
                status, headers, body = shape(answer)
                # A signature that does not match is told what was signed, which the client knows.
                body = re.sub(rb"<(StringToSign|CanonicalRequest|SignatureProvided)>.*?</\1>", b"", body, flags=re.S)
                headers.pop("content-length", None)
                answers.append((status, headers, body))
            if any(answer != answers[0] for answer in answers):
                wrong.append(f"{route['name']}: {answers}")
    assert not wrong, "\n".join(wrong)


def head(target, data):
    with Wire(target.endpoint) as wire:
        wire.send(data)
        return wire.answer(head_request=True)


@pytest.fixture(scope="module")
def lesser_keys(target):
    server = target.server
    s3_client(target.endpoint).create_bucket(Bucket="another-bucket")
    made = [server.kura("key", "create", "--access", "read-only"),
            server.kura("key", "create", "--bucket", "another-bucket")]
    target.watch.used(*(key["secretKey"] for key in made))
    yield made
    s3_client(target.endpoint).delete_bucket(Bucket="another-bucket")


@pytest.mark.parametrize("presigned", [False, True])
def test_a_read_only_key_writes_nothing(target, lesser_keys, presigned):
    def build(route):
        if route["access"] != "write":
            return None
        call = request_of(route, target.endpoint, target.upload, access_key=lesser_keys[0]["accessKey"],
                          secret_key=lesser_keys[0]["secretKey"])
        return (call.presign() if presigned else call.sign()).wire()

    with target.watch.nothing_written():
        Volley(target).each_route(build, (403,), ("AccessDenied",))


@pytest.mark.parametrize("presigned", [False, True])
def test_a_key_of_another_bucket_touches_nothing(target, lesser_keys, presigned):
    def build(route):
        if route["target"] == "service":
            return None
        call = request_of(route, target.endpoint, target.upload, access_key=lesser_keys[1]["accessKey"],
                          secret_key=lesser_keys[1]["secretKey"])
        return (call.presign() if presigned else call.sign()).wire()

    with target.watch.nothing_written():
        Volley(target).each_route(build, (403,), ("AccessDenied",))


def test_a_copy_from_a_bucket_without_rights(target, lesser_keys):
    """The key may write its own bucket; the source is in another."""
    s3 = s3_client(target.endpoint)
    upload = s3.create_multipart_upload(Bucket="another-bucket", Key="k")["UploadId"]

    def build(route):
        if "x-amz-copy-source" not in route["headers"]:
            return None
        return request_of(route, target.endpoint, upload, "another-bucket", access_key=lesser_keys[1]["accessKey"],
                          secret_key=lesser_keys[1]["secretKey"]).sign().wire()

    with target.watch.nothing_written():
        Volley(target).each_route(build, (403,), ("AccessDenied",))
    s3.abort_multipart_upload(Bucket="another-bucket", Key="k", UploadId=upload)
