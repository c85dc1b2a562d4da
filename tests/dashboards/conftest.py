"""Agents at work, and a processor with what they sent: the truth that dashboards are held against."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import pytest

from agent_otel.model.record import to_builtins
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from dialect_cases import CASES
from real.grafana import Range
from real.ports import wait_until
from real.postgres import PostgresServer
from real.processor import Processor

AGENTS = Path(__file__).with_name("agents.py")
SIGNALS = {"traces": "/v1/traces", "logs": "/v1/logs"}
DAY_S = 86_400


@dataclass(frozen=True)
class Fleet:
    """What ran: the database that its telemetry came to, and the records."""

    db: str
    records: list[dict[str, Any]]

    def everything(self) -> Range:
        """The time range of all runs."""
        started = [datetime.fromisoformat(each["started"].replace("Z", "+00:00")) for each in self.records]
        return Range(min(started).timestamp() - DAY_S, max(started).timestamp() + DAY_S)


def captures() -> Iterator[tuple[str, bytes]]:
    """What real agents sent: where to, and the body of each request."""
    for case in CASES:
        for file in sorted(case.glob("*.jsonl.gz")):
            for line in gzip.decompress(file.read_bytes()).splitlines():
                yield SIGNALS[file.name.split(".")[0]], line


def send(url: str, body: bytes) -> None:
    """Sends a body of OTLP/JSON."""
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as answer:
        assert answer.status == 200


@pytest.fixture(scope="session")
def fleet(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, otlp_environment) -> Iterator[Fleet]:
    """Two rounds of agents, and the captures of real ones."""
    folder = tmp_path_factory.mktemp("fleet")
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE fleet")
    options = ("--debounce-s", "0.1", "--retention-days", "0")
    processor = Processor(*options, db=postgres.url("fleet"), log=folder / "processor.log")
    try:
        for path, body in captures():
            send(processor.http + path, body)
        with closing(Agents(folder / "work", otlp_environment(processor.http))) as agents:
            agents.work()
            agents.work()
        yield Fleet(processor.db, settled(processor.db))
    finally:
        processor.kill()


class Agents:
    """The program of ``agents.py``: ``work`` makes all of them work once."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._program = subprocess.Popen(
            [sys.executable, AGENTS, folder], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def work(self) -> None:
        """Once, and all telemetry of it is sent."""
        print("work", file=self._program.stdin, flush=True)
        assert self._program.stdout.readline() == "sent\n"

    def close(self) -> None:
        """Ends it in good order."""
        self._program.communicate(timeout=60)
        assert self._program.returncode == 0


@pytest.fixture(scope="session")
def otlp_environment() -> Callable[[str], dict[str, str]]:
    """The environment of a program that sends its telemetry somewhere, and only when it is told to."""

    def of(endpoint: str) -> dict[str, str]:
        return {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRIC_EXPORT_INTERVAL": "600000",
        }

    return of


def settled(db: str) -> list[dict[str, Any]]:
    """The records, as soon as all that came is in them."""
    with closing(open_store(db)) as store:
        wait_until(lambda: store.stats().due == 0, timeout_s=60, what="folding")
        return [to_builtins(record) for record in store.records(RecordQuery(limit=1_000))]
