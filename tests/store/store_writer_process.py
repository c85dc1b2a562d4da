"""A process that writes to a store until it is told, or made, to stop; run by the tests of faults.

Usage: store_writer_process.py DATABASE NAME COUNT THREADS

It opens the database when a line comes in, and prints each key after its item was acknowledged.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from pathlib import Path

from agent_otel.model.item import Item
from agent_otel.store.sqlite import SqliteStore
from agent_otel.store.writer import GroupCommit


def make_item(name: str, number: int) -> Item:
    """An item of about the size an agent sends; every tenth joins two traces."""
    key = f"{name}-{number}"
    links = [f"trace:{name}-{number // 10}"]
    if number % 10 == 0:
        links.append("session.id:shared")
    return Item(
        signal="span",
        key=key,
        digest=hashlib.blake2b(key.encode(), digest_size=16).digest(),
        links=tuple(links),
        time_ns=number,
        resource=name.encode(),
        scope=b"",
        raw=key.encode() * 100,
    )


def main(database: str, name: str, count: int, threads: int) -> None:
    """Writes ``count`` items in each thread."""
    sys.stdin.readline()
    store = SqliteStore(Path(database))
    writer = GroupCommit(store)

    def write(thread: int) -> None:
        for number in range(count):
            item = make_item(f"{name}.{thread}", number)
            writer.put([item])
            os.write(1, f"{item.key}\n".encode())  # one system call, so that lines of threads do not mix

    workers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    writer.close()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
