"""Writes botocore_vectors.txt: random S3 requests as botocore signs and sends them.

    python -m venv v && v/bin/pip install botocore && v/bin/python botocore_vectors.py > botocore_vectors.txt

Each record is a block of lines: method, target (as on the wire), header lines, an empty line. The key
is AKIDEXAMPLE / SECRET+EXAMPLE/KEY, the time 2026-01-02T03:04:05Z.
"""

import datetime
import random
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.compat
import botocore.credentials

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)


def fixed_now(*args, **kwargs):
    return NOW


for name in ("get_current_datetime",):
    if hasattr(botocore.auth, name):
        setattr(botocore.auth, name, fixed_now)

ALPHABET = "abcXYZ019-._~ !*'();:@&=+$,?#[]%^|\\\"<>{}`é€😀/"


def text(rng, longest):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randint(0, longest)))


def record(rng, presigned):
    key = urllib.parse.quote(text(rng, 20).lstrip("/"), safe="/~")
    params = {text(rng, 6) or "acl": text(rng, 10) for _ in range(rng.randint(0, 3))}
    headers = {}
    for i in range(rng.randint(0, 3)):
        value = "".join(rng.choice("ab \t,;=") for _ in range(rng.randint(0, 12))).strip()
        headers[f"x-amz-meta-{i}"] = value
    if rng.random() < 0.5:
        headers["Content-Type"] = "text/plain;  charset=utf-8"
    host = rng.choice(["localhost:9000", "bucket.s3.example.com", "127.0.0.1:80"])
    method = rng.choice(["GET", "PUT", "DELETE", "HEAD", "POST"])
    request = botocore.awsrequest.AWSRequest(
        method=method, url=f"http://{host}/bucket/{key}", headers=headers, params=params,
        data=b"" if presigned or method in ("GET", "HEAD") else text(rng, 30).encode())
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "SECRET+EXAMPLE/KEY")
    if presigned:
        auth = botocore.auth.S3SigV4QueryAuth(credentials, "s3", "eu-central-1", expires=900)
    else:
        auth = botocore.auth.S3SigV4Auth(credentials, "s3", "eu-central-1")
    auth.add_auth(request)
    sent = request.prepare()
    parts = urllib.parse.urlsplit(sent.url)
    print(sent.method)
    print(parts.path + ("?" + parts.query if parts.query else ""))
    # botocore leaves Host to the HTTP library, which omits the scheme's own port.
    print("host:" + parts.netloc.removesuffix(":80"))
    for name, value in sent.headers.items():
        if name.lower() != "host":
            print(f"{name.lower()}:{value.decode() if isinstance(value, bytes) else value}")
    print()


rng = random.Random(7)
for i in range(200):
    record(rng, i % 2 == 1)
