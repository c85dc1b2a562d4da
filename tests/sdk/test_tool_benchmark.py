"""The benchmark works; how fast anything is, no test decides."""

import json
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "sdk_overhead.py"


def test_the_benchmark_runs(python):
    """Its quick mode gives a row for every case, with the ratios that people read."""
    start = "import runpy, sys; sys.argv = ['x', '--quick', '--json']; "
    done = python(f"{start}runpy.run_path({str(SCRIPT)!r}, run_name='__main__')")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = {row["case"]: row for row in json.loads(done.stdout)["results"]}
    assert {"raw", "sync", "async", "generator", "sync, metrics on", "tracing off"} <= set(rows)
    assert all(row["wall_us"] > 0 for row in rows.values())
    assert rows["sync"]["wall_ratio"] > 0
