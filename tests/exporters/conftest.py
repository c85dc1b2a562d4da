"""Starts programs that send with the official exporters, each in its language."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent_otel.store.open import open_store
from real.cached import built, exporter

COUNT = 2_000


def _java() -> list[str]:
    folder = built(exporter("java"))
    return ["java", "-cp", f"{folder}/target/classes:{folder}/target/jars/*", "Exporter"]


PROGRAMS: dict[str, Callable[[], list[str]]] = {
    "python": lambda: [sys.executable, str(Path(__file__).parent / "python" / "exporter.py")],
    "go": lambda: [str(built(exporter("go")) / "exporter")],
    "js": lambda: ["node", str(built(exporter("js")) / "exporter.js")],
    "java": _java,
}
"""Language to the program; it takes protocol, address, count and run, and succeeds when all spans were taken."""


class Exporting:
    """A program that sends ``count`` spans of the run ``run`` to a server with ``http`` and ``grpc``."""

    def __init__(self, language: str, protocol: str, server, *, count: int = COUNT) -> None:
        address = urlsplit(server.http).netloc if protocol == "http" else server.grpc
        self.run = f"run-{language}-{protocol}"
        command = [*PROGRAMS[language](), protocol, address, str(count), self.run]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def ended(self) -> tuple[int, str]:
        """Waits for its end; the exit code, and what it said."""
        _, said = self.process.communicate(timeout=150)
        return self.process.returncode, said

    def succeeds(self) -> None:
        """Waits for its end, which is a good one."""
        code, said = self.ended()
        assert code == 0, said


@pytest.fixture
def export() -> Iterator[Callable[..., Exporting]]:
    """Starts an exporting program; all are ended after the test."""
    started: list[Exporting] = []

    def start(*arguments, **options) -> Exporting:
        started.append(Exporting(*arguments, **options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate(timeout=30)


@pytest.fixture
def held() -> Callable[[str], int]:
    """Tells how many items a database holds."""

    def count(db: str) -> int:
        store = open_store(db)
        try:
            return store.stats().items
        finally:
            store.close()

    return count
