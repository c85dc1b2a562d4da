"""What one run did differently from another."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from agent_otel.model.record import (
    Agent,
    Base,
    ChangedFile,
    Check,
    Command,
    ContextSource,
    Counts,
    Finding,
    Handoff,
    RunRecord,
    Task,
    ToolCalls,
    Usage,
    Verification,
)
from agent_otel.model.versions import decode
from agent_otel.review.diff import Difference, as_text, compare
from agent_otel.review.judge import judge
from hostile_records import records

DATA = Path(__file__).parents[1] / "data"


def bare(**fields) -> RunRecord:
    """A record with next to nothing in it."""
    return RunRecord(**{"run_id": "r", "lifecycle": "settled", "outcome": "ended", **fields})


def commands(*results: str) -> RunRecord:
    """A record of one command line, run with these results."""
    return bare(
        commands=tuple(
            Command(id=f"c{n}", command="make", result=result, exit_code=1 if result == "failed" else 0)
            for n, result in enumerate(results)
        )
    )


def checked(verdict: str, **fields) -> RunRecord:
    """A record with one check."""
    return bare(verifications=(Verification(id="v1", check="unit", outcome="pass", verdict=verdict, **fields),))


def found(*severities: str) -> RunRecord:
    """A record with findings of one rule."""
    return bare(findings=tuple(Finding(rule="x", severity=severity, message="m") for severity in severities))


def changed(**fields) -> RunRecord:
    """A record with one changed file."""
    return bare(changed_files=(ChangedFile(path="a.py", operation="edit", **fields),))


@pytest.mark.parametrize(
    ("before", "after", "aspect", "difference"),
    [
        (bare(), bare(review_state="done"), "state", ("review state", None, "done")),
        (bare(), bare(outcome="failed"), "state", ("outcome", "ended", "failed")),
        (bare(handoff=Handoff(next_action="x")), bare(), "state", ("next action", "x", None)),
        (bare(), bare(task=Task(objective="o")), "task", ("objective", None, "o")),
        (bare(task=Task(scope=("a", "b"))), bare(task=Task(scope=("a",))), "task", ("scope", "a, b", "a")),
        (bare(), bare(task=Task(required_checks=(Check(name="unit"), Check(name="e2e", command="pw *")))),
         "task", ("required checks", None, "unit, e2e = pw *")),
        (bare(), bare(base=Base(commit="8f2c")), "task", ("base commit", None, "8f2c")),
        (bare(agent=Agent(name="a", version="1")), bare(agent=Agent(name="a", version="2")),
         "task", ("agent", "a 1", "a 2")),
        (bare(), bare(context_sources=(ContextSource(name="ADR"),)), "task", ("context", None, "ADR")),
        (bare(), changed(lines_added=3, lines_removed=0), "files", ("a.py", None, "edit +3 -0")),
        (changed(), changed(lines_added=3), "files", ("a.py", "edit", "edit +3")),
        (commands("failed"), commands("failed", "passed"),
         "commands", ("make", "failed (exit 1)", "failed (exit 1), then passed")),
        (checked("stale"), checked("proved"), "checks", ("unit", "stale", "proved")),
        (checked("proved", counts=Counts(passed=4)), checked("proved", counts=Counts(passed=5, failed=0)),
         "checks", ("unit", "proved (4 passed)", "proved (5 passed, 0 failed)")),
        (bare(), bare(task=Task(required_checks=(Check(name="unit"),))), "checks", ("unit", None, "not run")),
        (found("error", "error", "info"), found("error"), "findings", ("x", "2 errors, 1 info", "1 error")),
        (bare(duration_s=2.0), bare(duration_s=61.0), "usage", ("duration", "2.0 s", "1 min 01 s")),
        (bare(), bare(usage=Usage(model_calls=2)), "usage", ("model calls", None, "2")),
        (bare(), bare(usage=Usage(cost_usd=0.5)), "usage", ("cost", None, "0.5000 USD")),
        (bare(), bare(tool_calls=(ToolCalls(name="a", calls=2), ToolCalls(name="b", calls=1))),
         "usage", ("tool calls", None, "3")),
    ],
)  # fmt: skip
def test_what_differs_is_told(before: RunRecord, after: RunRecord, aspect: str, difference: tuple) -> None:
    """Each aspect by name, with what was and what is."""
    name, was, now = difference
    assert Difference(name=name, before=was, after=now) in compare(before, after).differences[aspect]


def test_text_shows_what_is_gone_new_and_different() -> None:
    """A sign for each, under the aspect; nothing else."""
    before = replace(commands("failed"), run_id="one\x1b", final_status="done")
    after = replace(checked("proved"), run_id="two", final_status="patch")
    assert as_text(compare(before, after)) == (
        "one\\x1b → two\n\nstate\n  ~ final status: done → patch\n\nchecks\n  + unit: proved\n"
        "\ncommands\n  - make: failed (exit 1)\n"
    )


def test_a_run_does_not_differ_from_itself() -> None:
    """Nothing differs, and that is said."""
    record = judge(decode((DATA / "records" / "v1.json").read_bytes()))
    assert compare(record, record).differences == {}
    assert as_text(compare(record, record)).endswith("\nnothing differs\n")


@given(before=records(), after=records())
@settings(max_examples=60, deadline=None)
def test_the_other_way_round_is_the_mirror_image(before: RunRecord, after: RunRecord) -> None:
    """What is gone one way is new the other way; no text moves the cursor or ends a line."""
    forth, back = compare(before, after), compare(after, before)
    mirrored = {
        aspect: {(each.name, each.after, each.before) for each in differences}
        for aspect, differences in back.differences.items()
    }
    assert mirrored == {
        aspect: {(each.name, each.before, each.after) for each in differences}
        for aspect, differences in forth.differences.items()
    }
    text = as_text(forth)
    lines = sum(map(len, forth.differences.values())) + 2 * len(forth.differences) + 1
    assert len(text.splitlines()) == lines + (not forth.differences)
    assert json.dumps(msgspec.to_builtins(forth)).isascii()
