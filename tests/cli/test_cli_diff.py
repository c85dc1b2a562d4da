"""``agent-otel diff``: what a rerun did differently."""

from __future__ import annotations

import json


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
