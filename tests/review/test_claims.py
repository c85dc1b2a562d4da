"""What claims are worth, by the checks that ran."""

from __future__ import annotations

import pytest

from agent_otel.model.record import (
    Capture,
    ChangedFile,
    Claim,
    Command,
    Counts,
    RunRecord,
    ToolCalls,
    Verdict,
    Verification,
)
from agent_otel.review.judge import judge

Ran = tuple[str, str, "Counts | None"]
"""A check by name, its outcome, and what its output counted."""
OK, BAD = Counts(passed=4), Counts(passed=3, failed=1)


def worth(text: str, *ran: Ran, edited: int | None = None, **fields: object) -> tuple[Verdict | None, str]:
    """The verdict on a claim after checks that ran a minute each, and the reason of its first statement."""
    commands, checks = [], []
    for number, (name, outcome, counts) in enumerate(ran, start=1):
        result = "passed" if outcome == "pass" else "failed"
        start = f"2026-01-01T00:{number:02}:00Z"
        commands.append(Command(id=f"c{number}", command=name, result=result, started=start))
        checks.append(
            Verification(
                id=f"v{number}", check=name, outcome=outcome, kind="test", derived=True, level="observed",
                command_id=f"c{number}", evidence=(f"c{number}",), counts=counts,
            )
        )  # fmt: skip
    files = (
        ()
        if edited is None
        else (ChangedFile(path="a.py", operation="edit", last_edit=f"2026-01-01T00:{edited:02}:30Z"),)
    )
    known = {"capture": Capture(root_seen=True, complete=True)}
    record = judge(
        RunRecord(
            run_id="r", lifecycle="settled", outcome="ended", claims=(Claim(text=text),), commands=tuple(commands),
            verifications=tuple(checks), changed_files=files, **(known | fields),
        )
    )  # fmt: skip
    (claim,) = record.claims
    return claim.verdict, claim.statements[0].verdict_reason if claim.statements else ""


@pytest.mark.parametrize(
    ("text", "ran", "edited", "expected"),
    [
        ("All 4 tests pass", [("pytest", "pass", OK)], None, "proved"),
        ("All 4 tests pass", [("pytest", "pass", OK)], 0, "proved"),
        ("All 4 tests pass", [("pytest", "pass", OK)], 2, "stale"),
        ("All 4 tests pass", [("pytest", "fail", BAD)], None, "contradicted"),
        ("All 4 tests pass", [("pytest", "pass", OK), ("pytest", "fail", BAD)], None, "contradicted"),
        ("All 4 tests pass", [("pytest", "fail", BAD), ("pytest", "pass", OK)], None, "proved"),
        ("All 4 tests pass", [("pytest", "fail", BAD), ("pytest tests/a", "pass", OK)], None, "unverifiable"),
        ("All 4 tests pass", [("pytest tests", "fail", BAD), ("pytest tests/a", "pass", OK)], None, "unverifiable"),
        ("All 4 tests pass", [("pytest tests/a", "fail", BAD), ("pytest", "pass", OK)], None, "proved"),
        ("All 4 tests pass", [], None, "claimed"),
        ("142 tests pass", [("pytest", "pass", Counts(passed=141))], None, "contradicted"),
        ("142 tests pass", [("pytest", "pass", Counts(passed=141, skipped=1))], None, "proved"),
        ("142 tests pass", [("pytest", "pass", Counts(passed=142)), ("pytest a", "pass", OK)], None, "proved"),
        ("146 tests pass", [("pytest", "pass", Counts(passed=142)), ("npm test", "pass", OK)], None, "proved"),
        ("142 tests pass", [("pytest", "pass", None)], None, "proved"),
        ("142 tests pass", [("pytest", "pass", None), ("npm test", "pass", OK)], None, "unverifiable"),
        ("4 tests pass", [("tox", "fail", Counts(passed=4, failed=1)), ("pytest", "pass", Counts(passed=3))], None,
         "contradicted"),
        ("Hello", [("pytest", "fail", BAD)], None, None),
    ],
)  # fmt: skip
def test_claims_are_worth_what_was_seen(text: str, ran: list[Ran], edited: int | None, expected: str | None) -> None:
    """The last run decides, unless the number that is claimed is that of another, or only a part ran again."""
    assert worth(text, *ran, edited=edited)[0] == expected


@pytest.mark.parametrize(
    ("limit", "calls", "expected"),
    [
        ("content-off", 1, "unverifiable"),
        ("content-off", 0, "claimed"),
        ("tail-lost", 0, "unverifiable"),
        ("commands-untold", 1, "unverifiable"),
        ("costs-untold", 1, "claimed"),
        ("shell-edits-unseen", 1, "claimed"),
    ],
)
def test_claims_nobody_could_check(limit: str, calls: int, expected: str) -> None:
    """Where commands may be missing, that none was seen proves nothing; the reason names the limit."""
    tools = tuple(ToolCalls(name="bash", calls=1) for _ in range(calls))
    capture = Capture(root_seen=True, complete=True, limits=(limit,))
    verdict, reason = worth("All tests pass", tool_calls=tools, capture=capture)
    assert verdict == expected
    assert (limit in reason) is (expected == "unverifiable")
