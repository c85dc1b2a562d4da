"""The benchmark of folding works; how fast anything is, is for people to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from dialect_cases import FOLDER

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fold.py"


def measured(*arguments: str | Path) -> list[dict[str, Any]]:
    """The rows that the benchmark prints."""
    command = [sys.executable, SCRIPT, "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_captures_are_measured() -> None:
    """A folder of captures gives a row for each."""
    rows = measured(FOLDER / "copilot-cli")
    assert [row["kind"] for row in rows] == ["apifail", "defaults", "fix", "stuck"]
    assert all(row["total"] > 0 and row["spans"] > 0 for row in rows)


def test_every_kind_of_run_is_measured() -> None:
    """A quick round gives a row for each kind and length of run."""
    rows = measured("--quick")
    assert [(row["kind"], row["spans"]) for row in rows] == [
        (kind, spans) for kind in ("tools", "events", "genai") for spans in (10, 1000)
    ]
    assert all(row["total"] > 0 and row["held"] > 0 for row in rows)
