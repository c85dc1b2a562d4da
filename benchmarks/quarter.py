"""How long do people wait for what is read of ten thousand runs: incidents, and the quarterly review?

usage: quarter.py [--runs 10000] [--store sqlite|postgresql] [--json]

The runs are those of the history in tests/history: real ones, replayed over 120 days, received and folded by each kind
of store as any telemetry is. The commands are programs of their own, as people start them, over all of the runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from history.kept import add_later, items_of, keep
from history.plan import DAYS, START, History
from real.postgres import PostgresServer

COMMANDS = {
    "incidents": ("incidents", "--json"),
    "review": ("review", "--until", f"{START + timedelta(days=DAYS):%Y-%m-%d}", "--json"),
}
AT_ONCE = 250
"""Runs that are received at a time, and folded."""


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"{folder}/runs.db"


@contextmanager
def _postgresql() -> Iterator[str]:
    with closing(PostgresServer(fsync="on")) as server:
        yield server.url()


STORES: dict[str, Callable[[], object]] = {"sqlite": _sqlite, "postgresql": _postgresql}


def built(history: History, database: str) -> float:
    """Puts the history into the database; the seconds that takes."""
    begun = time.monotonic()
    runs = sorted(history.runs, key=lambda run: run.replay.starts)
    for start in range(0, len(runs), AT_ONCE):
        keep(items_of(runs[start : start + AT_ONCE]), database)
    add_later(history.runs, database)
    return time.monotonic() - begun


def measured(arguments: tuple[str, ...], database: str) -> dict[str, float]:
    """What a command costs: wall clock and CPU seconds, and memory at its peak."""
    command = [sys.executable, "-m", "agent_otel", *arguments, "--db", database, "--since", f"{START:%Y-%m-%d}"]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        message = f"{' '.join(command)} exited with {code}"
        raise SystemExit(message)
    return {
        "wall clock, s": time.monotonic() - begun,
        "CPU, s": usage.ru_utime + usage.ru_stime,
        "peak memory, MB": usage.ru_maxrss / 1024,
    }


def main() -> None:
    """Builds each store, and runs the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--store", choices=STORES, action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    history = History(runs=options.runs)
    rows = []
    for name in options.store or STORES:
        with STORES[name]() as database:
            took = built(history, database)
            costs = {command: measured(arguments, database) for command, arguments in COMMANDS.items()}
        rows.append({"store": name, "runs": len(history.runs), "building, s": took, **costs})
        if not options.json:
            print(f"{name}, {len(history.runs)} runs, built in {took:.0f} s")
            for command, cost in costs.items():
                print(f"  {command}: {', '.join(f'{what} {value:.3g}' for what, value in cost.items())}", flush=True)
    if options.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
