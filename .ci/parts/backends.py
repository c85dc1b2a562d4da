"""Builds the trace backends that the collector's configurations send to: Jaeger and Tempo."""

from __future__ import annotations

import shutil
from pathlib import Path

from collector import GO
from make import once, program, run

from real.cached import BACKENDS, ROOT, backend, cache


def ensure() -> Path:
    """The folder in which their folders lie."""
    for name in BACKENDS:
        once(backend(name), lambda folder, name=name: _make(name, folder))
    return cache()


def _make(name: str, folder: Path) -> None:
    source = folder / "source"
    shutil.copytree(ROOT / "tests" / "real" / "modules" / name, source)
    run(
        [
            program("go", packages=(), says=GO),
            *("build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", folder / name, BACKENDS[name]),
        ],
        cwd=source,
    )
    shutil.rmtree(source)
