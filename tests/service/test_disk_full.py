"""A database whose disk is full: senders are told to come back, and everything goes on by itself once there is room."""

from __future__ import annotations

import http.client
import os
from contextlib import closing
from urllib.parse import urlsplit

import agent_spans
import psycopg
import pytest

from agent_otel.store.open import open_store
from real.documents import documents_in, documents_of, items_in
from real.ports import wait_until
from real.postgres import HOW_TO_INSTALL, PostgresServer, find
from real.processor import Processor
from real.small_disk import MountError, small_disk

RUNS, SPANS = 30, 100


@pytest.fixture
def full():
    """A database on a disk of its own, and the disk."""
    if find() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    with closing(PostgresServer()) as server:
        try:
            with small_disk(mib=48, owner=server.folder) as disk:
                space = disk.folder / "space"
                space.mkdir()
                owner = server.folder.stat()
                os.chown(space, owner.st_uid, owner.st_gid)
                with psycopg.connect(server.url(), autocommit=True) as connection:
                    connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
                    connection.execute("CREATE DATABASE small TABLESPACE small")
                yield server.url("small"), disk
                server.stop()
        except MountError as exc:
            pytest.skip(f"file systems cannot be mounted here: {exc}")


def send(processor, body):
    """One request; status, headers."""
    where = urlsplit(processor.http)
    with closing(http.client.HTTPConnection(where.hostname, where.port, timeout=30)) as connection:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers


def test_a_full_disk_of_the_database_loses_nothing_that_was_acknowledged(full, tmp_path):
    """503 with Retry-After while it is full; what was acknowledged is there; the rest is taken when there is room."""
    url, disk = full
    processor = Processor(db=url, log=tmp_path / "log")
    bodies = [
        agent_spans.request([agent_spans.span(run, each, spans=SPANS) for each in range(SPANS)]) for run in range(RUNS)
    ]
    assert send(processor, bodies[0])[0] == 200
    disk.fill(leave=1 << 20)
    answers = [send(processor, body) for body in bodies]
    refused = [body for body, (status, _) in zip(bodies, answers, strict=True) if status != 200]
    assert {status for status, _ in answers} == {200, 503}
    assert all(1 <= int(headers["Retry-After"]) <= 5 for status, headers in answers if status == 503)
    assert send(processor, bodies[-1])[0] == 503
    assert items_in(url) == (RUNS - len(refused)) * SPANS
    assert "No space left on device" in processor.log()

    disk.empty()
    assert {send(processor, body)[0] for body in refused} == {200}
    wanted = documents_of(bodies)
    wait_until(lambda: documents_in(url) == wanted, timeout_s=60, what=processor.log())
    with closing(open_store(url)) as store:
        stats = store.stats()
    assert (stats.items, stats.duplicates) == (RUNS * SPANS, SPANS)
    assert processor.stop() == 0, processor.log()
