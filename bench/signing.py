"""S3 requests as bytes, signed ahead of time (SigV4 in headers) so that sending one costs little."""

import datetime
import hashlib
import hmac
import urllib.parse

REGION = "us-east-1"
UNSIGNED = "UNSIGNED-PAYLOAD"


def mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


class Signer:
    """Signatures are good for 15 minutes: sign each round anew."""

    def __init__(self, host: str, access_key: str, secret_key: str):
        self.host, self.access_key = host, access_key
        now = datetime.datetime.now(datetime.timezone.utc)
        self.time = now.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.time[:8]}/{REGION}/s3/aws4_request"
        self.key = f"AWS4{secret_key}".encode()
        for part in self.scope.split("/"):
            self.key = mac(self.key, part)

    def request(self, method: str, path: str, query: dict[str, str] | None = None, body: bytes | None = None,
                payload: str = UNSIGNED) -> bytes:
        """The head. `payload` is the body's SHA-256 in hex, or UNSIGNED."""
        fields = "&".join(f"{urllib.parse.quote(k, safe='')}={urllib.parse.quote(v, safe='')}"
                          for k, v in sorted((query or {}).items()))
        names = "host;x-amz-content-sha256;x-amz-date"
        canonical = (f"{method}\n{path}\n{fields}\nhost:{self.host}\nx-amz-content-sha256:{payload}\n"
                     f"x-amz-date:{self.time}\n\n{names}\n{payload}")
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signature = mac(self.key, f"AWS4-HMAC-SHA256\n{self.time}\n{self.scope}\n{digest}").hex()
        length = f"content-length: {len(body)}\r\n" if body is not None else ""
        return (f"{method} {path}{'?' if fields else ''}{fields} HTTP/1.1\r\nhost: {self.host}\r\n"
                f"x-amz-content-sha256: {payload}\r\nx-amz-date: {self.time}\r\n{length}"
                f"authorization: AWS4-HMAC-SHA256 Credential={self.access_key}/{self.scope}, "
                f"SignedHeaders={names}, Signature={signature}\r\n\r\n").encode()
