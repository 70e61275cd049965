"""Requests made from the route table of the binary: a new route is attacked on the day it is added."""

import json
import subprocess

from server import BINARY
from wire import Call

B = "attacked"  # The bucket that is there, with the key "k" and an upload.

VALUES = {"partNumber": "1", "id": "x"}  # Of query parameters that need one.


def operations() -> list[dict]:
    done = subprocess.run([str(BINARY), "operations", "--json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["operations"]
    assert len(found) >= 80, "the route table has lost rows"
    return found


def name_of(route: dict) -> str:
    return " ".join([route["name"], route["method"], *route["query"]])


def path_of(route: dict, bucket: str = B, key: str = "k") -> str:
    return {"service": "/", "bucket": f"/{bucket}", "object": f"/{bucket}/{key}"}[route["target"]]


def query_of(route: dict, upload: str) -> list[tuple[str, str]]:
    pairs = []
    for element in route["query"]:
        name, _, value = element.partition("=")
        pairs.append((name, value or (upload if name == "uploadId" else VALUES.get(name, ""))))
    if route["name"].startswith("UploadPart"):
        pairs = list({"partNumber": "2", "uploadId": upload, **dict(pairs)}.items())
    return pairs


def headers_of(route: dict) -> dict[str, str]:
    return {name: f"{B}/k" for name in route["headers"]}


def request_of(route: dict, endpoint, upload: str, bucket: str = B, key: str = "k", **more) -> Call:
    """One request for the route, not yet signed. It would do what the operation does."""
    body = more.pop("body", b"x" if route["method"] in ("PUT", "POST") and not route["headers"] else b"")
    headers = {**headers_of(route), **more.pop("headers", {})}
    query = query_of(route, upload) + more.pop("query", [])
    return Call(endpoint, route["method"], path_of(route, bucket, key), query=query, headers=headers, body=body, **more)
