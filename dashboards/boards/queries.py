"""Queries of panels: one class for each kind of data source, as Grafana writes them down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of data source, and the variable by which a dashboard lets its reader choose one."""

    variable: str
    label: str
    plugin: str
    uid: str
    """Of the one that the provisioning files make."""

    def ref(self) -> Json:
        """As panels and variables refer to it."""
        return {"type": self.plugin, "uid": f"${{{self.variable}}}"}


POSTGRES: Final = Source("postgres", "PostgreSQL", "grafana-postgresql-datasource", "agent-otel-postgres")
PROMETHEUS: Final = Source("prometheus", "Prometheus", "prometheus", "agent-otel-prometheus")
TEMPO: Final = Source("tempo", "Tempo", "tempo", "agent-otel-tempo")
JAEGER: Final = Source("jaeger", "Jaeger", "jaeger", "agent-otel-jaeger")


class Query(Protocol):
    """What a panel asks of one data source."""

    @property
    def source(self) -> Source:
        """Whom it asks."""

    def target(self) -> Json:
        """The query as a panel has it, without its letter."""


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL for PostgreSQL. ``over_time``: its columns are ``time``, ``metric`` and ``value``."""

    text: str
    over_time: bool = False
    source: Source = POSTGRES

    def target(self) -> Json:
        """See ``Query``."""
        shape = "time_series" if self.over_time else "table"
        return {"editorMode": "code", "format": shape, "rawQuery": True, "rawSql": self.text}


@dataclass(frozen=True, slots=True)
class Promql:
    """PromQL. ``now``: one value at the end of the time range, in place of a line."""

    text: str
    legend: str = ""
    now: bool = False
    source: Source = PROMETHEUS

    def target(self) -> Json:
        """See ``Query``."""
        return {
            "editorMode": "code",
            "expr": self.text,
            "format": "table" if self.now else "time_series",
            "instant": self.now,
            "legendFormat": self.legend or "__auto",
            "range": not self.now,
        }


MOST_TRACES: Final = 50
"""That a search gives; more of them take longer, and nobody reads them."""


@dataclass(frozen=True, slots=True)
class Traceql:
    """TraceQL: a search for spans, or with ``over_time`` what is counted of them."""

    text: str
    over_time: bool = False
    source: Source = TEMPO

    def target(self) -> Json:
        """See ``Query``."""
        how = {"metricsQueryType": "range", "step": "1m"} if self.over_time else {"limit": MOST_TRACES, "spss": 10}
        return {"filters": [], "query": self.text, "queryType": "traceql", "tableType": "spans", **how}


@dataclass(frozen=True, slots=True, kw_only=True)
class JaegerSearch:
    """A search of Jaeger: a service, and tags that one span has all of."""

    service: str
    tags: str
    source: Source = JAEGER

    def target(self) -> Json:
        """See ``Query``."""
        return {"limit": MOST_TRACES, "queryType": "search", "service": self.service, "tags": self.tags}
