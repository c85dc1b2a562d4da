"""Whether the processor lives, and whether it is ready for more."""

from __future__ import annotations

import msgspec

from agent_otel.service.exchange import Reply, Request
from agent_otel.service.metrics import Backlog


class Health:
    """Answers ``/healthz`` and ``/readyz``.

    Args:
        backlog: what the store says about itself.
        ready_lag_s: how long a run may wait to be folded.
    """

    def __init__(self, *, backlog: Backlog, ready_lag_s: float) -> None:
        self._backlog = backlog
        self._ready_lag_s = ready_lag_s
        self.draining = False

    def alive(self, _: Request) -> Reply:
        """The process answers; that is all."""
        return _said(200, {"status": "alive"})

    def ready(self, _: Request) -> Reply:
        """Ready for requests, or the reasons why not."""
        reasons = [*self._reasons()]
        if reasons:
            return _said(503, {"status": "not ready", "reasons": reasons})
        return _said(200, {"status": "ready"})

    def _reasons(self) -> list[str]:
        if self.draining:
            return ["the processor is about to end"]
        lag_s = self._backlog.lag_s()
        if lag_s is None:
            return ["the store cannot be reached"]
        if lag_s > self._ready_lag_s:
            return [f"a run has been waiting to be folded for more than {self._ready_lag_s:g} s"]
        return []


def _said(status: int, what: object) -> Reply:
    return Reply(status=status, body=msgspec.json.encode(what), headers={"content-type": "application/json"})
