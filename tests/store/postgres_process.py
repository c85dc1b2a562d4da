"""A processor beside others on one database; run by the tests of races.

Usage: postgres_process.py URL ITEMS SEED LEASE_S

It puts the items of the file (msgpack) in deliveries of random size and order, some of them twice, and folds what it
claims meanwhile; then it goes on folding until its input ends. It prints ``put KEY`` after an item was acknowledged,
``folded GROUP FROM TO`` (monotonic ns: after the claim, before the save), and ``all`` once everything is put.
"""

from __future__ import annotations

import os
import random
import select
import sys
import time
from pathlib import Path

import msgspec

from agent_otel.compaction.policy import Policy
from agent_otel.model.item import Item
from agent_otel.service.fold import END_OF_TIME_NS, fold_group
from agent_otel.store.base import Claim, Store
from agent_otel.store.open import open_store


def say(line: str) -> None:
    """One system call, so that a kill cuts no line."""
    os.write(1, f"{line}\n".encode())


def fold_some(store: Store, lease_s: float) -> bool:
    """Claims a few groups and folds them; False where there were none."""
    groups = store.claim(Claim(limit=3, lease_s=lease_s), now_ns=time.time_ns())
    begun_ns = time.monotonic_ns()
    folds = [fold_group(store, group, now_ns=END_OF_TIME_NS, policy=Policy())[0] for group in groups]
    ended_ns = time.monotonic_ns()
    for group, saved in zip(groups, store.save(folds), strict=True):
        say(f"{'folded' if saved else 'late'} {group} {begun_ns} {ended_ns}")
    return bool(groups)


def deliveries(items: list[Item], chance: random.Random) -> list[list[Item]]:
    """All items in random order and parts, every fourth once more."""
    mixed = items + chance.sample(items, len(items) // 4)
    chance.shuffle(mixed)
    found = []
    while mixed:
        size = chance.randint(1, 30)
        found.append(mixed[:size])
        del mixed[:size]
    return found


def main(url: str, path: str, seed: int, lease_s: float) -> None:
    """Puts, folds, and waits for the end."""
    items = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[Item])
    chance = random.Random(seed)
    store = open_store(url)
    for delivery in deliveries(items, chance):
        store.put_all([delivery[: len(delivery) // 2], delivery[len(delivery) // 2 :]])
        for item in delivery:
            say(f"put {item.key}")
        if chance.random() < 0.5:
            fold_some(store, lease_s)
    say("all")
    while not select.select([0], [], [], 0)[0]:
        if not fold_some(store, lease_s):
            select.select([0], [], [], 0.02)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
