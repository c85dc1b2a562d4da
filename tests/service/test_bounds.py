"""What hostile requests cost a real processor, and whether its counts are right after all."""

from __future__ import annotations

import gzip
import http.client
import itertools
import random
import sys
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agent_otel.errors import StoreError
from agent_otel.service.grpc import MESSAGE_BYTES
from real.processor import Processor

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MIB = 1 << 20


def spans(trace: int, ids: list[int]) -> bytes:
    """A request with a span for each id; 0 stands for one without an id."""
    made = [
        Span(trace_id=trace.to_bytes(16, "big"), span_id=each.to_bytes(8, "big") if each else b"", name="work")
        for each in ids
    ]
    block = ResourceSpans(scope_spans=[ScopeSpans(spans=made)])
    return ExportTraceServiceRequest(resource_spans=[block]).SerializeToString()


def over_http(at: str, body: bytes, **headers: str) -> int:
    """The status of an export."""
    connection = http.client.HTTPConnection(at, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf", **named})
        return connection.getresponse().status
    finally:
        connection.close()


def over_grpc(target: str, body: bytes) -> grpc.StatusCode:
    """The code of an export."""
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]  # a connection each
    with grpc.insecure_channel(target, options=options) as channel:
        try:
            channel.unary_unary(EXPORT)(body, timeout=60)
        except grpc.RpcError as exc:
            return exc.code()
        return grpc.StatusCode.OK


def most_mib(pid: int) -> float:
    """The most memory a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


def family(pid: int) -> list[int]:
    """A process and those below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *itertools.chain.from_iterable(family(int(child)) for child in children)]


def heavy(trace: int, size: int) -> bytes:
    """A request of exactly so many bytes: thousands of spans of two kilobytes, and what nobody knows."""
    named = field(5, b"x" * 2_000)
    made = (
        field(2, field(1, trace.to_bytes(16, "big")) + field(2, number.to_bytes(8, "big")) + named)
        for number in range(1, size // 2_100)
    )
    block = field(1, field(2, b"".join(made)))
    return block + field(15, bytes(size - len(block) - 4))


def field(number: int, content: bytes) -> bytes:
    """A field of a message, by hand: a million parts are slow to make otherwise."""
    size, length = len(content), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes((number << 3 | 2, *length, size)) + content


def gibibyte() -> bytes:
    """A thousandth of what it becomes."""
    packer, chunk = zlib.compressobj(1, wbits=31), bytes(MIB)
    return b"".join([*(packer.compress(chunk) for _ in range(1024)), packer.flush()])


BOMBS = {
    "thousandfold": gibibyte,
    "many members": lambda: gzip.compress(b"") * 40_000,
    "spans of millions of fields": lambda: gzip.compress(field(1, field(2, field(2, b"\x78\x00" * 2_000_000) * 15))),
    "a million spans": lambda: gzip.compress(field(1, field(2, b"\x12\x00" * 1_000_000))),
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_less_than_150_mib(serve, bomb):
    """Over either transport it is refused for good, and the processor goes on."""
    body = BOMBS[bomb]()
    processor = serve("--workers", "0")
    at = urlsplit(processor.http).netloc
    for trace in (1, 2):  # both ways are warm
        assert over_http(at, spans(trace, [1])) == 200
        assert over_grpc(processor.grpc, spans(trace, [2])) is grpc.StatusCode.OK
    before = most_mib(processor.pid)
    assert over_http(at, body, content_encoding="gzip") == 413
    assert over_grpc(processor.grpc, body) is grpc.StatusCode.INVALID_ARGUMENT
    assert most_mib(processor.pid) - before < 150
    assert over_http(at, spans(3, [1])) == 200


Send = Callable[[Processor, bytes], int]
STORMS: dict[str, tuple[Send, int, int]] = {
    "grpc": (lambda to, body: GRPC_AS_HTTP[over_grpc(to.grpc, body)], MESSAGE_BYTES, 32),
    "http": (lambda to, body: over_http(urlsplit(to.http).netloc, body), 60 * MIB, 4),
}
"""How the largest requests are sent, their size, and how many come at once."""

GRPC_AS_HTTP = {grpc.StatusCode.OK: 200, grpc.StatusCode.UNAVAILABLE: 503}
ROUNDS = 3


def answered(send: Send, to: Processor, body: bytes) -> int:
    """The status; 503 where the sender went on for so long after the answer that it was cut off."""
    try:
        return send(to, body)
    except OSError:
        return 503


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize("transport", STORMS)
def test_the_largest_requests_at_once_cost_less_than_512_mib(serve, transport):
    """Again and again: all are answered, and those that were told to come back are taken when they do."""
    send, size, senders = STORMS[transport]
    processor = serve("--workers", "1")
    before = family(processor.pid)
    largest = [heavy(trace, size) for trace in (1, 2)]
    with ThreadPoolExecutor(senders) as pool:
        for _ in range(ROUNDS):
            answers = list(
                pool.map(
                    answered,
                    [send] * senders,
                    [processor] * senders,
                    itertools.islice(itertools.cycle(largest), senders),
                )
            )
            assert set(answers) <= {200, 503}
            assert 200 in answers
    assert family(processor.pid) == before
    assert sum(map(most_mib, before)) < 512
    for body in largest:
        assert send(processor, body) == 200


def test_a_message_may_not_be_larger_than_others_have_room_for(serve):
    """Sixteen mebibytes, and not a byte more; the connection goes on."""
    processor = serve("--workers", "0")
    assert over_grpc(processor.grpc, heavy(1, MESSAGE_BYTES)) is grpc.StatusCode.OK
    assert over_grpc(processor.grpc, heavy(2, MESSAGE_BYTES + 1)) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert over_grpc(processor.grpc, spans(3, [1])) is grpc.StatusCode.OK


def test_after_a_storm_the_counts_are_right(listeners):
    """Good, bad, doubled and refused requests from many threads: accepted = stored + duplicate + rejected."""
    expected = {"accepted": 0, "rejected": 0}
    statuses: list[Any] = []
    lock = threading.Lock()

    def sender(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(25):
            if seed == 0:
                listeners.trouble = StoreError("locked") if number % 3 == 0 else None
            ids = [chance.choice([0, *range(1, 20)]) for _ in range(chance.randrange(12))]
            body = spans(chance.randrange(1, 5), ids)
            if chance.random() < 0.2:
                body += b"\x0a"  # cut
            status = (
                over_http(str(listeners.address), body)
                if chance.random() < 0.5
                else {grpc.StatusCode.OK: 200}.get(over_grpc(listeners.grpc, body), 0)
            )
            with lock:
                statuses.append(status)
                if status == 200:
                    expected["accepted"] += len(ids)
                    expected["rejected"] += ids.count(0)

    threads = [threading.Thread(target=sender, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = {
        name: listeners.counted(f"agent_otel_processor_items_{name}_total")
        for name in ("accepted", "stored", "duplicate", "rejected")
    }
    assert found["accepted"] == found["stored"] + found["duplicate"] + found["rejected"]
    assert {name: found[name] for name in expected} == expected
    assert found["stored"] == listeners.store.stats().items
    assert listeners.counted("agent_otel_processor_requests_total") == len(statuses) == 150
    assert {200, 503, 400} <= set(statuses)
    assert listeners.budget.used == 0
