"""Loads a real processor for a while, and prints what it kept up with: throughput a core, latency, freshness, memory.

usage: soak.py [--seconds 600] [--rate SPANS] [--db URL] [--one-core] [--ingest-only] [--json] [--quick]

The processor is ``agent-otel serve`` in a process of its own; what it received is reconciled with what was sent, and a
difference fails the run. Times are no gate. The same bytes are parsed in this process with bare ``ParseFromString``,
so that figures of different machines compare as ratios. Ends by itself.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import agent_spans
import tabulate
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from senders import Senders

from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store

RUNS, SPANS, BATCH = 16, 50, 400
"""Runs that send at the same time, spans of each, spans of a request."""

_TICKS = os.sysconf("SC_CLK_TCK")


class Processor:
    """An ``agent-otel serve`` of our own, on a free port.

    Args:
        database: URL of its database.
        options: further arguments.
        cores: the cores it may use; None is all.
    """

    def __init__(self, database: str, *options: str, cores: set[int] | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.address: tuple[str, int] = probe.getsockname()
        host, port = self.address
        serve = ["-m", "agent_otel", "serve", "--db", database, "--http", f"{host}:{port}", "--grpc", "off"]
        self._process = subprocess.Popen([sys.executable, *serve, *options], stderr=subprocess.DEVNULL)
        if cores is not None:
            os.sched_setaffinity(self._process.pid, cores)
        deadline = time.monotonic() + 30
        while self.get("/readyz")[0] != http.client.OK:
            if time.monotonic() > deadline or self._process.poll() is not None:
                sys.exit("the processor did not become ready")
            time.sleep(0.05)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page; status 0 where nobody answers."""
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def processes(self) -> list[int]:
        """Its process and all below it."""
        found = [self._process.pid]
        for pid in found:
            tasks = Path(f"/proc/{pid}/task")
            for task in tasks.iterdir() if tasks.exists() else ():
                found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def cpu_s(self) -> tuple[float, float]:
        """Seconds of CPU so far: of the process that receives, and of those that fold."""
        spent = []
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent.append((int(fields[11]) + int(fields[12])) / _TICKS)
        return spent[0], sum(spent[1:])

    def rss_mib(self) -> list[float]:
        """Resident memory of each process."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes()]
        return [each * os.sysconf("SC_PAGE_SIZE") / 2**20 for each in pages]

    def stop(self) -> None:
        """Asks it to end, and waits."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=30)


class Watch:
    """Samples memory, and notes when each run's record became complete."""

    def __init__(self, processor: Processor, database: str, *, fresh: bool) -> None:
        self._processor = processor
        self._store = open_store(database)
        self._fresh = fresh
        self._stop = threading.Event()
        self.complete_s: dict[str, float] = {}
        self.rss_mib: list[list[float]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.25):
            self.rss_mib.append(self._processor.rss_mib())
            if self._fresh:
                for record in self._store.records(RecordQuery(limit=400)):
                    if record.capture.spans == SPANS:
                        self.complete_s.setdefault(record.run_id, time.time())

    def settled(self, timeout_s: float) -> bool:
        """Waits until no group is due."""
        deadline = time.monotonic() + timeout_s
        while self._store.stats().due and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self._store.stats().due

    def finish(self) -> dict[str, float]:
        """Ends the watch; what the store holds."""
        self._stop.set()
        self._thread.join()
        stats = self._store.stats()
        self._store.close()
        return {"items": stats.items, "duplicates": stats.duplicates, "records": sum(stats.records.values())}


def numbered(load: agent_spans.Endless) -> Iterator[tuple[int, bytes]]:
    """Requests without end, with their numbers."""
    number = itertools.count()
    for round_number in itertools.count():
        for body in load.round(round_number):
            yield next(number), body


def bare_parse_us(load: agent_spans.Endless) -> float:
    """CPU time of ``ParseFromString`` over the bodies of the load, in µs a span."""
    bodies = [body for number in range(40) for body in load.round(number)]
    begun = time.process_time()
    for body in bodies:
        ExportTraceServiceRequest.FromString(body)
    return 1e6 * (time.process_time() - begun) / (len(bodies) * load.batch)


def run(arguments: argparse.Namespace, database: str) -> dict[str, float | str]:
    """One soak; the figures by name."""
    load = agent_spans.Endless(runs=RUNS, spans=SPANS, batch=BATCH)
    options = ["--workers", "0"] if arguments.ingest_only else []
    processor = Processor(database, *options, cores={0} if arguments.one_core else None)
    if arguments.one_core:
        os.sched_setaffinity(0, {1})
    watch = Watch(processor, database, fresh=not arguments.ingest_only)
    bare = bare_parse_us(load)
    per_second = arguments.rate / BATCH if arguments.rate else None
    before = processor.cpu_s()
    senders = Senders(processor.address, numbered(load), connections=8, per_second=per_second)
    begun = time.monotonic()
    senders.start()
    ending = threading.Timer(arguments.seconds, senders.stop)
    ending.start()
    senders.join()
    ending.cancel()
    sent_s = time.monotonic() - begun
    settled = arguments.ingest_only or watch.settled(timeout_s=120 + arguments.seconds)
    total_s = time.monotonic() - begun
    after = processor.cpu_s()
    account = senders.account
    held = watch.finish()
    rss = [sum(each) for each in watch.rss_mib]
    processor.stop()
    acknowledged = account.acknowledged * BATCH
    ingest_cpu, fold_cpu = after[0] - before[0], after[1] - before[1]
    lags = sorted(
        at - max(account.last_ack_s.get(number, 0.0) for number in _requests_of(load, int(name.rpartition("-")[2])))
        for name, at in watch.complete_s.items()
    )
    if held["items"] < acknowledged:
        sys.exit(f"acknowledged {acknowledged} spans, but the store holds {held}")
    return {
        "database": database.partition(":")[0],
        "seconds of load": round(sent_s, 1),
        "spans acknowledged": acknowledged,
        "spans/s acknowledged": round(acknowledged / sent_s),
        "spans/s end to end (all records folded)": round(acknowledged / total_s) if settled else "did not settle",
        "ingest: µs of CPU a span": round(1e6 * ingest_cpu / acknowledged, 1),
        "ingest: spans a CPU second": round(acknowledged / ingest_cpu),
        "folding: µs of CPU a span": round(1e6 * fold_cpu / acknowledged, 1),
        "end to end: spans a CPU second": round(acknowledged / (ingest_cpu + fold_cpu)),
        "bare ParseFromString: µs a span": round(bare, 2),
        "ingest / bare": round(1e6 * ingest_cpu / acknowledged / bare, 1),
        "acknowledgement p50, ms": round(account.percentile_ms(0.5), 1),
        "acknowledgement p99, ms": round(account.percentile_ms(0.99), 1),
        "record after last acknowledgement p50, s": round(lags[len(lags) // 2], 2) if lags else "",
        "record after last acknowledgement p99, s": round(lags[int(0.99 * len(lags))], 2) if lags else "",
        "refused and sent again": sum(count for status, count in account.statuses.items() if status != http.client.OK),
        "RSS of all processes, MiB (highest)": round(max(rss)),
        "records": held["records"],
    }


def _requests_of(load: agent_spans.Endless, run: int) -> range:
    """The numbers of the requests that a run's spans went with."""
    first = run // load.runs * load.requests_a_round
    return range(first, first + load.requests_a_round)


def main() -> None:
    """Reads the command line, and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=int, default=None, help="spans a second; as many as it takes by default")
    parser.add_argument("--db", default="", help="an empty database; a temporary SQLite file by default")
    parser.add_argument("--one-core", action="store_true", help="the processor on one core, the senders on another")
    parser.add_argument("--ingest-only", action="store_true", help="without folding")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it works")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.rate = 2.0, 2_000
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        figures = run(arguments, arguments.db or f"sqlite:///{folder}/runs.db")
    print(json.dumps(figures, indent=1) if arguments.json else tabulate.tabulate(figures.items(), tablefmt="plain"))


if __name__ == "__main__":
    main()
