"""Finds the incidents in many runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from agent_otel.model.contract import Incidents
from agent_otel.review.audit import Audit
from agent_otel.review.incidents.case import Case, case
from agent_otel.review.incidents.near_miss import near_missed
from agent_otel.review.incidents.recurrence import recurring
from agent_otel.review.incidents.redo import redone, wasteful
from agent_otel.review.incidents.shape import Incident, Trigger


def incidents(audits: Iterable[Audit], limits: Incidents) -> tuple[Incident, ...]:
    """What deserves a post-mortem, the latest first; the order of the runs does not matter.

    Args:
        audits: runs, held to the contract.
        limits: when something is an incident.
    """
    cases: list[Case] = []
    found: list[Incident] = []
    for audit in audits:  # which may be very many: only what is needed of each is kept
        cases += filter(None, [case(audit)])
        found += near_missed(audit.record)
    found += _found(sorted(cases, key=_order), limits)
    return tuple(sorted(found, key=lambda each: (each.ended, each.trigger, each.runs), reverse=True))


def trigger_of(audits: Iterable[Audit], limits: Incidents) -> Trigger:
    """Why a post-mortem about these runs is written: by what the records show; a redo where they show nothing.

    What a reviewer marked comes before what is computed.
    """
    found = {each.trigger for each in incidents(audits, limits)}
    return next((trigger for trigger in _WEIGHT if trigger in found), "redo")


_WEIGHT: Final[tuple[Trigger, ...]] = ("near-miss", "redo", "recurrence")


def _found(cases: list[Case], limits: Incidents) -> Iterator[Incident]:
    again = list(redone(cases, limits))
    yield from again
    # What an attempt lost by itself is a part of what its redo cost, and no incident beside it.
    told = {run for incident in again for run in incident.runs}
    yield from wasteful((case for case in cases if case.run_id not in told), limits)
    yield from recurring(cases, limits)


def _order(case: Case) -> tuple[datetime, str]:
    return case.started, case.run_id
