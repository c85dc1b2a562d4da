"""Every query for Prometheus of every panel is asked of a real one, which scraped real programs, for several ranges."""

from __future__ import annotations

import gzip
import json
import math
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from boards.all import DASHBOARDS
from boards.processor import PROCESSOR, of
from boards.queries import Promql
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from agent_otel.service.metrics import METRICS, SECONDS as BOUNDS, Metric
from agent_otel.store.open import open_store
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
LONGEST_S = BOUNDS[-1]
"""The last bound of the processor's histograms: what took longer is shown as this."""
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
    """A processor that has seen everything, the Prometheus that scrapes it, and where records are passed on to."""

    processor: Processor
    prometheus: Prometheus
    passed_on: Path


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pressed]:
    """What is new, what is there already, what is wrong, mended, let go, refused; and records that are passed on."""
    folder = tmp_path_factory.mktemp("pressed")
    passed_on = folder / "records.jsonl"
    options = ("--connections", "2", "--emit-file", str(passed_on), "--debounce-s", "0.1")
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
        yield Pressed(processor, prometheus, passed_on)


def send_odd(http: str) -> None:
    """A span without an id, one whose text is broken, and a metric that tells nothing of a run; in two requests."""
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
    """It is there, no item is unaccounted for, nothing waits, and what it has is what its store has."""
    with closing(open_store(Path(pressed.processor.db))) as store:
        stored = store.stats().items
    told = "sum(agent_otel_processor_store_items)"  # anew every few seconds
    wait_until(lambda: set(pressed.prometheus.values(told).values()) == {stored}, what="the store's own count")
    now = time.time()
    range_ = Range(now - 300, now, {"instance": ".*"}, scrape_s=1)
    shown = {
        name: number(pressed.prometheus, f"processor: {name}", range_)
        for name in ("Processors", "Items not accounted for", "Backlog", "Lag")
    }
    assert shown == {"Processors": 1, "Items not accounted for": 0, "Backlog": 0, "Lag": 0}
    (kept,) = answers(pressed.prometheus, PANELS["processor: store.items (1)"][1], range_)
    assert float(kept["values"][-1][1]) == stored
    for kind in answers(pressed.prometheus, PANELS["processor: memory (1)"][1], range_):
        assert 20e6 < float(kind["values"][-1][1]) < 512 * 2**20


class Rates:
    """How much more there was at the end of a while, by panels of the processor and the values of their labels."""

    def __init__(self, prometheus: Prometheus, *, since_s: float) -> None:
        self._prometheus = prometheus
        self._end_s = math.floor(time.time())
        self._window_s = self._end_s - math.floor(since_s)

    def of(self, panel: str) -> dict[str, float]:
        """Of the first query of a panel; what did not change is left out."""
        # As of a data source that is asked so seldom that Grafana takes the whole while for one rate.
        range_ = Range(self._end_s - 300, self._end_s, {"instance": ".*"}, scrape_s=self._window_s / 4)
        found = {
            " ".join(value for _, value in sorted(series["metric"].items())): float(number)
            for series in answers(self._prometheus, PANELS[f"processor: {panel}"][1], range_)
            for at_s, number in series["values"]
            if at_s == self._end_s
        }
        return {labels: rate * self._window_s for labels, rate in found.items() if rate}


def test_rates_are_those_of_what_was_sent(pressed) -> None:
    """Each counter's panel shows as much as came, of a round whose every item, request, refusal and record is known."""
    first, second = [each for each in CASES if each.parent.name == "codex"][:2]
    came, new = (Counter(item.signal for item in items_of(case)) for case in (first, second))
    requests = sum(map(requests_of, (first, second)), Counter())
    lines = len(pressed.passed_on.read_bytes().splitlines())
    wait_until(lambda: not math.isnan(counted(pressed.prometheus)), what="two scrapes that say the same")
    before = counted(pressed.prometheus)
    since_s = time.time() - 2  # nothing had changed then, and there is a scrape of that
    refused(pressed.processor)
    send_odd(pressed.processor.http)
    for case in (first, second):
        replay(name_of(case), to=pressed.processor.http)
    accepted = came + new + Counter(span=2)
    duplicates = came + Counter(span=1)
    wait_until(lambda: counted(pressed.prometheus) == before + accepted.total(), what="the round")
    wait_until(lambda: settled(pressed), what="folding and passing on")
    passed_on = len(pressed.passed_on.read_bytes().splitlines()) - lines
    rates = Rates(pressed.prometheus, since_s=since_s)
    expected = {
        "Items by what became of them (1)": {"": new.total()},
        "Items by what became of them (2)": {"": duplicates.total()},
        "Items by what became of them (3)": {"": 1},
        "items.accepted (1)": accepted,
        "items.stored (1)": new,
        "items.duplicate (1)": duplicates,
        "items.rejected (1)": {"trace_id span": 1},
        "items.repaired (1)": {"span": 1},
        "items.ignored (1)": {"metric": 1},
        "requests (1)": {f"{signal} 200 http": n for signal, n in (requests + Counter(span=1, metric=1)).items()},
        "requests.refused (1)": {"connections": 1},
        "Requests refused for now (1)": {"connections": 1},
        "emitted (1)": {"": passed_on},
    }
    shown = {panel: rates.of(panel) for panel in expected}
    assert {panel: set(found) for panel, found in shown.items()} == {name: set(each) for name, each in expected.items()}
    # Prometheus takes what it saw from scrape to scrape for a little more, up to both ends of the window: always alike.
    more = shown["Items by what became of them (3)"][""]
    assert 1 <= more < 2
    for panel, numbers in expected.items():
        assert shown[panel] == pytest.approx({labels: n * more for labels, n in numbers.items()}, rel=1e-3), panel


def test_times_are_those_of_the_histograms(pressed) -> None:
    """Half took no longer than most did, nor most than nearly all; and what they took together lies within that."""
    now = time.time()
    range_ = Range(now - 300, now, {"instance": ".*"}, scrape_s=1)
    for row in METRICS:
        if row.kind == "histogram":
            quantiles = [points(pressed, row, number, range_) for number in (1, 2, 3)]
            assert quantiles[0], row.name
            for at_s, half in quantiles[0].items():
                most, nearly_all = (each[at_s] for each in quantiles[1:])
                assert 0 < half <= most <= nearly_all <= LONGEST_S, row.name
            both = (of(row.name) + part for part in ("_sum", "_count"))
            total, count = (sum(pressed.prometheus.values(f"sum({each})").values()) for each in both)
            assert 0 < total / count <= LONGEST_S, row.name


def points(pressed: Pressed, row: Metric, number: int, range_: Range) -> dict[float, float]:
    """The points of a line of a panel: those at which something had happened."""
    query = PANELS[f"processor: {row.name.removeprefix('agent_otel.processor.')} ({number})"][1]
    (line,) = answers(pressed.prometheus, query, range_)
    return {at_s: float(value) for at_s, value in line["values"] if value != "NaN"}


def requests_of(case: Path) -> Counter[str]:
    """How many requests of each signal a case is replayed by."""
    return Counter(
        {
            file.name.partition(".")[0].removesuffix("s").replace("trace", "span"): len(
                gzip.decompress(file.read_bytes()).splitlines()
            )
            for file in case.glob("*.jsonl.gz")
        }
    )


def counted(prometheus: Prometheus) -> float:
    """How many items were accepted, as soon as that has been so for two scrapes."""
    numbers = [
        set(prometheus.values(f"sum({over}_over_time(agent_otel_processor_items_accepted_total[2500ms]))").values())
        for over in ("min", "max")
    ]
    return min(numbers[0]) if numbers[0] == numbers[1] else math.nan


def settled(pressed: Pressed) -> bool:
    """Whether nothing waits, and Prometheus has seen for two scrapes that every record was passed on."""
    with closing(open_store(Path(pressed.processor.db))) as store:
        if store.stats().due or store.unemitted():
            return False
    told = pressed.prometheus.values("sum(min_over_time(agent_otel_processor_emitted_total[2500ms]))")
    return set(told.values()) == {len(pressed.passed_on.read_bytes().splitlines())}


def test_every_metric_of_the_processor_has_its_panel() -> None:
    """In the order of the table."""
    titles = [panel.title for panel in PROCESSOR.rows[-1].panels]
    assert titles == [row.name.removeprefix("agent_otel.processor.") for row in METRICS]


def test_wrong_queries_are_found(fleet) -> None:
    """What is no PromQL is an error here, too."""
    with pytest.raises(HTTPError):
        fleet.prometheus.query("rate(")
