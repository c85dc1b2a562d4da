"""The benchmark of reports works; how fast anything is, is for people to read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "report.py"


def test_two_numbers_of_runs_are_measured() -> None:
    """A tenth of the runs and all of them, with what they cost."""
    command = [sys.executable, SCRIPT, "--json", "--quick"]
    rows = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout)
    assert [row["runs"] for row in rows] == [20, 200]
    assert all(row["ratio"] > 0 and row["page, KB"] > 10 for row in rows)
