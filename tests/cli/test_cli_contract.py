"""``agent-otel contract check``: whether a contract is right, and what it means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

WHOLE = """
objective = "Fix the invite redirect"
scope = ["src/**", "tests/**"]
exclusions = ["dashboard"]
off_limits = ["migrations/**"]
acceptance = "e2e passes"
active_behavior = "lands in setup"
branch = "fix/*"
context_sources = ["ADR-029"]

[[required_checks]]
name = "unit"
command = "pytest*"
paths = ["src/**"]

[[required_checks]]
name = "e2e"

[budgets]
steps = 40
wall_time = 900

[rules]
select = ["off-limits", "no-handoff"]

[rules.ignore]
no-handoff = "they report elsewhere"

[rules.severity]
unread-edit = "error"

[incidents]
redo_hours = 0.5
review_days = 30
"""

MEANING = """\
agent-otel.toml: a contract
  required: 'unit': a command like 'pytest*' passes, where src/** changed
  required: 'e2e': a verification of this name is proved
  changes only: src/**, tests/**
  never, in this task: dashboard
  never, in any task: migrations/**
  works from: ADR-029
  objective: Fix the invite redirect
  acceptance: e2e passes
  active behavior: lands in setup
  branch: fix/*
  at most: 40 steps
  at most: 900 seconds
  only these rules count: off-limits, no-handoff
  ignored: no-handoff (they report elsewhere)
  severity: unread-edit is error
  a post-mortem: after 0.5 h of redo, or the same failure 2 times in 14 days; a review every 30 days
"""


def test_a_contract_says_what_it_means(invoke, tmp_path: Path) -> None:
    """A line for each demand; the nearest contract, where no file is named."""
    (tmp_path / "agent-otel.toml").write_text(WHOLE)
    result = invoke("contract", "check", "agent-otel.toml")
    assert (result.exit_code, result.stdout) == (0, MEANING)
    assert MEANING.partition("\n")[2] in invoke("contract", "check").stdout


def test_a_contract_is_json_too(invoke, tmp_path: Path) -> None:
    """What stands in the file, without what does not."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.agent-otel]\nscope = ["src/**"]\n[tool.agent-otel.budgets]\nsteps=1'
    )
    shown = json.loads(invoke("contract", "check", "--json").stdout)
    assert shown["file"].endswith("pyproject.toml")
    assert shown["contract"]["scope"] == ["src/**"]
    assert shown["contract"]["budgets"] == {"steps": 1}


def test_hostile_contract_moves_no_cursor(invoke, tmp_path: Path) -> None:
    """A contract of a foreign branch is text of others."""
    (tmp_path / "agent-otel.toml").write_text('objective = "a\\u001b[2J\\nb"')
    assert "objective: a\\x1b[2J\\nb\n" in invoke("contract", "check").stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scop = []", "agent-otel.toml: unknown key 'scop'; did you mean 'scope'?"),
        ("[rules]\nselct = []", "agent-otel.toml: rules: unknown key 'selct'; did you mean 'select'?"),
        ('[rules.ignore]\nno-handof = "x"', "unknown rule 'no-handof'; did you mean 'no-handoff'?"),
        ('[rules.ignore]\nno-handoff = " "', "rules.ignore: 'no-handoff' needs a reason, got ' '"),
        ('[rules.severity]\nno-handoff = "fatal"', "Invalid enum value 'fatal' - at `$.rules.severity[...]`"),
        ("[[required_checks]]\nname = 'x'\npath = []", "required_checks[1]: unknown key 'path'; did you mean 'paths'?"),
    ],
)
def test_a_wrong_contract_is_told(invoke, tmp_path: Path, text: str, message: str) -> None:
    """Exit code 2, and what to repair."""
    (tmp_path / "agent-otel.toml").write_text(text)
    result = invoke("contract", "check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_no_contract_is_told(invoke, tmp_path: Path) -> None:
    """Nothing to check is no success."""
    (tmp_path / ".git").mkdir()
    result = invoke("contract", "check")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no contract here" in result.stderr


def test_the_rules_are_a_page_too(invoke) -> None:
    """One form at a time."""
    assert invoke("rules", "--markdown").stdout.startswith("# Rules\n")
    assert invoke("rules", "--markdown", "--json").exit_code == 2
