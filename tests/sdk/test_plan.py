"""What the user asks of a run, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

import agent_otel
from agent_otel.errors import SettingsError
from agent_otel.model.contract import Budgets, Contract, RequiredCheck
from agent_otel.sdk.plan import Plan

TOML = """
objective = "from the file"
scope = ["src/**"]
exclusions = []
off_limits = ["migrations/**"]
[[required_checks]]
name = "unit"
command = "pnpm test*"
[budgets]
steps = 40
"""


def plan(objective: str | None = None, contract: object = None, **options: object) -> Plan:
    """A plan as ``run`` makes it."""
    return Plan.of(objective, agent="fixer", contract=contract, options=options)


def test_a_contract_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found from the working directory, and everything in it counts."""
    (tmp_path / "agent-otel.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    made = plan(contract="agent-otel.toml")
    assert made.contract == Contract(
        objective="from the file",
        scope=("src/**",),
        off_limits=("migrations/**",),
        required_checks=(RequiredCheck(name="unit", command="pnpm test*"),),
        budgets=Budgets(steps=40),
    )
    assert made.stated >= {"objective", "scope", "exclusions"}, "an empty list in the file is stated"


def test_a_contract_file_is_also_looked_for_in_the_repository(tmp_path: Path) -> None:
    """A program may run elsewhere than the repository it works on."""
    (tmp_path / "pyproject.toml").write_text('[tool.agent-otel]\nscope = ["lib/**"]\n')
    assert plan(contract="pyproject.toml", repo=tmp_path).contract.scope == ("lib/**",)


def test_arguments_override_the_contract(tmp_path: Path) -> None:
    """What ``run`` is told counts more than the file."""
    (tmp_path / "c.toml").write_text(TOML)
    made = plan("from code", tmp_path / "c.toml", scope=["app/**"], required_checks=["lint"], budgets=Budgets(tokens=5))
    assert made.contract.objective == "from code"
    assert made.contract.scope == ("app/**",)
    assert made.contract.required_checks == (RequiredCheck(name="lint"),)
    assert made.contract.budgets == Budgets(tokens=5)
    assert made.contract.off_limits == ("migrations/**",)


@pytest.mark.parametrize("contract", [Contract(scope=("a",)), {"scope": ["a"]}])
def test_a_contract_may_be_given_as_value_or_table(contract: object) -> None:
    """A Contract and a plain table say the same."""
    assert plan(contract=contract).contract == Contract(scope=("a",))


WRONG = [
    ({"scop": ["a"]}, "did you mean 'scope'"),
    ({"zzz": 1}, "known: id"),
    ({"contract": "missing.toml"}, "'missing.toml' not found in"),
    ({"contract": {"budget": {}}}, "did you mean 'budgets'"),
    ({"scope": 7}, "Expected `array`"),
    ({"budgets": {"steps": -1}}, "must not be negative, got -1"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_what_cannot_be_is_said_at_once(options: dict, message: str) -> None:
    """The error says what was expected and what came."""
    with pytest.raises(SettingsError, match=message):
        plan("x", options.pop("contract", None), **options)


def test_a_contract_that_demands_nothing_is_a_mistake(tmp_path: Path) -> None:
    """A ``pyproject.toml`` that was named and has no table of ours is not silently no contract."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    with pytest.raises(SettingsError, match="says nothing"):
        agent_otel.run("x", contract=tmp_path / "pyproject.toml")


def test_a_contract_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Neither a folder nor bytes that are no text are a contract."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for path in (tmp_path, tmp_path / "bytes.toml"):
        with pytest.raises(SettingsError, match="cannot be read"):
            agent_otel.run("x", contract=path)
