"""A run as the views of a report take it: its record, where its checks stand, and on which day it started."""

from __future__ import annotations

from typing import NamedTuple

from agent_otel.model.record import RunRecord
from agent_otel.review.report.days import day_of
from agent_otel.review.standing import Standing, standings


class Case(NamedTuple):
    """A judged record with what every view asks of it; ``day`` is None where its start is not known."""

    record: RunRecord
    checks: tuple[Standing, ...]
    day: int | None

    @property
    def key(self) -> tuple[str, str]:
        """By which later runs come after earlier ones."""
        return (self.record.started or "", self.record.run_id)


def case_of(record: RunRecord) -> Case:
    """The case of a judged record."""
    return Case(record, standings(record), day_of(record.started))
