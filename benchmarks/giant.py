"""Sends one giant run beside normal ones to a real processor, and prints what the giant costs its neighbours.

usage: giant.py [--spans 1000000] [--runs 1000] [--per-second 40] [--db URL] [--json] [--quick]

The same normal runs, ten spans each and each in a request of its own, go to the same processor twice: alone, and while
the giant comes in over connections of its own, as fast as it is acknowledged. So the ratio of both compares on any
machine. Then one more span of the giant comes late. What is stored is reconciled with what was sent, and a difference
fails the run; times are no gate. Ends by itself.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence

import agent_spans
import tabulate
from senders import Account, Senders
from soak import Processor

from agent_otel.model.record import RunRecord
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store

SPANS = 10
"""Spans of a normal run."""

SIZE, BATCH = 400, 2_000
"""Bytes of a span, and spans of one of the giant's requests."""

LATEST = 400
"""How many of the latest records are looked at; far more than come between two looks."""


class Watch:
    """Notes when each normal run's record became complete, and the highest memory of each process."""

    def __init__(self, processor: Processor, database: str) -> None:
        self._processor = processor
        self.store = open_store(database)
        self._stop = threading.Event()
        self.complete_s: dict[int, float] = {}
        self.rss_mib: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            rss = self._processor.rss_mib()
            self.rss_mib = [max(pair) for pair in itertools.zip_longest(self.rss_mib, rss, fillvalue=0.0)]
            for record in self.store.records(RecordQuery(limit=LATEST)):
                if record.capture.spans == SPANS:
                    self.complete_s.setdefault(int(record.run_id.rpartition("-")[2]), time.time())

    def wait_for(self, runs: Sequence[int], *, timeout_s: float) -> None:
        """Waits until the records of these runs are there."""
        deadline = time.monotonic() + timeout_s
        while not self.complete_s.keys() >= set(runs):
            if time.monotonic() > deadline:
                sys.exit(f"{len(set(runs) - self.complete_s.keys())} runs have no record after {timeout_s:g} s")
            time.sleep(0.1)

    def giant(self, *, after_s: float, timeout_s: float) -> tuple[RunRecord, float]:
        """The giant's record, once it is folded from everything; and how long after a time that was."""
        deadline = time.monotonic() + timeout_s
        while self.store.stats().due:
            if time.monotonic() > deadline:
                sys.exit(f"the giant has no record after {timeout_s:g} s")
            time.sleep(0.1)
        record = self.store.record(agent_spans.run_id(0))
        if record is None or not record.capture.truncated:
            sys.exit(f"the giant's record does not say that it is cut: {record and record.capture}")
        return record, time.time() - after_s

    def finish(self) -> None:
        """Ends the watch."""
        self._stop.set()
        self._thread.join()
        self.store.close()


def giant(spans: int) -> Iterator[tuple[int, bytes]]:
    """The requests of the giant's spans, the root last; numbered from 0 on."""
    return enumerate(agent_spans.requests(runs=1, spans=spans, size=SIZE, batch=BATCH))


def normal(runs: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """One request for each run, numbered as the run."""
    for run in runs:
        yield run, agent_spans.request([agent_spans.span(run, each, spans=SPANS, size=SIZE) for each in range(SPANS)])


def lags_s(account: Account, watch: Watch, runs: Sequence[int]) -> list[float]:
    """How long after its acknowledgement each run's record was there; shortest first."""
    return sorted(watch.complete_s[run] - account.last_ack_s[run] for run in runs)


def run(arguments: argparse.Namespace, database: str) -> dict[str, float | str | bool]:
    """The whole session; the figures by name."""
    # Made before anything is measured: making spans takes longer than sending them.
    bodies = list(giant(arguments.spans))
    alone_runs, beside_runs = range(1, 1 + arguments.runs), range(1 + arguments.runs, 1 + 2 * arguments.runs)
    processor = Processor(database, "--workers", "2")
    watch = Watch(processor, database)

    alone = Senders(processor.address, normal(alone_runs), connections=2, per_second=arguments.per_second)
    alone.start()
    alone.join()
    watch.wait_for(alone_runs, timeout_s=60)
    rss_alone = [round(each) for each in watch.rss_mib]

    large = Senders(processor.address, iter(bodies), connections=4)
    beside = Senders(processor.address, normal(beside_runs), connections=2, per_second=arguments.per_second)
    begun = time.monotonic()
    large.start()
    beside.start()
    large.join()
    giant_s = time.monotonic() - begun
    beside.join()
    watch.wait_for(beside_runs, timeout_s=120)
    record, folded_s = watch.giant(after_s=max(large.account.last_ack_s.values()), timeout_s=1_800)

    one_more = agent_spans.span(0, arguments.spans, spans=arguments.spans, size=SIZE)
    late = Senders(processor.address, iter([(0, agent_spans.request([one_more]))]), connections=1)
    late.start()
    late.join()
    late_record, late_s = watch.giant(after_s=late.account.last_ack_s[0], timeout_s=1_800)

    held = watch.store.stats()
    watch.finish()
    processor.stop()
    sent = arguments.spans + 1 + 2 * arguments.runs * SPANS
    if held.items != sent:
        sys.exit(f"acknowledged {sent} spans, but the store holds {held}")
    lone, near = lags_s(alone.account, watch, alone_runs), lags_s(beside.account, watch, beside_runs)
    figures: dict[str, float | str | bool] = {
        "database": database.partition(":")[0],
        "spans of the giant": arguments.spans,
        "normal runs": f"{arguments.runs} of {SPANS} spans, {arguments.per_second:g} a second",
        "giant: seconds until all is acknowledged": round(giant_s, 1),
        "giant: acknowledgement p50; p99, ms": percentiles_ms(large.account),
        "normal: acknowledgement p50; p99, ms, alone": percentiles_ms(alone.account),
        "normal: acknowledgement p50; p99, ms, beside": percentiles_ms(beside.account),
    }
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        before, now = lone[int(share * len(lone))], near[int(share * len(near))]
        figures[f"normal: record after acknowledgement {name}, s: alone; beside; ratio"] = (
            f"{before:.2f}; {now:.2f}; {now / before:.1f}"
        )
    return {
        **figures,
        "giant: record after last acknowledgement, s": round(folded_s, 1),
        "giant: record after one span more, s": round(late_s, 1),
        "giant: says that it is truncated": record.capture.truncated and late_record.capture.truncated,
        "giant: spans in its record": record.capture.spans,
        "giant: revisions": late_record.revision,
        "RSS, MiB (highest): receiver, workers; alone": str(rss_alone),
        "RSS, MiB (highest): receiver, workers": str([round(each) for each in watch.rss_mib]),
    }


def percentiles_ms(account: Account) -> str:
    """The middle and the slow end of the acknowledgements."""
    return f"{account.percentile_ms(0.5):.1f}; {account.percentile_ms(0.99):.1f}"


def main() -> None:
    """Reads the command line, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000, help="of the giant")
    parser.add_argument("--runs", type=int, default=1_000, help="normal runs, alone and beside")
    parser.add_argument("--per-second", type=float, default=40.0, help="normal runs a second")
    parser.add_argument("--db", default="", help="an empty database; a temporary SQLite file by default")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a small giant, to see that it works")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.spans, arguments.runs = 24_000, 40
    with tempfile.TemporaryDirectory(prefix="giant-") as folder:
        figures = run(arguments, arguments.db or f"sqlite:///{folder}/runs.db")
    print(json.dumps(figures, indent=1) if arguments.json else tabulate.tabulate(figures.items(), tablefmt="plain"))


if __name__ == "__main__":
    main()
