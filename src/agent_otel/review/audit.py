"""An audit: a record, the findings that count, and those that the contract ignores, with its reason.

What counts is decided here, once, so that no format can show another picture than the exit code does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, get_args

from agent_otel.model.record import Finding, RunRecord, Severity

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""From the worst to the least."""


class Ignored(NamedTuple):
    """A finding that the contract ignores, and why."""

    finding: Finding
    reason: str


class Audit(NamedTuple):
    """A judged record, whose findings are those that count."""

    record: RunRecord
    ignored: tuple[Ignored, ...] = ()

    def sorted(self) -> list[Finding]:
        """The findings, the worst first, else in the order of the record."""
        return sorted(self.record.findings, key=lambda finding: SEVERITIES.index(finding.severity))


def at_least(findings: Iterable[Finding], severity: Severity) -> Iterator[Finding]:
    """The findings that are as bad as ``severity``, or worse."""
    return (each for each in findings if SEVERITIES.index(each.severity) <= SEVERITIES.index(severity))


def failed(audits: Iterable[Audit], fail_on: Severity) -> bool:
    """True where any audit has a finding at or above ``fail_on``."""
    return any(True for audit in audits for _ in at_least(audit.record.findings, fail_on))
