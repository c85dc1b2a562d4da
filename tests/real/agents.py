"""Decorated agents at work, as a program of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

AGENTS = Path(__file__).resolve().parents[1] / "dashboards" / "agents.py"


class Agents:
    """The program of ``agents.py``: ``work`` makes all of them work once."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRIC_EXPORT_INTERVAL": "600000",  # only when it is told to
        }
        self._program = subprocess.Popen(
            [sys.executable, AGENTS, folder], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def work(self) -> tuple[int, int]:
        """Once, and all telemetry of it is sent: how many spans and log records so far."""
        print("work", file=self._program.stdin, flush=True)
        spans, logs = self._program.stdout.readline().split()
        return int(spans), int(logs)

    def close(self) -> None:
        """Ends it in good order."""
        self._program.communicate(timeout=60)
        assert self._program.returncode == 0
