"""What it costs to decode a request, beside parsing the same bytes with protobuf alone, in the same run.

    python benchmarks/decode.py [--quick]

Times are of the processor (not of the clock on the wall), the best of several rounds; a ratio to the bare parse says
more than microseconds do, since both grow on a slow or busy machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parent))

from agent_spans import requests

from agent_otel.otlp.encode import json_line
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.wire import slices

BATCHES = (512, 32, 1)
MOST = 1 << 30


def best_us(work: Callable[[bytes], object], bodies: Sequence[bytes], *, spans: int, rounds: int) -> float:
    """Microseconds of processor time a span, in the best round."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        kept = [work(body) for body in bodies]
        best = min(best, time.process_time() - begun)
        del kept
    return best / spans * 1e6


def measure(batch: int, *, runs: int, rounds: int) -> list[tuple[str, float]]:
    """Each way to read the requests, and what it takes a span."""
    spans = runs * 128
    bodies = list(requests(runs=runs, spans=128, batch=batch))
    lines = [json_line(body, "span").encode() for body in bodies]

    def bare(body: bytes) -> object:
        return ExportTraceServiceRequest.FromString(body)

    def sliced(body: bytes) -> object:
        return list(slices(body, items=MOST))

    def protobuf(body: bytes) -> object:
        return items_from_protobuf(body, "span")

    def json(line: bytes) -> object:
        return items_from_json(line, "span")

    return [
        ("ParseFromString", best_us(bare, bodies, spans=spans, rounds=rounds)),
        ("slices", best_us(sliced, bodies, spans=spans, rounds=rounds)),
        ("items_from_protobuf", best_us(protobuf, bodies, spans=spans, rounds=rounds)),
        ("items_from_json", best_us(json, lines, spans=spans, rounds=max(1, rounds // 2))),
    ]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="once over few spans: whether it works at all")
    quick = parser.parse_args().quick
    rows = []
    for batch in BATCHES:
        measured = measure(batch, runs=2 if quick else 32, rounds=1 if quick else 9)
        bare = measured[0][1]
        rows += [(batch, name, f"{cost:.1f}", f"{cost / bare:.1f}") for name, cost in measured]
    print(tabulate(rows, headers=["spans a request", "", "µs a span (2.3 KB)", "to ParseFromString"]))


if __name__ == "__main__":
    main()
