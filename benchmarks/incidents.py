"""What does it cost to find the incidents among many runs, beside holding the same runs to a contract?

usage: incidents.py [--runs 10000] [--json]

The records are those of real agents in tests/data/dialects, again and again under new ids, with their clocks shifted
over 120 days.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from agent_otel.model.contract import Contract
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import from_builtins
from agent_otel.review.audit import Audit
from agent_otel.review.contracted import audit
from agent_otel.review.incidents.find import incidents
from agent_otel.review.incidents.shape import stamp
from agent_otel.review.incidents.waste import moment

RECORDS = Path(__file__).resolve().parents[1] / "tests" / "data" / "dialects"
DAYS = 120


def records(runs: int) -> Iterator[RunRecord]:
    """So many records, each of a run of its own at a time of its own."""
    found = [each for file in sorted(RECORDS.glob("*/*/records.json")) for each in json.loads(file.read_text())]
    for number in range(runs):
        record = from_builtins(found[number % len(found)])
        shift = timedelta(days=number * DAYS / runs)
        times = {name: moment(getattr(record, name)) for name in ("started", "ended")}
        shifted = {name: stamp(when + shift) for name, when in times.items() if when is not None}
        yield replace(record, run_id=f"run-{number}", parent_run=None, **shifted)


def measured(runs: int) -> dict[str, float]:
    """CPU seconds for all of them, and what was found."""
    auditing = 0.0

    def held() -> Iterator[Audit]:
        nonlocal auditing
        for record in records(runs):
            begun = time.process_time()
            result = audit(record, Contract())
            auditing += time.process_time() - begun
            yield result

    audits = list(held())
    begun = time.process_time()
    found = incidents(audits, Contract().incidents)
    return {
        "runs": runs,
        "hold to the contract, s": auditing,
        "find incidents, s": time.process_time() - begun,
        "incidents": len(found),
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """A tenth of the runs first, so that growth shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measured(runs) for runs in (options.runs // 10, options.runs)]
    if options.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(", ".join(f"{name}: {value:.4g}" for name, value in row.items()))


if __name__ == "__main__":
    main()
