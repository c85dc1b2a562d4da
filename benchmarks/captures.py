"""Delivers a folder of telemetry in the worst way that is allowed, and compares: same items, same documents.

usage: captures.py [FOLDER] [--processors 2] [--copies 5] [--connections 8] [--seed N] [--db URL] [--json] [--quick]

Every span and log record of the folder goes alone in a request, so many times, in any order, over HTTP (protobuf, JSON)
and gRPC, to several processors on one database. What ``agent-otel export --no-revision`` prints then has to be what
``agent-otel compact --json --no-revision`` prints for the files, byte for byte: exit code 1 where it is not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deliveries import At, deliver

from agent_otel.cli.sources import files_in, requests_in
from agent_otel.model.item import Item
from agent_otel.otlp.lines import items_from_bytes
from agent_otel.store.open import open_store

OWN = Path(__file__).resolve().parents[1] / "tests" / "data" / "otlp"
PATIENCE_S = 300
_PROGRAM = (sys.executable, "-m", "agent_otel")


@contextmanager
def processor(database: str) -> Iterator[At]:
    """A processor of our own on free ports; ended with SIGTERM."""
    options = ("--db", database, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--log-level", "warning", "--json")
    with subprocess.Popen([*_PROGRAM, "serve", *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        yield At(where["http"][0], where["grpc"][0])
        process.send_signal(signal.SIGTERM)


def items_of(folder: Path) -> list[Item]:
    """Every span and log record in the files of the folder."""
    found: list[Item] = []
    for file in telemetry(folder):
        with file.open("rb") as opened:
            for request in requests_in(opened, str(file)):
                found += items_from_bytes(request.body).items
    return found


def telemetry(folder: Path) -> list[Path]:
    """The files of JSON lines in a folder; a single JSON document may be anything."""
    return [file for file in files_in(folder) if ".jsonl" in file.name]


def output_of(*arguments: str | Path) -> bytes:
    """What the command line prints."""
    return subprocess.run([*_PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, check=True).stdout


def until_folded(database: str) -> None:
    """Waits until the processors have folded everything."""
    store = open_store(database)
    ends_s = time.monotonic() + PATIENCE_S
    while store.stats().due or store.due(now_ns=time.time_ns()):
        if time.monotonic() > ends_s:
            sys.exit("the processors do not come to an end")
        time.sleep(0.1)
    store.close()


def run(arguments: argparse.Namespace, database: str) -> dict[str, object]:
    """Delivers, exports, compacts; the figures by name."""
    items = items_of(arguments.folder)
    with ExitStack() as running:
        at = [running.enter_context(processor(database)) for _ in range(arguments.processors)]
        begun = time.monotonic()
        ways = deliver(items, at, copies=arguments.copies, seed=arguments.seed, connections=arguments.connections)
        delivered_s = time.monotonic() - begun
        until_folded(database)
        folded_s = time.monotonic() - begun
        by_api = output_of("export", "--url", at[0].http, "--no-revision")
    store = open_store(database)
    stats = store.stats()
    store.close()
    exported = output_of("export", "--db", database, "--no-revision")
    compacted = output_of("compact", *telemetry(arguments.folder), "--json", "--no-revision")
    distinct = len({item.digest for item in items})
    sent = sum(ways.values())
    return {
        "items": len(items),
        "requests": sent,
        **{f"requests ({way})": count for way, count in sorted(ways.items())},
        "delivered in s": round(delivered_s, 1),
        "folded after s": round(folded_s, 1),
        "stored": stats.items - stats.notes,
        "duplicates": stats.duplicates,
        "notes of its own": stats.notes,
        "counts agree": (stats.items - stats.notes, stats.duplicates) == (distinct, sent - distinct),
        "records": len(json.loads(exported)),
        "bytes": len(exported),
        "sha256 of export --db": hashlib.sha256(exported).hexdigest(),
        "sha256 of export --url": hashlib.sha256(by_api).hexdigest(),
        "sha256 of compact": hashlib.sha256(compacted).hexdigest(),
        "identical": exported == by_api == compacted,
    }


def main() -> None:
    """Runs it once, and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=OWN, help="JSON lines as the collector writes them")
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--copies", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--db", help="an empty database; a file of its own by default")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="deliver twice only")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.copies = 2
    with tempfile.TemporaryDirectory(prefix="agent-otel-captures-") as folder:
        figures = run(arguments, arguments.db or f"sqlite:///{folder}/runs.db")
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:<24} {value}")
    sys.exit(0 if figures["identical"] and figures["counts agree"] else 1)


if __name__ == "__main__":
    main()
