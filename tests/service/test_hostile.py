"""Hostile attributes, sent to a processor that runs: answered, counted and served, and their neighbours stored."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agent_otel.model import names
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.wire import encode_varint
from real.ports import wait_until
from real.processor import Processor

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
START_NS = 1_779_095_523_000_000_000
LONG = "k" * (1 << 20)
DEEP = 10_000
ANSWER_S = 5.0
"""Far more than any of these takes, and less than senders wait."""

KEYS = {
    "prototype": ["__proto__", "constructor", "__class__"],
    "dots": [".", "a.b", "a..b", "a.b.", "a"],
    "NUL": ["\0", "a\0b"],
    "empty": [""],
    "a megabyte": [LONG],
    "twice": ["same", "same", "same"],
    "controls": ["\x1b[31m", "\u202e", "\ufeff", "\ud7ff\uffff"],
}
"""Keys of attributes, all of them of one span."""


def text(key: str, value: str) -> KeyValue:
    """An attribute."""
    return KeyValue(key=key, value=AnyValue(string_value=value))


def run(trace: int, odd: list[KeyValue]) -> list[Span]:
    """The two spans of a run: a tool call with these attributes, and the agent, which has only what it should."""
    common = {"trace_id": trace.to_bytes(16, "big"), "start_time_unix_nano": START_NS}
    agent = [text(names.OPERATION_NAME, names.INVOKE_AGENT), text(names.RUN_OUTCOME, "ended")]
    return [
        Span(
            span_id=b"\2" * 8,
            parent_span_id=b"\1" * 8,
            name="execute_tool",
            end_time_unix_nano=START_NS + 10,
            attributes=[text(names.OPERATION_NAME, "execute_tool"), text(names.TOOL_NAME, "shell"), *odd],
            **common,
        ),
        Span(span_id=b"\1" * 8, name="invoke_agent", end_time_unix_nano=START_NS + 20, attributes=agent, **common),
    ]


def message(spans: list[Span]) -> ExportTraceServiceRequest:
    """A request."""
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])])


def in_json(spans: list[Span]) -> bytes:
    """A request in OTLP/JSON, whose ids are hex."""
    plain = MessageToDict(message(spans))
    for each, span in zip(plain["resourceSpans"][0]["scopeSpans"][0]["spans"], spans, strict=True):
        each.update(traceId=span.trace_id.hex(), spanId=span.span_id.hex(), parentSpanId=span.parent_span_id.hex())
    return json.dumps(plain).encode()


def over_http(processor: Processor, body: bytes, encoding: str) -> tuple[int, int]:
    """The status, and how many spans were rejected."""
    connection = http.client.HTTPConnection(urlsplit(processor.http).netloc, timeout=60)
    connection.request("POST", "/v1/traces", body, {"content-type": f"application/{encoding}"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 200:
        return answer.status, 0
    if encoding == "json":
        return 200, int(json.loads(content).get("partialSuccess", {}).get("rejectedSpans", 0))
    return 200, ExportTraceServiceResponse.FromString(content).partial_success.rejected_spans


def over_grpc(processor: Processor, body: bytes) -> tuple[int, int]:
    """The same as HTTP would say it."""
    with grpc.insecure_channel(processor.grpc) as channel:
        content = channel.unary_unary(EXPORT)(body, timeout=60)
    return 200, ExportTraceServiceResponse.FromString(content).partial_success.rejected_spans


Send = Callable[[Processor, bytes], tuple[int, int]]
SENDERS: dict[str, tuple[Callable[[list[Span]], bytes], Send]] = {
    "protobuf": (
        lambda spans: message(spans).SerializeToString(),
        lambda to, body: over_http(to, body, "x-protobuf"),
    ),
    "json": (in_json, lambda to, body: over_http(to, body, "json")),
    "grpc": (lambda spans: message(spans).SerializeToString(), over_grpc),
}
"""How to write a request, and how to send it."""


def in_time(send: Send, processor: Processor, body: bytes) -> tuple[int, int]:
    """The answer, which came soon."""
    began = time.monotonic()
    answer = send(processor, body)
    assert time.monotonic() - began < ANSWER_S
    return answer


def get(processor: Processor, path: str) -> bytes:
    """What the processor says."""
    with urllib.request.urlopen(processor.http + path, timeout=30) as answer:
        return bytes(answer.read())


def strict(content: bytes) -> dict[str, Any]:
    """JSON as the RFC has it: UTF-8 without lone surrogates, no NaN, and every key of an object once."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    def never(constant: str) -> None:
        raise AssertionError(constant)

    found: dict[str, Any] = json.loads(content.decode(), object_pairs_hook=once, parse_constant=never)
    json.dumps(found, ensure_ascii=False).encode()
    return found


def counted(processor: Processor) -> dict[str, float]:
    """What became of the spans."""
    lines = get(processor, "/metrics").decode().splitlines()
    return {
        name: sum(
            float(line.split()[-1])
            for line in lines
            if line.startswith(
                (f"agent_otel_processor_items_{name}_total ", f"agent_otel_processor_items_{name}_total{{")
            )
        )
        for name in ("accepted", "stored", "duplicate", "rejected")
    }


def settled(processor: Processor, *, runs: int) -> None:
    """Waits for the records of so many runs of two spans each, and reads all that is served as strictly as can be."""

    def complete() -> bool:
        listed = strict(get(processor, "/api/runs"))["runs"]
        paths = [f"/api/runs/{quote(each['run_id'], safe='')}" for each in listed]
        return [strict(get(processor, path))["capture"]["spans"] for path in paths] == [2] * runs

    wait_until(complete, what=f"the records of {runs} runs")
    for each in strict(get(processor, "/api/runs"))["runs"]:
        items = get(processor, f"/api/runs/{quote(each['run_id'], safe='')}/items")
        assert items_from_json(items, "span").items
        strict(items)


@pytest.mark.parametrize("sender", SENDERS)
def test_hostile_keys(serve, sender):
    """They are data like others: nothing is refused, and what is served is JSON."""
    processor = serve("--debounce-s", "0")
    write, send = SENDERS[sender]
    for trace, keys in enumerate(KEYS.values(), start=1):
        spans = run(trace, [text(key, f"value {at}") for at, key in enumerate(keys)])
        assert in_time(send, processor, write(spans)) == (200, 0)
    settled(processor, runs=len(KEYS))
    sent = 2 * len(KEYS)
    assert counted(processor) == {"accepted": sent, "stored": sent, "duplicate": 0, "rejected": 0}


def nested(depth: int) -> bytes:
    """An attribute of so many arrays in arrays; by hand, since the classes refuse to write it."""
    parts = [b"\x10\x01"]
    size = len(parts[0])

    def wrap(tag: int) -> None:
        nonlocal size
        head = bytes([tag]) + encode_varint(size)
        parts.append(head)
        size += len(head)

    for _ in range(depth):
        wrap(0x0A)  # ArrayValue.values
        wrap(0x2A)  # AnyValue.array_value
    wrap(0x12)  # KeyValue.value
    wrap(0x4A)  # Span.attributes
    return b"".join(reversed(parts))


def length_delimited(number: int, content: bytes) -> bytes:
    """A field of a message."""
    return bytes([number << 3 | 2]) + encode_varint(len(content)) + content


@pytest.mark.parametrize("sender", ["protobuf", "grpc"])
def test_values_nested_deeply_cost_their_span_alone(serve, sender):
    """Ten thousand levels: partial success says so of one span, and its neighbours make the record."""
    processor = serve("--debounce-s", "0")
    _, send = SENDERS[sender]
    good = [each.SerializeToString() for each in run(1, [])]
    bad = Span(trace_id=bytes(15) + b"\1", span_id=b"\3" * 8, name="deep").SerializeToString() + nested(DEEP)
    spans = b"".join(length_delimited(2, each) for each in (good[0], bad, good[1]))
    assert in_time(send, processor, length_delimited(1, length_delimited(2, spans))) == (200, 1)
    settled(processor, runs=1)
    assert counted(processor) == {"accepted": 3, "stored": 2, "duplicate": 0, "rejected": 1}


def test_json_nested_deeply_is_refused_whole(serve):
    """Nobody parses JSON of ten thousand levels: 400, nothing counted, and the processor goes on with the next one."""
    processor = serve("--debounce-s", "0")
    write, send = SENDERS["json"]
    spans = run(1, [text("deep", "here")])
    value = b'{"arrayValue":{"values":[' * DEEP + b"]}}" * DEEP
    deep = write(spans).replace(b'{"stringValue": "here"}', value)
    assert len(deep) > 28 * DEEP
    assert in_time(send, processor, deep) == (400, 0)
    assert counted(processor) == {"accepted": 0, "stored": 0, "duplicate": 0, "rejected": 0}
    assert in_time(send, processor, write(spans)) == (200, 0)
    settled(processor, runs=1)


@pytest.mark.parametrize("sender", SENDERS)
def test_values_nested_a_little_are_kept(serve, sender):
    """Twenty levels of objects go in and come out."""
    processor = serve("--debounce-s", "0")
    write, send = SENDERS[sender]
    value = AnyValue(int_value=1)
    for _ in range(20):
        outer = AnyValue()
        outer.kvlist_value.values.add(key="__proto__", value=value)
        value = outer
    assert in_time(send, processor, write(run(1, [KeyValue(key="deep", value=value)]))) == (200, 0)
    settled(processor, runs=1)
