"""What the review needs of a run: little enough to hold ten thousand of them."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timezone
from typing import Final

import msgspec

from agent_otel.model.record import Layer, RunRecord
from agent_otel.review.audit import Audit
from agent_otel.review.fingerprints.areas import ROOT, area
from agent_otel.review.incidents.case import Case, case
from agent_otel.review.patterns.observed import Observed, observed
from agent_otel.review.quarter.shape import Point

NO_LAYER: Final = "no layer"
_MOST_AREAS: Final = 3


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the quarter.

    ``layers`` counts its findings that are no remarks, ``layer_of`` has the layers of the fingerprints that count,
    ``points`` are where its failures point to, and ``observed`` is what patterns are looked for in.
    """

    case: Case
    agent: str
    repository: str
    duration_s: float
    tokens: int | None
    cost_usd: float | None
    layers: dict[str, int]
    layer_of: dict[str, Layer | None]
    points: frozenset[Point]
    observed: Observed

    @property
    def day(self) -> date:
        """The day on which it started, in UTC."""
        return self.case.started.astimezone(timezone.utc).date()

    @property
    def order(self) -> tuple[datetime, str]:
        """By which later runs come after earlier ones."""
        return self.case.started, self.case.run_id


def seen(audit: Audit) -> Seen | None:
    """What the review needs of a run that was held to the contract; None where it is going on, or nobody knows when."""
    found = case(audit)
    if found is None:
        return None
    record, usage = audit.record, audit.record.usage
    told = [amount for amount in (usage.input_tokens, usage.output_tokens) if amount is not None]
    elapsed = (found.ended - found.started).total_seconds()
    return Seen(
        case=found,
        agent=record.agent.name or "",
        repository=record.base.repository or "",
        duration_s=elapsed if record.duration_s is None else record.duration_s,
        tokens=sum(told) if told else None,
        cost_usd=usage.cost_usd,
        layers=Counter(each.layer or NO_LAYER for each in record.findings if each.severity != "info"),
        layer_of={each.fingerprint: each.layer for each in record.findings if each.fingerprint in found.fingerprints},
        points=_points(record, found),
        observed=observed(record),
    )


def _points(record: RunRecord, found: Case) -> frozenset[Point]:
    """The layer of each failure that counts, with its area; where none counts, those of the warnings.

    A failure that names no place happened where the work was: in the areas that the run changed most. A reviewer who
    caught something says which layer should have.
    """
    counting = [each for each in record.findings if each.fingerprint in found.fingerprints]
    telling = counting or [each for each in record.findings if each.severity == "warning"]
    worked = _worked_in(record)
    points: set[Point] = set()
    for finding in telling:
        if finding.layer:
            named = (finding.fingerprint or "").split(":")[2:3]
            areas = named if named not in ([], [ROOT]) else worked
            points.update(Point(layer=finding.layer, area=each) for each in areas)
    for miss in record.near_misses:
        if miss.layer:
            areas = sorted(filter(None, map(area, miss.files))) or worked
            points.update(Point(layer=miss.layer, area=each) for each in areas)
    return frozenset(points)


def _worked_in(record: RunRecord) -> list[str]:
    areas = Counter(filter(None, (area(file.path) for file in record.changed_files)))
    return sorted(areas, key=lambda name: (-areas[name], name))[:_MOST_AREAS] or [ROOT]
