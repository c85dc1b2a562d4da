"""Every query for Tempo and Jaeger of every panel is asked of real ones, with the traces of real runs."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest
from boards.all import DASHBOARDS
from boards.explorer import EXPLORER, HOUR
from boards.queries import JaegerSearch, Traceql

from real.agents import Agents
from real.collector import Collector
from real.grafana import Range
from real.jaeger import Jaeger
from real.ports import wait_until
from real.program import ask
from real.tempo import Tempo

PANELS = {
    panel.title: query
    for dashboard in DASHBOARDS
    for panel in dashboard.panels()
    for query in panel.queries
    if isinstance(query, Traceql | JaegerSearch)
}
VARIABLES = {"service": ".*", "slow": "100ms", "jaeger_service": "agents"}


@dataclass(frozen=True)
class Traces:
    """The backends, and how many spans they have."""

    tempo: Tempo
    jaeger: Jaeger
    spans: int


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    """A round of agents, whose traces a collector gives to both."""
    folder = tmp_path_factory.mktemp("traces")
    with ExitStack() as stack:
        tempo, jaeger = Tempo(folder / "tempo"), Jaeger(folder / "jaeger")
        stack.callback(tempo.program.kill)
        stack.callback(jaeger.program.kill)
        plain = {"insecure": True}
        exporters = {
            "otlp/tempo": {"endpoint": tempo.grpc, "tls": plain},
            "otlp/jaeger": {"endpoint": jaeger.grpc, "tls": plain},
            "file": {"path": str(folder / "rest.jsonl")},
        }
        pipelines = {"traces": ["otlp/tempo", "otlp/jaeger"], "logs": ["file"], "metrics": ["file"]}
        collector = Collector(folder, pipelines, exporters=exporters)
        stack.callback(collector.kill)
        agents = stack.enter_context(closing(Agents(folder / "work", collector.http)))
        spans, _ = agents.work()
        found = Traces(tempo, jaeger, spans)
        every = Traceql('{ resource.service.name="agents" }')
        wait_until(lambda: len(spans_of(found, every)) == spans, timeout_s=90, what=f"{spans} spans in Tempo")
        wait_until(lambda: len(jaeger.traces("agents", limit=50)) == 5, timeout_s=60, what="5 traces in Jaeger")
        yield found


def lately(minutes: int) -> Range:
    """The last minutes, to the second."""
    return Range(int(time.time()) - minutes * 60, int(time.time()) + 1, VARIABLES)


def spans_of(traces: Traces, query: Traceql, minutes: int = 60) -> list[dict[str, Any]]:
    """The spans that a search finds, as Grafana asks for them."""
    range_ = lately(minutes)
    more = {"start": int(range_.start_s), "end": int(range_.end_s), "limit": 50, "spss": 100}
    found = traces.tempo.search(range_.filled(query.text), **more)
    return [span for trace in found for each in trace["spanSets"] for span in each["spans"]]


def counts_of(traces: Traces, query: Traceql, minutes: int = 60) -> list[dict[str, Any]]:
    """The series that Tempo counts, as Grafana asks for them."""
    range_ = lately(minutes)
    more = {"start": int(range_.start_s), "end": int(range_.end_s), "step": "1m"}
    return list(ask(f"{traces.tempo.query}/api/metrics/query_range", q=range_.filled(query.text), **more)["series"])


def found_by_jaeger(traces: Traces, query: JaegerSearch, minutes: int = 60) -> list[dict[str, Any]]:
    """The traces that a search finds, as Grafana asks for them."""
    range_ = lately(minutes)
    tags = dict(tag.split("=") for tag in query.tags.split())
    more = {"start": int(range_.start_s * 1e6), "end": int(range_.end_s * 1e6), "limit": 50, "lookback": "custom"}
    return traces.jaeger.traces(range_.filled(query.service), tags=json.dumps(tags), **more)


HOW: dict[str, Callable[[Traces, Any, int], list[dict[str, Any]]]] = {
    "search": spans_of,
    "count": counts_of,
    "jaeger": found_by_jaeger,
}


@pytest.mark.parametrize("minutes", [20, 40, 60])
@pytest.mark.parametrize("title", PANELS)
def test_every_query_is_answered(title: str, minutes: int, traces: Traces) -> None:
    """Without an error, with something, and in less than ten seconds, for an hour's traces and for less."""
    query = PANELS[title]
    how = "jaeger" if isinstance(query, JaegerSearch) else "count" if query.over_time else "search"
    begun = time.monotonic()
    assert HOW[how](traces, query, minutes)
    assert time.monotonic() - begun < 10


def attributes(span: dict[str, Any]) -> dict[str, str]:
    """What a search selected of a span."""
    return {each["key"]: each["value"].get("stringValue") for each in span.get("attributes", [])}


def test_what_is_found_is_what_happened(traces: Traces) -> None:
    """Five runs; one denied call; calls that failed, by type of error."""
    runs = Counter(attributes(span)["gen_ai.agent.name"] for span in spans_of(traces, PANELS["Runs"]))
    assert runs == {"careful": 2, "hasty": 2, "boastful": 1}
    assert all(attributes(span)["agent_otel.run.id"] for span in spans_of(traces, PANELS["Runs"]))
    failing = Counter(attributes(span)["error.type"] for span in spans_of(traces, PANELS["Failing tool calls"]))
    assert failing == {"denied": 1, "timeout": 1, "nonzero_exit": 2, "FileNotFoundError": 1}
    (denied,) = spans_of(traces, PANELS["Denied calls"])
    assert attributes(denied)["gen_ai.tool.name"] == "push"
    counted = {
        label["value"]["stringValue"]
        for series in counts_of(traces, PANELS["Failing tool calls a second"])
        for label in series["labels"]
        if label["key"] == "span.error.type"
    }
    assert counted == set(failing)


def test_jaeger_finds_the_same(traces: Traces) -> None:
    """Five traces with a run, three with a failed call, one with a denied call."""
    found = {title: found_by_jaeger(traces, query) for title, query in PANELS.items() if title.endswith("Jaeger")}
    assert {title: len(each) for title, each in found.items()} == {
        "Runs, by Jaeger": 5,
        "Failing tool calls, by Jaeger": 3,
        "Denied calls, by Jaeger": 1,
    }


def test_no_query_looks_back_further_than_an_hour() -> None:
    """Whatever the dashboard's time range is."""
    assert {panel.newest for panel in EXPLORER.panels()} == {HOUR} == {"1h"}
