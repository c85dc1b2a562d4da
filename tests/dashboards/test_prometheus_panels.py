"""Every query for Prometheus of every panel is asked of a real one, which scraped real programs, for several ranges."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from boards.all import DASHBOARDS
from boards.processor import PROCESSOR
from boards.queries import Promql
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from agent_otel.service.metrics import METRICS
from collector_config.agents import replay
from dialect_cases import CASES, items_of, name_of
from real.grafana import Range
from real.ports import wait_until
from real.processor import Processor
from real.prometheus import Prometheus

PANELS = {
    f"{dashboard.name}: {panel.title} ({number})": (dashboard, query)
    for dashboard in DASHBOARDS
    for panel in dashboard.panels()
    for number, query in enumerate(panel.queries, start=1)
    if isinstance(query, Promql)
}
OF_AGENTS = [name for name, (dashboard, _) in PANELS.items() if dashboard is not PROCESSOR]
OF_PROCESSORS = [name for name, (dashboard, _) in PANELS.items() if dashboard is PROCESSOR]
SECONDS = (300, 3_600, 6 * 3_600)
"""The lengths of the time ranges, which end now. The last has points that are further apart than its data is old."""
SILENT = {"tools: Calls of decorated tools (2)"}
"""Queries for what did not happen."""


def answers(prometheus: Prometheus, query: Promql, range_: Range) -> list[dict[str, Any]]:
    """What Prometheus says to a query, asked as Grafana asks it."""
    asked = range_.promql(query.text)
    if query.now:
        return prometheus.query(asked, time=range_.end_s)
    step = range_.interval_s
    start, end = (math.floor(each / step) * step for each in (range_.start_s, range_.end_s))
    return prometheus.query_range(asked, start=start, end=end + step, step=step)


def number(prometheus: Prometheus, name: str, range_: Range) -> float:
    """The one number that a panel shows."""
    (found,) = answers(prometheus, PANELS[f"{name} (1)"][1], range_)
    return float(found["value"][1])


@pytest.mark.parametrize("name", OF_AGENTS)
def test_every_query_about_agents_is_answered(name, fleet, choose) -> None:
    """Without an error, and with something, for any range that has agents in it; with nothing where there was none."""
    dashboard, query = PANELS[name]
    chosen = choose(dashboard, fleet.everything()).variables
    for seconds in SECONDS:
        found = answers(fleet.prometheus, query, replace(fleet.lately(seconds), variables=chosen))
        assert found or name in SILENT
    before = replace(fleet.lately(3_600), start_s=1e9, end_s=1e9 + 3_600, variables=chosen)
    assert not answers(fleet.prometheus, query, before)


def test_what_fails_is_denied_and_takes_too_long_is_what_the_records_say(fleet, choose) -> None:
    """The parts of the tool calls of a round of agents, which are alike in all rounds."""
    (tools,) = (each for each in DASHBOARDS if each.name == "tools")
    # From a moment at which the first round was known completely; of whole seconds, as Grafana writes ranges.
    start_s = fleet.again_s - 1
    ranges = Range(start_s, start_s + math.ceil(time.time() - start_s), scrape_s=1)
    range_ = choose(tools, ranges, service="agents")
    ours = [each for each in fleet.records if each["agent"].get("service") == "agents"]
    calls = [call for each in ours for call in each["tool_calls"]]
    total = sum(call["calls"] for call in calls)
    slow = sum(each["result"] == "timed_out" for record in ours for each in record["commands"])
    for panel, of_them in (
        ("Failing", sum(call.get("failed", 0) for call in calls)),
        ("Denied", sum(call.get("denied", 0) for call in calls)),
        ("Timed out", slow),
    ):
        assert of_them
        assert number(fleet.prometheus, f"tools: {panel}", range_) == pytest.approx(of_them / total), panel


def test_a_choice_narrows_the_series(fleet, choose) -> None:
    """One tool's calls are those of that tool; one agent's runs those of that agent."""
    for panel, chosen, label in (
        ("tools: Calls (1)", {"tool": "push"}, "gen_ai_tool_name"),
        ("runs: Runs per minute (1)", {"agent": ["hasty"]}, "gen_ai_agent_name"),
    ):
        dashboard, query = PANELS[panel]
        variables = choose(dashboard, fleet.everything(), **chosen).variables
        found = answers(fleet.prometheus, query, replace(fleet.lately(600), variables=variables))
        (word,) = chosen.values()
        assert {each["metric"][label] for each in found} == {word if isinstance(word, str) else word[0]}


@dataclass(frozen=True)
class Pressed:
    """A processor that has seen everything, and the Prometheus that scrapes it."""

    prometheus: Prometheus
    stored: int


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pressed]:
    """What is new, what is there already, what is wrong, mended, let go, refused; and records that are passed on."""
    folder = tmp_path_factory.mktemp("pressed")
    options = ("--connections", "2", "--emit-file", str(folder / "records.jsonl"), "--debounce-s", "0.1")
    with ExitStack() as stack:
        processor = Processor(*options, db=str(folder / "runs.db"), log=folder / "log")
        stack.callback(processor.kill)
        refused(processor)
        case = next(each for each in CASES if each.parent.name == "codex")
        replay(name_of(case), to=processor.http)
        prometheus = Prometheus(folder / "prometheus", {"agent-otel": urlsplit(processor.http).netloc})
        stack.callback(prometheus.program.kill)
        wait_until(lambda: prometheus.values("agent_otel_processor_due == 0"), what="folding")
        replay(name_of(case), to=processor.http)
        send_odd(processor.http)
        duplicates = "sum(min_over_time(agent_otel_processor_items_rejected_total[2500ms]))"
        wait_until(lambda: set(prometheus.values(duplicates).values()) == {1.0}, what="the second round")
        stored = len({item.digest for item in items_of(case)}) + 1
        fates = "sum(agent_otel_processor_store_items)"  # told anew every few seconds
        wait_until(lambda: set(prometheus.values(fates).values()) == {stored}, what="the store's own count")
        wait_until(lambda: prometheus.values("agent_otel_processor_emitted_total"), what="passing on")
        yield Pressed(prometheus, stored)


def send_odd(http: str) -> None:
    """A span without an id, one whose text is broken, and a metric that tells nothing of a run."""
    whole = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="odd", start_time_unix_nano=1, end_time_unix_nano=2)
    request = TracesData(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[whole, Span(name="bad")])])])
    body = request.SerializeToString().replace(b"odd", b"od\xff")
    point = {"asInt": "1", "timeUnixNano": "1"}
    metric = {"name": "load", "gauge": {"dataPoints": [point]}}
    measured = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    for path, content, kind in (
        ("traces", body, "application/x-protobuf"),
        ("metrics", json.dumps(measured).encode(), "application/json"),
    ):
        with urlopen(Request(f"{http}/v1/{path}", content, {"Content-Type": kind}), timeout=30) as answer:
            assert answer.status == 200


def refused(processor: Processor) -> None:
    """Makes the processor refuse somebody: others hold all of its connections."""
    where = urlsplit(processor.http)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(closing(socket.create_connection((where.hostname, where.port))))
        with closing(socket.create_connection((where.hostname, where.port))) as late:
            late.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            assert b" 503 " in late.recv(4096)


@pytest.mark.parametrize("name", OF_PROCESSORS)
def test_every_query_about_processors_is_answered(name, pressed) -> None:
    """All that the table of metrics has was measured, and is shown."""
    _, query = PANELS[name]
    for seconds in SECONDS:
        now = time.time()
        range_ = Range(now - seconds, now, {"instance": ".*"}, scrape_s=1)
        assert answers(pressed.prometheus, query, range_)


def test_a_processor_that_keeps_up_shows_so(pressed) -> None:
    """It is there, no item is unaccounted for, and nothing waits."""
    now = time.time()
    range_ = Range(now - 300, now, {"instance": ".*"}, scrape_s=1)
    shown = {
        name: number(pressed.prometheus, f"processor: {name}", range_)
        for name in ("Processors", "Items not accounted for", "Backlog", "Lag")
    }
    assert shown == {"Processors": 1, "Items not accounted for": 0, "Backlog": 0, "Lag": 0}
    (kept,) = answers(pressed.prometheus, PANELS["processor: store.items (1)"][1], range_)
    assert float(kept["values"][-1][1]) == pressed.stored
    for kind in answers(pressed.prometheus, PANELS["processor: memory (1)"][1], range_):
        assert 20e6 < float(kind["values"][-1][1]) < 512 * 2**20


def test_every_metric_of_the_processor_has_its_panel() -> None:
    """In the order of the table."""
    titles = [panel.title for panel in PROCESSOR.rows[-1].panels]
    assert titles == [row.name.removeprefix("agent_otel.processor.") for row in METRICS]


def test_wrong_queries_are_found(fleet) -> None:
    """What is no PromQL is an error here, too."""
    with pytest.raises(HTTPError):
        fleet.prometheus.query("rate(")
