"""The benchmark works; how fast anything is, no test decides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "arrival.py"


def test_the_benchmark_runs():
    """Its quick mode gives the cost of an item beside that of decoding it, and masks where there is a secret."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--quick", "--json"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    found = {row["kind"]: row for row in json.loads(done.stdout)}
    assert all(row["decode_us"] > 0 and row["mask_us"] > 0 for row in found.values())
    assert {kind: row["masked"] > 0 for kind, row in found.items()} == {
        "of this SDK": False,
        "of others": False,
        "of others, suspicious": False,
        "of others, with a secret": True,
    }
