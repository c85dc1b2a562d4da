"""The servers that the requirements are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.bodies import SIGNALS
from real.collector import Collector


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


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server that runs."""
    make = {"agent-otel": _ours, "collector": _collector, "other": _other}[request.param]
    yield from make(request.config, tmp_path_factory.mktemp("target"))


def _ours(_: pytest.Config, folder: Path) -> Iterator[Target]:
    from real.processor import Processor  # noqa: PLC0415 - other servers need nothing of ours

    processor = Processor("--workers", "0", db=f"sqlite:///{folder}/runs.db", log=folder / "log")
    yield Target("agent-otel", processor.http, processor.grpc)
    assert processor.stop() == 0, processor.log()


def _collector(_: pytest.Config, folder: Path) -> Iterator[Target]:
    pipelines = {signal: ["debug"] for signal in SIGNALS}
    collector = Collector(folder, pipelines, exporters={"debug": {}})
    yield Target("collector", collector.http, collector.grpc)
    collector.stop()


def _other(config: pytest.Config, _: Path) -> Iterator[Target]:
    yield Target("other", config.getoption("--otlp-http"), config.getoption("--otlp-grpc") or "")
