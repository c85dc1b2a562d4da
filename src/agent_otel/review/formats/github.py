"""Audits as annotations of GitHub Actions: workflow commands that a step prints.

A runner takes a line feed for the end of a command, and ``:`` and ``,`` for the end of a property: they are escaped as
GitHub's own toolkit does, after invisible characters were made visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agent_otel.model.record import Finding, RunRecord, Severity
from agent_otel.review.audit import SEVERITIES, Audit
from agent_otel.review.formats.places import place
from agent_otel.text.terminal import printable

MOST: Final = 10
"""Annotations of a kind that GitHub shows for a step; it drops the others without a word."""

_COMMANDS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "notice"}


def as_github(audits: Sequence[Audit], fail_on: Severity) -> str:  # noqa: ARG001 - one signature for all formats
    """A line for each annotation, at most ten of a kind; the last one counts what is left out."""
    lines = [line for severity in SEVERITIES for line in _of(severity, audits)]
    return "".join(f"{line}\n" for line in lines)


def _of(severity: Severity, audits: Sequence[Audit]) -> Iterator[str]:
    found = [(each, audit.record) for audit in audits for each in audit.record.findings if each.severity == severity]
    shown = found if len(found) <= MOST else found[: MOST - 1]
    for finding, record in shown:
        yield _annotation(finding, record)
    if len(shown) < len(found):
        yield f"::{_COMMANDS[severity]} title=agent-otel::and {len(found) - len(shown)} more; the job summary has them"


def _annotation(finding: Finding, record: RunRecord) -> str:
    path = place(finding, record)
    properties = {**({"file": path} if path else {}), "title": f"agent-otel: {finding.rule}"}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    layer = f" [{finding.layer}]" if finding.layer else ""
    return f"::{_COMMANDS[finding.severity]} {told}::{_data(f'{finding.message}{layer} (run {record.run_id})')}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
