"""What storms of large requests, one after the other, cost a real processor in memory. Prints, never gates.

Run it with ``python benchmarks/storm.py`` (``--transport http --mib 64``). In each round all senders send one request
at the same time, and none comes back. Memory is the most that each process had in that round, and what it has after it.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import agent_spans
import grpc
import tabulate
from soak import Processor

from agent_otel.service.grpc import GZIP_MAGIC

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MIB = 1 << 20
BODIES = 8
"""Different requests; there are more senders."""

_FORGET_PEAK = "5"
"""Written to ``clear_refs``, it makes ``VmHWM`` begin anew (proc_pid_clear_refs(5))."""


def over_http(address: tuple[str, int], body: bytes) -> int:
    """The status of an export."""
    connection = http.client.HTTPConnection(*address, timeout=120)
    compression = {"content-encoding": "gzip"} if body.startswith(GZIP_MAGIC) else {}
    try:
        connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf", **compression})
        return connection.getresponse().status
    except OSError:  # refused before all of it was sent
        return 0
    finally:
        connection.close()


def over_grpc(address: tuple[str, int], body: bytes) -> int:
    """The code of an export, as the status that HTTP has for it."""
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]  # a connection each
    with grpc.insecure_channel("{}:{}".format(*address), options=options) as channel:
        try:
            channel.unary_unary(METHOD)(body, timeout=120)
        except grpc.RpcError as exc:
            return {grpc.StatusCode.UNAVAILABLE: 503}.get(exc.code(), 0)
        return 200


def bodies(size: int, span_bytes: int) -> list[bytes]:
    """Requests of at most so many bytes, full of spans."""
    spans = size // (span_bytes + 8)
    made = []
    for run in range(1, BODIES + 1):
        body = agent_spans.request([agent_spans.span(run, at, spans=spans, size=span_bytes) for at in range(spans)])
        made.append(body)
    return made


class Memory:
    """The memory of a processor's processes."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    def forget(self) -> None:
        """The peak begins anew."""
        for pid in self._processor.processes():
            Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)

    def peak(self) -> list[float]:
        """The most that each process had, in MiB."""
        return [_status(pid, "VmHWM") for pid in self._processor.processes()]

    def now(self) -> list[float]:
        """What each has."""
        return [_status(pid, "VmRSS") for pid in self._processor.processes()]


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def rounds(
    memory: Memory, send: Callable[[bytes], int], loads: Sequence[bytes], *, senders: int, count: int
) -> Iterator[dict[str, object]]:
    """A row for each storm."""
    for number in range(1, count + 1):
        memory.forget()
        begun = time.monotonic()
        with ThreadPoolExecutor(senders) as pool:
            answers = Counter(pool.map(send, [loads[each % len(loads)] for each in range(senders)]))
        took = time.monotonic() - begun
        peak, now = memory.peak(), memory.now()
        yield {
            "round": number,
            "seconds": round(took, 1),
            "taken": answers[200],
            "refused": answers[503],
            "broken": senders - answers[200] - answers[503],
            "receiver, peak MiB": round(peak[0]),
            "workers, peak MiB": round(sum(peak[1:])),
            "all, peak MiB": round(sum(peak)),
            "all, after it": round(sum(now)),
        }


def main() -> None:
    """Reads the command line, and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--senders", type=int, default=48)
    parser.add_argument("--mib", type=float, default=16, help="size of a request, before it is compressed")
    parser.add_argument("--span-bytes", type=int, default=2300)
    parser.add_argument("--transport", choices=("grpc", "http"), default="grpc")
    parser.add_argument("--gzip", action="store_true", help="compress them")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small requests, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("reads the memory of a process from /proc, which Linux alone has")
    if chosen.quick:
        chosen.rounds, chosen.senders, chosen.mib = 2, 4, 0.25
    loads = bodies(int(chosen.mib * MIB) - 1024, chosen.span_bytes)
    if chosen.gzip:
        loads = [gzip.compress(body, 1) for body in loads]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        grpc_at: tuple[str, int] = probe.getsockname()
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        listen = ("--grpc", "{}:{}".format(*grpc_at), "--workers", str(chosen.workers))
        processor = Processor(f"sqlite:///{folder}/runs.db", *listen)
        try:
            send = {
                "grpc": lambda body: over_grpc(grpc_at, body),
                "http": lambda body: over_http(processor.address, body),
            }
            rows = list(
                rounds(Memory(processor), send[chosen.transport], loads, senders=chosen.senders, count=chosen.rounds)
            )
        finally:
            processor.stop()
    print(json.dumps(rows, indent=1) if chosen.json else tabulate.tabulate(rows, headers="keys"))


if __name__ == "__main__":
    main()
