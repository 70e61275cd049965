"""Keys and bucket names that would be dangerous as file names: verbatim or refused, and never a path (classes 25, 26)."""

import os
import secrets
import urllib.parse

import pytest

from routes import B, request_of
from s3 import s3_client
from volley import Volley
from wire import Call, ask

pytestmark = pytest.mark.kura

MARK = "mark" + secrets.token_hex(6)
KEYS = [
    f"../{MARK}", f"../../../../../../tmp/{MARK}", f"a/../../{MARK}", f"./{MARK}", f"/{MARK}", f"//{MARK}", f"{MARK}/",
    f"{MARK}/..", f"..\\{MARK}", f"..%2f{MARK}", f"%2e%2e/{MARK}", f"C:\\{MARK}", f"C:/{MARK}", f"\\\\host\\{MARK}",
    f"{MARK}:stream", f"{MARK}. ", f"CON/{MARK}", f".kura/{MARK}", f"kura/admin/v1/{MARK}", f"journal/{MARK}",
    f"view/{MARK}", f"drive/{MARK}", f".minio.sys/{MARK}", f"{MARK}\x7f", f"{MARK}\x01", f"-rf {MARK}", f"$(id){MARK}",
    f"{MARK}|id", f"{MARK}\u202e", f"\ufeff{MARK}", MARK + "\u00fc" * 500, MARK.ljust(1024, "k"), "..", ".", f"{MARK}~",
]
# As sent: not UTF-8, or longer than a key may be.
REFUSED = {
    "an overlong slash": f"{MARK}%c0%af", "an overlong dot": f"%c0%ae%c0%ae/{MARK}", "overlong in three": f"%e0%80%af{MARK}",
    "a surrogate": f"{MARK}%ed%a0%80", "beyond Unicode": f"{MARK}%f4%90%80%80", "half a letter": f"{MARK}%c3",
    "1,025 bytes": "k" * 1025, "1,026 bytes of two": "%C3%BC" * 513,
}


def files(server) -> dict[str, set[str]]:
    """Every file name below the drives, and what lies beside them."""
    base = server.drives[0].parent
    return {"inside": {os.path.join(at, name) for at, _, names in os.walk(base) for name in names},
            "beside": set(os.listdir(base)) | {f"../{n}" for n in os.listdir(base.parent) if MARK in n}
            | {f"/tmp/{n}" for n in os.listdir("/tmp") if MARK in n}}


def put(target, key: str, data: bytes = b"x"):
    path = f"/{B}/" + urllib.parse.quote(key, safe="/~")
    return ask(target.endpoint, Call(target.endpoint, "PUT", path, body=data).sign().wire())


def test_keys_are_stored_as_they_are(target):
    before = files(target.server)
    large = b"y" * 200_000  # Striped.
    for key in KEYS:
        for data in (key.encode(), key.encode() + large):
            answer = put(target, key, data)
            assert answer.status == 200, (key, answer)
            path = f"/{B}/" + urllib.parse.quote(key, safe="/~")
            got = ask(target.endpoint, Call(target.endpoint, "GET", path).sign().wire())
            assert (got.status, got.body) == (200, data), key
    s3 = s3_client(target.endpoint)
    listed = [row["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=B, EncodingType="url")
              for row in page.get("Contents", [])]
    assert {urllib.parse.unquote(key) for key in listed} == {*KEYS, "k"}
    after = files(target.server)
    assert after["beside"] == before["beside"]
    assert not [name for name in after["inside"] if MARK in name], "a key became a file name"
    for key in KEYS:
        path = f"/{B}/" + urllib.parse.quote(key, safe="/~")
        assert ask(target.endpoint, Call(target.endpoint, "DELETE", path).sign().wire()).status == 204


def test_a_nul_is_no_letter_of_a_path(target):
    """%00: refused, or stored with all that follows it."""
    data = Call(target.endpoint, "PUT", f"/{B}/a%00b", body=b"x").sign().wire()
    answer = ask(target.endpoint, data)
    if answer.status == 200:
        short = ask(target.endpoint, Call(target.endpoint, "GET", f"/{B}/a").sign().wire())
        assert short.status == 404, "the key ends at the NUL"
        assert ask(target.endpoint, Call(target.endpoint, "DELETE", f"/{B}/a%00b").sign().wire()).status == 204
    else:
        assert answer.status == 400, answer


@pytest.mark.parametrize("name", REFUSED)
def test_keys_that_are_none(target, name):
    routes = [route for route in target.routes if route["target"] == "object" and not route["answer"]]
    with target.watch.nothing_written():
        Volley(target).each_route(
            lambda r: request_of(r, target.endpoint, target.upload, key=REFUSED[name]).sign().wire(), (400,),
            ("InvalidURI", "KeyTooLongError"), routes)


BUCKETS = ["ab", "a" * 64, "UPPER", "under_score", "a..b", ".a.b", "a.b.", "-abc", "abc-", "a.-b", "192.168.5.4", "1.2.3.4444",
           "xn--abc", "sthree-abc", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3", "kura", "%2e%2e", "..%2f..", "...",
           "a%2fb%2fc", "a%5cb", "a%00b", "%e6%97%a5%e6%9c%ac", "a%20b", "a%0d%0ab", "~root", "$HOME"]


@pytest.mark.parametrize("bucket", BUCKETS)
def test_bucket_names_that_are_none(target, bucket):
    """Refused by every route of a bucket; on creation as a name, else at least as a bucket that is not there."""
    before = files(target.server)["beside"]
    create = [route for route in target.routes if route["name"] == "CreateBucket"]
    build = lambda r: request_of(r, target.endpoint, target.upload, bucket,
                                 body=b"").sign().wire()
    codes = ("InvalidBucketName", "InvalidURI", "NoSuchBucket", "MethodNotAllowed", "NotImplemented")
    with target.watch.nothing_written():
        # A slash in the path makes the rest a key.
        if "%2f" not in bucket:
            Volley(target).each_route(build, (400,), ("InvalidBucketName", "InvalidURI"), create)
        Volley(target).each_route(build, (400, 404, 405, 501), (*codes, "InvalidRequest", "MalformedXML"),
                                  [route for route in target.routes if route["target"] == "bucket"
                                   and route["name"] != "CreateBucket"])
    assert files(target.server)["beside"] == before
