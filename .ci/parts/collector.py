"""Builds the OpenTelemetry Collector of collector-config/, from the modules pinned there."""

from __future__ import annotations

import shutil
from pathlib import Path

from make import once, program, run

from real.cached import ROOT, collector

BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.158.0"
GO = "Go 1.25 or newer is needed to build the collector: https://go.dev/dl"


def ensure() -> Path:
    """The collector."""
    return once(collector(), _make)


def _make(folder: Path) -> None:
    go = program("go", packages=(), says=GO)
    given = ROOT / "collector-config"
    shutil.copy(given / "builder.yaml", folder)
    run([go, "install", BUILDER], cwd=folder, GOBIN=str(folder), GOFLAGS="-mod=mod")
    run([folder / "builder", "--config", "builder.yaml", "--skip-get-modules", "--skip-compilation"], cwd=folder)
    for name in ("go.mod", "go.sum"):
        shutil.copy(given / name, folder / "build")
    run(
        [go, "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", folder / "otelcol", "."],
        cwd=folder / "build",
    )
    shutil.rmtree(folder / "build")
    (folder / "builder").unlink()
