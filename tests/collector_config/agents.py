"""Agents that tell what they do to a collector."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

from dialect_cases import FOLDER
from real.cached import ROOT

QUICKSTART: Final = "quickstart.py"
CODING_AGENT: Final = "coding_agent"


def example(name: str, *arguments: str, folder: Path, to: str, **env: str) -> str:
    """Runs one of examples/ in a folder, sending to an OTLP/HTTP endpoint; what it printed."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name, *arguments],
        cwd=folder,
        env={**kept, "HOME": str(folder), "TMPDIR": str(folder), "OTEL_EXPORTER_OTLP_ENDPOINT": to, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Failed to export" not in done.stderr, done.stderr
    return done.stdout


def replay(case: str, *, to: str) -> None:
    """Sends what a real agent once sent, request by request, to an OTLP/HTTP endpoint."""
    for file in sorted((FOLDER / case).glob("*.jsonl.gz")):
        for line in gzip.decompress(file.read_bytes()).splitlines():
            send(f"{to}/v1/{file.name.partition('.')[0]}", line)


def send(url: str, body: bytes, **headers: str) -> None:
    """Sends one request in OTLP/JSON, which is taken.

    Raises:
        HTTPError: it was refused.
    """
    with urlopen(Request(url, body, {"Content-Type": "application/json", **headers}), timeout=30) as reply:
        assert reply.status == 200
