"""What people read of a record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent_otel.model.record import (
    Base,
    Budget,
    Capture,
    ChangedFile,
    Check,
    Claim,
    Command,
    Failure,
    FileInspected,
    Finding,
    Gate,
    OpenSpan,
    Output,
    RunRecord,
    Task,
    ToolCalls,
    Usage,
    Verification,
)
from agent_otel.model.versions import decode
from agent_otel.review.judge import judge
from agent_otel.review.text import as_markdown, as_text, summary_rows
from agent_otel.review.wording import count, duration, line
from hostile_records import saying

DATA = Path(__file__).parents[1] / "data"
HOSTILE = "\x1b]8;;http://evil.example\x07x\x1b[2J\u202egnp.exe\n# head <b>|`code` @team"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def invite() -> RunRecord:
    """The run of the design, judged."""
    return judge(decode((DATA / "records" / "v1.json").read_bytes()))


def bare(**fields) -> RunRecord:
    """A record with next to nothing in it."""
    return RunRecord(**{"run_id": "r", "lifecycle": "open", "outcome": "unknown", **fields})


def test_state_comes_first_and_questions_in_order(invite: RunRecord) -> None:
    """A reader learns where the run stands before anything else."""
    text = as_text(invite)
    assert text.startswith("MISSING REQUIRED EVIDENCE  coding-2026-05-18-0042\n")
    headings = [
        "What did it know?",
        "What did it do?",
        "Why did it believe it was complete?",
        "What to look at",
        "How much was captured",
    ]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    assert [text.count(heading) for heading in headings] == [1] * 5


def test_commands_are_told_with_their_results(invite: RunRecord) -> None:
    """A command is named with what came of it, never as "tests pass"."""
    text = as_text(invite)
    assert "c1  pnpm test invite: failed (exit 1, 8.1 s)\n        1 failed, 41 passed\n" in text
    assert "v3  not run  e2e: invite-flow (required): preview service unavailable" in text
    assert "rejected: redirect early, retry on 403: hides the race" in text
    assert "[runway]" in text


def test_markdown_tells_the_same(invite: RunRecord) -> None:
    """A pull request shows the same facts, commands and paths as code."""
    text = as_markdown(invite)
    assert text.startswith("# missing required evidence: `coding-2026-05-18-0042`\n")
    assert "- c1  `pnpm test invite`: failed (exit 1, 8.1 s)\n  - 1 failed, 41 passed\n" in text
    assert "- edit `src/routes/invite/[token].ts` (+12, -4, read before)\n" in text


def test_colour_adds_nothing_but_colour(invite: RunRecord) -> None:
    """Without colour there is no control sequence; with it only styles."""
    plain, coloured = as_text(invite), as_text(invite, colour=True)
    assert "\x1b" not in plain
    assert ANSI.sub("", coloured) == plain
    assert "\x1b[1;33mMISSING REQUIRED EVIDENCE\x1b[0m" in coloured


def test_text_is_wrapped_to_the_width(invite: RunRecord) -> None:
    """Lines of words fit; a long path is not broken."""
    assert max(map(len, as_text(invite, width=60).splitlines())) <= 60
    path = "src/" + "x" * 200
    assert path in as_text(bare(files_inspected=(FileInspected(path=path),)), width=60)


def test_hostile_text_is_inert_in_a_terminal() -> None:
    """No escape sequence, link, title, bidirectional override or line break of the run's own gets through."""
    for record in (saying(HOSTILE), judge(saying(HOSTILE))):
        text = as_text(record, colour=True, width=10_000)
        assert all(character == "\n" or character.isprintable() for character in ANSI.sub("", text))
        assert "\x1b[2J" not in text
        assert "\n# head" not in text
        assert all(character.isprintable() for cell in summary_rows([record])[0] for character in cell)


def test_hostile_text_is_inert_in_markdown() -> None:
    """No heading, HTML, mention or code of the run's own gets through."""
    text = as_markdown(judge(saying(HOSTILE)))
    assert all(character == "\n" or character.isprintable() for character in text)
    outside_code = re.sub(r"<code>.*?</code>|(`+).*?\1", "", text)
    assert "<b>" not in outside_code
    assert "@team" not in outside_code
    assert re.findall(r"^#+ .*", text, re.MULTILINE)[1:] == [
        "## What did it know?",
        "## What did it do?",
        "## Why did it believe it was complete?",
        "## What to look at",
        "## How much was captured",
    ]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (bare(), "NOT JUDGED  r\nno objective recorded\nunnamed agent; open, unknown\nrevision 1\n"),
        (bare(), "    objective: not recorded\n"),
        (bare(), "    no repository was recorded\n"),
        (bare(), "  Commands: none recorded\n  Changed files: none recorded\n"),
        (bare(), "  Handoff: none recorded\n"),
        (bare(), "  Findings: none recorded\n"),
        (bare(parent_run="p"), "part of run p\n"),
        (bare(base=Base(dirty=True)), "with uncommitted changes\n"),
        (bare(task=Task(required_checks=(Check(name="unit"),))), "    required check: unit\n"),
        (bare(task=Task(required_checks=(Check(name="unit", command="pytest *"),))), "check: unit = pytest *\n"),
        (bare(files_inspected=(FileInspected(path="a.py", lines="3-9"),)), "    a.py lines 3-9\n"),
        (bare(commands=(Command(id="c1", command="x", result="unknown"),)), "    c1  x: result not recorded\n"),
        (bare(commands=(Command(id="c1", command="x", result="timed_out", output=Output(tail=" \n")),)),
         "    c1  x: timed out\n  Changed"),
        (bare(commands=(Command(id="c1", command="x", result="denied"),)), "    c1  x: denied, never ran\n"),
        (bare(task=Task(objective="fix it", follow_ups=("not so",))), "    asked later: not so\n"),
        (bare(changed_files=(ChangedFile(path="b", operation="move", old_path="a"),)), "    move b from a\n"),
        (bare(changed_files=(ChangedFile(path="b", operation="edit", read_before=False),)), "b (not read before)\n"),
        (bare(failures=(Failure(id="f1", tool="read", error_type="OSError"),)),
         "    f1  read: OSError\n        not resolved\n"),
        (bare(failures=(Failure(id="f1"),)), "    f1  error not recorded\n"),
        (bare(tool_calls=(ToolCalls(name="sh", calls=4, failed=3, denied=1, duration_s=0.5),)),
         "    sh: 4 calls (2 failed, 1 denied, 500 ms)\n"),
        (bare(gates=(Gate(tool="sh", outcome="deny", policy="p", reason="r"),)), "    sh deny by p: r\n"),
        (bare(gates=(Gate(tool="sh", outcome="allow"),) * 2), "    sh allow: 2 times\n"),
        (bare(gates=(Gate(tool="sh", outcome="require_approval"),)), "    sh require_approval\n"),
        (bare(budgets={"steps": Budget(limit=4, consumed=5, exceeded=True)}), "    steps: 5 of 4, exceeded\n"),
        (bare(budgets={"steps": Budget(limit=4), "tokens": Budget(consumed=0)}),
         "  Budgets and usage\n    steps: not recorded of 4\n\n"),
        (bare(budgets={"wall_time": Budget(limit=600, consumed=61.5)}), "    wall_time: 1 min 02 s of 10 min 00 s\n"),
        (bare(usage=Usage(model_calls=2, failed_model_calls=1)), "    2 model calls, 1 of them failed\n"),
        (bare(verifications=(Verification(id="v1", check="unit", outcome="pass"),)), "    v1  unverifiable  unit\n"),
        (bare(verifications=(Verification(id="v1", check="unit", outcome="not_run"),), skipped_checks=("v1",)),
         "  Skipped checks\n    v1  unit: no reason recorded\n"),
        (bare(claims=(Claim(text="Fixed."),)), "  The agent's own words\n    Fixed.\n"),
        (bare(capture=Capture(open_spans=(OpenSpan(span="t/s", name="bash"),), limits=("content-off",))),
         "    never ended: bash\n    cannot show: content-off\n"),
        (bare(findings=(Finding(rule="x", severity="info", message="m"),)), "    info  x: m\n"),
    ],
)  # fmt: skip
def test_what_is_recorded_is_told_and_what_is_not_is_said(record: RunRecord, words: str) -> None:
    """Each entry has its line, and an absence that matters has one too."""
    assert words in as_text(record)


def test_tests_that_the_run_edited_stand_below_the_checks_that_rely_on_them() -> None:
    """A few by name, the rest by number; a linter does not rely on tests."""
    checks = (
        Verification(id="v1", check="pytest", outcome="pass", kind="test"),
        Verification(id="v2", check="ruff", outcome="pass", kind="lint"),
    )
    edited = tuple(ChangedFile(path=f"tests/test_{number}.py", operation="edit") for number in range(7))
    told = as_text(bare(verifications=checks, changed_files=edited), width=200)
    named = ", ".join(f"tests/test_{number}.py" for number in range(5))
    assert f"pytest\n        tests edited in the run: {named} and 2 more\n" in told
    few = as_text(bare(verifications=checks, changed_files=edited[:1]), width=200)
    assert "        tests edited in the run: tests/test_0.py\n    v2" in few


def test_worst_findings_come_first() -> None:
    """Errors stand before warnings, warnings before information."""
    kinds = ("info", "error", "warning")
    text = as_text(bare(findings=tuple(Finding(rule=f"a-{kind}", severity=kind, message="m") for kind in kinds)))
    assert text.index("a-error") < text.index("a-warning") < text.index("a-info")


def test_summary_rows_are_one_line_each(invite: RunRecord) -> None:
    """A table of runs shows state, checks and findings at a glance."""
    rows = summary_rows([invite, bare()])
    assert rows[0].run == "coding-2026-05-18-0042"
    assert rows[0].state == "missing required evidence"
    assert rows[0].started == "2026-05-18 09:12"
    assert rows[0].took == "12 min 14 s"
    assert rows[0].checks == "1 not run"
    assert rows[0].findings == "1 error"
    assert rows[0].objective == "Fix invite acceptance redirect after SSO enforc…"
    assert rows[1] == ("r", "not judged", "", "", "", "", "", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0421, "42 ms"),
        (8.14, "8.1 s"),
        (734.21, "12 min 14 s"),
        (59.7, "1 min 00 s"),
        (119.7, "2 min 00 s"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    """A length of time has the unit that suits it."""
    assert duration(seconds) == words


def test_words_for_numbers_and_commands() -> None:
    """One is singular, and a command carries its result."""
    assert [count(1, "file"), count(2, "file"), count(2, "entry", "entries")] == ["1 file", "2 files", "2 entries"]
    assert line(Command(id="c", command="make", result="passed")) == "make: passed"
