"""S3 over one plain connection, without retries: what is asked once happens at most once."""

import base64
import hashlib
import json
import random
import time
import xml.etree.ElementTree as ET

from wire import UNSIGNED, Answer, Call, Wire

UNAVAILABLE = {500, 503, 507}  # Not now: neither an acknowledgement nor a fault.
UNAVAILABLE_CODES = {"InternalError", "ServiceUnavailable", "SlowDown"}  # Of one key of several, or of a late end.
BLOCK = random.Random(7).randbytes(8 << 20)


class Gone(Exception):
    """No answer: the call may have happened, or may not."""


class Refused(Exception):
    def __init__(self, answer: Answer):
        super().__init__(f"{answer.status} {answer.code} {answer.body[:200]!r}")
        self.status, self.code = answer.status, answer.code
        self.not_now = answer.status in UNAVAILABLE or answer.status == 200 and answer.code in UNAVAILABLE_CODES


def content(name: str, size: int) -> bytes:
    """Bytes that no other name has, pieces of at least 16 bytes included."""
    digest = hashlib.sha256(name.encode()).digest()
    at = int.from_bytes(digest[16:20], "big") % (len(BLOCK) - size) if size < len(BLOCK) else 0
    return (digest[:16] + BLOCK[at:at + size])[:size]


def value_of(data: bytes, etag: str | None = None) -> dict:
    """What the ledger says of a body."""
    return {"etag": etag or hashlib.md5(data).hexdigest(), "sha": hashlib.sha256(data).hexdigest(), "size": len(data)}


def multipart_etag(etags: list[str]) -> str:
    return hashlib.md5(b"".join(map(bytes.fromhex, etags))).hexdigest() + f"-{len(etags)}"


def rows(document: bytes, element: str) -> list[dict[str, str]]:
    """The children's texts of every such element."""
    plain = lambda tag: tag.split("}")[-1]
    return [{plain(child.tag): child.text or "" for child in node}
            for node in ET.fromstring(document).iter() if plain(node.tag) == element]


class S3Calls:
    """`patience_s`: calls that the store says it cannot answer now are repeated for so long; for reads."""

    def __init__(self, endpoint, timeout: float = 20, patience_s: float = 0):
        self.endpoint, self.timeout, self.patience_s = endpoint, timeout, patience_s
        self.wire = None

    def close(self):
        if self.wire:
            self.wire.link.close()
        self.wire = None

    def ask(self, *arguments, **options) -> Answer:
        """Any answer. Raises Gone."""
        deadline = time.monotonic() + self.patience_s
        while True:
            answer = self.ask_once(*arguments, **options)
            if answer.status not in UNAVAILABLE or time.monotonic() >= deadline:
                return answer
            time.sleep(0.1)

    def ask_once(self, method: str, path: str, query=(), body: bytes = b"", headers=None) -> Answer:
        call = Call(self.endpoint, method, path, list(query), dict(headers or {}), body, payload=UNSIGNED).sign()
        try:
            if self.wire is None:
                self.wire = Wire(self.endpoint, self.timeout)
            self.wire.send(call.wire())
            answer = self.wire.answer(head_request=method == "HEAD")
        except (OSError, AssertionError) as error:
            self.close()
            raise Gone(f"{method} {path}: {error}") from error
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def call(self, *arguments, **options) -> Answer:
        """An answer of success. Raises Gone and Refused."""
        answer = self.ask(*arguments, **options)
        if answer.status // 100 != 2:
            raise Refused(answer)
        return answer

    def delete_many(self, bucket: str, keys: list[str]):
        body = b"<Delete>" + b"".join(b"<Object><Key>%s</Key></Object>" % k.encode() for k in keys) + b"</Delete>"
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        answer = self.call("POST", f"/{bucket}", [("delete", "")], body, {"content-md5": md5})
        if len(rows(answer.body, "Deleted")) != len(keys):
            raise Refused(answer)

    def complete(self, path: str, upload: str, etags: dict[str, str]) -> Answer:
        parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in sorted(etags.items()))
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self.call("POST", path, [("uploadId", upload)], body)
        if b"<Error>" in answer.body:
            raise Refused(answer)
        return answer

    def listing(self, bucket: str, page: int = 1000) -> dict[str, dict]:
        """Key -> etag and size, by ListObjectsV2, page after page."""
        found, token = {}, None
        while True:
            query = [("list-type", "2"), ("max-keys", str(page))] + ([("continuation-token", token)] if token else [])
            answer = self.call("GET", f"/{bucket}", query)
            for row in rows(answer.body, "Contents"):
                assert row["Key"] not in found, f"{row['Key']} is listed twice"
                found[row["Key"]] = {"etag": row["ETag"].strip('"'), "size": int(row["Size"])}
            token = rows(answer.body, "ListBucketResult")[0].get("NextContinuationToken")
            if not token:
                return found

    def uploads(self, bucket: str) -> dict[str, str]:
        """Upload id -> key."""
        answer = self.call("GET", f"/{bucket}", [("uploads", ""), ("max-uploads", "1000")])
        return {row["UploadId"]: row["Key"] for row in rows(answer.body, "Upload")}

    def parts(self, path: str, upload: str) -> dict[str, dict]:
        answer = self.call("GET", path, [("uploadId", upload)])
        return {row["PartNumber"]: {"etag": row["ETag"].strip('"'), "size": int(row["Size"])}
                for row in rows(answer.body, "Part")}

    def admin(self, method: str, path: str, fields: dict | None = None) -> dict:
        body = json.dumps(fields).encode() if fields else b""
        return json.loads(self.call(method, f"/kura/admin/v1/{path}", body=body).body or b"{}")
