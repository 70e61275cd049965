"""Requests as bytes: signed by an independent SigV4, spoilt at will, sent over a plain socket.

Sources: AWS, "Signature calculations for the Authorization header" and "Authenticating requests: using
query parameters". Paths are given as they go over the wire.
"""

import dataclasses
import datetime
import hashlib
import re
import socket
import urllib.parse

from chunked import mac
from server import Endpoint

UNSIGNED = "UNSIGNED-PAYLOAD"


def stamp(offset_seconds: float = 0) -> str:
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_seconds)
    return now.strftime("%Y%m%dT%H%M%SZ")


def encode_query(pairs) -> str:
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")
    return "&".join(sorted(f"{quote(name)}={quote(value)}" for name, value in pairs))


@dataclasses.dataclass
class Call:
    """One request. Change a field before signing it, or the head after it."""

    endpoint: Endpoint
    method: str
    path: str
    query: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    access_key: str | None = None
    secret_key: str | None = None
    date: str = dataclasses.field(default_factory=stamp)
    scope_date: str | None = None
    region: str = "us-east-1"
    service: str = "s3"
    terminal: str = "aws4_request"
    payload: str | None = None  # x-amz-content-sha256, if not the body's.
    length: bool = True  # Whether content-length is sent.

    def __post_init__(self):
        self.access_key = self.access_key or self.endpoint.access_key
        self.secret_key = self.secret_key or self.endpoint.secret_key
        self.payload = self.payload or hashlib.sha256(self.body).hexdigest()
        self.headers = {"host": self.endpoint.host, **self.headers}
        if self.length and "content-length" not in self.headers:
            self.headers["content-length"] = str(len(self.body))

    @property
    def scope(self) -> str:
        return f"{self.scope_date or self.date[:8]}/{self.region}/{self.service}/{self.terminal}"

    def signature(self, names: list[str], query: str, payload: str) -> str:
        lines = "".join(f"{n}:{self.headers[n].strip()}\n" for n in names)
        # However a path is escaped, it is signed with S3's own escapes.
        path = urllib.parse.quote(urllib.parse.unquote_to_bytes(self.path), safe="/-_.~")
        canonical = f"{self.method}\n{path}\n{query}\n{lines}\n{';'.join(names)}\n{payload}"
        key = ("AWS4" + self.secret_key).encode()
        for word in self.scope.split("/"):
            key = mac(key, word)
        return mac(key, f"AWS4-HMAC-SHA256\n{self.date}\n{self.scope}\n"
                        f"{hashlib.sha256(canonical.encode()).hexdigest()}").hex()

    def sign(self) -> "Call":
        self.headers |= {"x-amz-date": self.date, "x-amz-content-sha256": self.payload}
        names = sorted(n for n in self.headers if n == "host" or n.startswith("x-amz-"))
        signature = self.signature(names, encode_query(self.query), self.payload)
        self.headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.access_key}/{self.scope},"
                                         f"SignedHeaders={';'.join(names)},Signature={signature}")
        return self

    def presign(self, expires: str = "600") -> "Call":
        names = sorted(n for n in self.headers if n == "host" or n.startswith("x-amz-"))
        self.query += [("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", f"{self.access_key}/{self.scope}"),
                       ("X-Amz-Date", self.date), ("X-Amz-Expires", expires), ("X-Amz-SignedHeaders", ";".join(names))]
        signature = self.signature(names, encode_query(self.query), UNSIGNED)
        self.query.append(("X-Amz-Signature", signature))
        return self

    def head(self) -> bytes:
        target = self.path + (f"?{encode_query(self.query)}" if self.query else "")
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{self.method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

    def wire(self) -> bytes:
        return self.head() + self.body


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The S3 code of an error document; empty if there is none."""
        found = re.search(rb"<Error>.*?<Code>(\w+)</Code>", self.body, re.S)
        return found.group(1).decode() if found else ""


class Wire:
    """One connection, read answer by answer."""

    def __init__(self, endpoint: Endpoint, timeout: float = 20):
        host, port = endpoint.host.split(":")
        self.link = socket.create_connection((host, int(port)), timeout)
        self.ahead = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def send(self, data: bytes):
        self.link.sendall(data)

    def more(self) -> bool:
        got = self.link.recv(65536)
        self.ahead += got
        return bool(got)

    def answer(self, head_request: bool = False) -> Answer:
        """The next one, 100 Continue included. Fails when the connection ends before it is whole."""
        while b"\r\n\r\n" not in self.ahead:
            assert self.more(), f"closed after {self.ahead!r}"
        head, self.ahead = self.ahead.split(b"\r\n\r\n", 1)
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, v in (line.split(":", 1) for line in lines)}
        number = int(status.split(" ")[1])
        length = 0 if head_request or number in (100, 204, 304) else int(headers["content-length"])
        while len(self.ahead) < length:
            assert self.more(), "closed within a body"
        body, self.ahead = self.ahead[:length], self.ahead[length:]
        return Answer(number, headers, body)

    def closed(self) -> bool:
        """Whether the server ends the connection without a further byte."""
        try:
            return not self.ahead and not self.more()
        except ConnectionResetError:
            return True


def ask(endpoint: Endpoint, data: bytes, half_close: bool = False) -> Answer:
    """Sends bytes on a connection of their own. Returns the first final answer."""
    with Wire(endpoint) as wire:
        try:
            wire.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It answered before it had read all.
        if half_close:
            wire.link.shutdown(socket.SHUT_WR)
        answer = wire.answer()
        return wire.answer() if answer.status == 100 else answer
