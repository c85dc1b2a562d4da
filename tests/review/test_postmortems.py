"""Post-mortems: pages that records fill, and what a finished page has to hold."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent_otel.errors import DecodeError
from agent_otel.model.record import (
    Added,
    Agent,
    Base,
    Capture,
    ChangedFile,
    Check,
    Command,
    ContextSource,
    FileInspected,
    Final,
    Finding,
    Gate,
    Handoff,
    NearMiss,
    RunRecord,
    Task,
    Verification,
)
from agent_otel.review.judge import judge
from agent_otel.review.postmortems.check import WORDS, problems
from agent_otel.review.postmortems.happened import happened
from agent_otel.review.postmortems.layers import LAYERS, shown
from agent_otel.review.postmortems.page import SECTIONS, Frame, failed_on, page, title
from agent_otel.review.postmortems.read import Page, read_page
from blame import BLAME

FOLDER = Path(__file__).parents[1] / "data" / "postmortems"
WRITTEN = date(2026, 5, 20)


def _record(run_id: str, **fields: object) -> RunRecord:
    whole: dict[str, object] = {
        "run_id": run_id,
        "lifecycle": "settled",
        "outcome": "ended",
        "capture": Capture(complete=True, root_seen=True),
    }
    return judge(RunRecord(**(whole | fields)))  # type: ignore[arg-type]  # fields of a record


REFACTOR = (
    _record(
        "3f2a", started="2026-05-18T08:00:00.000Z", ended="2026-05-18T13:05:00.000Z", duration_s=18300.0,
        agent=Agent(name="fixer"), base=Base(repository="shop"),
        task=Task(objective="Make the cart total round half up"),
        context_sources=(ContextSource(name="AGENTS.md"),),
        files_inspected=(FileInspected(path="src/cart/total.py"),),
        changed_files=tuple(
            ChangedFile(path=f"src/{name}", operation="edit", read_before=read, source=("tool",))
            for name, read in (("cart/total.py", True), ("billing/invoice.py", False), ("billing/tax.py", False))
        ),
        commands=(
            Command(id="c1", command="pytest -q tests/cart", result="passed", exit_code=0, observer="harness"),
            Command(id="c2", command="git reset --hard", result="passed", exit_code=0, observer="harness"),
        ),
    ),
    _record(
        "91bd", started="2026-05-18T14:00:00.000Z", ended="2026-05-18T14:20:00.000Z", duration_s=1200.0,
        agent=Agent(name="fixer"), base=Base(repository="shop"),
        task=Task(objective="Make the cart total round half up", scope=("src/cart/**",)),
        commands=(Command(id="c1", command="pytest -q", result="passed", exit_code=0, observer="harness"),),
        verifications=(
            Verification(id="v1", check="pytest", outcome="pass", command="pytest -q", command_id="c1",
                         evidence=("c1",), level="observed"),
        ),
        handoff=Handoff(status="done", next_action="merge"),
    ),
)  # fmt: skip

HIDDEN = (
    _record(
        "invite", started="2026-05-15T09:00:00.000Z", ended="2026-05-15T09:40:00.000Z", duration_s=2400.0,
        agent=Agent(name="codex"), base=Base(repository="invite-app"),
        task=Task(objective="Fix the redirect of SSO invites", scope=("src/routes/**",), acceptance="e2e passes",
                  off_limits=(".github/**",), required_checks=(Check(name="unit"), Check(name="e2e"))),
        final=Final(tree="9d1c"),
        changed_files=(ChangedFile(path="src/routes/invite.ts", operation="edit", read_before=True),),
        files_inspected=(FileInspected(path="src/routes/invite.ts"),),
        commands=(
            Command(id="c1", command="pnpm test", result="passed", exit_code=0, observer="harness", tree="9d1c"),
        ),
        gates=(Gate(tool="shell", outcome="deny"), Gate(tool="shell", outcome="require_approval")),
        verifications=(
            Verification(id="v1", check="unit", outcome="pass", command="pnpm test", command_id="c1",
                         evidence=("c1",), level="observed", required=True),
            Verification(id="v2", check="e2e", outcome="not_run", reason="no preview service", required=True),
        ),
        handoff=Handoff(status="done", next_action="merge"),
    ),
)  # fmt: skip

NEAR_MISS = (
    _record(
        "near", started="2026-05-19T09:00:00.000Z", ended="2026-05-19T09:10:00.000Z", duration_s=600.0,
        task=Task(objective="Rotate the <b>keys</b> | of CI", scope=("ops/**",), acceptance="keys work"),
        final=Final(tree="8f2c"),
        changed_files=(ChangedFile(path="ops/keys.sh", operation="edit", read_before=True),),
        commands=(
            Command(id="c1", command="make check", result="passed", exit_code=0, observer="harness", tree="8f2c"),
        ),
        verifications=(
            Verification(id="v1", check="make check", outcome="pass", command="make check", command_id="c1",
                         evidence=("c1",), level="observed", derived=True),
            Verification(id="v2", check="make check", outcome="fail", tree="8f2c",
                         added=Added(id="x", source="reviewer")),
        ),
        near_misses=(
            NearMiss(id="n1", caught_by="ada", what="the old keys stay valid", at="2026-05-19T11:00:00.000Z",
                     files=("ops/keys.sh",), layer="tests"),
            NearMiss(id="n2", caught_by="grace", what="no way back", at="2026-05-19T12:00:00.000Z"),
        ),
        handoff=Handoff(status="done", next_action="merge"),
    ),
)  # fmt: skip

INCIDENTS = {
    "untouched-module": (REFACTOR, "redo"),
    "hidden-e2e": (HIDDEN, "recurrence"),
    "near-miss": (NEAR_MISS, "near-miss"),
}


def _page(name: str) -> str:
    records, trigger = INCIDENTS[name]
    return page(records, Frame(trigger=trigger, written=WRITTEN, owner="ada"))


@pytest.mark.parametrize("name", sorted(INCIDENTS))
def test_a_new_page_is_whole_short_and_blames_nobody(name: str) -> None:
    """Five sections, three sentences, one page; nothing is missing but what only a human can write."""
    text = _page(name)
    read = read_page(text)
    assert tuple(read.sections) == SECTIONS
    assert len(read.sections["What happened"].splitlines()) == 3
    assert read.words < WORDS / 2
    assert not BLAME.search(text)
    wrong = list(problems(read, today=WRITTEN, landed=lambda *_: None))
    assert all(problem.endswith("not filled in") for problem in wrong), wrong


@pytest.mark.parametrize("name", ["untouched-module", "hidden-e2e"])
def test_the_order_of_the_runs_does_not_matter(name: str) -> None:
    """The earliest comes first, however they were named."""
    records, trigger = INCIDENTS[name]
    frame = Frame(trigger=trigger, written=WRITTEN, owner="ada")
    assert page(list(reversed(records)), frame) == _page(name)


GOOD = {"review_state": "done", "changed_files": (ChangedFile(path="a.py", operation="edit", read_before=True),)}
TIMES = {"started": "2026-05-19T09:00:00.000Z", "ended": "2026-05-19T10:00:00.000Z", "duration_s": 3600.0}
TESTS = {"command": "pytest", "result": "failed", "duration_s": 60.0}


def _bare(run_id: str = "r", **fields: object) -> RunRecord:
    return RunRecord(run_id=run_id, lifecycle="settled", outcome="ended", **fields)  # type: ignore[arg-type]  # its fields


def _commands(*minutes: int, **fields: object) -> tuple[Command, ...]:
    known = [f"2026-05-19T09:{minute:02}:00.000Z" for minute in minutes]
    return tuple(Command(id=f"c{at}", started=at, **TESTS | fields) for at in known)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ((_bare(),), "An agent worked on “it”, in 1 run that took 0 ms."),
        ((_bare(), _bare(**TIMES)), "An agent worked on “it”, in 2 runs that took 1 h 00 min within 1 h 00 min."),
        ((_bare(), _bare(started=TIMES["started"])), "An agent worked on “it”, in 2 runs that took 0 ms."),
        (
            tuple(_bare(agent=Agent(name=name), base=Base(repository="shop")) for name in ("a", "b", "a", "c")),
            "a and b and 1 other worked on “it” in shop, in 4 runs that took 0 ms.",
        ),
        ((_bare(),), "0 files were changed; no rule reports a failure."),
        ((_bare(**GOOD),), "1 file was changed; no rule reports a failure."),
        (
            (_bare(changed_files=(ChangedFile(path="a", operation="edit", read_before=False),)),),
            "1 file was changed, without a read before; no rule reports a failure.",
        ),
        (
            (
                _bare(
                    changed_files=(
                        ChangedFile(path="a", operation="edit", read_before=False),
                        ChangedFile(path="b", operation="edit"),
                    )
                ),
            ),
            "2 files were changed, 1 of them without a read before; no rule reports a failure.",
        ),
        (
            (_bare(**TIMES, commands=_commands(1, 5, 9)),),
            "0 files were changed; 9 min 00 s went into `pytest` failing over and over; no rule reports a failure.",
        ),
        (
            (_bare(**TIMES), _bare(**TIMES, commands=_commands(9, 30, command="git reset --hard", result="passed"))),
            "0 files were changed; 30 min 00 s went into work that was rolled back 2 times; no rule reports a failure.",
        ),
        (
            (_bare(findings=(Finding(rule="r", severity="error", message="off [limits](x)", fingerprint="f"),)),),
            "0 files were changed; off \\[limits\\]\\(x\\).",
        ),
        ((_bare(handoff=Handoff(next_action="look")),), "Its state is not known; none of the runs is accepted."),
        ((_bare(handoff=Handoff(status="done"), **GOOD),), "It was handed over as “done”, and it was accepted."),
        ((_bare(**GOOD),), "It was accepted."),
        (
            (_bare(review_state="failing"), _bare("b", **TIMES, **GOOD)),
            "Its state is failing; the run `b` was accepted after 1 h 00 min, and changed `a.py`.",
        ),
        (
            (_bare(review_state="failing"), _bare("b", review_state="done")),
            "Its state is failing; the run `b` was accepted.",
        ),
    ],
)
def test_what_happened(runs: tuple[RunRecord, ...], expected: str) -> None:
    """Three sentences of the records, each with what they know."""
    told = list(happened(runs, runs[0], "it"))
    assert len(told) == 3
    assert expected in told


@pytest.mark.parametrize(
    ("required", "own", "at", "expected"),
    [
        ((), (), None, "e2e: failed in ci; in the run itself not run, and nothing required it"),
        (
            ("e2e",),
            (),
            "2026-05-19T12:30:00.000Z",
            "e2e: failed in ci 2 h 30 min after the end; in the run itself not run",
        ),
        (
            ("e2e",),
            (Verification(id="v1", check="e2e", outcome="not_run", verdict="not_run", reason="no server"),),
            "2026-05-19T09:00:00.000Z",
            "e2e: failed in ci; in the run itself not run (no server)",
        ),
        (
            ("e2e",),
            (Verification(id="v1", check="flow", command="npx flow", outcome="pass", verdict="proved"),),
            "nobody knows",
            "e2e: failed in ci; in the run itself proved",
        ),
    ],
)
def test_tests_tell_what_came_later_beside_what_the_run_itself_saw(
    required: tuple[str, ...], own: tuple[Verification, ...], at: str | None, expected: str
) -> None:
    """Whether it ran there, and how long after the end others told, where that is known; required or not."""
    late = Verification(id="v9", check="e2e", outcome="fail", verdict="failed", added=Added(id="x", source="ci", at=at))
    checks = tuple(Check(name=name, command="npx*") for name in required)
    record = _bare(**TIMES, task=Task(required_checks=checks), verifications=(*own, late))
    assert LAYERS["tests"](record) == (expected, "")


def test_a_near_miss_says_who_caught_what_and_asks_of_the_layer_that_was_named() -> None:
    """The marked run is what such a page is about, whatever else failed; another page tells of what failed."""
    marked = _record("m", started="2026-05-20T00:00:00.000Z", final=Final(), near_misses=(_miss("ada"), _miss("bob")))
    failed = _record("f", started="2026-05-19T00:00:00.000Z", task=Task(objective="other"))
    told = page([marked, failed], Frame(trigger="near-miss", written=WRITTEN))
    assert "; only ada caught “the limit” and 1 other thing.\n" in told
    assert "| code review | caught by ada, in a.py, b.py; caught by bob, in a.py, b.py |  |" in told
    assert "| hooks | no gate decided on a call; named by ada, bob as what should have caught it | TODO: Could" in told
    assert "ada" not in page([marked, failed], Frame(trigger="redo", written=WRITTEN))


def _miss(who: str, **fields: object) -> NearMiss:
    whole: dict[str, object] = {"what": "the limit", "files": ("a.py", "b.py"), "layer": "hooks"} | fields
    return NearMiss(id=who, caught_by=who, **whole)  # type: ignore[arg-type]  # fields of a near-miss


@pytest.mark.parametrize(
    ("fields", "layer", "expected"),
    [
        ({"layer": None}, "code review", ("caught by ada, in a.py, b.py", "Which layer before could have caught it?")),
        ({"files": ()}, "code review", ("caught by ada", "")),
        ({"files": tuple("abcdef")}, "code review", ("caught by ada, in a, b, c, d and 2 more", "")),
        (
            {"layer": "harness rules"},
            "harness rules",
            ("fired: r; named by ada as what should have caught it", "What would it have taken?"),
        ),
    ],
)
def test_layers_tell_of_near_misses(fields: dict[str, object], layer: str, expected: tuple[str, str]) -> None:
    """Where it was, and which layer a reviewer names; a question only where one is open."""
    record = RunRecord(
        run_id="r",
        lifecycle="settled",
        outcome="ended",
        near_misses=(_miss("ada", **fields),),
        findings=(Finding(rule="r", severity="error", message="m"),),
    )
    assert shown(layer, record) == expected


def test_a_run_that_nobody_knows_anything_of_has_a_page() -> None:
    """Every layer asks; nothing is invented."""
    bare = RunRecord(run_id='odd"\x7f', lifecycle="settled", outcome="ended")
    text = page([bare], Frame(trigger="near-miss", written=WRITTEN))
    read = read_page(text)
    assert read.runs == ('odd"\x7f',)
    assert (read.failed, read.owner) == (WRITTEN, "TODO")
    assert "Its state is not known; none of the runs is accepted." in text
    assert text.count("TODO: W") + text.count("TODO: A") + text.count("TODO: Could") == len(LAYERS)
    assert title([bare]) == "a run without an objective"
    assert failed_on([bare], trigger="redo") == ""


def test_long_lists_are_cut_and_counted() -> None:
    """A page is one page, whatever the run did."""
    many = tuple(f"f{n}.py" for n in range(40))
    checks = tuple(Verification(id=f"v{n}", check=f"check-{n}", outcome="fail", required=True) for n in range(9))
    record = _record(
        "many",
        task=Task(objective="x", scope=many, required_checks=tuple(Check(name=each.check) for each in checks)),
        files_inspected=tuple(FileInspected(path=path) for path in many),
        changed_files=tuple(ChangedFile(path=path, operation="edit", read_before=False) for path in many),
        verifications=checks,
        handoff=None,
    )
    text = page([record], Frame(trigger="redo", written=WRITTEN))
    assert "and 34 more" in text
    assert "and 5 more" in text
    assert LAYERS["harness rules"](record).text.count(",") <= 3
    assert read_page(text).words < WORDS


DONE = (FOLDER / "finished.txt").read_text(encoding="utf-8")


def _wrong(text: str, *, today: date = WRITTEN, landed: date | None = None) -> list[str]:
    return list(problems(read_page(text), today=today, landed=lambda *_: landed))


def test_a_finished_page_has_no_problem() -> None:
    """Before its change is due, and once it landed."""
    assert _wrong(DONE) == []
    assert _wrong(DONE, today=WRITTEN + timedelta(days=30), landed=date(2026, 5, 22)) == []
    assert _wrong(DONE.replace('"open"', '"dropped"'), today=WRITTEN + timedelta(days=30)) == []


@pytest.mark.parametrize(
    ("change", "today", "landed", "expected"),
    [
        (("## What changes", "## Changes"), 0, None, "expected the sections What happened, What the agent was"),
        (("It took five hours.", "TODO: write it"), 0, None, "What happened: not filled in"),
        (("One line in AGENTS.md.", ""), 0, None, "What changes: not filled in"),
        (('trigger = "redo"', 'trigger = "mood"'), 0, None, "trigger: expected one of redo, recurrence, near-miss"),
        (
            ('owner = "ada"\n\n', 'owner = "ada"\nlayer = "luck"\n\n'),
            0,
            None,
            "layer: expected one of task description,",
        ),
        (('["3f2a"]', '["3f2a"]\npatterns = ["bad-mood"]'), 0, None, "patterns: expected some of "),
        (('["3f2a"]', "[]"), 0, None, "runs: names none"),
        (('owner = "ada"\n\n', 'owner = "TODO"\n\n'), 0, None, "owner: nobody"),
        (("five hours", "hour " * 601), 0, None, "longer than a page: "),
        (("written = 2026-05-20", "written = 2026-05-28"), 0, None, "written 10 days after the failure"),
        (("[[changes]]", "[[changes]]\n[[changes]]\n[[changes]]"), 0, None, "3 changes: one or two land"),
        (('what = "say where the tax rules live"', ""), 0, None, "change 1: what: not filled in"),
        (('file = "AGENTS.md"', 'file = "TODO"'), 0, None, "change 1: file: not filled in"),
        (('"open"', '"soon"'), 0, None, "change 1: state: expected one of open, landed, dropped, got 'soon'"),
        (('"2026-05-25"', '"2026-06-25"'), 0, None, "change 1: due 2026-06-25, which is more than a week"),
        (('due = "2026-05-25"\n', ""), 8, None, "change 1: stale: due 2026-05-27, and AGENTS.md was not changed"),
        (('"open"', '"landed"'), 0, None, "change 1: landed, it says, but AGENTS.md was not changed since 2026-05-20"),
        (("", ""), 6, None, "change 1: stale: due 2026-05-25, and AGENTS.md was not changed since 2026-05-20"),
        (("", ""), 9, date(2026, 5, 27), "change 1: late: due 2026-05-25, landed 2026-05-27"),
    ],
)
def test_what_a_page_lacks_is_said(change: tuple[str, str], today: int, landed: date | None, expected: str) -> None:
    """A sentence each, with what was expected."""
    wrong = _wrong(DONE.replace(*change), today=WRITTEN + timedelta(days=today), landed=landed)
    assert [problem for problem in wrong if problem.startswith(expected)], wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# A page\n", "expected front matter between two lines of"),
        ("words\n+++\na = 1\n+++\n", "expected front matter"),
        ("+++\na = \n+++\n", "front matter: "),
        ("+++\ntrigger = 1\n+++\n", "front matter: Expected `str`, got `int`"),
    ],
)
def test_what_is_no_page_is_refused(text: str, message: str) -> None:
    """With what was expected."""
    with pytest.raises(DecodeError, match=message):
        read_page(text)


def test_a_page_is_read_as_it_is_written() -> None:
    """Days as texts or as days of TOML."""
    read = read_page(DONE)
    assert isinstance(read, Page)
    tagged = DONE.replace('["3f2a"]', '["3f2a"]\npatterns = ["aspirational-rule"]')
    assert (read.patterns, read_page(tagged).patterns) == ((), ("aspirational-rule",))
    assert _wrong(tagged) == []
    assert (read.failed, read.written, read.changes[0].due) == (date(2026, 5, 18), WRITTEN, date(2026, 5, 25))


@pytest.mark.parametrize(
    ("run_id", "read"),
    [
        ("run 🎉 \x7f\x1b\n\"'\\ <b> @team http://evil.example www.evil.example gh-1", None),
        ("half \ud83c of a character", "half \ufffd of a character"),
    ],
)
def test_run_ids_are_read_as_they_were_written(run_id: str, read: str | None) -> None:
    """Whatever stands in them; of half a character, which TOML cannot say, the replacement."""
    told = page(
        [RunRecord(run_id=run_id, lifecycle="settled", outcome="ended")], Frame(trigger="redo", written=WRITTEN)
    )
    assert read_page(told).runs == (read or run_id,)
    assert told.partition("\n# ")[0].isascii()


def test_the_day_of_a_failure_is_a_day() -> None:
    """It names a file: whatever else a record may have for its times counts as not known."""
    record = RunRecord(run_id="r", lifecycle="settled", outcome="ended", started="../../../../x", ended="2026-05-1")
    assert failed_on([record], trigger="redo") == ""
    assert failed_on([record, replace(record, ended="2026-05-18T09:00:00.000Z")], trigger="redo") == "2026-05-18"


def test_a_near_miss_is_of_the_day_on_which_it_was_caught() -> None:
    """A week to write begins when somebody knew; where nobody says when, with the end of the run."""
    record = RunRecord(run_id="r", lifecycle="settled", outcome="ended", ended="2026-05-18T09:00:00.000Z")
    caught = [_miss("bob", at="2026-05-26T09:00:00.000Z"), _miss("ada", at="2026-05-25T09:00:00.000Z"), _miss("eve")]
    marked = replace(record, near_misses=tuple(caught))
    assert failed_on([marked], trigger="near-miss") == "2026-05-25"
    assert failed_on([marked], trigger="redo") == "2026-05-18"
    assert failed_on([replace(record, near_misses=(_miss("eve"),))], trigger="near-miss") == "2026-05-18"
