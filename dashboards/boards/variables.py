"""What a reader of a dashboard may choose: the data sources, and which agents, repositories and models to see."""

from __future__ import annotations

from typing import Any, Final

from boards.queries import POSTGRES, Source

Json = dict[str, Any]

NONE: Final = "(none)"
"""Stands for what a run does not tell, so that it can be chosen, too, and the list is never empty."""

WITHIN: Final = (
    "$__timeFilter(started)"
    f" AND coalesce(repository, '{NONE}') IN (${{repository:sqlstring}})"
    f" AND coalesce(agent, '{NONE}') IN (${{agent:sqlstring}})"
)
"""The condition that a row of a view belongs to what was chosen."""

OF_MODELS: Final = f"coalesce(model, '{NONE}') IN (${{model:sqlstring}})"
"""The same for models, which only ``agent_otel.runs`` has."""


def data_source(source: Source) -> Json:
    """Which of the data sources of one kind to ask."""
    return {
        "type": "datasource",
        "name": source.variable,
        "label": source.label,
        "query": source.plugin,
        "current": {"text": f"agent-otel {source.label}", "value": source.uid},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def column(name: str) -> Json:
    """Which values of a column of ``agent_otel.runs`` to see; all of them at first."""
    query = (
        f"SELECT '{NONE}' UNION SELECT {name} FROM agent_otel.runs"
        f" WHERE {name} IS NOT NULL AND $__timeFilter(started) ORDER BY 1"
    )
    return _chosen(name, POSTGRES, query)


def label(name: str, source: Source, *, label: str, metric: str) -> Json:
    """Which values of a label to see; all of them at first, and series that do not have it."""
    return {**_chosen(name, source, f"label_values({metric}, {label})"), "allValue": ".*"}


def resource(name: str, source: Source, *, attribute: str) -> Json:
    """Which values of a resource's attribute to see, as Tempo knows them; all of them at first."""
    query = {"label": f"resource.{attribute}", "refId": "values", "type": 1}
    return {**_chosen(name, source, query), "allValue": ".*"}


def textbox(name: str, label: str, value: str, says: str) -> Json:
    """A word that the reader may change, such as an address."""
    chosen = {"text": value, "value": value}
    return {
        "type": "textbox",
        "name": name,
        "label": label,
        "description": says,
        "query": value,
        "current": chosen,
        "hide": 0,
        "options": [{**chosen, "selected": True}],
    }


def _chosen(name: str, source: Source, query: str | Json) -> Json:
    return {
        "type": "query",
        "name": name,
        "label": name.capitalize(),
        "datasource": source.ref(),
        "query": query,
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "includeAll": True,
        "multi": True,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 0,
    }


ADDRESSES: Final = (
    textbox(
        "processor", "Processor", "http://localhost:4328", "Where the processor's API is, for links to run records"
    ),
    textbox("jaeger_ui", "Jaeger", "http://localhost:16686", "Where Jaeger's page is, for links to traces"),
)
"""Where links lead that leave Grafana."""
