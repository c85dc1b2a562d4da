"""``agent-otel diff``: what a rerun did differently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

RECORD = Path(__file__).parents[1] / "data" / "records" / "v1.json"


def test_two_runs_are_compared(invoke, source) -> None:
    """Wherever they are; the first is what was, the second what is."""
    result = invoke("diff", "run-1", "run-2", *source)
    assert result.exit_code == 0
    assert result.stdout.startswith("run-1 → run-2\n\nstate\n")
    assert "  ~ agent: fixer → writer\n" in result.stdout
    assert "  - next action: run e2e in CI\n" in result.stdout


def test_json_has_what_was_and_what_is(invoke, source) -> None:
    """For programs, by aspect."""
    found = json.loads(invoke("diff", "run-1", "last", *source, "--json").stdout)
    assert (found["before"], found["after"]) == ("run-1", "run-2")
    assert {"name": "agent", "before": "fixer", "after": "writer"} in found["differences"]["task"]
    assert json.loads(invoke("diff", "run-1", "run-1", *source, "--json").stdout)["differences"] == {}


def test_a_run_that_is_not_there_is_named(invoke, database) -> None:
    """The error lists what there is."""
    result = invoke("diff", "run-1", "zzz", "--db", database)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no run 'zzz'; the latest are: child-1, run-2, run-1" in result.stderr


def test_a_record_in_a_file_is_a_run_too(invoke, source, tmp_path: Path) -> None:
    """On either side; it is judged anew, and two files need no database."""
    (tmp_path / "stored.json").write_text(invoke("show", "run-1", *source, "--json").stdout)
    assert invoke("diff", "stored.json", "run-1", *source).stdout == "run-1 → run-1\nnothing differs\n"
    assert invoke("diff", "run-1", RECORD, *source).stdout.startswith("run-1 → coding-2026-05-18-0042\n")
    doctored = RECORD.read_text().replace('"review_state": "missing required evidence"', '"review_state": "done"')
    (tmp_path / "doctored.json").write_text(doctored)
    result = invoke("diff", RECORD, "doctored.json")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "nothing differs")


@pytest.mark.parametrize(
    ("name", "message"), [("gone.json", "gone.json"), ("other.json", "other.json: a run record is JSON; this is not")]
)
def test_a_file_that_is_no_record_is_named(invoke, tmp_path: Path, name: str, message: str) -> None:
    """Absent, or something else."""
    (tmp_path / "other.json").write_text("no record")
    result = invoke("diff", name, RECORD)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
