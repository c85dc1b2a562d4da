"""What does it cost to fold a run? Decoding, compaction, judgement and encoding, beside bare protobuf parsing.

usage: python benchmarks/fold.py [FOLDER] [--json] [--quick]

Microseconds of CPU per span, the best of a few rounds, for runs of 10, 1 000 and 100 000 spans of 2.3 KB. The bare
parsing of the same bytes (``Span.FromString``, one span after the other) is timed in the same rounds; ``ratio`` is all
four steps to that. Kinds of runs: tool calls of this SDK, the same with an event on each span as the SDK sends for
files and commands, and an agent of others by the GenAI conventions (model calls with messages, tools with arguments).
With a folder of captures (folders of ``*.jsonl.gz``), each of these is folded instead, as one group of spans and log
records. ``held`` is what the decoded views take in memory, and ``peak`` what compaction takes beside them at most, in
bytes per span.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import agent_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.compaction.compact import compact
from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.model.record import encode
from agent_otel.otlp.lines import items_from_line
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.views import views
from agent_otel.review.judge import judge

NOW_NS: Final = 1 << 62
SIZE: Final = 2300
STEPS: Final = ("views", "compact", "judge", "encode")
MOST_WEIGHED: Final = 20_000
"""Of so many spans memory is traced, which takes its time."""


class Row(NamedTuple):
    """Microseconds per span of one kind and length of run."""

    kind: str
    spans: int
    parse: float
    views: float
    compact: float
    judge: float
    encode: float
    held: int
    peak: int

    @property
    def total(self) -> float:
        """All four steps of a fold."""
        return self.views + self.compact + self.judge + self.encode


# -- runs -------------------------------------------------------------------------------------------------------------


def tools(run: int, number: int, spans: int) -> Span:
    """Tool calls of this SDK, without events."""
    return agent_spans.span(run, number, spans=spans, size=SIZE)


def events(run: int, number: int, spans: int) -> Span:
    """Tool calls of this SDK, each with the event of the file or command it was about."""
    made = agent_spans.span(run, number, spans=spans, size=400)
    about = {names.EVENT_ID: f"{run:08x}{number:08x}", names.RUN_ID: agent_spans.run_id(run)}
    name, told = _EVENTS[number % len(_EVENTS)](number) if number else (names.TASK_STARTED, {names.TASK_OBJECTIVE: "x"})
    event = made.events.add(name=name, time_unix_nano=made.end_time_unix_nano)
    event.attributes.extend(_attributes({**about, **told}))
    missing = SIZE - made.ByteSize() - 40
    event.attributes.extend(_attributes({names.COMMAND_OUTPUT_TAIL: ("12 passed in 3.1s\n" * 200)[:missing]}))
    return made


def genai(run: int, number: int, spans: int) -> Span:
    """An agent by the GenAI conventions: every third span is a model call, the others its tool calls."""
    made = agent_spans.span(run, number, spans=spans, size=300 if number % 3 == 0 else SIZE)
    del made.attributes[-1 if number % 3 == 0 else -2]  # the run id, which nobody else writes
    if number % 3 == 0 and number:
        made.name = "chat some-model"
        del made.attributes[:]
        said = [{"role": "assistant", "parts": [{"type": "text", "content": f"Step {number}: look at the guard."}]}]
        asked = [{"role": "user", "parts": [{"type": "text", "content": "Fix the redirect. " * 90}]}]
        told = {names.OPERATION_NAME: "chat", names.REQUEST_MODEL: "some-model", names.RESPONSE_ID: f"{run}-{number}"}
        told |= {names.INPUT_MESSAGES: json.dumps(asked), names.OUTPUT_MESSAGES: json.dumps(said)}
        made.attributes.extend(_attributes(told))
        for key, tokens in ((names.INPUT_TOKENS, 900 + number), (names.OUTPUT_TOKENS, 40)):
            made.attributes.append(KeyValue(key=key, value=AnyValue(int_value=tokens)))
    return made


KINDS: Final = {"tools": tools, "events": events, "genai": genai}


def _file_read(number: int) -> tuple[str, dict[str, str]]:
    path = f"src/routes/invite_{number % 40}.py"
    return names.FILE_READ, {
        names.FILE_PATH: path,
        names.FILE_REASON: "the 403 is raised here",
        names.FILE_LINES: "1-80",
    }


def _file_changed(number: int) -> tuple[str, dict[str, str]]:
    return names.FILE_CHANGED, {names.FILE_PATH: f"src/routes/invite_{number % 40}.py", names.FILE_OPERATION: "edit"}


def _command_run(number: int) -> tuple[str, dict[str, str]]:
    told = {names.COMMAND_LINE: f"pnpm test invite-{number % 20}", names.COMMAND_ID: f"k{number}"}
    result = "failed" if number % 20 == 0 else "passed"
    return names.COMMAND_RUN, {**told, names.COMMAND_RESULT: result, names.COMMAND_OBSERVER: "harness"}


_EVENTS: Final = (_file_read, _command_run, _file_changed)


def _attributes(values: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]


def items_of(kind: str, run: int, spans: int) -> list[Item]:
    """The items of a run, as the store gives them."""

    def batches() -> Iterator[bytes]:
        for start in range(0, spans, 512):
            made = [KINDS[kind](run, number, spans) for number in range(start, min(start + 512, spans))]
            body = agent_spans.request(made)
            if kind == "genai":
                request = ExportTraceServiceRequest.FromString(body)
                request.resource_spans[0].scope_spans[0].scope.name = "opentelemetry.instrumentation.some_model"
                body = request.SerializeToString()
            yield body

    return [item for body in batches() for item in items_from_protobuf(body, "span").items]


# -- measuring --------------------------------------------------------------------------------------------------------


def captures_in(folder: Path) -> Iterator[tuple[str, list[Item]]]:
    """The captures below a folder, by name, and their items."""
    for found in sorted({file.parent for file in folder.rglob("*.jsonl.gz")}):
        files = (file for file in sorted(found.glob("*.jsonl.gz")) if not file.name.startswith("metrics"))
        lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
        if items := [item for line in lines for item in items_from_line(line).items]:
            yield str(found.relative_to(folder)), items


def measured(kind: str, groups: Sequence[list[Item]], *, rounds: int) -> Row:
    """The cost of each step, the best of the rounds; every run is folded by itself, and the lot is timed."""
    spans = len(groups[0])
    best = [float("inf")] * (len(STEPS) + 1)
    for _ in range(rounds):
        gc.collect()
        took = [0.0] * len(best)
        for items in groups:
            for place, seconds in enumerate(_steps(items)):
                took[place] += seconds
        best = [min(pair) for pair in zip(best, took, strict=True)]
    parse, *steps = (seconds / (spans * len(groups)) * 1e6 for seconds in best)
    held, peak = _memory(groups[0][:MOST_WEIGHED])
    return Row(kind, spans, parse, *steps, held=held, peak=peak)


def _memory(items: list[Item]) -> tuple[int, int]:
    """Bytes per span that the views take, and that compaction takes more at most."""
    tracemalloc.start()
    seen = views(items)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    compact(seen, now_ns=NOW_NS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held // len(items), (peak - held) // len(items)


def _steps(items: list[Item]) -> list[float]:
    """CPU seconds of bare parsing, and of each step."""
    took: list[float] = []

    def timed(step: Callable[[], Any]) -> Any:
        begun = time.process_time()
        result = step()
        took.append(time.process_time() - begun)
        return result

    parsers = {"span": Span.FromString, "log": LogRecord.FromString}
    timed(lambda: [None for item in items if parsers[item.signal](item.raw) is None])
    seen = timed(lambda: views(items))
    records = timed(lambda: compact(seen, now_ns=NOW_NS))
    judged = timed(lambda: [judge(record) for record in records])
    timed(lambda: [encode(record) for record in judged])
    return took


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="fold captures instead of synthetic runs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="small runs only, to see that it works")
    options = parser.parse_args()
    plan = ((10, 200, 3), (1000, 4, 3)) if options.quick else ((10, 1000, 5), (1000, 20, 5), (100_000, 1, 2))
    if options.folder is not None:
        rows = [measured(name, [items], rounds=5) for name, items in captures_in(options.folder)]
    else:
        rows = [
            measured(kind, [items_of(kind, run, spans) for run in range(runs)], rounds=rounds)
            for kind in KINDS
            for spans, runs, rounds in plan
        ]
    width = max(8, *(len(row.kind) for row in rows))
    if options.json:
        print(json.dumps([row._asdict() | {"total": row.total} for row in rows]))
        return
    print(
        f"{'run':{width}}{'spans':>8}{'parse':>8}"
        + "".join(f"{step:>9}" for step in STEPS)
        + f"{'total':>9}{'ratio':>8}{'held':>8}{'peak':>8}"
    )
    for row in rows:
        steps = "".join(f"{getattr(row, step):9.2f}" for step in STEPS)
        whole = f"{row.total:9.2f}{row.total / row.parse:8.1f}{row.held:8}{row.peak:8}"
        print(f"{row.kind:{width}}{row.spans:8}{row.parse:8.2f}{steps}{whole}")


if __name__ == "__main__":
    main()
