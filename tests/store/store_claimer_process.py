"""A process that claims groups of a database and saves records for them, until none is due; run by the tests of faults.

Usage: store_claimer_process.py DATABASE NAME

It begins when a line comes in, and prints each group when it has it and when it is saved.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from agent_otel.model.record import RunRecord
from agent_otel.store.base import Claim, Folded
from agent_otel.store.sqlite import SqliteStore


def say(*words: object) -> None:
    """Prints a line in one system call, so that lines of processes do not mix."""
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def main(database: str, name: str) -> None:
    """Claims and saves."""
    sys.stdin.readline()
    store = SqliteStore(Path(database))
    while groups := store.claim(Claim(limit=3, lease_s=600.0), now_ns=time.time_ns()):
        for group in groups:
            say("claimed", group)
        folds = []
        for group in groups:
            taken = store.items(group)
            record = RunRecord(run_id=f"run-{group}-{name}", lifecycle="settled", outcome="ended")
            folds.append(Folded(group=group, sequence=taken.sequence, records=[record]))
        for group, saved in zip(groups, store.save(folds), strict=True):
            say("saved" if saved else "refused", group)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
