"""What it costs to keep telemetry in SQLite, and how that grows with what is there already. Prints, never gates.

Run it with ``python benchmarks/store.py``; ``--quick`` shows that it works, ``--json`` is for programs. Times are CPU
time of the process: waiting for a disk depends on the disk. Beside each ``put`` stands what a bare ``executemany`` of
the same bytes costs, with the same pragmas, in the same round.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import agent_spans

from agent_otel.model.item import Item
from agent_otel.model.record import Agent, Base, Finding, RunRecord
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.store.base import Claim, Folded, RecordQuery, item_cursor
from agent_otel.store.sqlite import SqliteStore

BATCH: Final = 512
PRAGMAS: Final = ("page_size = 16384", "cache_size = -16384", "journal_mode = WAL", "synchronous = FULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """What an item costs, in microseconds: in runs of so many spans and transactions of so many items."""

    spans: int
    transaction: int
    held: int
    put_us: float
    bare_us: float

    @property
    def ratio(self) -> float:
        """How much more than the bare insert."""
        return self.put_us / self.bare_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What a call costs, in microseconds, in stores of few runs and of many."""

    call: str
    few_us: float
    many_us: float


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it works")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--held", type=int, default=1_000_000, help="items that a store holds already (default: 1000000)"
    )
    options = parser.parse_args()
    rounds, held, items = (1, 1_024, 1_024) if options.quick else (3, options.held, 16_384)
    few, many = (10, 100) if options.quick else (1_000, 100_000)
    with tempfile.TemporaryDirectory(prefix="agent-otel-") as folder:
        puts = list(measure_puts(Path(folder), rounds=rounds, items=items, held=held))
        growths = measure_growth(Path(folder), few=few, many=many)
    if options.json:
        print(json.dumps({"put": [asdict(put) for put in puts], "growth": [asdict(growth) for growth in growths]}))
        return
    print(f"{'spans/run':>9} {'items/commit':>12} {'held':>9} {'put us':>8} {'bare us':>8} {'ratio':>6}")
    for put in puts:
        what = f"{put.spans:>9} {put.transaction:>12} {put.held:>9}"
        print(f"{what} {put.put_us:>8.1f} {put.bare_us:>8.1f} {put.ratio:>6.2f}")
    print(f"\n{'us a call, in a store of':32} {few:>9} runs {many:>9} runs")
    for growth in growths:
        print(f"{growth.call:32} {growth.few_us:>14.0f} {growth.many_us:>14.0f}")


def measure_puts(folder: Path, *, rounds: int, items: int, held: int) -> Iterator[Put]:
    """The cost of an item, the best of some rounds, on an empty store and on one that holds many."""
    for spans in (10, 100, 1_000):
        batches = list(batches_of(items, spans=spans, first_run=0))
        for together in (1, 4, 16):
            times = [(put_in_new(folder, batches, together), bare(folder, batches, together)) for _ in range(rounds)]
            put_us, bare_us = (min(column) for column in zip(*times, strict=True))
            yield Put(spans=spans, transaction=together * BATCH, held=0, put_us=put_us, bare_us=bare_us)
    with closing(SqliteStore(folder / "held.db")) as store:
        for batch in batches_of(held, spans=100, first_run=1_000_000):
            store.put(batch)
        for number in range(rounds):
            batches = list(batches_of(items, spans=100, first_run=2_000_000 + number * items))
            put_us, bare_us = put(store, batches, 4), bare(folder, batches, 4)
            yield Put(spans=100, transaction=4 * BATCH, held=store.stats().items, put_us=put_us, bare_us=bare_us)


def batches_of(items: int, *, spans: int, first_run: int) -> Iterator[Sequence[Item]]:
    """Items as they come out of requests, about so many."""
    runs = max(items // spans, 1)
    for body in agent_spans.requests(runs=runs, spans=spans, batch=BATCH, first_run=first_run):
        yield items_from_protobuf(body, "span").items


def put_in_new(folder: Path, batches: Sequence[Sequence[Item]], together: int) -> float:
    """Microseconds for an item in a new store."""
    with tempfile.TemporaryDirectory(dir=folder) as new, closing(SqliteStore(Path(new) / "runs.db")) as store:
        return put(store, batches, together)


def put(store: SqliteStore, batches: Sequence[Sequence[Item]], together: int) -> float:
    """Microseconds for an item, some batches in a transaction."""
    parts = [batches[start : start + together] for start in range(0, len(batches), together)]
    begun = time.process_time()
    stored = sum(result.stored for part in parts for result in store.put_all(part))
    return (time.process_time() - begun) / stored * 1e6


def bare(folder: Path, batches: Sequence[Sequence[Item]], together: int) -> float:
    """Microseconds for the bytes of an item, inserted into a table of their own and nothing else."""
    parts = [
        [(item.raw,) for batch in batches[start : start + together] for item in batch]
        for start in range(0, len(batches), together)
    ]
    with (
        tempfile.TemporaryDirectory(dir=folder) as new,
        closing(sqlite3.connect(Path(new) / "bare.db", isolation_level=None)) as connection,
    ):
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, raw BLOB NOT NULL)")
        begun = time.process_time()
        for part in parts:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO items (raw) VALUES (?)", part)
            connection.execute("COMMIT")
        return (time.process_time() - begun) / sum(map(len, parts)) * 1e6


def measure_growth(folder: Path, *, few: int, many: int) -> list[Growth]:
    """What calls cost in a store of few runs and in one of many, each run of two small items and a record."""
    costs = []
    for runs in (few, many):
        with closing(SqliteStore(folder / f"{runs}.db")) as store:
            fill(store, runs)
            costs.append({name: timed(call) for name, call in calls(store, runs).items()})
    return [Growth(call=name, few_us=costs[0][name], many_us=costs[1][name]) for name in costs[0]]


def fill(store: SqliteStore, runs: int) -> None:
    """Puts and folds runs."""
    for start in range(0, runs, 1_000):
        store.put([item(run, number) for run in range(start, min(start + 1_000, runs)) for number in (0, 1)])
        save(store, store.due(now_ns=1 << 62))


def save(store: SqliteStore, groups: Sequence[int]) -> None:
    """Saves a record for each of these groups."""
    folds = []
    for group in groups:
        taken = store.items(group)
        folds.append(Folded(group=group, sequence=taken.sequence, records=[record(group)]))
    store.save(folds)


def calls(store: SqliteStore, runs: int) -> dict[str, Callable[[], object]]:
    """What is measured, in this order."""
    waiting = range(runs, runs + 64)
    last = store.records(RecordQuery(limit=1))[0]
    found = store.run_items(last.run_id, limit=1)[0]
    queries = {
        "records": RecordQuery(),
        "records of an agent": RecordQuery(agent="agent-3"),
        "records of a rare agent": RecordQuery(agent="rare"),
        "records in a state": RecordQuery(state="failing"),
        "records in a lifecycle": RecordQuery(state="open"),
        "records of a repository": RecordQuery(repository="rare"),
        "records with a finding": RecordQuery(finding="rare"),
        "records with an unknown finding": RecordQuery(finding="unknown"),
        "records, somewhere in the middle": RecordQuery(until="2026-05-18T12:00:00.000Z"),
    }
    return {
        "put (64 runs of 2 items)": lambda: store.put([item(run, number) for run in waiting for number in (0, 1)]),
        "due": lambda: store.due(now_ns=1 << 62),
        "wake_at": store.wake_at,
        "items": lambda: store.items(1),
        "claim (64) and save": lambda: save(store, store.claim(Claim(limit=64), now_ns=1 << 62)),
        "record": lambda: store.record(last.run_id),
        "run_items": lambda: store.run_items(last.run_id, after=item_cursor(found)),
        "unemitted": store.unemitted,
        "mark_emitted (1)": lambda: store.mark_emitted([last]),
        "expire (nothing)": lambda: store.expire(before_ns=1),
        "expire (100)": lambda: store.expire(before_ns=1 << 62, limit=100),
        "stats": store.stats,
        **{name: lambda query=query: store.records(query) for name, query in queries.items()},  # type: ignore[misc]  # mypy cannot infer the default
    }


def timed(call: Callable[[], object]) -> float:
    """Microseconds of the first call, which does the work; what is cached does not count for less."""
    begun = time.process_time()
    call()
    return (time.process_time() - begun) * 1e6


def item(run: int, number: int) -> Item:
    """A small item of a run."""
    return Item(
        signal="span",
        key=f"{run:032x}/{number:016x}",
        digest=run.to_bytes(8, "big") + number.to_bytes(8, "big"),
        links=(f"trace:{run * 0x9E3779B97F4A7C15 % (1 << 64):032x}",),
        time_ns=agent_spans.START_NS + run,
        resource=b"resource",
        scope=b"scope",
        raw=b"%d" % run,
    )


def record(group: int) -> RunRecord:
    """The record of a run; one in ten thousand is rare."""
    rare = group % 10_000 == 7
    return RunRecord(
        run_id=f"run-{group:08d}",
        lifecycle="open" if rare else "settled",
        outcome="ended",
        review_state="failing" if rare else "done",
        started=f"2026-05-18T{group // 3600 % 24:02d}:{group // 60 % 60:02d}:{group % 60:02d}.000Z",
        agent=Agent(name="rare" if rare else f"agent-{group % 10}"),
        base=Base(repository="rare" if rare else f"app-{group % 100}"),
        findings=(Finding(rule="rare" if rare else "stale", severity="error", message="of no interest here " * 10),),
    )


if __name__ == "__main__":
    main()
