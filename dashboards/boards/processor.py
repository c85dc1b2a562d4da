"""The processor: what comes in, what becomes of it, how far behind it is. Panels follow from its table of metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from agent_otel.model import names
from agent_otel.service.metrics import METRICS, Metric
from boards import looks
from boards.dashboard import Dashboard, Panel, Row
from boards.queries import PROMETHEUS, Promql
from boards.series import series
from boards.variables import data_source, label

_CHOSEN: Final = '{instance=~"$instance"}'
_BY_NAME: Final = {row.name: row for row in METRICS}
_UNITS: Final = {"s": "s", "By": "bytes"}
_QUANTILES: Final = (0.5, 0.95, 0.99)


def of(name: str) -> str:
    """The series of a metric of the table, by the name that Prometheus has for it."""
    row = _BY_NAME[name]
    return series(row.name, row.kind, row.unit)


def _counter(row: Metric) -> Panel:
    by = ", ".join(row.labels)
    legend = " ".join(f"{{{{{each}}}}}" for each in row.labels)
    query = Promql(f"sum by ({by}) (rate({of(row.name)}{_CHOSEN}[$__rate_interval]))", legend or "all")
    return _panel(row, looks.lines(f"{row.unit.strip('{}')}s/s"), query)


def _histogram(row: Metric) -> Panel:
    rates = f"sum by (le) (rate({of(row.name)}_bucket{_CHOSEN}[$__rate_interval]))"
    queries = [Promql(f"histogram_quantile({part:g}, {rates})", f"{part:.0%}") for part in _QUANTILES]
    return _panel(row, looks.lines(_UNITS[row.unit]), *queries)


def _gauge(row: Metric) -> Panel:
    legend = " ".join(f"{{{{{each}}}}}" for each in ("instance", *row.labels))
    return _panel(row, looks.lines(_UNITS.get(row.unit, "short")), Promql(f"{of(row.name)}{_CHOSEN}", legend))


def _panel(row: Metric, look: looks.Look, *queries: Promql) -> Panel:
    says = f"{row.help[0].upper()}{row.help[1:]}."
    return Panel(title=row.name.removeprefix("agent_otel.processor."), says=says, look=look, queries=queries, width=8)


_SHOWN: Final[Mapping[str, Callable[[Metric], Panel]]] = {
    "counter": _counter,
    "histogram": _histogram,
    "gauge": _gauge,
}


def _rate(name: str) -> str:
    return f"sum(rate({of(name)}{_CHOSEN}[$__rate_interval]))"


_FATES: Final = {
    "stored": names.METRIC_STORED,
    "duplicate": names.METRIC_DUPLICATE,
    "rejected": names.METRIC_REJECTED,
}
_ITEMS: Final = Panel(
    title="Items by what became of them",
    says="Accepted is stored + duplicate + rejected: what is drawn adds up to all that was answered with success.",
    look=looks.bars("items/s", colours={"stored": looks.GREEN, "duplicate": looks.BLUE, "rejected": looks.RED}),
    queries=[Promql(_rate(name), said) for said, name in _FATES.items()],
    width=16,
)
_MISCOUNTED: Final = Panel(
    title="Items not accounted for",
    says="Accepted without stored, duplicate and rejected. Anything but 0 is a defect of the processor.",
    look=looks.stat(steps=looks.above(red=None, green=0, orange=1)),
    queries=[
        Promql(
            f"sum({of(names.METRIC_ACCEPTED)}{_CHOSEN}) - sum({of(names.METRIC_STORED)}{_CHOSEN})"
            + "".join(f" - (sum({of(_FATES[each])}{_CHOSEN}) or vector(0))" for each in ("duplicate", "rejected")),
            now=True,
        )
    ],
    width=4,
    height=4,
)
_UP: Final = Panel(
    title="Processors",
    says="Those that answer Prometheus.",
    look=looks.stat(steps=looks.above(red=None, green=1)),
    queries=[Promql(f"count({of(names.METRIC_DUE)}{_CHOSEN})", now=True)],
    width=4,
    height=4,
)
_LAG: Final = Panel(
    title="Lag",
    says="How long the first run with new telemetry has been waiting to be folded.",
    look=looks.stat("s", steps=looks.above(green=None, orange=5, red=300)),
    queries=[Promql(f"max({of(names.METRIC_LAG)}{_CHOSEN})", now=True)],
    width=4,
    height=4,
)
_BACKLOG: Final = Panel(
    title="Backlog",
    says="Groups of items that wait to be folded.",
    look=looks.stat(),
    queries=[Promql(f"max({of(names.METRIC_DUE)}{_CHOSEN})", now=True)],
    width=4,
    height=4,
)
_REFUSED: Final = Panel(
    title="Requests refused for now",
    says="Their senders were told to come back, by reason: full, draining, or without its database.",
    look=looks.bars("requests/s"),
    queries=[
        Promql(
            f"sum by ({names.LABEL_REASON}) (rate({of(names.METRIC_REFUSED)}{_CHOSEN}[$__rate_interval]))",
            f"{{{{{names.LABEL_REASON}}}}}",
        )
    ],
    width=8,
)
_MEMORY: Final = Panel(
    title="Memory",
    says="Of all processes of a processor together; it promises to stay below 512 MiB, however much is sent at once.",
    look=looks.lines("bytes"),
    queries=[Promql(f"sum by (instance) ({of(names.METRIC_MEMORY)}{_CHOSEN})", "{{instance}}")],
    width=8,
)
_FOLDS: Final = Panel(
    title="Time to fold a run",
    says="From the first item of a group to its last; half, and 95 and 99 of a hundred, took less.",
    look=looks.lines("s"),
    queries=_histogram(_BY_NAME[names.METRIC_FOLD]).queries,
    width=8,
)

PROCESSOR: Final = Dashboard(
    name="processor",
    title="Processor",
    says="The processors themselves: what comes in and what becomes of it, lag, backlog, time to fold, memory.",
    variables=[data_source(PROMETHEUS), label("instance", PROMETHEUS, label="instance", metric=of(names.METRIC_DUE))],
    rows=[
        Row(title="Does it keep up?", panels=[_ITEMS, _LAG, _BACKLOG, _UP, _MISCOUNTED]),
        Row(title="Where it hurts", panels=[_REFUSED, _MEMORY, _FOLDS]),
        Row(title="All that it measures", panels=[_SHOWN[row.kind](row) for row in METRICS]),
    ],
    since="now-1h",
    refresh="10s",
)
