"""What an attack must leave alone: the journal, the log's silence about secrets, and memory."""

import contextlib
import json
import re

from chunked import mac
from server import Server
from wire import Call, Wire

MIB = 1 << 20


class Watch:
    def __init__(self, server: Server):
        self.server, self.endpoint = server, server.endpoint
        self.secrets = {self.endpoint.secret_key}
        self.read_from = 0  # Of the log.

    def journal_end(self) -> int:
        with Wire(self.endpoint, timeout=60) as wire:
            wire.send(Call(self.endpoint, "GET", "/kura/admin/v1/status").sign().wire())
            answer = wire.answer()
            assert answer.status == 200, answer
            return json.loads(answer.body)["journal"]["end"]

    def status(self, field: str) -> int:
        """Of /proc, in bytes: VmRSS, or VmHWM since forget_peak()."""
        with open(f"/proc/{self.server.process.pid}/status") as status:
            return int(re.search(rf"^{field}:\s+(\d+) kB", status.read(), re.M)[1]) << 10

    def forget_peak(self):
        with open(f"/proc/{self.server.process.pid}/clear_refs", "w") as refs:
            refs.write("5")

    @contextlib.contextmanager
    def memory_within(self, bytes_max: int):
        """Fails when the process has more than this above what it had, at any moment."""
        self.forget_peak()
        before = self.status("VmRSS")
        yield
        grown = self.status("VmHWM") - before
        assert grown <= bytes_max, f"{grown / MIB:.1f} MiB more, {bytes_max / MIB:.1f} allowed"

    @contextlib.contextmanager
    def nothing_written(self):
        before = self.journal_end()
        yield
        assert self.journal_end() == before, "a refused request wrote to the journal"

    def used(self, *secrets: str):
        self.secrets |= {secret for secret in secrets if len(secret) >= 16}

    def signing_keys(self) -> set[str]:
        """Of today, in hex, each step of the derivation."""
        keys, key = set(), ("AWS4" + self.endpoint.secret_key).encode()
        for word in (*Call(self.endpoint, "GET", "/").scope.split("/"),):
            key = mac(key, word)
            keys.add(key.hex())
        return keys

    def assert_log_is_silent(self):
        """No secret in what was logged since the last call. Signatures count: a presigned URL is one."""
        data = self.server.log.read_bytes()
        assert b'"requestId"' in data, "there is no request log to look at"
        text = data[self.read_from:].decode(errors="replace").lower()
        self.read_from = len(data)
        told = [secret for secret in self.secrets | self.signing_keys() if secret.lower() in text]
        assert not told, f"the log tells {told[:3]}"


def signatures_of(request: bytes) -> list[str]:
    return [s.decode() for s in re.findall(rb"(?:Signature|signature)=([^&,;\s]+)", request[:65536])]
