"""Audits as JUnit XML, which every CI server reads: a run is a suite, a rule a test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from agent_otel.model.record import Finding, Severity
from agent_otel.review.audit import Audit, at_least
from agent_otel.review.formats.text import told
from agent_otel.review.rules.table import RULES
from agent_otel.text.terminal import printable


def as_junit(audits: Sequence[Audit], fail_on: Severity) -> str:
    """A document in which a rule fails where it has a finding at or above ``fail_on``; the others are its output."""
    suites = "".join(_suite(audit, fail_on) for audit in audits)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="agent-otel">\n{suites}</testsuites>\n'


def _suite(audit: Audit, fail_on: Severity) -> str:
    found: dict[str, list[Finding]] = {rule.id: [] for rule in RULES}
    for finding in audit.record.findings:
        found.setdefault(finding.rule, []).append(finding)
    reasons = {finding.rule: reason for finding, reason in audit.ignored}
    cases = [_case(rule, each, fail_on, reasons.get(rule)) for rule, each in found.items()]
    failures = sum("<failure " in case for case in cases)
    skipped = sum("<skipped " in case for case in cases)
    numbers = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    return f"  <testsuite name={_attribute(audit.record.run_id)} {numbers}>\n{''.join(cases)}  </testsuite>\n"


def _case(rule: str, found: Sequence[Finding], fail_on: Severity, ignored: str | None) -> str:
    inner = "".join(_inner(found, fail_on, ignored))
    return f'    <testcase classname="agent-otel" name={_attribute(rule)}>{inner}</testcase>\n'


def _inner(found: Sequence[Finding], fail_on: Severity, ignored: str | None) -> Iterator[str]:
    failing = list(at_least(found, fail_on))
    if failing:
        yield f"<failure message={_attribute(failing[0].message)} type={_attribute(failing[0].severity)}>"
        yield f"{_lines(failing)}</failure>"
    elif ignored is not None:
        yield f"<skipped message={_attribute(ignored)}/>"
    rest = [each for each in found if each not in failing]
    if rest:
        yield f"<system-out>{_lines(rest)}</system-out>"


def _lines(found: Sequence[Finding]) -> str:
    return escape("\n".join(map(_told, found)))


def _told(finding: Finding) -> str:
    return printable(f"{finding.severity}: {told(finding)}")


def _attribute(text: str) -> str:
    return quoteattr(printable(text))
