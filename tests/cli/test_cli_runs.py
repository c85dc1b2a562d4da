"""``agent-otel runs``: the table, its filters, its JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest


def listed(output: str) -> list[str]:
    """The run ids of a table."""
    return [line.split()[0] for line in output.splitlines()[2:]]


def test_runs_are_listed_the_latest_first(invoke, source) -> None:
    """One line a run: state, agent, start, findings, objective."""
    result = invoke("runs", *source)
    assert result.exit_code == 0
    assert listed(result.stdout) == ["child-1", "run-2", "run-1"]
    assert re.search(r"run-1 +incomplete +fixer +2026-05-18 09:12 +1\.0 s .*Fix the redirect", result.stdout)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--agent", "fixer"], ["run-1"]),
        (["--repository", "docs"], ["run-2"]),
        (["--state", "incomplete"], ["child-1", "run-2", "run-1"]),
        (["--state", "settled", "--limit", "1"], ["child-1"]),
        (["--since", "2026-05-18T09:30:00Z"], ["child-1", "run-2"]),
        (["--since", "2026-05-18T11:30:00+02:00"], ["child-1", "run-2"]),
        (["--until", "2026-05-18 09:30"], ["run-1"]),
        (["--since", "2026-05-19"], []),
        (["--finding", "no-handoff"], ["run-2"]),
        (["--agent", "fixer", "--finding", "no-handoff"], []),
        (["--check", "pytest"], ["child-1", "run-2", "run-1"]),
        (["--check", "pytest", "--verdict", "failed", "--agent", "fixer"], ["run-1"]),
        (["--verdict", "proved"], []),
        (["--file", "src/a.py"], []),
        (["--fingerprint", "no-handoff:-:.:-"], ["run-2"]),
    ],
)
def test_filters_narrow_the_list(invoke, source, arguments: list[str], expected: list[str]) -> None:
    """Filters are combined; nothing found is no error."""
    result = invoke("runs", *source, *arguments)
    assert result.exit_code == 0
    assert (listed(result.stdout) if expected else result.stdout) == (expected or "no runs\n")


def test_json_is_an_array_of_records(invoke, source) -> None:
    """Programs get the documents themselves."""
    records = json.loads(invoke("runs", *source, "--json").stdout)
    assert [record["run_id"] for record in records] == ["child-1", "run-2", "run-1"]
    assert records[2]["commands"][0]["command"] == "pytest -q"
    assert json.loads(invoke("runs", *source, "--json", "--agent", "nobody").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "soon"], "expected a time such as 7d, 12h or 2026-05-18, got 'soon'"),
        (["--since", "999999w"], "expected a time such as 7d"),
        (["--limit", "0"], "0 is not in the range x>=1"),
        (["--state", "perfect"], "'perfect' is not one of 'done', 'missing required evidence'"),
        (["--finding", "none"], "'none' is not one of 'missing-required-check'"),
        (["--verdict", "good"], "'good' is not one of 'proved', 'stale'"),
        (["extra"], "unexpected extra argument"),
    ],
)
def test_misuse_is_exit_code_two(invoke, database: Path, arguments: list[str], message: str) -> None:
    """What was typed wrong is said on standard error, and nothing on standard output."""
    result = invoke("runs", "--db", database, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_missing_database_is_said_and_not_made(invoke, tmp_path: Path) -> None:
    """Reading creates nothing."""
    (tmp_path / ".git").mkdir()
    result = invoke("runs")
    assert result.exit_code == 1
    assert "no database at" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_database_is_found_upwards_or_by_the_environment(invoke, database: Path, tmp_path: Path, monkeypatch) -> None:
    """Without ``--db`` the nearest database counts, unless ``AGENT_OTEL_DB`` names one."""
    home = tmp_path / ".agent-otel"
    home.mkdir()
    database.rename(home / "runs.db")
    (tmp_path / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "src" / "deep")
    assert listed(invoke("runs").stdout) == ["child-1", "run-2", "run-1"]
    elsewhere = invoke("runs", AGENT_OTEL_DB=str(tmp_path / "other.db"))
    assert elsewhere.exit_code == 1
    assert "other.db" in elsewhere.stderr


def test_foreign_database_is_refused(invoke, tmp_path: Path) -> None:
    """A file that is no database of ours is an error, and stays as it was."""
    (tmp_path / "notes.db").write_bytes(b"my notes, " * 100)
    result = invoke("runs", "--db", tmp_path / "notes.db")
    assert result.exit_code == 1
    assert "notes.db" in result.stderr
    assert (tmp_path / "notes.db").read_bytes() == b"my notes, " * 100
