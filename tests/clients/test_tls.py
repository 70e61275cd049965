"""A new certificate is served without a restart, and a wrong one changes nothing."""

import http.client
import shutil
import ssl
import time

import pytest

from s3 import s3_client
from server import Server, fresh_drives, make_certificate, until
from wire import Call

pytestmark = pytest.mark.kura


@pytest.fixture
def server(tmp_path, tmp_path_factory, full):
    make_certificate(tmp_path)
    with fresh_drives(tmp_path_factory, full, count=4) as drives:
        server = Server(drives, tmp_path / "kura.log", tmp_path)
        try:
            yield server.start()
            assert server.stop() == 0, server.log_tail()
        finally:
            server.kill()


def served(server) -> str:
    return ssl.get_server_certificate(("127.0.0.1", server.port))


def ask(link, server) -> int:
    request = Call(server.endpoint, "GET", "/").sign()
    link.request("GET", "/", headers=request.headers)
    answer = link.getresponse()
    answer.read()
    return answer.status


def test_a_client_without_tls_is_told(server):
    for method in ("GET", "PUT"):
        link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        link.request(method, "/bucket/key")
        answer = link.getresponse()
        assert answer.status == 400
        assert b"<Code>InvalidRequest</Code><Message>This port speaks HTTPS only</Message></Error>" in answer.read()
        link.close()


def test_the_end_of_a_certificate_is_told_in_time(server):
    assert "the certificate ends on" in server.log_tail(50)
    metrics = server.get("/metrics")[1]
    ends = next(line for line in metrics.splitlines() if line.startswith("kura_tls_certificate_not_after_seconds "))
    assert 86_400 < float(ends.split()[1]) - time.time() < 3 * 86_400


def test_a_new_certificate_is_served(server, tmp_path):
    old = (tmp_path / "cert.pem").read_text()
    assert served(server).strip() == old.strip()
    link = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20,
                                       context=ssl.create_default_context(cafile=server.endpoint.ca))
    assert ask(link, server) == 200
    socket = link.sock
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    make_certificate(fresh)
    # One after the other, as people copy: in between the two do not fit.
    shutil.copy(fresh / "cert.pem", tmp_path / "cert.pem")
    time.sleep(6)
    assert served(server).strip() == old.strip(), "a certificate without its key"
    shutil.copy(fresh / "key.pem", tmp_path / "key.pem")
    new = (fresh / "cert.pem").read_text()
    until(lambda: served(server).strip() == new.strip(), 20, "the old certificate is still served")
    s3_client(server.endpoint).create_bucket(Bucket="by-the-new-one")
    assert ask(link, server) == 200 and link.sock is socket, "the connection of before has ended"
    link.close()

    (tmp_path / "cert.pem").write_text("no certificate")
    until(lambda: "cannot be used" in server.log_tail(50), 20, "nobody says that it is damaged")
    assert served(server).strip() == new.strip()
