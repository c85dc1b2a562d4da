"""The benchmark works; how fast anything is, no test decides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "store.py"


def test_the_benchmark_runs():
    """Its quick mode gives the cost of an item beside that of bare inserts, and what grows."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--quick", "--json"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert {(row["spans"], row["transaction"]) for row in found["put"]} >= {(10, 512), (1000, 8192)}
    assert all(row["put_us"] > row["bare_us"] * 0.1 > 0 for row in found["put"])
    assert {"stats", "record", "claim (64) and save", "records with a finding"} <= {
        row["call"] for row in found["growth"]
    }
