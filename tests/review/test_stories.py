"""Whole runs, as data: what a reviewer is told of each, from the state to the lines of the note."""

from __future__ import annotations

from typing import Any

import pytest

from agent_otel.review.judge import judge
from agent_otel.review.note import note
from agent_otel.review.standing import standings
from review_cases import documents, record_of

STORIES = documents("stories")


@pytest.mark.parametrize("story", STORIES.values(), ids=list(STORIES))
def test_a_story_is_told_as_it_was(story: dict[str, Any]) -> None:
    """The state, where each check stands, what claims are worth, and every error and warning."""
    record, expected = judge(record_of(story)), story["expected"]
    assert record.review_state == expected["state"]
    assert {check.check: check.verdict for check in standings(record)} == expected.get("checks", {})
    assert [claim.verdict for claim in record.claims] == expected.get("claims", [])
    for severity in ("error", "warning"):
        assert [each.rule for each in record.findings if each.severity == severity] == expected[f"{severity}s"]


@pytest.mark.parametrize("story", STORIES.values(), ids=list(STORIES))
def test_a_story_has_its_note(story: dict[str, Any]) -> None:
    """The first line is the state, and what matters has its lines; where nothing is wrong these are absent."""
    record, expected = judge(record_of(story)), story["expected"]
    lines = note(record).splitlines()
    assert lines[0] == f"## agent-otel: {expected['state']}"
    assert [line for line in expected.get("note", []) if line not in lines] == []
    assert [line for line in expected.get("not_in_note", []) if line in lines] == []
