"""A real collector with the configurations of collector-config/, on free ports."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from real.cached import ROOT, built, collector
from real.ports import free_port
from real.program import Program, answers

CONFIGS = ROOT / "collector-config"


class Configured:
    """A collector as operators run it, until it is stopped.

    ``http`` and ``grpc`` are where it takes OTLP (as an exporter's endpoint and as a gRPC target), ``prometheus`` is
    the ``host:port`` of its metrics.

    Args:
        folder: for its queues and log.
        names: of files in collector-config/, in the order in which they are given.
        env: what the configurations are told.
    """

    def __init__(self, folder: Path, *names: str, env: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.grpc, http, self.prometheus, health = (f"127.0.0.1:{free_port()}" for _ in range(4))
        self.http = f"http://{http}"
        self.program = Program(
            [built(collector()), *arguments(*names)],
            log=folder / "collector.log",
            ready=lambda: answers(f"http://{health}/"),
            env={
                "OTELCOL_OTLP_GRPC": self.grpc,
                "OTELCOL_OTLP_HTTP": http,
                "OTELCOL_PROMETHEUS": self.prometheus,
                "OTELCOL_HEALTH": health,
                "OTELCOL_STORAGE": str(folder / "queues"),
                "OTELCOL_SPAN_METRICS_EVERY": "500ms",
                **env,
            },
        )


def arguments(*names: str) -> list[str | Path]:
    """The flags that name configurations."""
    return [part for name in names for part in ("--config", CONFIGS / name)]


def validate(*flags: str | Path, env: Mapping[str, str] | None = None) -> str:
    """What the collector has against a configuration; nothing where it is right."""
    done = subprocess.run(
        [built(collector()), "validate", *flags],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=dict(env or {}),
    )
    return done.stderr if done.returncode else ""
