"""The servers that the requirements are held against."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.bodies import SIGNALS
from real.collector import Collector
from real.ports import free_port


@dataclass(frozen=True, slots=True)
class Target:
    """A server: its name in the table of differences, and where it listens."""

    name: str
    http: str
    grpc: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """How to name a server of one's own."""
    group = parser.getgroup("conformance")
    group.addoption("--otlp-http", metavar="URL", help="an OTLP/HTTP endpoint to hold to the specification")
    group.addoption("--otlp-grpc", metavar="HOST:PORT", help="and this OTLP/gRPC one")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs against each server."""
    if "target" in metafunc.fixturenames:
        other = metafunc.config.getoption("--otlp-http", default=None)
        names = ["other"] if other else ["agent-otel", "collector"]
        metafunc.parametrize("target", names, indirect=True, scope="module")
    if "refusing" in metafunc.fixturenames:
        # Nobody can tell from outside how to make another server refuse.
        names = [] if metafunc.config.getoption("--otlp-http", default=None) else ["agent-otel", "collector"]
        metafunc.parametrize("refusing", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server that runs."""
    make = {"agent-otel": _ours, "collector": _collector, "other": _other}[request.param]
    yield from make(request.config, tmp_path_factory.mktemp("target"))


@pytest.fixture(scope="module")
def refusing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server that runs, and has nowhere to put what it gets."""
    make = {"agent-otel": _ours_locked, "collector": _collector_alone}[request.param]
    yield from make(request.config, tmp_path_factory.mktemp("refusing"))


def _ours_locked(config: pytest.Config, folder: Path) -> Iterator[Target]:
    for target in _ours(config, folder):
        with closing(sqlite3.connect(folder / "runs.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield target
            other.execute("ROLLBACK")


def _collector_alone(_: pytest.Config, folder: Path) -> Iterator[Target]:
    """Its exporter sends to a port where nobody listens, and keeps nothing."""
    nowhere = {
        "endpoint": f"http://127.0.0.1:{free_port()}",
        "sending_queue": {"enabled": False},
        "retry_on_failure": {"enabled": False},
    }
    collector = Collector(folder, {signal: ["otlphttp"] for signal in SIGNALS}, exporters={"otlphttp": nowhere})
    yield Target("collector", collector.http, collector.grpc)
    collector.stop()


def _ours(_: pytest.Config, folder: Path) -> Iterator[Target]:
    from real.processor import Processor  # noqa: PLC0415 - other servers need nothing of ours

    processor = Processor("--workers", "0", db=f"sqlite:///{folder}/runs.db", log=folder / "log")
    yield Target("agent-otel", processor.http, processor.grpc)
    assert processor.stop() == 0, processor.log()


def _collector(_: pytest.Config, folder: Path) -> Iterator[Target]:
    pipelines = {signal: ["file"] for signal in SIGNALS}
    collector = Collector(folder, pipelines, exporters={"file": {"path": str(folder / "received.jsonl")}})
    yield Target("collector", collector.http, collector.grpc)
    collector.stop()


def _other(config: pytest.Config, _: Path) -> Iterator[Target]:
    yield Target("other", config.getoption("--otlp-http"), config.getoption("--otlp-grpc") or "")
