"""What stops a start says so in one line, and what to do."""

import shutil
import signal
import socket
import subprocess

import pytest

from server import Server, drive_folders


@pytest.fixture
def server(tmp_path):
    server = Server(drive_folders(tmp_path), tmp_path / "kura.log")
    yield server
    server.kill()


def one_line(server) -> str:
    """Runs the server until it gives up. Returns what it said."""
    done = subprocess.run(server.command(), env=server.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode not in (0, 139, 134), done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and len(lines[0]) < 1000, done.stderr
    return lines[0]


def test_taken_port(server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        assert str(server.port) in one_line(server)


def test_drive_of_another_cluster(server, tmp_path):
    other = drive_folders(tmp_path / "other")
    second = Server(other, tmp_path / "other.log")
    server.start().stop()
    second.start().stop()
    server.drives = [other[0], *server.drives[1:]]
    assert str(other[0]) in one_line(server)


def test_drives_in_use(server):
    server.start()
    second = Server(server.drives, server.log)
    line = one_line(second)
    assert "d1" in line or "lock" in line or "use" in line, line


def test_missing_folder(server):
    server.drives = [server.drives[0] / "absent" / "deeper"]
    assert "absent" in one_line(server)


def test_a_folder_within_another_one(server):
    """They would be lost together."""
    server.start().stop()
    inner = server.drives[0] / "inner"
    inner.mkdir()
    for drives in ([*server.drives, inner], [inner, *server.drives], [*server.drives, server.drives[0] / "absent"]):
        server.drives = drives
        assert "is within the other" in one_line(server)


def test_no_drive_named(server):
    server.drives = []
    one_line(server)


def test_stop_ends_with_zero_and_restart_serves(server):
    assert server.start().stop() == 0
    server.start()


def test_fail_point_that_is_none(server):
    server.settings["KURA_FAIL_POINT"] = "journal.append:during"
    assert "kura fail-points" in one_line(server)


def test_fail_point_ends_the_process(server):
    server.settings["KURA_FAIL_POINT"] = "drive.identity:after:2"
    server.launch()
    assert server.process.wait(30) == -signal.SIGKILL
    del server.settings["KURA_FAIL_POINT"]
    server.start()


def test_no_folder_that_opens(server):
    for folder in server.drives[:2]:
        folder.rmdir()
    server.drives[0].write_text("no folder")
    server.drives = server.drives[:2]
    line = one_line(server)
    assert all(f"cannot open {folder}: " in line for folder in server.drives), line


@pytest.mark.parametrize("damaged", range(6))
def test_a_drive_that_takes_no_journal_is_told(server, damaged):
    """All else works there, but a start needs its record as soon as others are lost."""
    server.start().stop()
    folder = server.drives[damaged]
    shutil.rmtree(folder / "journal")
    (folder / "journal").write_text("")
    server.start()
    status = server.kura("status")
    assert (status["state"], status["journal"]["degraded"]) == ("degraded", True), status
    assert str(folder) in status["journal"]["degradedReason"], status
    assert len(status["journal"]["mirrors"]) == 3, status
    assert server.stop() == 0
    (folder / "journal").unlink()
    server.start()
    status = server.kura("status")
    assert (status["state"], status["journal"]["degradedReason"]) == ("ready", ""), status
