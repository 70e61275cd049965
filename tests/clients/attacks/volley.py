"""Sends one spoilt request for each route and says which were not refused as they must be."""

import re

from routes import name_of
from watch import signatures_of
from wire import Wire


class Volley:
    """Requests over one connection at a time; a new one where the server closed."""

    def __init__(self, target):
        self.target, self.wire, self.wrong = target, None, []

    def ask(self, data: bytes):
        head_request = data.startswith(b"HEAD ")
        self.target.watch.used(*signatures_of(data))
        for attempt in (1, 2):
            fresh = self.wire is None
            self.wire = self.wire or Wire(self.target.endpoint)
            try:
                self.wire.send(data)
                answer = self.wire.answer(head_request)
                break
            except (OSError, AssertionError):
                self.wire.link.close()
                self.wire = None
                if fresh:
                    raise
        if answer.headers.get("connection") == "close":
            self.wire.link.close()
            self.wire = None
        return answer

    def expect(self, name: str, data: bytes, status, codes):
        answer = self.ask(data)
        good = answer.status in status and (data.startswith(b"HEAD ") or answer.code in codes)
        if not good:
            self.wrong.append(f"{name}: {answer.status} {answer.code} {re.sub(rb'<[^>]+>', b' ', answer.body)[:120]}")

    def each_route(self, build, status, codes, routes=None):
        """`build(route)` gives bytes, or None where the attack does not apply."""
        sent = 0
        for route in self.target.routes if routes is None else routes:
            data = build(route)
            if data is None:
                continue
            sent += 1
            self.expect(name_of(route), data, status, codes)
        if self.wire:
            self.wire.link.close()
        assert sent > 0, "an attack on no route"
        assert not self.wrong, "\n".join(self.wrong)
        return sent
