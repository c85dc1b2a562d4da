"""``agent-otel diagnose``: which part of the harness a run's failing and missing checks point to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

RECORD = Path(__file__).parents[1] / "data" / "records" / "v1.json"


def test_a_run_is_diagnosed_wherever_it_is(invoke, source) -> None:
    """A database or a processor; by id or as the last run."""
    result = invoke("diagnose", "run-1", *source)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("incomplete  run-1\n\npytest, failed: implementation\n")
    assert invoke("diagnose", *source).stdout == invoke("diagnose", "run-2", *source).stdout


def test_a_check_is_diagnosed_by_its_record(invoke) -> None:
    """With the entry it rests on; for programs as JSON that moves no cursor."""
    told = invoke("diagnose", "--file", RECORD, "--check", "e2e: invite-flow")
    assert told.exit_code == 0
    assert told.stdout == (
        "missing required evidence  coding-2026-05-18-0042\n"
        "\n"
        "e2e: invite-flow (required), not run: runway\n"
        "  it was required, and the reason given is that something was unavailable\n"
        "    v3  e2e: invite-flow: not run: preview service unavailable\n"
    )
    document = json.loads(invoke("diagnose", "--file", RECORD, "--check", "e2e: invite-flow", "--json").stdout)
    assert (document["schema"], document["decided"]) == ("agent-otel/diagnosis/1", True)
    assert [check["part"] for check in document["checks"]] == ["runway"]
    assert document["checks"][0]["quotes"][0]["ref"] == "v3"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_undecided_fails(invoke, telemetry, lines, tmp_path: Path, form: list) -> None:
    """Exit code 1, and what is missing is told."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("run-1", ended=False, handoff=False)))
    (tmp_path / "agent-otel.toml").write_text('[[required_checks]]\nname = "e2e"\n')
    invoke("compact", "a.jsonl", "--db", "runs.db")
    result = invoke("diagnose", "run-1", "--check", "pytest -q", "--db", "runs.db", *form)
    assert result.exit_code == 1
    assert "missing" in result.stdout


def test_the_contract_of_the_repository_counts(invoke, tmp_path: Path) -> None:
    """A check that the repository demands and the run was not told of is missing from what was required."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "agent-otel.toml").write_text('[[required_checks]]\nname = "lint"\n')
    told = invoke("diagnose", "--file", RECORD).stdout
    assert "lint (required), not run: verification\n  the repository requires it, and the run was not told" in told
    (tmp_path / "agent-otel.toml").rename(tmp_path / "other.toml")
    assert "lint" not in invoke("diagnose", "--file", RECORD).stdout
    assert invoke("diagnose", "--file", RECORD, "--contract", "other.toml").stdout == told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "invite-flow"], "this run has no check 'invite-flow'; did you mean 'e2e: invite-flow'?"),
        (["--check", " "], "expected the name of a check"),
        (["--exact"], "--exact is about the name of a --check"),
        (["--contract", "wrong.toml"], "unknown key 'scop'"),
    ],
)
def test_misuse_is_told(invoke, tmp_path: Path, arguments: list, message: str) -> None:
    """Exit code 2, and no answer."""
    (tmp_path / "wrong.toml").write_text("scop = []")
    result = invoke("diagnose", "--file", RECORD, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_name_can_be_meant_as_it_is_written(invoke) -> None:
    """A check that the record does not know was never asked for."""
    told = invoke("diagnose", "--file", RECORD, "--check", "invite-flow", "--exact")
    assert told.exit_code == 0
    assert (
        "invite-flow, not run: verification\n  it was never in the required evidence: what was required is"
        in told.stdout
    )


def test_what_ci_found_later_is_diagnosed_with_what_the_run_left_open(invoke, database: Path, tmp_path: Path) -> None:
    """Nobody had asked the run for it; under a contract that does, the run had not been told."""
    add = ("evidence", "add", "run-1", "--check", "e2e: firefox", "--exit-code", "1", "--commit", "8f2c19a")
    assert invoke(*add, "--db", database).exit_code == 0
    asked = ("diagnose", "run-1", "--check", "e2e: firefox", "--db", database)
    told = invoke(*asked)
    assert told.exit_code == 0
    assert "\ne2e: firefox, failed: verification\n  it was never in the required evidence: nothing" in told.stdout
    assert "; after the handoff it failed\n" in told.stdout
    assert ": exit 1; on commit 8f2c19a; whether the run left that was not recorded\n" in told.stdout
    (tmp_path / "agent-otel.toml").write_text('[[required_checks]]\nname = "e2e: firefox"\n')
    assert "\ne2e: firefox (required), failed: verification\n  the repository requires it" in invoke(*asked).stdout
