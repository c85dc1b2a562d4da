"""Contracts: from TOML, with errors that can be acted on."""

from __future__ import annotations

import pytest

from agent_otel.errors import SettingsError
from agent_otel.model.contract import (
    Budgets,
    Contract,
    Incidents,
    RequiredCheck,
    contract_from_mapping,
    contract_from_toml,
)

WHOLE = """
objective = "Fix SSO invite acceptance"
scope = ["src/routes/invite/**", "tests/e2e/**"]
exclusions = ["dashboard"]
off_limits = [".github/**"]
acceptance = "e2e passes in Chromium and Firefox"
active_behavior = "valid invite lands in workspace setup"
branch = "fix/*"
context_sources = ["ADR-029"]
required_checks = [{ name = "unit", command = "pnpm test *" }, { name = "e2e" }]

[budgets]
steps = 40
wall_time = 600

[incidents]
redo_hours = 2
window_days = 7
"""


def test_every_key_of_a_contract_is_read() -> None:
    """The whole file, key by key."""
    assert contract_from_toml(WHOLE) == Contract(
        objective="Fix SSO invite acceptance",
        scope=("src/routes/invite/**", "tests/e2e/**"),
        exclusions=("dashboard",),
        off_limits=(".github/**",),
        acceptance="e2e passes in Chromium and Firefox",
        active_behavior="valid invite lands in workspace setup",
        branch="fix/*",
        required_checks=(RequiredCheck(name="unit", command="pnpm test *"), RequiredCheck(name="e2e")),
        budgets=Budgets(steps=40, wall_time=600.0),
        context_sources=("ADR-029",),
        incidents=Incidents(redo_hours=2.0, window_days=7),
    )


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ('[tool.agent-otel]\nscope = ["src/**"]', ("src/**",)),
        ('[project]\nname = "x"\n[tool.ruff]\nline-length = 9', ()),
        ('[project]\nname = "x"', ()),
        ('[build-system]\nrequires = []\n[tool.agent-otel]\nscope = ["a"]', ("a",)),
        ("tool = 1", ()),
        ("", ()),
    ],
)
def test_pyproject_holds_a_contract_in_its_table(text: str, scope: tuple[str, ...]) -> None:
    """Only ``[tool.agent-otel]`` of a ``pyproject.toml`` is ours; without it the contract demands nothing."""
    assert contract_from_toml(text, source="pyproject.toml").scope == scope


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("objectiv = 'x'", "agent-otel.toml: unknown key 'objectiv'; did you mean 'objective'?"),
        ("zzz = 1", "agent-otel.toml: unknown key 'zzz'; known: objective, scope, exclusions, off_limits"),
        ("[budgets]\nstep = 1", "agent-otel.toml: budgets: unknown key 'step'; did you mean 'steps'?"),
        (
            "required_checks = [{name = 'a'}, {nam = 'b'}]",
            "agent-otel.toml: required_checks[2]: unknown key 'nam'; did you mean 'name'?",
        ),
        ("scope = 'src'", "agent-otel.toml: Expected `array`, got `str` - at `$.scope`"),
        ("required_checks = ['unit']", "agent-otel.toml: Expected `object`, got `str`"),
        ("required_checks = 1", "agent-otel.toml: Expected `array`, got `int`"),
        ("required_checks = [{command = 'x'}]", "missing required field `name`"),
        ("budgets = 1", "agent-otel.toml: Expected `object`, got `int`"),
        ('[rules.ignore]\nno-handoff = " "', "rules.ignore: 'no-handoff' needs a reason, got ' '"),
        ("[budgets]\ntokens = -1", "budget 'tokens' must not be negative, got -1"),
        (
            "[incidents]\nredo_hour = 1",
            "incidents: unknown key 'redo_hour'; did you mean 'redo_hours'?",
        ),
        ("[incidents]\nreview_days = 0", "incidents: 'review_days' must be between 1 and 10000, got 0"),
        ("[incidents]\nrecurrence = 1", "incidents: 'recurrence' must be between 2 and 10000, got 1"),
        ("objective =", "agent-otel.toml: not valid TOML: "),
        ("[tool]\nagent-otel = 3", "agent-otel.toml: expected a table [tool.agent-otel], got 3"),
    ],
)
def test_wrong_contract_says_what_to_repair(text: str, message: str) -> None:
    """The file, the key, what was expected, and the nearest right word."""
    with pytest.raises(SettingsError) as caught:
        contract_from_toml(text)
    assert message in str(caught.value)


def test_contract_from_code_is_checked_the_same_way() -> None:
    """Arguments and files pass one door."""
    assert contract_from_mapping({"scope": ["src/**"]}, source="run()").scope == ("src/**",)
    with pytest.raises(SettingsError, match="run\\(\\): unknown key 'scopes'; did you mean 'scope'"):
        contract_from_mapping({"scopes": []}, source="run()")


def test_budget_built_in_code_cannot_be_negative() -> None:
    """Invalid objects cannot be built."""
    with pytest.raises(SettingsError, match="'wall_time' must not be negative"):
        Budgets(wall_time=-0.5)
    assert Budgets(steps=0).steps == 0
