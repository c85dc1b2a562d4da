"""Audits for people: a line for each finding, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_otel.model.record import Finding, Severity
from agent_otel.review.audit import SEVERITIES, Audit
from agent_otel.review.wording import count
from agent_otel.text.terminal import printable, uncommanding


def as_text(audits: Sequence[Audit], fail_on: Severity) -> str:  # noqa: ARG001 - one signature for all formats
    """Each run with its findings, then what there is in all."""
    lines = [printable(line) for audit in audits for line in _run(audit)]
    return uncommanding("\n".join([*lines, summed(audits)]) + "\n")


def summed(audits: Sequence[Audit]) -> str:
    """How many findings there are, by severity, such as ``1 run: 2 errors, 1 warning``."""
    found = [finding.severity for audit in audits for finding in audit.record.findings]
    numbers = [count(found.count(each), _SINGULAR[each], _PLURAL[each]) for each in SEVERITIES if each in found]
    ignored = sum(len(audit.ignored) for audit in audits)
    more = f" ({ignored} ignored)" if ignored else ""
    return f"{count(len(audits), 'run')}: {', '.join(numbers) or 'no findings'}{more}"


_SINGULAR: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "remark"}
_PLURAL: dict[Severity, str] = {name: word + "s" for name, word in _SINGULAR.items()}


def _run(audit: Audit) -> Iterator[str]:
    record = audit.record
    yield f"{record.run_id}: {record.review_state}"
    for finding in audit.sorted():
        yield f"  {finding.severity:<7}  {told(finding)}"
    for finding, reason in audit.ignored:
        yield f"  ignored  {finding.rule} ({reason}): {finding.message}"


def told(finding: Finding) -> str:
    """A finding on a line, without its severity: rule, layer, message and what it refers to."""
    layer = f" [{finding.layer}]" if finding.layer else ""
    refs = f" ({', '.join(finding.refs)})" if finding.refs else ""
    return f"{finding.rule}{layer}: {finding.message}{refs}"
