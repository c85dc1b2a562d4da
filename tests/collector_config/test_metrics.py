"""What Prometheus has of agents that send to ``local.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from collector_config.agents import QUICKSTART, example, replay, send
from collector_config.series import SERIES
from real.configured import Configured
from real.ports import wait_until
from real.prometheus import Prometheus

NOWHERE = {"AGENT_OTEL_PROCESSOR": "http://127.0.0.1:9", "OTELCOL_BACKEND": "127.0.0.1:9"}
"""The queues keep what is for others."""

CALLS = 'sum by (gen_ai_tool_name) (traces_span_metrics_calls_total{gen_ai_operation_name="execute_tool"})'


@pytest.fixture(scope="module")
def prometheus(run, tmp_path_factory) -> Iterator[Prometheus]:
    """A Prometheus that has seen six runs at once, of two kinds of processes, and what Claude Code told of one more."""
    folder = tmp_path_factory.mktemp("metrics")
    collector = run(Configured, folder / "collector", "local.yaml", env=NOWHERE)
    found = run(Prometheus, folder / "prometheus", {"agents": collector.prometheus})

    def agent(number: int) -> None:
        preference = ("delta", "cumulative")[number % 2]
        example(
            QUICKSTART,
            folder=folder / f"agent-{number}",
            to=collector.http,
            OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=preference,
        )

    with ThreadPoolExecutor(2) as agents:
        list(agents.map(agent, range(6)))
    replay("claude-code/fix", to=collector.http)
    wait_until(
        lambda: (
            sum(found.values('traces_span_metrics_calls_total{service_name="quickstart"}').values()) == 24
            and found.query('traces_span_metrics_calls_total{service_name="claude-code"}')
        ),
        what=f"metrics of spans: {collector.program.log()[-2000:]}",
    )
    return found


def by(prometheus: Prometheus, query: str) -> dict[str, float]:
    """What a query gives, by its only label."""
    return {dict(labels).popitem()[1] if labels else "": value for labels, value in prometheus.values(query).items()}


def test_tool_calls_are_counted_once_over_all_processes(prometheus):
    """Metrics of spans are those of all processes together, also of such as live for one run only."""
    assert by(prometheus, CALLS.replace("{", '{service_name="quickstart",')) == {
        "read_file": 6,
        "write_file": 6,
        "run_command": 6,
    }


def test_differences_add_up_and_totals_stand_apart(prometheus):
    """Of six processes three told differences, which are one series, and three totals, which are three."""
    found = prometheus.values('tools_called_total{tool="read_file"}')
    assert sorted(found.values()) == [1, 1, 1, 3]
    assert len(prometheus.query('tools_called_total{tool="read_file",instance=~"127.0.0.1:.*"}')) == 1
    assert by(prometheus, "sum(tools_called_total)") == {"": 18}


def test_runs_have_their_outcome(prometheus):
    """The runs of the SDK say how they ended."""
    runs = 'traces_span_metrics_calls_total{service_name="quickstart",gen_ai_operation_name="invoke_agent"}'
    assert by(prometheus, f"sum by (agent_otel_run_outcome) ({runs})") == {"ended": 6}


def test_durations_are_in_seconds(prometheus):
    """Half of the runs took less than half a minute, and every one more than a millisecond."""
    half = "histogram_quantile(0.5, sum by (le) (traces_span_metrics_duration_seconds_bucket"
    ((_, median),) = prometheus.values(half + '{gen_ai_operation_name="invoke_agent"}))').items()
    assert 0.001 < median < 30


def test_series_are_those_that_dashboards_ask_for(prometheus):
    """These names and no others, with these labels and no others: nothing of a run, a path or a command."""
    wanted = '{job=~"quickstart|claude-code"}'
    found: dict[str, set[str]] = {}
    for each in prometheus.query(wanted):
        labels = set(each["metric"])
        found.setdefault(each["metric"]["__name__"], set()).update(labels - {"__name__"})
    del found["target_info"]
    assert found.keys() == SERIES.keys()
    assert {name: labels - SERIES[name] for name, labels in found.items()} == {name: set() for name in SERIES}


def test_inventive_agents_cannot_make_series_without_end(run, tmp_path):
    """Beyond the bound, combinations of labels are counted together."""
    collector = run(Configured, tmp_path / "collector", "local.yaml", env={**NOWHERE, "OTELCOL_SERIES": "20"})
    prometheus = run(Prometheus, tmp_path / "prometheus", {"agents": collector.prometheus})
    span = (
        '{"traceId":"%032x","spanId":"%016x","name":"cat /tmp/%d","startTimeUnixNano":"1","endTimeUnixNano":"2",'
        '"attributes":[{"key":"gen_ai.tool.name","value":{"stringValue":"tool-%d"}}]}'
    )
    spans = ",".join(span % (number, number, number, number) for number in range(1, 201))
    service = '{"attributes":[{"key":"service.name","value":{"stringValue":"inventor"}}]}'
    body = f'{{"resourceSpans":[{{"resource":{service},"scopeSpans":[{{"spans":[{spans}]}}]}}]}}'
    send(f"{collector.http}/v1/traces", body.encode())
    wait_until(lambda: by(prometheus, "sum(traces_span_metrics_calls_total)") == {"": 200}, what="all spans")
    assert len(prometheus.query("traces_span_metrics_calls_total")) <= 21
    assert by(prometheus, 'sum(traces_span_metrics_calls_total{otel_metric_overflow="true"})')[""] >= 180
