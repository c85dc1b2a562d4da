"""The benchmark works; what it says is for people to judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "postgres.py"


def test_the_benchmark_measures(postgres_url):
    """Every figure is there and positive, in a database that is named."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--json", "--db", postgres_url],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(value > 0 for cost in found["costs"] for value in cost.values())
    assert all(value > 0 for times in found["growth"].values() for value in times)
