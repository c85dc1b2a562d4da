"""What do the figures of a report cost, beside decoding the same records, and how does that grow?

usage: report.py [--runs 10000] [--json] [--quick]

The records are those of real agents in tests/data/dialects, again and again under new ids and on new days.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from agent_otel.model.record import RunRecord
from agent_otel.model.versions import decode
from agent_otel.review.report.build import Figures
from agent_otel.review.report.page import page

RECORDS = Path(__file__).resolve().parents[1] / "tests" / "data" / "dialects"
FIRST = date(2026, 1, 1)
DAYS = 90


def documents(runs: int) -> Iterator[bytes]:
    """So many records as JSON, each of a run of its own."""
    found = [each for file in sorted(RECORDS.glob("*/*/records.json")) for each in json.loads(file.read_text())]
    for number in range(runs):
        day = FIRST + timedelta(days=number * DAYS // runs)
        record = {**found[number % len(found)], "run_id": f"run-{number}", "started": f"{day}T09:00:00.000Z"}
        yield json.dumps(record).encode()


def measured(runs: int) -> dict[str, float]:
    """CPU milliseconds for each thousand runs, and the size of what came of them."""
    figures = Figures()
    decoding = counting = 0.0
    size = 0
    for document in documents(runs):
        size += len(document)
        begun = time.process_time()
        record: RunRecord = decode(document)
        decoded = time.process_time()
        figures.add(record)
        decoding += decoded - begun
        counting += time.process_time() - decoded
    begun = time.process_time()
    told = figures.report()
    closing = time.process_time() - begun
    begun = time.process_time()
    text = page(told)
    return {
        "runs": runs,
        "KB a record": size / runs / 1000,
        "decode, ms per 1000": decoding / runs * 1e6,
        "count, ms per 1000": counting / runs * 1e6,
        "ratio": counting / decoding,
        "close, ms": closing * 1000,
        "page, ms": (time.process_time() - begun) * 1000,
        "page, KB": len(text.encode()) / 1000,
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """A tenth of the runs first, so that growth shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="see that it works")
    chosen = parser.parse_args()
    runs = 200 if chosen.quick else chosen.runs
    rounds = [measured(number) for number in (runs // 10, runs)]
    if chosen.json:
        print(json.dumps(rounds, indent=2))
        return
    for name in rounds[0]:
        print(f"{name:<22}", *(f"{each[name]:>12.1f}" for each in rounds))


if __name__ == "__main__":
    main()
