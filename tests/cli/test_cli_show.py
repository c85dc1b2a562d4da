"""``agent-otel show``: one record, found by id, by its beginning, or as the last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_record_is_shown_for_people(invoke, source) -> None:
    """State first, then the three questions, then the findings; commands with their results."""
    result = invoke("show", "run-1", *source)
    assert result.exit_code == 0
    assert result.stdout.startswith("INCOMPLETE  run-1\nFix the redirect\n")
    assert "c1  pytest -q: failed (exit 1, 500 ms)" in result.stdout
    assert "next action: run e2e in CI" in result.stdout
    assert "failure-not-resolved" in result.stdout


@pytest.mark.parametrize(("asked", "found"), [("run-1", "run-1"), ("child", "child-1"), ("last", "run-2")])
def test_run_is_found(invoke, source, asked: str, found: str) -> None:
    """By id, by a beginning that only one has, or the last that is no part of another."""
    assert json.loads(invoke("show", asked, *source, "--json").stdout)["run_id"] == found


def test_the_last_run_is_shown_where_none_is_named(invoke, source) -> None:
    """``agent-otel show`` is ``agent-otel show last``."""
    assert invoke("show", *source).stdout == invoke("show", "last", *source).stdout


def test_last_is_a_part_where_there_is_nothing_else(invoke, telemetry, lines, tmp_path: Path) -> None:
    """A sub-agent's run whose parent is not stored is better than none."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("child", parent="gone")))
    invoke("compact", "a.jsonl", "--db", "runs.db")
    assert json.loads(invoke("show", "last", "--db", "runs.db", "--json").stdout)["run_id"] == "child"


def test_markdown(invoke, source) -> None:
    """For a pull request."""
    result = invoke("show", "run-1", *source, "--markdown")
    assert result.stdout.startswith("# incomplete: `run-1`\n")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("run-", "several runs begin with 'run-': run-2, run-1"),
        ("zzz", "no run 'zzz'; the latest are: child-1, run-2, run-1"),
        ("", "no run ''; the latest are: child-1, run-2, run-1"),
    ],
)
def test_what_names_no_single_run_lists_what_there_is(invoke, source, asked: str, message: str) -> None:
    """The error is also the help."""
    result = invoke("show", asked, *source)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_many_runs_are_not_all_listed(invoke, telemetry, lines, tmp_path: Path) -> None:
    """An error fits on a screen."""
    requests = [telemetry(f"run-{n:02}", number=n, seconds=n) for n in range(1, 13)]
    (tmp_path / "a.jsonl").write_bytes(lines(*requests))
    invoke("compact", "a.jsonl", "--db", "runs.db")
    assert "run-05 and 4 more" in invoke("show", "run-", "--db", "runs.db").stderr


def test_empty_database_has_nothing_to_show(invoke, program, tmp_path: Path) -> None:
    """A database without runs says so."""
    from agent_otel.store.sqlite import SqliteStore  # noqa: PLC0415 - only here

    SqliteStore(tmp_path / "empty.db").close()
    for asked in ("last", "run-1"):
        result = invoke("show", asked, "--db", "empty.db")
        assert result.exit_code == 1
        assert "there are no runs" in result.stderr


def test_two_forms_at_once_are_misuse(invoke, database: Path) -> None:
    """JSON or Markdown."""
    result = invoke("show", "last", "--db", database, "--json", "--markdown")
    assert result.exit_code == 2
    assert "choose one of --json and --markdown" in result.stderr


def test_run_that_was_killed_is_folded_when_it_is_read(invoke, telemetry, lines, tmp_path: Path) -> None:
    """Nobody needs to run a service: what silence has changed is noticed on reading."""
    (tmp_path / "a.jsonl").write_bytes(lines(telemetry("killed", ended=False)))
    invoke("compact", "a.jsonl", "--db", "runs.db")
    record = json.loads(invoke("show", "killed", "--db", "runs.db", "--json").stdout)
    assert (record["lifecycle"], record["final_status"]) == ("abandoned", "patch with blocker")
