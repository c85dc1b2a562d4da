"""Finds the incidents in many runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from agent_otel.model.contract import Incidents
from agent_otel.review.audit import Audit
from agent_otel.review.incidents.case import Case, case
from agent_otel.review.incidents.recurrence import recurring
from agent_otel.review.incidents.redo import redone, wasteful
from agent_otel.review.incidents.shape import Incident


def incidents(audits: Iterable[Audit], limits: Incidents) -> tuple[Incident, ...]:
    """What deserves a post-mortem, the latest first; the order of the runs does not matter.

    Args:
        audits: runs, held to the contract.
        limits: when something is an incident.
    """
    cases = sorted(filter(None, map(case, audits)), key=_order)
    found = [*_found(cases, limits)]
    return tuple(sorted(found, key=lambda each: (each.ended, each.trigger, each.runs), reverse=True))


def _found(cases: list[Case], limits: Incidents) -> Iterator[Incident]:
    yield from redone(cases, limits)
    yield from wasteful(cases, limits)
    yield from recurring(cases, limits)


def _order(case: Case) -> tuple[datetime, str]:
    return case.started, case.run_id
