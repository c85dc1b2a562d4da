"""Audits as JSON of our own, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from agent_otel.model.record import Severity
from agent_otel.review.audit import SEVERITIES, Audit, failed


def as_json(audits: Sequence[Audit], fail_on: Severity) -> str:
    """An object with whether the gate holds, how many findings of each severity there are, and the runs."""
    found = [finding.severity for audit in audits for finding in audit.record.findings]
    return ascii_json(
        {
            "failed": failed(audits, fail_on),
            "fail_on": fail_on,
            "counts": {severity: found.count(severity) for severity in SEVERITIES},
            "runs": [_run(audit) for audit in audits],
        }
    )


def ascii_json(value: object) -> str:
    """A value as indented JSON in which no character moves a cursor or turns the reading direction."""
    return json.dumps(value, indent=2, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def _run(audit: Audit) -> dict[str, Any]:
    record = audit.record
    return {
        "run_id": record.run_id,
        "review_state": record.review_state,
        "findings": msgspec.to_builtins(audit.sorted()),
        "ignored": [{**msgspec.to_builtins(finding), "reason": reason} for finding, reason in audit.ignored],
    }
