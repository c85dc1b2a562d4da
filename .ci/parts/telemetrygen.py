"""Builds telemetrygen, OpenTelemetry's load generator."""

from __future__ import annotations

from pathlib import Path

from collector import GO
from make import once, program, run

from real.cached import TELEMETRYGEN_VERSION, telemetrygen

MODULE = f"github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@{TELEMETRYGEN_VERSION}"


def ensure() -> Path:
    """The program."""
    return once(telemetrygen(), _make)


def _make(folder: Path) -> None:
    run([program("go", packages=(), says=GO), "install", MODULE], cwd=folder, GOBIN=str(folder), GOFLAGS="-mod=mod")
