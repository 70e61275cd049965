"""No key that everybody knows ever works, and a server without keys does not start (class 49)."""

import itertools
import subprocess

import pytest

from routes import request_of
from server import BINARY, Server
from volley import Volley
from wire import Call, ask

pytestmark = pytest.mark.kura

KNOWN = [("minioadmin", "minioadmin"), ("minio", "minio123"), ("rustfsadmin", "rustfsadmin"), ("admin", "password"),
         ("admin", "admin"), ("root", "root"), ("kura", "kura"), ("kuraadmin", "kuraadmin"), ("kura-root", "kura-root"),
         ("test", "test"), ("testing", "testing"), ("access", "secret"), ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
         ("Q3AM3UQ867SPQQA43P2F", "zuf+tfteSlswRu7BJ86wekitnifILbZam1KYY3TG"), ("cephadmin", "cephadmin"), ("GK", "garage"),
         ("any", "any"), ("x", "x"), ("null", "null"), ("undefined", "undefined")]


@pytest.mark.parametrize("access,secret", KNOWN)
def test_a_known_pair_opens_nothing(target, access, secret):
    with target.watch.nothing_written():
        Volley(target).each_route(
            lambda r: request_of(r, target.endpoint, target.upload, access_key=access, secret_key=secret).sign().wire(),
            (403,), ("InvalidAccessKeyId",))
        admin = Call(target.endpoint, "GET", "/kura/admin/v1/status", access_key=access, secret_key=secret)
        assert ask(target.endpoint, admin.sign().wire()).status == 403


def test_the_root_key_without_its_secret(target):
    """Empty, its own name, and each known one: the key is there, the proof is not."""
    root = target.endpoint.access_key
    for secret in ["\0", " ", root, *(s for _, s in KNOWN)]:
        answer = ask(target.endpoint, Call(target.endpoint, "GET", "/", secret_key=secret).sign().wire())
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), secret


@pytest.mark.parametrize("given", [{}, {"KURA_ROOT_ACCESS_KEY": "someone"}, {"KURA_ROOT_SECRET_KEY": "long enough a secret"},
                                   {"KURA_ROOT_ACCESS_KEY": "", "KURA_ROOT_SECRET_KEY": ""},
                                   {"KURA_ROOT_ACCESS_KEY": "someone", "KURA_ROOT_SECRET_KEY": "short"}])
def test_no_start_without_keys(tmp_path, given):
    server = Server([tmp_path / "d1"], tmp_path / "log")
    server.drives[0].mkdir()
    environment = {k: v for k, v in server.environment().items() if not k.startswith("KURA_ROOT_")}
    done = subprocess.run(server.command(), env={**environment, **given}, capture_output=True, text=True, timeout=30)
    assert done.returncode == 9, done
    assert "KURA_ROOT_ACCESS_KEY" in done.stderr or "KURA_ROOT_SECRET_KEY" in done.stderr
    assert not any(value and value in done.stderr for name, value in given.items() if "SECRET" in name), "it tells the secret"
    assert not list(server.drives[0].iterdir()), "it began a cluster"


def test_the_binary_holds_no_pair():
    data = BINARY.read_bytes()
    held = [pair for pair in itertools.chain.from_iterable(KNOWN) if len(pair) >= 10 and pair.encode() in data]
    assert not held
