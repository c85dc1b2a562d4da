"""Audits as a Code Quality report of GitLab, which a merge request shows beside its changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent_otel.model.record import Severity
from agent_otel.review.audit import Audit
from agent_otel.review.formats.places import place
from agent_otel.review.formats.plain import ascii_json
from agent_otel.review.formats.sarif import fingerprint
from agent_otel.text.terminal import printable

NOWHERE: Final = "agent-otel.toml"
"""A report needs a path: what is about no file stands at the contract, which demands it."""

_SEVERITIES: Final[dict[Severity, str]] = {"error": "critical", "warning": "minor", "info": "info"}


def as_gitlab(audits: Sequence[Audit], fail_on: Severity) -> str:  # noqa: ARG001 - one signature for all formats
    """A JSON array with an entry for each finding."""
    return ascii_json(
        [
            {
                "description": printable(f"{finding.message} (run {audit.record.run_id})"),
                "check_name": printable(finding.rule),
                "fingerprint": fingerprint(finding, audit.record),
                "severity": _SEVERITIES[finding.severity],
                "location": {"path": place(finding, audit.record) or NOWHERE, "lines": {"begin": 1}},
            }
            for audit in audits
            for finding in audit.sorted()
        ]
    )
