"""What it costs to keep telemetry in PostgreSQL, beside a bare COPY of the same bytes and beside SQLite. Never gates.

Run it with ``python benchmarks/postgres.py``: it starts a server of its own, with fsync, or uses the database that
``--db URL`` names, and whose schema ``agent_otel`` it drops. ``--quick`` shows that it works, ``--json`` is for
programs. A round measures everything once, one after the other; the best of the rounds counts. Times are on the clock,
since the work is done elsewhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import psycopg

from agent_otel.model.item import Item
from agent_otel.store.base import Store
from agent_otel.store.open import open_store
from real.postgres import PostgresServer
from store import BATCH, batches_of, calls, fill

Parts = Sequence[Sequence[Sequence[Item]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an item costs, in microseconds: ``wall`` on the clock, ``cpu`` of this process."""

    spans: int
    transaction: int
    put_wall: float
    put_cpu: float
    again_wall: float
    read_wall: float
    copy_wall: float
    sqlite_wall: float


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="", help="URL of a database to spoil (default: a server of its own)")
    parser.add_argument("--quick", action="store_true", help="see that it works")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    rounds, items = (1, 1_024) if options.quick else (3, 32_768)
    few, many = (10, 100) if options.quick else (1_000, 30_000)
    with database(options.db) as url:
        costs = [
            measure(url, spans=spans, together=together, items=items, rounds=rounds)
            for spans, together in ((10, 16), (100, 1), (100, 4), (100, 16), (1_000, 16))
        ]
        growths = grown(url, few=few, many=many)
    if options.json:
        print(json.dumps({"costs": [asdict(cost) for cost in costs], "growth": growths}))
        return
    print("us an item\nspans/run  items/commit       put    its cpu     again      read bare COPY    SQLite")
    for cost in costs:
        times = (cost.put_wall, cost.put_cpu, cost.again_wall, cost.read_wall, cost.copy_wall, cost.sqlite_wall)
        print(f"{cost.spans:>9} {cost.transaction:>13}", *(f"{each:>9.1f}" for each in times))
    print(f"\n{'us a call, in a store of':32} {few:>9} runs {many:>9} runs")
    for call, (few_us, many_us) in growths.items():
        print(f"{call:32} {few_us:>14.0f} {many_us:>14.0f}")


@contextmanager
def database(url: str) -> Iterator[str]:
    """The one that was named, or one of our own."""
    if url:
        yield url
        return
    with closing(PostgresServer(fsync="on", shared_buffers="256MB", max_wal_size="4GB")) as server:
        yield server.url()


def measure(url: str, *, spans: int, together: int, items: int, rounds: int) -> Cost:
    """The best of some rounds."""
    batches = list(batches_of(items, spans=spans, first_run=0))
    parts = [batches[start : start + together] for start in range(0, len(batches), together)]
    found = [measured(url, parts) for _ in range(rounds)]
    best = {name: min(each[name] for each in found) for name in found[0]}
    return Cost(spans=spans, transaction=together * BATCH, **best)


def measured(url: str, parts: Parts) -> dict[str, float]:
    """One round."""
    count = sum(len(batch) for part in parts for batch in part)
    empty(url)
    with closing(open_store(url)) as store:
        store.stats()
        begun = time.process_time()
        put_s = timed(lambda: put(store, parts))
        cpu_s = time.process_time() - begun
        again_s = timed(lambda: put(store, parts))
        groups = store.due(now_ns=1 << 62)
        read_s = timed(lambda: [store.items(group, most_bytes=1 << 26) for group in groups])
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TEMPORARY TABLE bare (raw bytea)")
        connection.execute("DROP TABLE IF EXISTS agent_otel.bare; CREATE TABLE agent_otel.bare (LIKE bare)")
        connection.commit()
        copy_s = timed(lambda: copy(connection, parts))
        connection.execute("DROP TABLE agent_otel.bare")
    with tempfile.TemporaryDirectory() as folder, closing(open_store(Path(folder) / "runs.db")) as store:
        sqlite_s = timed(lambda: put(store, parts))
    seconds = {
        "put_wall": put_s,
        "put_cpu": cpu_s,
        "again_wall": again_s,
        "read_wall": read_s,
        "copy_wall": copy_s,
        "sqlite_wall": sqlite_s,
    }
    return {name: each / count * 1e6 for name, each in seconds.items()}


def empty(url: str) -> None:
    """Starts from nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS agent_otel CASCADE")
        connection.execute("CHECKPOINT")


def put(store: Store, parts: Parts) -> None:
    """Some batches in a transaction."""
    for part in parts:
        store.put_all(part)


def copy(connection: psycopg.Connection, parts: Parts) -> None:
    """The bytes of the items, copied into a table of their own and nothing else."""
    for part in parts:
        with connection.cursor().copy("COPY agent_otel.bare FROM STDIN (FORMAT BINARY)") as rows:
            rows.set_types(["bytea"])
            for batch in part:
                for item in batch:
                    rows.write_row((item.raw,))
        connection.commit()


def grown(url: str, *, few: int, many: int) -> dict[str, tuple[float, float]]:
    """What calls cost, in microseconds, in a store of few runs and in one of many."""
    found = []
    for runs in (few, many):
        empty(url)
        with closing(open_store(url)) as store:
            fill(store, runs)  # type: ignore[arg-type]  # any store
            found.append({name: timed(call) * 1e6 for name, call in calls(store, runs).items()})  # type: ignore[arg-type]
    return {name: (found[0][name], found[1][name]) for name in found[0]}


def timed(call: Callable[[], object]) -> float:
    """Seconds on the clock."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
