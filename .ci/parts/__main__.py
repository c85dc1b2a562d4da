"""Makes everything real that the tests run against; does nothing where it is there already.

usage: python3 .ci/parts [NAME...]

What is built or fetched lies in the cache (``$XDG_CACHE_HOME/agent-otel``), under what it is made of.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2] / "tests")]
import backends
import chromium
import collector
import kafka
import postgres
import prometheus
import schema
import telemetrygen

import exporters

PARTS: dict[str, Callable[[], Path]] = {
    "postgresql": postgres.ensure,
    "collector": collector.ensure,
    "telemetrygen": telemetrygen.ensure,
    "kafka": kafka.ensure,
    "exporters": exporters.ensure,
    "schema": schema.ensure,
    "backends": backends.ensure,
    "prometheus": prometheus.ensure,
    "chromium": chromium.ensure,
}
"""Name to what makes it, or ends the program with a message that says what is missing."""


def main(names: list[str]) -> None:
    """Makes those named, or all."""
    for name in names or PARTS:
        if name not in PARTS:
            sys.exit(f"unknown part {name!r}; known: {', '.join(PARTS)}")
        print(f"{name}: {PARTS[name]()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
