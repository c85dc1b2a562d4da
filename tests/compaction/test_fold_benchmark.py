"""The benchmark of folding works; how fast anything is, is for people to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fold.py"


def test_every_kind_of_run_is_measured() -> None:
    """A quick round gives a row for each kind and length of run."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--json", "--quick"], capture_output=True, text=True, timeout=120, check=True
    )
    rows = json.loads(done.stdout)
    assert [(row["kind"], row["spans"]) for row in rows] == [
        (kind, spans) for kind in ("tools", "events", "genai") for spans in (10, 1000)
    ]
    assert all(row["total"] > 0 and row["held"] > 0 for row in rows)
