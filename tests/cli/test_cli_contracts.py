"""Every command that tells of a run holds it to the same contract as ``agent-otel audit``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

RECORD = Path(__file__).parents[1] / "data" / "records" / "v1.json"
IGNORING = '[rules.ignore]\nmissing-required-check = "runs in CI"\n'
E2E = '[[required_checks]]\nname = "e2e: invite-flow"\npaths = ["{}"]\n'
RUFF = '[[required_checks]]\nname = "ruff"\n'

COMMANDS = {
    "show": ["show", "--file", RECORD],
    "show as Markdown": ["show", "--markdown", "--file", RECORD],
    "note": ["note", "--file", RECORD],
    "digest": ["digest", "--file", RECORD],
    "audit": ["audit", "--file", RECORD],
}
"""Each way to tell of a run, as text."""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path) -> Path:
    """The folder of the commands, where no other contract is nearer."""
    (tmp_path / ".git").mkdir()
    return tmp_path / "agent-otel.toml"


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_paths_decide_what_is_required(invoke, repository: Path, command: list) -> None:
    """A check of other files is not missing, whatever the run itself was told."""
    repository.write_text(E2E.format("src/**"))
    assert "missing required evidence" in invoke(*command).stdout.lower()
    repository.write_text(E2E.format("docs/**"))
    assert "missing required evidence" not in invoke(*command).stdout.lower()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_check_the_run_never_heard_of_is_missing(invoke, repository: Path, command: list) -> None:
    """From the nearest contract, or from the one that is named."""
    assert "ruff" not in invoke(*command).stdout
    repository.write_text(RUFF)
    told = invoke(*command).stdout
    assert "ruff" in told
    repository.rename(repository.with_name("other.toml"))
    assert "ruff" not in invoke(*command).stdout
    assert invoke(*command, "--contract", "other.toml").stdout == told


def test_ignored_rules_find_nothing(invoke, repository: Path) -> None:
    """The findings of a record are those that an audit counts."""

    def rules(command: str) -> list[str]:
        told = json.loads(invoke(command, "--file", RECORD, *FORMS[command]).stdout)
        return [each["rule"] for each in (told if command == "show" else told["runs"][0])["findings"]]

    assert rules("show") == rules("audit") == ["missing-required-check", "gate-denied"]
    repository.write_text(IGNORING)
    assert rules("show") == rules("audit") == ["gate-denied"]


FORMS = {"show": ["--json"], "audit": ["--format", "json"]}


def test_compared_runs_are_held_to_one_contract(invoke, database: Path, repository: Path) -> None:
    """What the contract ignores is no difference."""
    told = invoke("diff", "run-1", "run-2", "--db", database).stdout
    assert "no-handoff" in told
    repository.write_text('[rules.ignore]\nno-handoff = "our agents report in the pull request"\n')
    assert "no-handoff" not in invoke("diff", "run-1", "run-2", "--db", database).stdout
    repository.rename(repository.with_name("other.toml"))
    assert invoke("diff", "run-1", "run-2", "--db", database).stdout == told


@pytest.mark.parametrize("command", [["show"], ["note"], ["digest"], ["diff", "run-1"]], ids=lambda words: words[0])
def test_a_wrong_contract_is_misuse(invoke, database: Path, repository: Path, command: list) -> None:
    """Nothing is told by a contract that cannot be what was meant."""
    repository.write_text("scop = []")
    result = invoke(*command, "run-1", "--db", database)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "unknown key 'scop'; did you mean 'scope'?" in result.stderr


@pytest.mark.parametrize("command", ["show", "note", "digest"])
def test_an_empty_word_names_no_run(invoke, database: Path, command: str) -> None:
    """A variable that a job forgot to set is not the last run."""
    result = invoke(command, "", "--db", database)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no run ''" in result.stderr
