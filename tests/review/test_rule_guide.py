"""The page of the rules: made from their table, and kept equal to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_otel.review.rules.base import Rule
from agent_otel.review.rules.guide import as_markdown
from agent_otel.review.rules.table import RULES

PAGE = Path(__file__).parents[2] / "examples" / "rules.md"


def test_the_page_is_what_the_table_says() -> None:
    """``agent-otel rules --markdown > examples/rules.md`` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == as_markdown(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_documented(rule: Rule) -> None:
    """What is wrong, what triggers it, and what to do."""
    assert rule.summary
    assert rule.example
    assert rule.remedy
    assert f"\n## {rule.id}\n" in as_markdown(RULES)
