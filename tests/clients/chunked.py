"""An independent SigV4 signer for the aws-chunked forms that boto3 never sends by itself.

Sources: AWS, "Signature calculations for the Authorization header: transferring payload in multiple
chunks", and its chapter on trailing headers.
"""

import base64
import dataclasses
import datetime
import hashlib
import hmac
import http.client
import ssl
import urllib.parse

from server import Endpoint

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = hashlib.sha256(b"").hexdigest()


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclasses.dataclass
class Upload:
    """One PUT in chunks. Fields may be spoilt between building and sending it."""

    endpoint: Endpoint
    bucket: str
    key: str
    mode: str
    chunks: list[bytes]
    trailer: tuple[str, str] | None = None  # Name and value, sent after the last chunk.
    declared: int | None = None  # x-amz-decoded-content-length, if not the truth.
    query: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.date = now.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.date[:8]}/us-east-1/s3/aws4_request"
        key = ("AWS4" + self.endpoint.secret_key).encode()
        for word in (self.date[:8], "us-east-1", "s3", "aws4_request"):
            key = mac(key, word)
        self.signing_key = key
        self.path = "/" + urllib.parse.quote(f"{self.bucket}/{self.key}", safe="/-_.~")
        decoded = sum(map(len, self.chunks)) if self.declared is None else self.declared
        self.headers = {"host": self.endpoint.host, "x-amz-date": self.date, "x-amz-content-sha256": self.mode,
                        "x-amz-decoded-content-length": str(decoded), "content-encoding": "aws-chunked"}
        if self.trailer:
            self.headers["x-amz-trailer"] = self.trailer[0]
        names = ";".join(sorted(self.headers))
        lines = "".join(f"{n}:{self.headers[n]}\n" for n in sorted(self.headers))
        query = urllib.parse.urlencode(sorted(self.query), quote_via=urllib.parse.quote, safe="-_.~")
        self.target = self.path + (f"?{query}" if query else "")
        request = f"PUT\n{self.path}\n{query}\n{lines}\n{names}\n{self.mode}"
        self.seed = self.sign(f"AWS4-HMAC-SHA256\n{self.date}\n{self.scope}\n{hashlib.sha256(request.encode()).hexdigest()}")
        self.headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.endpoint.access_key}/{self.scope},"
                                         f"SignedHeaders={names},Signature={self.seed}")
        self.frames = self.build()

    def sign(self, text: str) -> str:
        return mac(self.signing_key, text).hex()

    def build(self) -> list[bytes]:
        """The framed chunks, one each, then the ending with the trailer."""
        frames, previous = [], self.seed
        for chunk in [*self.chunks, b""]:
            extension = ""
            if self.mode != UNSIGNED_TRAILER:
                previous = self.sign(f"AWS4-HMAC-SHA256-PAYLOAD\n{self.date}\n{self.scope}\n{previous}\n{EMPTY}\n"
                                     f"{hashlib.sha256(chunk).hexdigest()}")
                extension = f";chunk-signature={previous}"
            frames.append(f"{len(chunk):x}{extension}\r\n".encode() + chunk + (b"\r\n" if chunk else b""))
        ending = ""
        if self.trailer:
            name, value = self.trailer
            ending = f"{name}:{value}\r\n"
            if self.mode == SIGNED_TRAILER:
                hashed = hashlib.sha256(f"{name}:{value}\n".encode()).hexdigest()
                signature = self.sign(f"AWS4-HMAC-SHA256-TRAILER\n{self.date}\n{self.scope}\n{previous}\n{hashed}")
                ending += f"x-amz-trailer-signature:{signature}\r\n"
        frames.append(ending.encode() + b"\r\n")
        return frames

    def send(self) -> tuple[int, str]:
        """Status and body of the answer."""
        data = b"".join(self.frames)
        if self.endpoint.ca:
            link = http.client.HTTPSConnection(self.endpoint.host, timeout=30,
                                               context=ssl.create_default_context(cafile=self.endpoint.ca))
        else:
            link = http.client.HTTPConnection(self.endpoint.host, timeout=30)
        try:
            link.request("PUT", self.target, body=data, headers=self.headers)
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()


def encode(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
