"""Dashboards and panels as values, and how they are written down for Grafana."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from boards.looks import Look
from boards.queries import Query

Json = dict[str, Any]

SCHEMA_VERSION: Final = 39
"""Of Grafana 11; newer ones bring it up to date when they load it."""

TAG: Final = "agent-otel"
_WIDEST: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel: what it is called and says, what it asks, and what it looks like."""

    title: str
    says: str
    look: Look
    queries: Sequence[Query] = ()
    width: int = 12
    height: int = 8
    interval: str = ""
    """The least time between two points."""
    newest: str = ""
    """Looks back only so far, whatever the dashboard's time range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A heading, and the panels below it."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A whole dashboard. ``name`` is that of its file; its uid follows from it."""

    name: str
    title: str
    says: str
    variables: Sequence[Json]
    rows: Sequence[Row]
    since: str = "now-7d"
    refresh: str = "1m"

    @property
    def uid(self) -> str:
        """What links to it say; never changed."""
        return f"agent-otel-{self.name}"

    def panels(self) -> list[Panel]:
        """All of them."""
        return [panel for row in self.rows for panel in row.panels]

    def document(self) -> Json:
        """The dashboard as Grafana's JSON."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "timezone": "browser",
            "refresh": self.refresh,
            "time": {"from": self.since, "to": "now"},
            "links": [_SIBLINGS],
            "annotations": {"list": []},
            "templating": {"list": list(self.variables)},
            "panels": list(self._placed()),
        }

    def _placed(self) -> Iterator[Json]:
        """Rows and panels, numbered, each in its place: from left to right, and on below where a line is full."""
        number, top = 1, 0
        for row in self.rows:
            yield _heading(row, number, top)
            number, top, left, tallest = number + 1, top + 1, 0, 0
            for panel in row.panels:
                if left + panel.width > _WIDEST:
                    top, left, tallest = top + tallest, 0, 0
                yield _panel(panel, number, {"h": panel.height, "w": panel.width, "x": left, "y": top})
                number, left, tallest = number + 1, left + panel.width, max(tallest, panel.height)
            top += tallest


_SIBLINGS: Final = {
    "asDropdown": True,
    "icon": "external link",
    "includeVars": True,
    "keepTime": True,
    "tags": [TAG],
    "targetBlank": False,
    "title": "agent-otel",
    "tooltip": "The other dashboards, with the same time range and variables",
    "type": "dashboards",
}


def _heading(row: Row, number: int, top: int) -> Json:
    place = {"h": 1, "w": _WIDEST, "x": 0, "y": top}
    return {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(panel: Panel, number: int, place: Json) -> Json:
    look = panel.look
    written: Json = {
        "id": number,
        "type": look.kind,
        "title": panel.title,
        "description": panel.says,
        "gridPos": place,
        "options": look.options,
        "fieldConfig": {"defaults": look.defaults, "overrides": list(look.overrides)},
    }
    if panel.queries:
        written["datasource"] = panel.queries[0].source.ref()
        written["targets"] = [
            {"refId": chr(ord("A") + index), "datasource": query.source.ref(), **query.target()}
            for index, query in enumerate(panel.queries)
        ]
    if panel.interval:
        written["interval"] = panel.interval
    if panel.newest:
        written["timeFrom"] = panel.newest
    return written
