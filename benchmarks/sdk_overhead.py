"""What a decorated call costs, beside a raw span of the OpenTelemetry SDK with the same attributes.

Everything is measured in one process, in interleaved rounds, with one processor that throws spans away; the ratio is
the median of the rounds' ratios, so that a busy machine disturbs both sides alike. Run it with::

    python benchmarks/sdk_overhead.py            # a minute
    python benchmarks/sdk_overhead.py --quick    # a few seconds, to see that it works
    python benchmarks/sdk_overhead.py --json
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

from opentelemetry import context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from tabulate import tabulate

from agent_otel.model import names
from agent_otel.sdk import metrics
from agent_otel.sdk.run_scope import run
from agent_otel.sdk.settings import SdkSettings
from agent_otel.sdk.state import Instrumentation, install
from agent_otel.sdk.tool import tool
from agent_otel.text.redaction import Masker

ITEMS = 3
"""Items a generator gives; each is a resumption with its own attach and detach."""


class Case(NamedTuple):
    """One thing that is measured: ``many(n)`` makes ``n`` calls."""

    name: str
    many: Callable[[int], None]
    against: str = ""
    setting: Callable[[], Any] = nullcontext


class Cost(NamedTuple):
    """Microseconds per call: on the clock, on the calling thread's CPU, and on all CPUs of the process."""

    wall: float
    thread: float
    process: float


class Discarding(SpanProcessor):
    """The exporter of everybody in here: none."""


PROVIDER = TracerProvider(shutdown_on_exit=False)
PROVIDER.add_span_processor(Discarding())
TRACER = PROVIDER.get_tracer("raw")
MASKER = Masker(key=b"benchmark")


def instrumented(*, measuring: bool = False, tracing: bool = True) -> Instrumentation:
    """An instrumentation for one case."""
    return Instrumentation(
        settings=SdkSettings(heartbeat_s=0.0, git=False, metrics=measuring),
        masker=MASKER,
        tracer_provider=PROVIDER if tracing else None,
        meter_provider=MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False) if measuring else None,
    )


# -- the work that is decorated ---------------------------------------------------------------------------------------


def search(query: str, *, limit: int = 10) -> str:  # noqa: ARG001 - a tool that costs nothing itself
    """Searches the code."""
    return query


async def search_async(query: str, *, limit: int = 10) -> str:  # noqa: ARG001 - as above
    """Searches the code."""
    return query


def search_each(query: str, *, limit: int = 10) -> Iterator[str]:  # noqa: ARG001 - as above
    """Searches the code."""
    for _ in range(ITEMS):
        yield query


def read(path: str, why: str = "") -> str:  # noqa: ARG001 - as above
    """Reads a file."""
    return path


ATTRIBUTES = {
    names.OPERATION_NAME: names.EXECUTE_TOOL,
    names.TOOL_NAME: "search",
    names.TOOL_TYPE: "function",
    names.TOOL_DESCRIPTION: "Searches the code.",
}
IN_RUN = {**ATTRIBUTES, names.AGENT_NAME: "benchmark", names.RUN_ID: "benchmark-1"}
FILE = {
    **ATTRIBUTES,
    names.FILE_OPERATION: "read",
    names.FILE_PATH: "src/agent_otel/sdk/tool.py",
    names.FILE_NAME: "tool.py",
    names.FILE_EXTENSION: "py",
}
READ_EVENT = {
    names.FILE_PATH: FILE[names.FILE_PATH],
    names.FILE_REASON: "the span starts here",
    names.FILE_CONTENT_DIGEST: f"sha256:{'0' * 64}",
    names.EVENT_ID: "0" * 16,
}
NAME = "execute_tool search"


def raw(attributes: dict[str, Any]) -> Callable[[int], None]:
    """The SDK's own context manager around the work."""

    def many(calls: int) -> None:
        for _ in range(calls):
            with TRACER.start_as_current_span(NAME, attributes=attributes):
                search("guard", limit=3)

    return many


def raw_by_hand(calls: int) -> None:
    """The least the API asks for."""
    for _ in range(calls):
        span = TRACER.start_span(NAME, attributes=ATTRIBUTES)
        token = context.attach(trace.set_span_in_context(span))
        try:
            search("guard", limit=3)
        finally:
            context.detach(token)
            span.end()


def raw_async(calls: int) -> None:
    """The context manager in a coroutine."""

    async def one(query: str, *, limit: int) -> str:
        with TRACER.start_as_current_span(NAME, attributes=ATTRIBUTES):
            return await search_async(query, limit=limit)

    awaited(one, calls)


def raw_generator(calls: int) -> None:
    """The context manager in a generator: it leaks the span into the consumer, but that is how it is written."""

    def each(query: str, *, limit: int) -> Iterator[str]:
        with TRACER.start_as_current_span(NAME, attributes=ATTRIBUTES):
            yield from search_each(query, limit=limit)

    iterated(each)(calls)


def raw_with_event(calls: int) -> None:
    """A span with the attributes of a file tool and one event."""
    for _ in range(calls):
        with TRACER.start_as_current_span(NAME, attributes=FILE) as span:
            read("src/agent_otel/sdk/tool.py", why="the span starts here")
            span.add_event(names.FILE_READ, READ_EVENT)


def awaited(function: Callable[..., Any], calls: int) -> None:
    """Awaits in one event loop, so that the loop is not what is measured."""

    async def main() -> None:
        for _ in range(calls):
            await function("guard", limit=3)

    asyncio.run(main())


def decorated(function: Callable[..., Any]) -> Callable[[int], None]:
    """Calls of a decorated function."""

    def many(calls: int) -> None:
        for _ in range(calls):
            function("guard", limit=3)

    return many


def iterated(function: Callable[..., Any]) -> Callable[[int], None]:
    """Calls of a decorated generator, each to its end."""

    def many(calls: int) -> None:
        for _ in range(calls):
            for _ in function("guard", limit=3):
                pass

    return many


def cases() -> list[Case]:
    """Everything that is measured here."""
    ours, ours_async, ours_each = tool(search), tool(search_async, name="search"), tool(search_each, name="search")
    reading = tool(read, name="search", reads="path", reason="why")
    tracing, measuring, off = instrumented(), instrumented(measuring=True), instrumented(tracing=False)

    def within(instrumentation: Instrumentation) -> Callable[[], Any]:
        return lambda: Installed(instrumentation)

    def read_often(calls: int) -> None:
        for _ in range(calls):
            reading("src/agent_otel/sdk/tool.py", why="the span starts here")

    def bare(calls: int) -> None:
        for _ in range(calls):
            search("guard", limit=3)

    return [
        Case("raw", raw(ATTRIBUTES)),
        Case("raw, by hand", raw_by_hand, "raw"),
        Case("sync", decorated(ours), "raw", within(tracing)),
        Case("sync, metrics on", decorated(ours), "raw", within(measuring)),
        Case("raw, in a run", raw(IN_RUN), "", lambda: Installed(tracing, in_run=True)),
        Case("sync, in a run", decorated(ours), "raw, in a run", lambda: Installed(tracing, in_run=True)),
        Case("raw async", raw_async),
        Case("async", lambda calls: awaited(ours_async, calls), "raw async", within(tracing)),
        Case("raw generator", raw_generator),
        Case("generator", iterated(ours_each), "raw generator", within(tracing)),
        Case("raw, file and event", raw_with_event),
        Case("file read, event", read_often, "raw, file and event", within(tracing)),
        Case("bare function", bare),
        Case("tracing off", decorated(ours), "", within(off)),
        Case("tracing off, generator", iterated(ours_each), "", within(off)),
        *peers(),
    ]


class Installed:
    """Puts an instrumentation in force for one case."""

    def __init__(self, instrumentation: Instrumentation, *, in_run: bool = False) -> None:
        self._instrumentation = instrumentation
        self._in_run = in_run
        self._before: Any = None
        self._scope: Any = None

    def __enter__(self) -> None:
        self._before = install(self._instrumentation)
        if self._in_run:
            self._scope = run("measure", agent="benchmark", id="benchmark-1")
            self._scope.__enter__()

    def __exit__(self, *error: object) -> None:
        metrics.flush()  # what waits belongs to this case's CPU time
        if self._scope is not None:
            self._scope.__exit__(None, None, None)
        install(self._before)


def peers() -> list[Case]:
    """The decorators of other packages, where they are installed and take a provider as it is."""
    if importlib.util.find_spec("openinference") is None:
        return []
    from openinference.instrumentation import OITracer, TraceConfig  # noqa: PLC0415 - only where it is installed

    theirs = OITracer(PROVIDER.get_tracer("openinference"), config=TraceConfig()).tool(search)
    return [Case("openinference", decorated(theirs), "raw")]


def measure(case: Case, calls: int) -> Cost:
    """The cost of one call, over ``calls`` of them."""
    process = time.process_time_ns()
    with case.setting():
        case.many(10)
        wall, thread = time.perf_counter_ns(), time.thread_time_ns()
        case.many(calls)
        thread, wall = time.thread_time_ns() - thread, time.perf_counter_ns() - wall
    process = time.process_time_ns() - process
    return Cost(wall / calls / 1000, thread / calls / 1000, process / calls / 1000)


def results(*, rounds: int, calls: int) -> list[dict[str, Any]]:
    """One row for each case, from interleaved rounds."""
    everything = cases()
    measured: dict[str, list[Cost]] = {case.name: [] for case in everything}
    for _ in range(rounds):
        for case in everything:
            measured[case.name].append(measure(case, calls))
    return [_row(case, measured) for case in everything]


def _row(case: Case, measured: dict[str, list[Cost]]) -> dict[str, Any]:
    costs = measured[case.name]
    row: dict[str, Any] = {
        "case": case.name,
        "wall_us": round(statistics.median(cost.wall for cost in costs), 2),
        "thread_us": round(statistics.median(cost.thread for cost in costs), 2),
        "process_us": round(statistics.median(cost.process for cost in costs), 2),
    }
    if case.against:
        pairs = list(zip(costs, measured[case.against], strict=True))
        row["against"] = case.against
        row["wall_ratio"] = round(statistics.median(ours.wall / raw.wall for ours, raw in pairs), 2)
        row["thread_ratio"] = round(statistics.median(ours.thread / raw.thread for ours, raw in pairs), 2)
        row["process_ratio"] = round(statistics.median(ours.process / raw.process for ours, raw in pairs), 2)
    return row


def main(arguments: list[str] | None = None) -> None:
    """Measures, and prints a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="a few calls only, to see that it works")
    chosen = parser.parse_args(arguments)
    found = results(rounds=2, calls=50) if chosen.quick else results(rounds=9, calls=3000)
    if chosen.json:
        json.dump({"python": sys.version.split()[0], "results": found}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        print(tabulate(found, headers="keys", floatfmt=".2f"))


if __name__ == "__main__":
    main()
