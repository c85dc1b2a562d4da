"""Success means committed (G1): a processor that is killed again and again under load loses nothing it acknowledged.

``--kills 200`` makes as many kills on SQLite, and a quarter of them on PostgreSQL.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

import agent_spans
import pytest
from senders import Senders

from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from real.documents import documents, documents_of
from real.ports import wait_until

RUNS, SPANS, BATCH = 8, 10, 20
"""Small requests, so that there are many points at which one can be hit."""

MOST_ACKNOWLEDGED = 30
"""Requests, at most, that a processor acknowledges before it is killed."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A database, and how often processors on it are to be killed."""
    kills = request.config.getoption("--kills")
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs.db", kills
    return request.getfixturevalue("postgres_url"), max(kills // 4, 1)


def test_nothing_acknowledged_is_lost(serve, database):
    """After each kill the next processor goes on; in the end all that was acknowledged is there, and its records."""
    db, kills = database
    load = agent_spans.Endless(runs=RUNS, spans=SPANS, batch=BATCH)
    numbered = enumerate(body for number in itertools.count() for body in load.round(number))
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    bodies: dict[int, bytes] = {}

    def noted():
        for number, body in numbered:
            bodies[number] = body
            yield number, body

    for _ in range(kills):
        processor = serve("--grpc", "off", "--workers", "1", db=db)
        enough = chance.randrange(MOST_ACKNOWLEDGED)
        senders = Senders(_address(processor), noted(), connections=4, retry=False, acknowledged=acknowledged.add)
        senders.start()
        wait_until(lambda: senders.account.acknowledged >= enough, what=processor.log())  # noqa: B023 - it is over then
        processor.kill()
        senders.stop()
        assert set(senders.account.statuses) <= {200}
    survivor = serve("--grpc", "off", db=db)
    with closing(open_store(db)) as store:
        wait_until(lambda: store.stats().due == 0, timeout_s=120, what=survivor.log())
        stored = _stored(store)
        keys = {number: _spans(body) for number, body in bodies.items()}
        lost = {number for number in acknowledged if not keys[number] <= stored}
        assert lost == set(), f"seed {seed}"
        # What was stored and not acknowledged is no harm; the sender would have sent it again.
        whole = [number for number, spans in keys.items() if spans <= stored]
        assert set().union(*(keys[number] for number in whole)) == stored, f"half a request is stored; seed {seed}"
        alone = documents_of(bodies[number] for number in whole)
        assert documents(store.records(RecordQuery(limit=1 << 40))) == alone, f"seed {seed}"
    assert survivor.stop() == 0
    if db.startswith("sqlite"):
        with closing(sqlite3.connect(db.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _address(processor):
    where = urlsplit(processor.http)
    return where.hostname, where.port


def _stored(store):
    """The keys of all spans in the store."""
    found: set[str] = set()
    for record in store.records(RecordQuery(limit=1 << 40)):
        found |= {item.key for item in store.run_items(record.run_id, limit=10_000)}
    return found


def _spans(body):
    """The keys of the spans in a request."""
    return {item.key for item in items_from_protobuf(body, "span").items}
