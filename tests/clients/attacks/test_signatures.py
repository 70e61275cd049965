"""Made-up signatures, identities without proof, other schemes: every route, every way to sign (classes 1, 2, 6, 7)."""

import base64
import re
import secrets

import pytest

from chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER
from routes import B, request_of
from volley import Volley
from wire import UNSIGNED, stamp

pytestmark = pytest.mark.kura

FORMS = [None, UNSIGNED, SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]
REFUSED = (400, 403)


def made_up(request: bytes) -> bytes:
    """Another signature of the right form."""
    return re.sub(rb"(Signature=)[0-9a-f]{64}", lambda m: m[1] + secrets.token_hex(32).encode(), request)


def signed(target, route, form, presigned, **more):
    headers = {"x-amz-decoded-content-length": "1"} if form and form.startswith("STREAMING") else {}
    query = [("X-Amz-Content-Sha256", form)] if form and presigned else []
    call = request_of(route, target.endpoint, target.upload, payload=form, query=query, **{"headers": headers, **more})
    return call.presign() if presigned else call.sign()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["header", "query"])
def test_a_made_up_signature(target, where, form):
    with target.watch.nothing_written():
        Volley(target).each_route(lambda r: made_up(signed(target, r, form, where == "query").wire()), (403,),
                                  ("SignatureDoesNotMatch",))


@pytest.mark.parametrize("where", ["header", "query"])
def test_a_key_that_nobody_has(target, where):
    with target.watch.nothing_written():
        Volley(target).each_route(
            lambda r: signed(target, r, None, where == "query", access_key="AKIAIOSFODNN7EXAMPLE").wire(), (403,),
            ("InvalidAccessKeyId",))


def test_a_signature_in_a_form(target):
    """PostObject's own place for a signature."""
    policy = base64.b64encode(b'{"expiration":"2099-01-01T00:00:00Z","conditions":[]}').decode()
    fields = {"key": "k", "policy": policy, "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": stamp(),
              "x-amz-credential": f"{target.endpoint.access_key}/{stamp()[:8]}/us-east-1/s3/aws4_request",
              "x-amz-signature": secrets.token_hex(32), "file": "x"}
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items())
    target.watch.used(fields["x-amz-signature"])

    def build(route):
        if route["method"] != "POST":
            return None
        call = request_of(route, target.endpoint, target.upload, body=(parts + "--b--\r\n").encode(),
                          headers={"content-type": "multipart/form-data; boundary=b"})
        return call.wire()

    with target.watch.nothing_written():
        Volley(target).each_route(build, (403,), ("AccessDenied", "SignatureDoesNotMatch"))


def other_request(target, route):
    """The signature of one request on another: the method, path, query or body changed after it."""
    whole = signed(target, route, None, False).wire()
    method = route["method"].encode()
    other = b"DELETE" if method != b"DELETE" else b"PUT"
    return [re.sub(rb"^\w+", other, whole, count=1), re.sub(rb"^(\w+ /[^? ]*)", rb"\1x", whole, count=1),
            re.sub(rb"^(\w+ [^ ]*)", lambda m: m[1] + (b"&" if b"?" in m[1] else b"?") + b"versionId=null", whole, count=1)]


@pytest.mark.parametrize("change", ["method", "path", "query"])
def test_a_signature_for_another_request(target, change):
    n = ["method", "path", "query"].index(change)
    with target.watch.nothing_written():
        Volley(target).each_route(lambda r: other_request(target, r)[n], (403,), ("SignatureDoesNotMatch",))


# Identity from one place, proof from another. CVE-2026-40344, CVE-2026-41145, CVE-2020-11012.
def query_names_root(target, route):
    call = request_of(route, target.endpoint, target.upload, payload=UNSIGNED_TRAILER,
                      query=[("X-Amz-Credential", f"{target.endpoint.access_key}/{stamp()[:8]}/us-east-1/s3/aws4_request")],
                      headers={"x-amz-content-sha256": UNSIGNED_TRAILER, "x-amz-decoded-content-length": "1"})
    return call.wire()


def header_and_query(target, route):
    return signed(target, route, None, True).sign().wire()


def two_headers(target, route):
    call = signed(target, route, None, False)
    call.headers["Authorization"] = call.headers["authorization"].replace("Signature=", "Signature=0")
    return call.wire()


def credential_twice(target, route):
    whole = signed(target, route, None, True).wire()
    return re.sub(rb"(X-Amz-Credential=[^&]+)", rb"\1&\1", whole, count=1)


def header_of_a_query(target, route):
    """Everything of a presigned URL as headers, where nothing proves it."""
    call = request_of(route, target.endpoint, target.upload).presign()
    call.headers |= {name.lower(): value for name, value in call.query[-6:]}
    call.query = call.query[:-6]
    return call.wire()


def no_signature(target, route):
    return re.sub(rb",Signature=\w+", b"", signed(target, route, None, False).wire())


def empty_signature(target, route):
    return re.sub(rb"Signature=\w+", b"Signature=", signed(target, route, None, False).wire())


def no_signed_headers(target, route):
    """The host is not covered, so the request would do for any host."""
    return re.sub(rb"SignedHeaders=[^,]+", b"SignedHeaders=x-amz-date", signed(target, route, None, False).wire())


@pytest.mark.parametrize("attack", [query_names_root, header_and_query, two_headers, credential_twice, header_of_a_query,
                                    no_signature, empty_signature, no_signed_headers])
def test_identity_without_its_proof(target, attack):
    with target.watch.nothing_written():
        Volley(target).each_route(lambda r: attack(target, r), REFUSED, (
            "AccessDenied", "InvalidArgument", "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError",
            "SignatureDoesNotMatch"))


# When. (Name: what is signed, the codes.)
TIMES = {
    "sixteen_minutes_ago": (dict(date=-960), False, "RequestTimeTooSkewed"),
    "in_sixteen_minutes": (dict(date=960), False, "RequestTimeTooSkewed"),
    "a_scope_of_another_day": (dict(scope_date="20200101"), False, "AuthorizationHeaderMalformed"),
    "a_scope_of_another_service": (dict(service="sts"), False, "AuthorizationHeaderMalformed"),
    "a_scope_of_another_end": (dict(terminal="aws4"), False, "AuthorizationHeaderMalformed"),
    "expired_by_a_second": (dict(date=-61, expires="60"), True, "AccessDenied"),
    "not_yet": (dict(date=960), True, "AccessDenied"),
    "of_no_time": (dict(expires="0"), True, "AuthorizationQueryParametersError"),
    "of_negative_time": (dict(expires="-1"), True, "AuthorizationQueryParametersError"),
    "of_a_week_and_a_second": (dict(expires="604801"), True, "AuthorizationQueryParametersError"),
    "of_more_than_64_bits": (dict(expires=str(1 << 70)), True, "AuthorizationQueryParametersError"),
    "of_a_wrapped_32_bits": (dict(expires=str((1 << 32) + 60)), True, "AuthorizationQueryParametersError"),
    "presigned_scope_of_another_day": (dict(scope_date="20200101"), True, "AuthorizationQueryParametersError"),
    "presigned_scope_of_another_service": (dict(service="ec2"), True, "AuthorizationQueryParametersError"),
}


@pytest.mark.parametrize("name", TIMES)
def test_at_another_time(target, name):
    fields, presigned, code = TIMES[name]

    def build(route):
        more = {**fields, "date": stamp(fields.get("date", 0))}
        expires = more.pop("expires", "600")
        call = request_of(route, target.endpoint, target.upload, **more)
        return (call.presign(expires) if presigned else call.sign()).wire()

    with target.watch.nothing_written():
        Volley(target).each_route(build, (403,) if code in ("AccessDenied", "RequestTimeTooSkewed") else (400,), (code,))


# Other schemes.
def with_authorization(target, route, value):
    call = signed(target, route, None, False)
    call.headers["authorization"] = value
    return call.wire()


V2 = lambda e: [("AWSAccessKeyId", e.access_key), ("Expires", "2000000000"), ("Signature", "c2lnbmF0dXJlIHYyIG1hZGUgdXA=")]
SCHEMES = {
    "version_2": lambda t, r: with_authorization(t, r, f"AWS {t.endpoint.access_key}:c2lnbmF0dXJlIHYyIG1hZGUgdXA="),
    "version_2_in_a_query": lambda t, r: request_of(r, t.endpoint, t.upload, query=V2(t.endpoint)).wire(),
    "basic": lambda t, r: with_authorization(t, r, "Basic " + base64.b64encode(
        f"{t.endpoint.access_key}:{t.endpoint.secret_key}".encode()).decode()),
    "bearer": lambda t, r: with_authorization(t, r, "Bearer " + t.endpoint.secret_key),
    "the_secret_itself": lambda t, r: with_authorization(t, r, t.endpoint.secret_key),
    "an_empty_header": lambda t, r: with_authorization(t, r, ""),
    "a_session_token": lambda t, r: request_of(r, t.endpoint, t.upload, headers={
        "x-amz-security-token": "FwoGZXIvYXdzEtoken"}).sign().wire(),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_another_scheme(target, name):
    target.watch.used("c2lnbmF0dXJlIHYyIG1hZGUgdXA=", "FwoGZXIvYXdzEtoken")
    with target.watch.nothing_written():
        Volley(target).each_route(lambda r: SCHEMES[name](target, r), REFUSED,
                                  ("InvalidRequest", "InvalidArgument", "AccessDenied", "InvalidToken"))
