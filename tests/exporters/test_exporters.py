"""The official exporters of other languages deliver to the processor, and outlast its refusals."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from agent_otel.store.open import open_store
from real.cached import built, telemetrygen
from real.ports import wait_until

COUNT = 2_000
EXPORTERS = [(language, protocol) for language in ("python", "go", "js", "java") for protocol in ("http", "grpc")]

WITHOUT_RETRIES = ("js", "grpc")
"""OpenTelemetry JavaScript's gRPC transport takes every error for final (``status: "failure"``): what it was told to
send again it drops. Its users send over HTTP, or through a collector (see test_through_a_collector.py)."""


@pytest.fixture
def locked(serve):
    """A processor whose database somebody else holds locked, and the end of that."""
    processor = serve("--workers", "0")
    with closing(sqlite3.connect(processor.db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield processor, lambda: other.execute("ROLLBACK")


@pytest.mark.parametrize(("language", "protocol"), EXPORTERS)
def test_every_exporter_delivers(processor, export, held, language, protocol):
    """All spans arrive, and make one complete record."""
    sending = export(language, protocol, processor)
    sending.succeeds()
    assert held(processor.db) == COUNT
    with closing(open_store(processor.db)) as store:
        wait_until(lambda: (record := store.record(sending.run)) and record.capture.spans == COUNT)


@pytest.mark.parametrize(("language", "protocol"), [each for each in EXPORTERS if each != WITHOUT_RETRIES])
def test_exporters_outlast_a_refusal(locked, export, held, language, protocol):
    """While the database is locked senders are told to come back, and do; afterwards everything is there once."""
    processor, unlock = locked
    sending = export(language, protocol, processor)
    wait_until(lambda: "requests are refused" in processor.log(), what="a refusal")
    assert held(processor.db) == 0
    unlock()
    sending.succeeds()
    assert held(processor.db) == COUNT


def test_an_exporter_without_retries_tells_its_program(locked, export, held):
    """What JavaScript's gRPC exporter drops it reports as UNAVAILABLE, and nothing says that it was stored."""
    processor, unlock = locked
    sending = export(*WITHOUT_RETRIES, processor)
    wait_until(lambda: "requests are refused" in processor.log(), what="a refusal")
    unlock()
    code, said = sending.ended()
    assert code == 1
    assert "14 UNAVAILABLE" in said
    assert "database is locked" in said
    assert held(processor.db) < COUNT


@pytest.mark.parametrize("options", [["--otlp-http"], []], ids=["http", "grpc"])
def test_telemetrygen_delivers(processor, held, options):
    """OpenTelemetry's own load generator, several workers at once: what it sent is what is stored."""
    address = urlsplit(processor.http).netloc if options else processor.grpc
    command = [built(telemetrygen()), "traces", *options, "--otlp-insecure", "--otlp-endpoint", address]
    done = subprocess.run(
        [*command, "--rate", "0", "--workers", "4", "--traces", "100", "--child-spans", "4"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert held(processor.db) == 4 * 100 * 5  # all fit its queue of 2 048; it drops what does not
