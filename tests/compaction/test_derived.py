"""What command lines show: files read and changed by the shell, and checks that nobody declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_otel.compaction.compact import compact
from agent_otel.model import names
from agent_otel.model.item import Span
from agent_otel.model.record import Counts, RunRecord

S = 1_000_000_000


def shell(line: str, result: Any, at: int = 1, **arguments: str) -> Span:
    """A shell call in the GenAI conventions."""
    return Span(
        trace_id="a" * 32,
        span_id=f"{at:016x}",
        start_ns=at * S,
        end_ns=(at + 1) * S,
        attributes={
            names.OPERATION_NAME: "execute_tool",
            names.TOOL_NAME: "bash",
            names.TOOL_CALL_ARGUMENTS: json.dumps({"command": line, **arguments}),
            names.TOOL_CALL_RESULT: result if isinstance(result, str) else json.dumps(result),
        },
    )


def record(*spans: Span) -> RunRecord:
    """The one record of these calls."""
    (found,) = compact(spans, now_ns=10**6 * S)
    return found


def exited(code: int, output: str = "") -> dict[str, Any]:
    """A result with an exit code."""
    return {"exit_code": code, "output": output}


@pytest.mark.parametrize(
    ("result", "read", "changed"),
    [(exited(0), ["a.py"], ["b.py"]), (exited(1), [], []), ("text without a code", ["a.py"], [])],
)
def test_files_of_shell_lines(result: Any, read: list[str], changed: list[str]) -> None:
    """A line that failed may have read and changed nothing, and one of unknown end has changed nothing for certain."""
    found = record(shell("cat a.py && echo x > b.py", result))
    assert [each.path for each in found.files_inspected] == read
    assert [each.path for each in found.changed_files] == changed


def test_files_of_shell_lines_lie_where_the_line_ran() -> None:
    """Paths are relative to the directory of the command."""
    found = record(shell("cat a.py /repo/src/b.py && mv c.py d.py", exited(0), cwd="/repo/src"))
    assert [each.path for each in found.files_inspected] == ["a.py", "b.py"]
    assert [(each.path, each.old_path) for each in found.changed_files] == [("d.py", "c.py")]


HIDDEN = "the exit code of its line is not its own"
COUNTED = "by what its output counts; the exit code is not its own"
OUTCOMES = [
    ("pytest", exited(0, "4 passed in 0.1s"), "pass", Counts(passed=4), None),
    ("pytest", exited(1, "1 failed, 3 passed in 0.1s"), "fail", Counts(passed=3, failed=1), None),
    ("pytest", exited(1), "fail", None, None),
    ("pytest", exited(0, "1 failed in 0.1s"), "fail", Counts(failed=1), "its output counts 1 that went wrong"),
    ("pytest | tail", exited(0, "1 failed in 0.1s"), "fail", Counts(failed=1), "its output counts 1 that went wrong"),
    (
        "pytest | tail",
        exited(0, "4 passed in 0.1s"),
        "pass",
        Counts(passed=4),
        "by what its output counts; the exit code is not its own",
    ),
    ("go test ./... | tail -1", exited(0, "FAIL"), "fail", None, "its output says that it failed"),
    ("npx jest | tail", exited(0, "Test Suites: 1 failed\nTests: 4 passed"), "unknown", Counts(passed=4), HIDDEN),
    ("mypy | tail", exited(0, "Success: no issues found in 3 source files"), "pass", Counts(errors=0), COUNTED),
    ("pytest | tail", exited(0), "unknown", None, "the exit code of its line is not its own"),
    ("pytest && git push", exited(1), "unknown", None, "the exit code of its line is not its own"),
    ("pytest", "no exit code", "unknown", None, None),
    ("ruff check", exited(0, "All checks passed!"), "pass", Counts(errors=0), None),
]


@pytest.mark.parametrize(("line", "result", "outcome", "counts", "reason"), OUTCOMES, ids=range(len(OUTCOMES)))
def test_checks_are_derived(line: str, result: Any, outcome: str, counts: Counts | None, reason: str | None) -> None:
    """By exit code where it is the check's own, and by what its output counts; a pass is never guessed."""
    (check,) = record(shell(line, result)).verifications
    assert (check.outcome, check.counts, check.reason, check.derived) == (outcome, counts, reason, True)
    assert (check.command, check.evidence, check.level) == (line, ("c1",), "observed")


def test_each_run_of_a_check_is_told() -> None:
    """A check that failed and then passed is one check with two runs; two checks of a line are two."""
    found = record(
        shell("pytest -q", exited(1), 1),
        shell("pytest", exited(0), 3),
        shell("mypy && ruff check", exited(0), 5),
    )
    assert [(each.id, each.check, each.kind, each.outcome) for each in found.verifications] == [
        ("v1", "pytest", "test", "fail"),
        ("v2", "pytest", "test", "pass"),
        ("v3", "mypy", "types", "pass"),
        ("v4", "ruff check", "lint", "pass"),
    ]


@pytest.mark.parametrize(
    ("line", "output", "expected"),
    [
        ("mypy; pytest | tail", "Found 2 errors in 1 file\n4 passed in 0.1s", ["fail", "pass"]),
        ("make lint; pytest | tail", "4 passed in 0.1s", ["unknown", "pass"]),
        ("ruff check; pytest | tail", "All checks passed!\n1 failed in 0.1s", ["pass", "fail"]),
        ("pytest a; pytest b | tail", "1 failed in 0.1s\n4 passed in 0.1s", ["unknown", "unknown"]),
        ("make lint; go test ./... | tail", "FAIL", ["unknown", "unknown"]),
    ],
)
def test_checks_in_one_line_have_their_own_numbers(line: str, output: str, expected: list[str]) -> None:
    """What one tool counts says nothing of another, nor of another run of the same."""
    assert [each.outcome for each in record(shell(line, exited(0, output))).verifications] == expected


def test_a_refused_check_did_not_run() -> None:
    """A gate that said no leaves the check not run, with the reason."""
    span = shell("pytest", "")
    refused = Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        start_ns=S,
        end_ns=2 * S,
        status=2,
        attributes={**span.attributes, names.ERROR_TYPE: "denied"},
    )
    (check,) = record(refused).verifications
    assert (check.outcome, check.reason, check.level) == ("not_run", "command denied", None)
