"""``agent-otel audit``: what it holds to what, and the exit code by which a merge is gated."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

RECORD = Path(__file__).parents[1] / "data" / "records" / "v1.json"
STRICT = '[[required_checks]]\nname = "e2e"\n'
LENIENT = '[rules.ignore]\nmissing-required-check = "runs in CI"\n'


def test_runs_are_audited_wherever_they_are(invoke, source) -> None:
    """A database or a processor; by id, as the last run, and all since a time."""
    result = invoke("audit", "run-1", *source)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("run-1: incomplete\n  warning  failure-not-resolved")
    assert invoke("audit", *source).stdout == invoke("audit", "--last", *source).stdout
    every = invoke("audit", "--since", "2026-01-01", "--format", "json", *source)
    assert {run["run_id"] for run in json.loads(every.stdout)["runs"]} == {"run-1", "run-2", "child-1"}


@pytest.mark.parametrize(
    ("contract", "arguments", "code"),
    [
        ("", [], 1),
        (LENIENT, [], 0),
        (LENIENT, ["--fail-on", "info"], 1),
        (LENIENT, ["--fail-on", "warning"], 0),
        (LENIENT + STRICT, [], 0),
        ('[rules]\nselect = ["no-handoff"]', [], 0),
        ('[rules.severity]\nmissing-required-check = "warning"', [], 0),
        ('[rules.severity]\nmissing-required-check = "warning"', ["--fail-on", "warning"], 1),
    ],
)
def test_the_exit_code_is_the_gate(invoke, tmp_path: Path, contract: str, arguments: list, code: int) -> None:
    """By the findings that count under the nearest contract, and the severity that fails."""
    (tmp_path / "agent-otel.toml").write_text(contract)
    (tmp_path / ".git").mkdir()
    result = invoke("audit", "--file", RECORD, *arguments)
    assert result.exit_code == code
    named = invoke("audit", "--file", RECORD, "--contract", "agent-otel.toml", *arguments)
    assert (named.exit_code, named.stdout) == (code, result.stdout)


def test_the_nearest_contract_counts(invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the root of the repository; a pyproject.toml without our table says nothing."""
    (tmp_path / "agent-otel.toml").write_text(STRICT)
    inner = tmp_path / "repo" / "src"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (inner.parent / "pyproject.toml").write_text(f"[tool.agent-otel]\n{LENIENT.replace('[', '[tool.agent-otel.')}")
    monkeypatch.chdir(inner)
    assert invoke("audit", "--file", RECORD).exit_code == 0
    (inner.parent / "pyproject.toml").unlink()
    assert "'e2e'" in invoke("audit", "--file", RECORD).stdout
    (inner.parent / ".git").mkdir()
    assert "'e2e'" not in invoke("audit", "--file", RECORD).stdout


def test_output_goes_to_a_file(invoke, tmp_path: Path) -> None:
    """Nothing is printed then; the exit code stays."""
    result = invoke("audit", "--file", RECORD, "--format", "junit", "--output", "audit.xml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert ET.fromstring((tmp_path / "audit.xml").read_text()).find("testsuite").attrib["failures"] == "1"


def test_a_job_gets_a_summary(invoke, tmp_path: Path) -> None:
    """Added to what stands there already, within what GitHub takes of a step."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    result = invoke("audit", "--file", RECORD, "--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert result.stdout.startswith("::error title=agent-otel%3A missing-required-check::required check")
    assert summary.read_text().startswith("before\n## agent-otel: 1 run: 1 error")
    summary.write_bytes(b"x" * ((1 << 20) - 150))
    invoke("audit", "--file", RECORD, "--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert summary.stat().st_size <= 1 << 20
    invoke("audit", "--file", RECORD, "--format", "text", GITHUB_STEP_SUMMARY=str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    invoke("audit", "--file", RECORD, "--format", "github", GITHUB_STEP_SUMMARY=str(tmp_path / "new"))
    assert (tmp_path / "new").read_text().startswith("## agent-otel")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run-1", "--last"], "choose one of RUN, --last, --since and --file"),
        (["--last", "--since", "7d"], "choose one of"),
        (["run-1", "--file", RECORD], "--file is the record"),
        (["--file", RECORD, "--db", "runs.db"], "--file is the record"),
        (["--file", __file__], "a run record is JSON; this is not"),
        (["--file", RECORD, "--contract", "wrong.toml"], "unknown key 'scop'; did you mean 'scope'?"),
        (["--file", RECORD, "--contract", "rule.toml"], "unknown rule 'no-hand'; did you mean 'no-handoff'?"),
        (["--file", RECORD, "--contract", "gone.toml"], "'gone.toml' does not exist"),
        (["--file", RECORD, "--contract", "latin.toml"], "latin.toml: cannot be read"),
        (["--file", RECORD, "--output", "no/folder.txt"], "no/folder.txt"),
        (["--file", RECORD, "--fail-on", "never"], "'never' is not one of 'error', 'warning', 'info'"),
        (["zzz"], "no database at"),
    ],
)
def test_what_cannot_be_judged_is_no_finding(invoke, tmp_path: Path, arguments: list, message: str) -> None:
    """Exit code 2: a gate takes it neither for findings nor for none."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "wrong.toml").write_text("scop = []")
    (tmp_path / "rule.toml").write_text('[rules]\nselect = ["no-hand"]')
    (tmp_path / "latin.toml").write_bytes(b"objective = '\xe9'")
    result = invoke("audit", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("arguments", [["zzz"], ["--since", "0s"]])
def test_no_run_is_no_pass(invoke, database: Path, arguments: list) -> None:
    """A gate that found nothing to judge does not hold."""
    result = invoke("audit", *arguments, "--db", database)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no run" in result.stderr
