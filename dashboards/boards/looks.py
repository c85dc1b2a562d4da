"""What panels look like: one function for each kind, giving what Grafana's panel plugins take as options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

GREEN, YELLOW, ORANGE, RED, PURPLE, BLUE, GRAY = "green", "yellow", "orange", "red", "purple", "blue", "#8e8e8e"

VERDICTS: Final = {
    "proved": GREEN,
    "stale": ORANGE,
    "contradicted": PURPLE,
    "failed": RED,
    "not_run": BLUE,
    "claimed": YELLOW,
    "unverifiable": GRAY,
}
"""The verdicts in the order and the colours in which all dashboards show them."""

REVIEW_STATES: Final = {
    "done": GREEN,
    "missing required evidence": ORANGE,
    "failing": RED,
    "incomplete": YELLOW,
    "in progress": BLUE,
}
LIFECYCLES: Final = {"settled": GREEN, "open": BLUE, "abandoned": ORANGE}
OUTCOMES: Final = {"ended": GREEN, "failed": RED, "interrupted": ORANGE, "unknown": GRAY}
SEVERITIES: Final = {"error": RED, "warning": ORANGE, "info": BLUE}

COLOURS: Final[Mapping[str, str]] = {**VERDICTS, **REVIEW_STATES, **LIFECYCLES, **SEVERITIES, "passed": GREEN}

_LEGEND: Final = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
_TOOLTIP: Final = {"mode": "multi", "sort": "desc"}
_LAST: Final = {"calcs": ["lastNotNull"], "fields": "", "values": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The kind of a panel, its options, and how it shows fields."""

    kind: str
    options: Json
    defaults: Json = field(default_factory=dict)
    overrides: tuple[Json, ...] = ()


def stat(unit: str = "short", *, colours: Mapping[str, str] | None = None, steps: Sequence[Json] = ()) -> Look:
    """Numbers, large: one for each field."""
    return Look(
        kind="stat",
        options={
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": _LAST,
            "showPercentChange": False,
            "textMode": "auto",
            "wideLayout": True,
        },
        defaults={"unit": unit, "color": {"mode": "thresholds"}, "thresholds": thresholds(*steps), "noValue": "none"},
        overrides=_fixed(colours),
    )


def lines(unit: str = "short", *, colours: Mapping[str, str] | None = None, most: float | None = None) -> Look:
    """Lines over time."""
    return _over_time(
        unit, colours, {"drawStyle": "line", "fillOpacity": 10, "lineWidth": 1, "spanNulls": False}, most=most
    )


def bars(unit: str = "short", *, colours: Mapping[str, str] | None = None) -> Look:
    """Bars over time, one upon the other."""
    style = {"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": {"group": "A", "mode": "normal"}}
    return _over_time(unit, colours, style)


def ranking(unit: str = "short", *, colours: Mapping[str, str] | None = None) -> Look:
    """A horizontal bar for each row, by its first column, in parts."""
    return Look(
        kind="barchart",
        options={
            "barWidth": 0.8,
            "fullHighlight": False,
            "groupWidth": 0.7,
            "legend": _LEGEND,
            "orientation": "horizontal",
            "showValue": "auto",
            "stacking": "normal",
            "tooltip": _TOOLTIP,
            "xTickLabelMaxLength": 40,
            "xTickLabelRotation": 0,
        },
        defaults={"unit": unit, "color": {"mode": "palette-classic"}, "custom": {"fillOpacity": 80, "lineWidth": 0}},
        overrides=_fixed(colours),
    )


def table(
    *,
    units: Mapping[str, str] | None = None,
    links: Mapping[str, Sequence[Json]] | None = None,
    hidden: Sequence[str] = (),
    widths: Mapping[str, int] | None = None,
    coloured: Sequence[str] = (),
) -> Look:
    """Rows. Fields by name: their units, what they link to, which are only there for links, and their widths.

    ``coloured`` fields hold words of ``COLOURS``.
    """
    overrides = [
        *(_override(name, unit=unit) for name, unit in (units or {}).items()),
        *(_override(name, links=list(targets)) for name, targets in (links or {}).items()),
        *(_override(name, **{"custom.hidden": True}) for name in hidden),
        *(_override(name, **{"custom.width": width}) for name, width in (widths or {}).items()),
        *(_override(name, mappings=_words(), **{"custom.cellOptions": {"type": "color-text"}}) for name in coloured),
    ]
    return Look(
        kind="table",
        options={"cellHeight": "sm", "frameIndex": 0, "showHeader": True},
        defaults={
            "color": {"mode": "thresholds"},
            "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False},
            "thresholds": thresholds(),
        },
        overrides=tuple(overrides),
    )


def text(content: str) -> Look:
    """Words, in Markdown."""
    return Look(kind="text", options={"content": content, "mode": "markdown"})


def thresholds(*steps: Json) -> Json:
    """From which value on which colour; the first step begins below everything."""
    return {"mode": "absolute", "steps": [*steps] or [{"color": "text", "value": None}]}


def above(**colours: float | None) -> tuple[Json, ...]:
    """Steps of thresholds: the colours in their order, each with the value that it begins at."""
    return tuple({"color": colour, "value": value} for colour, value in colours.items())


def _over_time(unit: str, colours: Mapping[str, str] | None, custom: Json, *, most: float | None = None) -> Look:
    return Look(
        kind="timeseries",
        options={"legend": _LEGEND, "tooltip": _TOOLTIP},
        defaults={
            "unit": unit,
            "min": 0,
            **({} if most is None else {"max": most}),
            "color": {"mode": "palette-classic"},
            "custom": {"showPoints": "auto", **custom},
        },
        overrides=_fixed(colours),
    )


def _fixed(colours: Mapping[str, str] | None) -> tuple[Json, ...]:
    return tuple(
        _override(name, color={"mode": "fixed", "fixedColor": colour}) for name, colour in (colours or {}).items()
    )


def _override(name: str, **properties: Any) -> Json:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _words() -> list[Json]:
    return [{"type": "value", "options": {word: {"color": colour} for word, colour in COLOURS.items()}}]
