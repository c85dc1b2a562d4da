"""Each rule speaks where it should, and is silent where it should: by the cases in ``tests/data/review/rules``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agent_otel.model.record import Finding, RunRecord
from agent_otel.review.judge import judge
from agent_otel.review.rules.base import MOST_PER_RULE, Notice, Rule, findings
from agent_otel.review.rules.table import RULES
from review_cases import documents, record_of

FILES = documents("rules")


def cases(kind: str) -> list[Any]:
    """The cases of all rules that are of a kind, with the rule."""
    return [
        pytest.param(rule, case, id=f"{rule}: {case['about']}") for rule, file in FILES.items() for case in file[kind]
    ]


def said_by(rule: str, record: RunRecord) -> list[Finding]:
    """What one rule says about a record, after judging all of it."""
    return [finding for finding in judge(record).findings if finding.rule == rule]


@pytest.mark.parametrize(("rule", "case"), cases("speaks"))
def test_rule_speaks(rule: str, case: dict[str, Any]) -> None:
    """What happened is found, with its weight, the layer to repair, and the entries it is about."""
    found = said_by(rule, record_of(case))
    told = [{"severity": each.severity, "layer": each.layer, "refs": list(each.refs)} for each in found]
    assert told == case["findings"]
    assert all(each.message for each in found)


@pytest.mark.parametrize(("rule", "case"), cases("silent"))
def test_rule_is_silent(rule: str, case: dict[str, Any]) -> None:
    """Nothing is said where nothing is wrong, or where the telemetry cannot show it."""
    assert said_by(rule, record_of(case)) == []


def test_every_rule_has_a_case_that_speaks_and_one_that_is_silent() -> None:
    """A rule added to the table without cases is noticed."""
    assert set(FILES) == {rule.id for rule in RULES}
    assert len(FILES) == len(RULES)
    assert all(file["speaks"] and file["silent"] for file in FILES.values())


def test_every_rule_says_what_it_is_about() -> None:
    """The table is also the documentation."""
    assert all(rule.summary and rule.example and rule.remedy for rule in RULES)


def test_messages_name_the_command_and_its_result() -> None:
    """A finding reads without the record beside it."""
    failed = {"id": "c1", "command": "pytest -q", "result": "failed", "exit_code": 1, "duration_s": 8.1}
    unit = {"id": "v1", "check": "unit", "outcome": "fail", "required": True, "evidence": ["c1"]}
    steps = {"limit": 40.0, "consumed": 43.0, "exceeded": True}
    record = record_of({"record": {"commands": [failed], "verifications": [unit], "budgets": {"steps": steps}}})
    messages = {finding.rule: finding.message for finding in judge(record).findings}
    assert messages["failing-required-check"] == "required check 'unit' failed: pytest -q: failed (exit 1, 8.1 s)"
    assert messages["budget-exceeded"] == "budget 'steps' was exceeded: limit 40, consumed 43"


def test_findings_of_one_rule_are_bounded() -> None:
    """A record stays an index: what is past the bound is counted."""

    def notices(record: RunRecord) -> Iterator[Notice]:
        yield from (Notice(str(number)) for number in range(MOST_PER_RULE + 3))

    rule = Rule(id="x", severity="info", layer="tests", summary="s", example="e", remedy="r", check=notices)
    found = list(findings([rule], record_of({"record": {}})))
    assert len(found) == MOST_PER_RULE + 1
    assert found[-1].message == "and 3 more findings of this rule"
