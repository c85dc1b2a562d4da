"""The load that the benchmarks and load tests send: runs of a coding agent, as OTLP requests of known content.

A span is about 2.3 KB, which is what tool calls of real agents come to: names, ids, a command or a path, and the
beginning of an output. Everything follows from the number of the run and of the span, so that what arrived can be
compared with what was sent, across processes and restarts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from agent_otel.model import names

START_NS: Final = 1_779_095_523_000_000_000
_SPAN_NS: Final = 250_000_000
_TOOLS: Final = ("read_file", "run_command", "edit_file", "search", "list_files")
_OUTPUT: Final = (
    "tests/test_invites.py::test_redirects_after_sso PASSED\n"
    "src/routes/invite.py:%d: note: the guard waits until the membership is loaded, see ADR-%d\n"
)


def trace_id(run: int) -> bytes:
    """The 16 bytes of a run's trace id."""
    return hashlib.blake2b(f"run {run}".encode(), digest_size=16).digest()


def span_id(run: int, number: int) -> bytes:
    """The 8 bytes of a span's id; number 0 is the run's root."""
    return hashlib.blake2b(f"run {run} span {number}".encode(), digest_size=8).digest()


def run_id(run: int) -> str:
    """What the run is called in its record."""
    return f"load-{run:08d}"


def span(run: int, number: int, *, spans: int, size: int = 2300) -> Span:
    """One span of a run that has ``spans`` in all; about ``size`` bytes."""
    begun = START_NS + run * 1_000_000 + number * _SPAN_NS
    made = Span(trace_id=trace_id(run), span_id=span_id(run, number), start_time_unix_nano=begun)
    made.end_time_unix_nano = begun + (spans + 1) * _SPAN_NS if number == 0 else begun + _SPAN_NS
    if number == 0:
        made.name = "invoke_agent load"
        made.attributes.extend(
            _attributes({names.OPERATION_NAME: "invoke_agent", names.AGENT_NAME: "load", names.RUN_OUTCOME: "ended"})
        )
    else:
        tool = _TOOLS[number % len(_TOOLS)]
        made.name = f"execute_tool {tool}"
        made.parent_span_id = span_id(run, 0)
        made.attributes.extend(
            _attributes(
                {
                    names.OPERATION_NAME: "execute_tool",
                    names.TOOL_NAME: tool,
                    names.TOOL_TYPE: "function",
                    names.TOOL_CALL_ID: f"call_{run}_{number}",
                    names.TOOL_CALL_ARGUMENTS: f'{{"path": "src/routes/invite_{number % 40}.py", "lines": "1-80"}}',
                }
            )
        )
        if number % 50 == 0:
            made.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="exit code 1"))
    made.attributes.extend(_attributes({names.RUN_ID: run_id(run)}))
    missing = size - made.ByteSize() - len(names.TOOL_CALL_RESULT) - 12
    if missing > 0:
        output = _OUTPUT % (number, run % 100)
        made.attributes.extend(_attributes({names.TOOL_CALL_RESULT: (output * (missing // len(output) + 1))[:missing]}))
    return made


def request(spans: list[Span]) -> bytes:
    """The body of an export request with these spans, as one program would send them."""
    resource = Resource(
        attributes=_attributes(
            {
                "service.name": "load-bot",
                "service.version": "1.4.0",
                "telemetry.sdk.name": "opentelemetry",
                "telemetry.sdk.language": "python",
                "host.name": "localhost",
                "process.runtime.name": "cpython",
            }
        )
    )
    block = ScopeSpans(scope=InstrumentationScope(name="agent_otel", version="0.1.0"), spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[block])]
    ).SerializeToString()


def requests(*, runs: int, spans: int, batch: int = 512, first_run: int = 0, size: int = 2300) -> Iterator[bytes]:
    """Bodies of ``batch`` spans that hold all spans of the runs; the runs' spans come mixed, as concurrent agents send.

    Args:
        runs: how many runs.
        spans: spans of each run, its root included; the root comes last, as it ends last.
        batch: spans in a request; the last may have fewer.
        first_run: the number of the first run.
        size: bytes of a span, about.
    """
    waiting: list[Span] = []
    together = min(runs, 16)
    for start in range(first_run, first_run + runs, together):
        for number in (*range(1, spans), 0):
            for run in range(start, min(start + together, first_run + runs)):
                waiting.append(span(run, number, spans=spans, size=size))
                if len(waiting) == batch:
                    yield request(waiting)
                    waiting = []
    if waiting:
        yield request(waiting)


def halves(*, runs: int = 40, spans: int = 25, size: int = 400) -> Iterator[bytes]:
    """One body for each half of a run, as a collector makes them that parts what it writes by trace."""
    for run in range(runs):
        made = [span(run, number, spans=spans, size=size) for number in range(spans)]
        yield request(made[: spans // 2])
        yield request(made[spans // 2 :])


class Endless:
    """The same requests again and again, each time as other runs: for loads that are too long to be kept in memory.

    Args:
        runs: runs that send at the same time: one round.
        spans: spans of each.
        batch: spans in a request; a round is a whole number of them.
    """

    def __init__(self, *, runs: int = 16, spans: int = 50, batch: int = 400) -> None:
        if runs * spans % batch:
            message = f"{runs} runs of {spans} spans do not fill requests of {batch}"
            raise ValueError(message)
        self.runs, self.spans, self.batch = runs, spans, batch
        self._bodies = [bytearray(body) for body in requests(runs=runs, spans=spans, batch=batch)]
        self._places = [list(_places(body, runs)) for body in self._bodies]

    @property
    def requests_a_round(self) -> int:
        """Requests that hold one round."""
        return len(self._bodies)

    def round(self, number: int) -> Iterator[bytes]:
        """The requests of runs ``number * runs`` and following."""
        ids = [trace_id(number * self.runs + run) for run in range(self.runs)]
        called = [run_id(number * self.runs + run).encode() for run in range(self.runs)]
        for body, places in zip(self._bodies, self._places, strict=True):
            for place in places:
                if place.is_name:
                    body[place.start : place.start + len(called[place.run])] = called[place.run]
                else:
                    body[place.start : place.start + 16] = ids[place.run]
            yield bytes(body)


class _Place(msgspec.Struct, frozen=True):
    """Where a request names a run, by its id or its trace id."""

    start: int
    run: int
    is_name: bool


def _places(body: bytearray, runs: int) -> Iterator[_Place]:
    for run in range(runs):
        for what, is_name in ((trace_id(run), False), (run_id(run).encode(), True)):
            start = body.find(what)
            while start >= 0:
                yield _Place(start, run, is_name)
                start = body.find(what, start + len(what))


def _attributes(values: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]
