"""Where what was built or fetched for the tests lies: outside of the work tree, each under what it is made of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

TELEMETRYGEN_VERSION: Final = "v0.155.0"
"""The newest that is served."""

BACKENDS: Final = {
    "jaeger": "github.com/jaegertracing/jaeger/cmd/jaeger",
    "tempo": "github.com/grafana/tempo/cmd/tempo",
}
"""Name of a trace backend, for which there is a module in ``modules/``, to its program's package."""

PROGRAMS: Final = ("go", "js", "java")
"""Languages whose official exporters send to us: a folder of tests/exporters each."""


def cache() -> Path:
    """The folder for all of them."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "agent-otel"


def collector() -> Path:
    """The OpenTelemetry Collector."""
    files = [ROOT / "collector-config" / name for name in ("builder.yaml", "go.mod", "go.sum")]
    return cache() / f"otelcol-{_digest(files)}" / "otelcol"


def telemetrygen() -> Path:
    """OpenTelemetry's load generator."""
    return cache() / f"telemetrygen-{TELEMETRYGEN_VERSION}" / "telemetrygen"


def backend(name: str) -> Path:
    """A trace backend of ``BACKENDS``."""
    files = sorted((ROOT / "tests" / "real" / "modules" / name).iterdir())
    return cache() / f"{name}-{_digest(files)}" / name


def kafka() -> Path:
    """The folder of Apache Kafka's jars."""
    return cache() / f"kafka-{_digest([ROOT / 'tests' / 'real' / 'kafka' / 'pom.xml'])}" / "jars"


def exporter(language: str) -> Path:
    """The folder in which the test program of a language was built."""
    files = sorted(path for path in (ROOT / "tests" / "exporters" / language).rglob("*") if path.is_file())
    return cache() / f"exporter-{language}-{_digest(files)}"


def grafana_schema() -> Path:
    """The folder of Grafana's own types, and of the compiler that checks them."""
    folder = ROOT / "tests" / "dashboards" / "schema"
    digest = _digest([folder / name for name in ("package.json", "package-lock.json")])
    return cache() / f"grafana-schema-{digest}" / "node_modules"


def built(path: Path) -> Path:
    """The path, which is there.

    Raises:
        RuntimeError: it is not; the message says how to make it.
    """
    if not path.exists():
        message = f"{path.name} was not built yet: python3 .ci/parts (make test does so first)"
        raise RuntimeError(message)
    return path


def _digest(files: list[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]
