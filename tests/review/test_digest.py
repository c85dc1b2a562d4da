"""The digest for a reviewing agent: bounded, decisive first, and data that stays data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.errors import SettingsError
from agent_otel.model.record import (
    Alternative,
    Capture,
    ChangedFile,
    Check,
    Claim,
    Command,
    Decision,
    Finding,
    Handoff,
    RunRecord,
    Statement,
    Task,
    Verification,
)
from agent_otel.model.versions import decode
from agent_otel.review.digest import digest, tokens
from agent_otel.review.judge import judge
from agent_otel.review.standing import standings
from agent_otel.review.wording import shortened
from agent_otel.text.terminal import printable
from hostile_records import ATTACKS, records

DATA = Path(__file__).parents[1] / "data"
ENOUGH = 3000
"""Whatever a record of ``records()`` says, so many tokens will do for its checks."""


def bare(**fields) -> RunRecord:
    """A record with next to nothing in it."""
    return RunRecord(**{"run_id": "r", "lifecycle": "settled", "outcome": "ended", **fields})


def parts(text: str) -> tuple[str, list[str]]:
    """What stands before the data, and the lines of the data."""
    match = re.fullmatch(r"(.*?)^BEGIN DATA (\w+)\n(.*)^END DATA \2\n", text, re.DOTALL | re.MULTILINE)
    assert match
    assert match[3].count(match[2]) == 0
    return match[1], match[3].removesuffix("\n").split("\n")


def test_what_decides_comes_first() -> None:
    """The state, computed; then the checks that did not pass; what went well comes last."""
    head, data = parts(digest(judge(decode((DATA / "records" / "v1.json").read_bytes()))))
    assert head.startswith("agent-otel digest of a run. State, computed from evidence: missing required evidence\n")
    assert data[:2] == [
        "checks that did not pass, none left out:",
        '- not run, required: "e2e: invite-flow": "preview service unavailable"',
    ]
    assert data[-1] == '- "pnpm test invite": passed (exit 0, 7.9 s)'


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (bare(), "State, computed from evidence: not judged\n"),
        (bare(), 'task:\n- run "r", settled, ended\n- objective ""\nEND'),
        (judge(bare(task=Task(required_checks=(Check(name="unit"),)))), '- not run, required: "unit"\n'),
        (judge(bare(verifications=(Verification(id="v", check="lint", outcome="fail"),))),
         '- failed: "lint": "said to fail"\n'),
        (judge(bare(verifications=(Verification(id="v", check="lint", outcome="pass"),))),
         'other checks:\n- claimed: "lint": "said to pass, without evidence"\n'),
        (bare(findings=(Finding(rule="a", severity="warning", message="m"),
                        Finding(rule="b", severity="info", message="m"),
                        Finding(rule="c", severity="error", message="m"))),
         'findings:\n- error "c": "m"\n- warning "a": "m"\nEND'),
        (bare(claims=(Claim(text="x", statements=(
            Statement(kind="test", text="all pass", verdict="contradicted", verdict_reason="1 failed"),)),)),
         'claims of its last words:\n- contradicted: "all pass": "1 failed"\n'),
        (bare(handoff=Handoff(blockers=("b",), risks=("r",), look_twice=("l",), assumptions=("a",))),
         'handoff:\n- status ""\n- next action ""\n- blocker "b"\n- risk "r"\n- look twice at "l"\n- assumption "a"\n'),
        (bare(changed_files=(ChangedFile(path="test_a.py", operation="edit"),)),
         'tests that the run edited:\n- "test_a.py"\nchanged files:\n- "edit" "test_a.py"\n'),
        (bare(changed_files=(ChangedFile(path="a", operation="edit", lines_added=1, read_before=False),)),
         '- "edit" "a" +1, never read before\n'),
        (bare(commands=(Command(id="c", command="make", result="denied"),)),
         'commands that did not pass:\n- "make": denied, never ran\n'),
        (bare(decisions=(Decision(option="a", alternatives=(Alternative(option="b"),)),)), '- "a"; rejected "b"\n'),
        (bare(capture=Capture(limits=("content-off",))), 'what telemetry could not show:\n- "content-off"\n'),
    ],
)  # fmt: skip
def test_what_is_recorded_is_told(record: RunRecord, words: str) -> None:
    """Each thing that decides has its line; what the run wrote is quoted."""
    assert words in digest(record)


@given(record=records(), budget=st.integers(1, ENOUGH))
@settings(max_examples=100, deadline=None)
def test_it_fits_with_every_check_that_did_not_pass_or_says_what_would(record: RunRecord, budget: int) -> None:
    """No budget cuts a failed or missing check; one that is too small is told what is enough."""
    try:
        text = digest(record, budget=budget)
    except SettingsError as exc:
        needed, got = map(int, re.findall(r"\d+", str(exc)))
        assert got == budget < needed <= ENOUGH
        text = digest(record, budget=needed)
        budget = needed
    assert tokens(len(text.encode())) <= budget
    _, data = parts(text)
    for check in standings(record):
        if check.verdict in ("failed", "contradicted") or (check.required and check.verdict != "proved"):
            name = json.dumps(shortened(printable(check.check), 60), ensure_ascii=False)[:-1].removesuffix("…")
            words = f"- {check.verdict.replace('_', ' ')}{', required' if check.required else ''}: {name}"
            assert any(line.startswith(words) for line in data)


@given(record=records())
@settings(max_examples=100, deadline=None)
def test_no_text_leaves_the_data(record: RunRecord) -> None:
    """Outside of double quotes every word is ours, and the key of the lines around the data stands there only."""
    head, data = parts(digest(record, budget=ENOUGH))
    assert head.splitlines()[0].endswith(f"evidence: {record.review_state or 'not judged'}")
    for line in data:
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
        assert re.fullmatch(r"[a-z ,:;()0-9.+-]*", outside), line
        assert line.startswith("- ") or line.endswith(":")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_record_cannot_set_its_own_state(attack: str) -> None:
    """Words of a run that look like a state or like the end of the data are quoted words."""
    record = judge(
        bare(run_id=attack, final_status=attack, task=Task(objective=attack, required_checks=(Check(name=attack),)))
    )
    text = digest(record)
    assert len(re.findall(r"^(?:agent-otel|BEGIN|END|State)", text, re.MULTILINE)) == 3
    assert "State, computed from evidence: missing required evidence\n" in text.split("BEGIN")[0]


def test_what_is_left_out_is_counted() -> None:
    """A reader knows that there is more, and how much."""
    commands = tuple(Command(id=f"c{n}", command=f"make {n}", result="failed") for n in range(500))
    text = digest(bare(commands=commands), budget=300)
    (left,) = re.findall(r"^- (\d+) more left out$", text, re.MULTILINE)
    assert int(left) + text.count('- "make ') == 500


def test_reasons_go_before_checks_do() -> None:
    """Where all is too much, each check that did not pass is named, without its reason."""
    checks = tuple(
        Verification(id=f"v{n}", check=f"check {n}", outcome="fail", reason="because of this " * 9) for n in range(50)
    )
    record = judge(bare(verifications=checks))
    assert digest(record, budget=5000).count("because of this") > 50
    assert all(f'- failed: "check {n}"\n' in digest(record, budget=1500) for n in range(50))


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (1, 1), (4, 1), (5, 2)])
def test_tokens_are_estimated_by_a_stated_rule(size: int, expected: int) -> None:
    """Four bytes a token, rounded up."""
    assert tokens(size) == expected
