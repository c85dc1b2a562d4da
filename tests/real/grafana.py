"""What Grafana does to the queries of panels before it sends them: variables, and macros for SQL.

After Grafana's documentation of "Global variables", "Advanced variable format options" and of the macros of its
PostgreSQL data source. What a query uses and this does not know is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Final

Value = str | Sequence[str]
UNITS: Final = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _one(value: Value) -> str:
    """As Grafana writes a value where nothing is said of how."""
    return value if isinstance(value, str) else value[0] if len(value) == 1 else "{" + ",".join(value) + "}"


def _all(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _promql(value: Value) -> str:
    """As the Prometheus data source writes chosen values: a regular expression, within a string of PromQL.

    A text is what stands for all of them, which is taken as it is.
    """
    if isinstance(value, str):
        return value
    escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", each.replace("\\", "\\" * 4)) for each in value]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


FORMATS: Final[Mapping[str, Callable[[Value], str]]] = {
    "raw": _one,
    "sqlstring": lambda value: ",".join("'" + each.replace("'", "''") + "'" for each in _all(value)),
}


@dataclass(frozen=True)
class Range:
    """A time range of a dashboard, in seconds since 1970, and how far apart points are."""

    start_s: float
    end_s: float
    variables: Mapping[str, Value] = field(default_factory=dict)
    scrape_s: float = 15

    @property
    def interval_s(self) -> int:
        """The time between two points of some thousand, at least a second."""
        return max(1, round((self.end_s - self.start_s) / 1_000))

    def filled(self, text: str, plain: Callable[[Value], str] = _one) -> str:
        """The text with the values of variables, written ``plain`` where nothing is said of how.

        Raises:
            KeyError: it has an unknown one, or a format that is not known.
        """
        known = {
            **self.variables,
            "__interval": f"{self.interval_s}s",
            "__rate_interval": f"{max(4 * self.scrape_s, self.interval_s + self.scrape_s):g}s",
            "__range": f"{int(self.end_s - self.start_s)}s",
        }
        text = re.sub(
            r"\$\{(\w+)(?::(\w+))?\}", lambda found: (FORMATS[found[2]] if found[2] else plain)(known[found[1]]), text
        )
        return re.sub(r"\$(?!__time)(\w+)", lambda found: plain(known[found[1]]), text)

    def promql(self, text: str) -> str:
        """The PromQL that Prometheus gets."""
        return self.filled(text, _promql)

    def sql(self, text: str) -> str:
        """The SQL that PostgreSQL gets."""
        text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{_iso(self.start_s)}' AND '{_iso(self.end_s)}'", text)
        text = re.sub(
            r"\$__timeGroupAlias\((\w+), ?([^)]+)\)",
            lambda found: (
                f"floor(extract(epoch from {found[1]})/{_seconds(self.filled(found[2]))})"
                f'*{_seconds(self.filled(found[2]))} AS "time"'
            ),
            text,
        )
        return self.filled(text)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat().replace("+00:00", "Z")


def _seconds(interval: str) -> str:
    number, unit = re.fullmatch(r"([\d.]+)(\w+)", interval.strip("'")).groups()
    return f"{float(number) * UNITS[unit]:g}"
