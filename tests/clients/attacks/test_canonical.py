"""Random requests signed by botocore: every one is understood, and no other request passes for it (class 5)."""

import random
import urllib.parse

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from routes import B, path_of, query_of
from wire import Call, Wire, ask

pytestmark = pytest.mark.kura

FEW, MANY = 4_000, 400_000
BATCH = 20
LETTERS = "abcXYZ019-_.~ +%/?#&=:;,@!$'()*[]{}|\\^`<>\"\t\u00fc\u65e5\U0001f4e6\u0301"
VALUES = "abc  d\t~,;=\"' \u00fc"


class Chance(random.Random):
    def text(self, letters: str, most: int) -> str:
        return "".join(self.choice(letters) for _ in range(self.randrange(most)))

    def quoted(self, text: str) -> str:
        """Escaped with S3's own escapes, but for what some clients leave as it is."""
        return urllib.parse.quote(text, safe="/" + self.choice(["~", "-_.~"]))


def random_request(chance: Chance, target) -> AWSRequest:
    route = chance.choice(target.routes)
    # Keys that are not there: whatever is asked changes nothing, but for plain writes.
    if route["access"] == "write" and not route["answer"]:
        route = {**route, "method": "GET", "query": []}
    path = path_of(route, B, "")
    if route["target"] == "object":
        path += chance.quoted("x" + chance.text(LETTERS, 30))
    pairs = [(name, value) for name, value in query_of(route, target.upload)]
    pairs += [("x-" + chance.text(LETTERS, 8), chance.text(LETTERS, 12)) for _ in range(chance.randrange(4))]
    pairs += chance.choice([[], [], pairs[-1:]])  # The same name twice.
    chance.shuffle(pairs)
    query = "&".join(f"{urllib.parse.quote(n, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}" for n, v in pairs)
    headers = {f"x-amz-meta-{chance.text('abc-', 8)}z": " ".join(chance.text(VALUES, 20).split("\r\n"))
               for _ in range(chance.randrange(3))}
    if chance.random() < 0.3:
        headers["content-type"] = chance.choice(["text/plain", "text/plain;  charset=utf-8", "a/b ; c=d"])
    url = f"http://{target.endpoint.host}{path}" + (f"?{query}" if query else "")
    return AWSRequest(method=route["method"], url=url, headers=headers)


def sign(chance: Chance, target, request: AWSRequest):
    keys = Credentials(target.endpoint.access_key, target.endpoint.secret_key)
    if chance.random() < 0.25:
        request.headers = {}
        S3SigV4QueryAuth(keys, "s3", "us-east-1", expires=600).add_auth(request)
    else:
        S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)


def wire_form(chance: Chance, request: AWSRequest, host: str) -> bytes:
    """As some client or proxy might send what was signed: header order and letter case are free."""
    parts = urllib.parse.urlsplit(request.url)
    lines = [("Host", host), *request.headers.items()]
    chance.shuffle(lines)
    head = "".join(f"{chance.choice([str.lower, str.title, str])(n)}: {v}\r\n" for n, v in lines)
    goal = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{request.method} {goal} HTTP/1.1\r\n{head}\r\n".encode()


def changes(data: bytes) -> list[bytes]:
    """Other requests with the same signature."""
    head, rest = data.split(b" HTTP/1.1\r\n", 1)
    method, goal = head.split(b" ", 1)
    path, _, query = goal.partition(b"?")
    again = lambda m, p, q: m + b" " + p + (b"?" + q if q else b"") + b" HTTP/1.1\r\n" + rest
    more = query + b"&" if query else b""
    out = [again(method, path + b"y", query), again(method, path + b"%20", query), again(method, path + b"/", query),
           again(method, path, more + b"zz="), again(method, path, more + b"zz=1"),
           again({b"GET": b"HEAD", b"HEAD": b"GET"}.get(method, b"GET"), path, query)]
    if b"%2B" in path:
        out.append(again(method, path.replace(b"%2B", b"%20", 1), query))
    if b"%25" in path:
        out.append(again(method, path.replace(b"%25", b"%2525", 1), query))
    return out


def exchange(target, wire, batch: list[tuple[bytes, bool]]):
    wire.send(b"".join(data for data, _ in batch))
    return [wire.answer(head_request=is_head) for _, is_head in batch]


@pytest.mark.timeout(3600)
def test_botocores_signatures(target, full):
    count, chance = (MANY if full else FEW), Chance(20)
    refused, passed, sent, spoilt = [], [], 0, 0
    with target.watch.nothing_written(), Wire(target.endpoint, timeout=60) as wire:
        while sent < count:
            batch = []
            for _ in range(BATCH):
                request = random_request(chance, target)
                sign(chance, target, request)
                batch.append(wire_form(chance, request, target.endpoint.host))
            is_head = lambda data: data.startswith(b"HEAD")
            for data, answer in zip(batch, exchange(target, wire, [(d, is_head(d)) for d in batch])):
                if answer.status == 403 or answer.code == "InvalidURI":
                    refused.append((data, answer.code, answer.body))
            sent += len(batch)
            others = [(other, is_head(other)) for data in batch for other in chance.sample(changes(data), 2)]
            for (data, _), answer in zip(others, exchange(target, wire, others)):
                if answer.status != 403:
                    passed.append((data, answer.status, answer.code))
            spoilt += len(others)
    assert not refused, f"{len(refused)} of {sent} refused: {refused[0][0]}\n{refused[0][2].decode()}"
    assert not passed, f"{len(passed)} of {spoilt} changed requests passed: {passed[0]}"


# What AWS and every SDK agree on, by hand: (what is sent, what was signed), both of the path and query.
SAME = {
    "a space": ("/{b}/a%20b", "/{b}/a%20b"), "an escaped letter": ("/{b}/%61", "/{b}/a"),
    "escapes in lower case": ("/{b}/%c3%bc", "/{b}/%C3%BC"), "an escaped tilde": ("/{b}/%7E", "/{b}/~"),
    "two slashes": ("/{b}//a", "/{b}//a"), "dots": ("/{b}/../a", "/{b}/../a"),
    "a plus": ("/{b}/a+b", "/{b}/a%2Bb"), "a name without value": ("/{b}?x-a", "/{b}?x-a="),
    "parameters out of order": ("/{b}?x-b=1&x-a=2", "/{b}?x-a=2&x-b=1"),
    "an empty parameter": ("/{b}?&x-a=1", "/{b}?x-a=1"), "an equals sign": ("/{b}?x-a=b=c", "/{b}?x-a=b%3Dc"),
}
OTHER = {
    "a plus for a space": ("/{b}/a+b", "/{b}/a%20b"), "an escape escaped": ("/{b}/a%2520b", "/{b}/a%20b"),
    "dots resolved": ("/{b}/a", "/{b}/x/../a"), "slashes joined": ("/{b}/a", "/{b}//a"),
    "a capital letter": ("/{b}/A", "/{b}/a"), "another value": ("/{b}?x-a=1", "/{b}?x-a=2"),
}


@pytest.mark.parametrize("name", [*SAME, *OTHER])
def test_forms_of_one_request(target, name):
    sent, signed = (form.replace("{b}", B) for form in {**SAME, **OTHER}[name])
    path, _, query = signed.partition("?")
    call = Call(target.endpoint, "GET", path, query=urllib.parse.parse_qsl(query, keep_blank_values=True)).sign()
    first, rest = call.wire().split(b"\r\n", 1)
    answer = ask(target.endpoint, f"GET {sent} HTTP/1.1\r\n".encode() + rest)
    assert (answer.code == "SignatureDoesNotMatch") == (name in OTHER), answer
    assert answer.code in ("SignatureDoesNotMatch", "NoSuchKey", "") and answer.status < 500
