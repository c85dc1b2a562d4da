"""Agents that tell what they do to a collector."""

from __future__ import annotations

import gzip
import os
import re
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

from dialect_cases import FOLDER
from real.cached import ROOT
from real.processor import Processor

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


def stored(processor: Processor, token: str, trust: ssl.SSLContext) -> float:
    """How many spans a processor says it has stored."""
    asked = Request(f"{processor.http}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urlopen(asked, timeout=10, context=trust) as page:
        said = page.read().decode()
    (line,) = re.findall(r'^agent_otel_processor_items_stored_total\{signal="span"\} (.*)$', said, re.MULTILINE)
    return float(line)
