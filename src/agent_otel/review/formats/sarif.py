"""Audits as SARIF 2.1.0 (OASIS), which code scanning of forges and many editors read.

A run of an agent is an invocation's subject, not a run of SARIF: all audits are results of one run of this tool.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from agent_otel.model.record import Finding, RunRecord, Severity
from agent_otel.review.audit import Audit
from agent_otel.review.formats.places import place
from agent_otel.review.formats.plain import ascii_json
from agent_otel.review.rules.base import Rule
from agent_otel.review.rules.table import RULES
from agent_otel.text.terminal import printable

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "info": "note"}
_KNOWN: Final = {rule.id: number for number, rule in enumerate(RULES)}


def as_sarif(audits: Sequence[Audit], fail_on: Severity) -> str:  # noqa: ARG001 - one signature for all formats
    """A SARIF log; a finding that the contract ignores is a result that is suppressed, with the reason."""
    results = [_result(finding, audit.record) for audit in audits for finding in audit.sorted()]
    for audit in audits:
        for finding, reason in audit.ignored:
            why = {"kind": "external", "status": "accepted", "justification": printable(reason)}
            results.append({**_result(finding, audit.record), "suppressions": [why]})
    driver = {"name": "agent-otel", "rules": [_rule(rule) for rule in RULES]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return ascii_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary}. For example: {rule.example}"},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"layer": rule.layer},
    }


def _result(finding: Finding, record: RunRecord) -> dict[str, Any]:
    path = place(finding, record)
    run = printable(record.run_id)
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": f"run/{run}", "kind": "run"}]}
    if path is not None:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": 1}}
    known = {"ruleIndex": _KNOWN[finding.rule]} if finding.rule in _KNOWN else {}
    return {
        "ruleId": printable(finding.rule),
        **known,
        "level": _LEVELS[finding.severity],
        # Braces and brackets have a meaning in messages of SARIF (3.11.5, 3.11.6); a text of others has none.
        "message": {"text": _message(finding.message)},
        "locations": [location],
        "partialFingerprints": {"agentOtelFinding/v1": fingerprint(finding, record)},
        "properties": {"layer": finding.layer or "", "run": run, "refs": [printable(ref) for ref in finding.refs]},
    }


def fingerprint(finding: Finding, record: RunRecord) -> str:
    """What makes a finding the same one when the audit is repeated: the run, the rule, what it says and refers to."""
    parts = (record.run_id, finding.rule, finding.message, *finding.refs)
    told = "\0".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _message(text: str) -> str:
    escaped = printable(text).replace("{", "{{").replace("}", "}}")
    return escaped.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
