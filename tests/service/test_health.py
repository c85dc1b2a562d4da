"""Whether the processor says that it is ready exactly when it is."""

from __future__ import annotations

import json

import pytest

from agent_otel.errors import StoreError
from agent_otel.service.exchange import Request
from agent_otel.service.health import Health
from agent_otel.service.metrics import LOOK_AGAIN_S, Backlog
from agent_otel.store.base import Stats

ASKED = Request(method="GET", path="/readyz")
NOW_NS = 1_000_000_000_000
STATS = Stats(items=1, duplicates=0, expired=0, notes=0, groups=1, due=1, records={"open": 1})


class Store:
    """What a backlog asks of a store, and a clock."""

    def __init__(self) -> None:
        self.away = False
        self.oldest_ns: int | None = None
        self.now_ns = NOW_NS
        self.asked = 0

    def stats(self) -> Stats:
        self.asked += 1
        if self.away:
            raise StoreError
        return STATS

    def backlog(self) -> Backlog:
        return Backlog(self.stats, lambda: self.oldest_ns, clock=lambda: self.now_ns)


@pytest.mark.parametrize(
    ("away", "waits_s", "draining", "reason"),
    [
        (False, None, False, None),
        (False, -5, False, None),
        (False, 9, False, None),
        (False, 11, False, "a run has been waiting to be folded for more than 10 s"),
        (True, None, False, "the store cannot be reached"),
        (False, None, True, "the processor is about to end"),
    ],
)
def test_ready_or_the_reason_why_not(away, waits_s, draining, reason):
    """503 with the reason, or 200."""
    store = Store()
    store.away = away
    store.oldest_ns = None if waits_s is None else NOW_NS - waits_s * 1_000_000_000
    health = Health(backlog=store.backlog(), ready_lag_s=10)
    health.draining = draining
    reply = health.ready(ASKED)
    expected = {"status": "ready"} if reason is None else {"status": "not ready", "reasons": [reason]}
    assert (reply.status, json.loads(reply.body)) == (200 if reason is None else 503, expected)
    assert health.alive(ASKED).status == 200


def test_the_store_is_not_asked_by_every_probe():
    """Only every few seconds; a clock that jumps back does not stop it from being asked."""
    store = Store()
    backlog = store.backlog()
    assert [backlog.lag_s(), backlog.stats()] == [0.0, STATS]
    assert store.asked == 1
    store.now_ns += int(LOOK_AGAIN_S * 1e9)
    assert backlog.stats() == STATS
    assert store.asked == 2
    store.now_ns -= 10**15
    assert backlog.stats() == STATS
    assert store.asked == 3
