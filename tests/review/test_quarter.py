"""The quarterly review: what runs and post-mortems have in common, and what came of changes and rejected ideas."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

import cmarkgfm
import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.contract import Contract
from agent_otel.model.record import ChangedFile, Finding, NearMiss, RunRecord, Usage
from agent_otel.review.audit import Audit
from agent_otel.review.contracted import audit
from agent_otel.review.patterns.table import PATTERNS
from agent_otel.review.postmortems.read import read_page
from agent_otel.review.quarter.build import Pages, Period, review
from agent_otel.review.quarter.failures import MOST
from agent_otel.review.quarter.held import Due, due, front, held_on, reminder
from agent_otel.review.quarter.markdown import as_markdown, to_decide
from agent_otel.review.quarter.pages import Written, plain, rejected
from agent_otel.review.quarter.seen import Seen, seen
from agent_otel.review.quarter.shape import Point, Review
from agent_otel.text.terminal import printable
from hostile_records import ATTACKS
from quarter_story import FOLDER, PAGES, PERIOD, digests, landed, pages, record, told

E2E = "missing-required-check:e2e:.:-"
DIGESTS = digests()
TOLD = told(DIGESTS)
DAYS = "failed = 2026-03-03\nwritten = 2026-03-06\n"


def of(*runs: Seen, front: str = "", rejects: str = "", landed_on: date | None = None) -> Review:
    """The review of a few runs, and of one page where its front matter is told."""
    said = f"+++\n{DAYS}{front}+++\n\n# A page\n\n## What we are not doing\n\n{rejects}\n"
    written = [Written("a.md", read_page(said))] if front else []
    return review(runs, Pages(written), PERIOD, limits=Contract().incidents, landed=lambda *_: landed_on)


def digest(kept: RunRecord) -> Seen:
    """What the review needs of a run."""
    found = seen(audit(kept, Contract()))
    assert found is not None
    return found


def many(number: int, kind: str, first: str, **fields: str) -> list[Seen]:
    """So many runs of one kind, a day after the other."""
    start = date.fromisoformat(first)
    model = record("model", kind, first)
    case = digest(model)
    made = []
    for place in range(number):
        moved = case.case.started + timedelta(days=place)
        one = replace(case.case, run_id=f"{kind}-{start}-{place}", root=f"{kind}-{start}-{place}", started=moved)
        made.append(replace(case, case=one, **fields))
    return made


def test_the_review_is_the_golden_one() -> None:
    """To be read by an engineer in ``tests/data/quarter``."""
    shown = replace(TOLD, patterns=tuple(row for row in TOLD.patterns if row.sightings))
    text = as_markdown(shown, held=PERIOD.today, folder="postmortems/")
    assert text == (FOLDER / "review.md").read_text(encoding="utf-8")


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_runs_and_pages_does_not_matter(chosen: random.Random) -> None:
    """Not of either."""
    runs, written = list(DIGESTS), pages()
    shuffled = list(written.written)
    chosen.shuffle(runs)
    chosen.shuffle(shuffled)
    limits = Contract().incidents
    found = review(runs, written._replace(written=shuffled), PERIOD, limits=limits, landed=landed)
    assert found == TOLD


def test_runs_are_counted_with_their_parts_as_one() -> None:
    """As incidents are."""
    run, part = many(2, "no e2e", "2026-03-03")
    part = replace(part, case=replace(part.case, root=run.case.run_id))
    found = of(run, part)
    assert (found.runs, found.failed_runs) == (1, 1)
    assert found.by_frequency[0].runs.count == 1


def test_what_is_going_on_is_not_reviewed() -> None:
    """Nor a run of which nobody knows when it was."""
    run = record("a", "no e2e", "2026-03-03")
    assert seen(Audit(replace(run, lifecycle="open"))) is None
    assert seen(Audit(replace(run, started=None))) is None


def test_failures_of_the_very_same_runs_are_one() -> None:
    """A failing check, and the failure behind it."""
    (row,) = (row for row in TOLD.by_frequency if row.fingerprint.startswith("failing-required-check"))
    assert [name.split(":")[0] for name in row.also] == ["failure-not-resolved"]
    assert TOLD.failures == len(TOLD.by_frequency) == 2


def test_long_lists_are_cut_and_counted() -> None:
    """The rarest go, and for readers all that was seen once; what is cut is said."""
    run = record("a", "done", "2026-03-03")
    runs = []
    for place in range(MOST + 5):
        finding = Finding(rule="off-limits", severity="error", message="m", fingerprint=f"off-limits:-:a{place}:-")
        runs += [digest_of(run, f"{place}-{again}", finding) for again in range(1 if place else 2)]
    found = of(*runs)
    assert (len(found.by_frequency), found.failures) == (MOST, MOST + 5)
    assert [row.runs.count for row in found.by_frequency[:2]] == [2, 1]
    assert f"And {MOST + 4} more, seen less often." in as_markdown(found, held=PERIOD.today)
    latest = of(*many(30, "no e2e", "2026-03-03")).by_frequency[0].runs
    assert (latest.count, len(latest.latest)) == (30, 20)


def digest_of(run: RunRecord, name: str, finding: Finding) -> Seen:
    """The run under another name, with that finding."""
    found = seen(Audit(replace(run, run_id=name, findings=(finding,))))
    assert found is not None
    return found


def test_the_cost_of_a_failure_is_the_time_that_was_lost() -> None:
    """All of an attempt that was made again, with its tokens and dollars; of others what they wasted."""
    first = record("a", "no e2e", "2026-03-03", task="x", minutes=45)
    first = replace(first, usage=Usage(input_tokens=5, cost_usd=1.5))
    again = record("b", "done", "2026-03-04", task="x")
    alone = digest(record("c", "no e2e", "2026-03-20", task="y"))
    looped = replace(alone, case=replace(alone.case, waste=alone.case.waste._replace(seconds=600.0)))
    (row,) = of(digest(first), digest(again), looped).by_cost
    assert (row.runs.count, row.lost_s, row.tokens, row.cost_usd) == (2, 45 * 60 + 600, 5, 1.5)
    assert of(alone).by_cost == ()
    unknown = replace(digest(replace(first, usage=Usage(), duration_s=None)), cost_usd=None)
    (row,) = of(unknown, digest(again)).by_cost
    assert (row.lost_s, row.tokens, row.cost_usd) == (45 * 60, None, None)
    markdown = as_markdown(of(digest(first), digest(again)), held=PERIOD.today)
    assert "| 45 min 00 s | 5 | 1.50 | 1 |" in markdown


def test_findings_are_told_by_layer_and_week() -> None:
    """Remarks are not; a longer time is told in months."""
    weeks = TOLD.findings_by_layer
    assert (weeks.unit, weeks.starts[0]) == ("week", "2026-02-23")
    assert {line.name: sum(value or 0 for value in line.values) for line in weeks.lines} == {
        "runway": 4,
        "implementation": 2,
        "context": 2,
    }
    months = of(*many(1, "no e2e", "2025-11-01"), *many(1, "no e2e", "2026-05-01")).findings_by_layer
    assert (months.unit, len(months.starts)) == ("month", 7)
    assert of().findings_by_layer.lines == ()


FINDING = Finding(
    rule="off-limits", severity="error", message="m", layer="hooks", fingerprint="off-limits:-:ops/keys:-"
)
UNREAD = Finding(
    rule="unread-edit", severity="warning", message="m", layer="context", fingerprint="unread-edit:-:src/a:-"
)
NOWHERE = replace(FINDING, fingerprint="off-limits:-:.:-")


@pytest.mark.parametrize(
    ("findings", "changed", "front", "expected"),
    [
        ((FINDING,), (), "", [("hooks", "ops/keys")]),
        ((FINDING, UNREAD), (), "", [("hooks", "ops/keys")]),
        ((UNREAD,), (), "", [("context", "src/a")]),
        ((replace(UNREAD, severity="info"),), (), "", []),
        ((replace(UNREAD, layer=None),), (), "", []),
        ((replace(UNREAD, fingerprint=None),), (), "", [("context", ".")]),
        ((NOWHERE,), (), "", [("hooks", ".")]),
        ((NOWHERE,), ("b/b/x", "b/b/y", "c/c/z", "/usr/share/q"), "", [("hooks", "b/b"), ("hooks", "c/c")]),
        ((FINDING,), (), 'layer = "tests"\n', [("tests", "ops/keys")]),
        ((FINDING,), (), 'area = "src"\n', [("hooks", "src")]),
        ((FINDING,), (), 'layer = "tests"\narea = "src"\n', [("tests", "src")]),
        ((), (), 'layer = "tests"\narea = "src"\n', [("tests", "src")]),
        ((), (), 'layer = "tests"\n', []),
    ],
)  # fmt: skip
def test_where_a_page_points_to(
    findings: tuple[Finding, ...], changed: tuple[str, ...], front: str, expected: list[tuple[str, str]]
) -> None:
    """To the layers and areas of its runs' failures, or of their warnings; what the page itself says comes first."""
    files = tuple(ChangedFile(path=path, operation="edit") for path in changed)
    run = seen(Audit(replace(record("a", "done", "2026-03-03"), findings=findings, changed_files=files)))
    assert run is not None
    (page,) = of(run, front=f'trigger = "redo"\nruns = ["a", "unknown"]\n{front}').postmortems
    assert page.points == tuple(Point(layer=layer, area=area) for layer, area in expected)


def test_a_reviewer_says_which_layer_should_have_caught_it() -> None:
    """In the files of what was caught, or else where the work was."""
    run = record("a", "done", "2026-03-03")
    for files, area in ((("ops/keys/a.sh",), "ops/keys"), ((), "src/cart")):
        miss = NearMiss(id="n1", caught_by="ada", what="no limit", layer="tests", files=files)
        found = seen(Audit(replace(run, near_misses=(miss, replace(miss, layer=None)))))
        assert found is not None
        assert found.points == {Point(layer="tests", area=area)}


def test_known_patterns_are_told_each_with_what_shows_it() -> None:
    """In runs, in the repository, and as people tagged it; also those that nothing shows, in their order."""
    assert [row.pattern for row in TOLD.patterns] == list(PATTERNS)
    rows = {row.pattern: row for row in TOLD.patterns}
    (unfamiliar,) = rows["unfamiliar-area"].sightings
    assert (unfamiliar.runs, unfamiliar.area) == (("taxes",), "src/billing")
    (tagged,) = rows["aspirational-rule"].sightings
    assert (tagged.runs, tagged.refs) == (("login",), ("2026-04-20-login.md",))
    assert [rows[name].runs for name in ("unfamiliar-area", "aspirational-rule", "stale-harness")] == [1, 1, 0]
    assert rows["stale-harness"].sightings[0].refs == ("AGENTS.md:3",)
    assert all(row.looked_for for row in TOLD.patterns)


def test_a_pattern_that_was_not_looked_for_is_not_said_to_be_absent() -> None:
    """Where there is no repository."""
    text = as_markdown(of(), held=PERIOD.today)
    assert "Not looked for, without a repository: stale-harness." in text
    assert "Not looked for" not in as_markdown(TOLD, held=PERIOD.today)


def test_many_sightings_of_a_pattern_are_counted() -> None:
    """A few are quoted; programs get them all."""
    runs = [digest(record(f"r{place}", "blind", f"2026-03-{place + 1:02}")) for place in range(7)]
    found = of(*runs)
    assert {row.pattern: len(row.sightings) for row in found.patterns}["unfamiliar-area"] == 7
    text = as_markdown(found, held=PERIOD.today)
    assert "Shown by 7 runs." in text
    assert text.count("- context in") == 5
    assert "\n- and 2 more\n" in text


def test_post_mortems_of_one_place_are_candidates_for_one_change() -> None:
    """With what was changed one by one; those that point elsewhere, or alone, are none."""
    (group,) = TOLD.groups
    assert (group.layer, group.area) == ("runway", "src/routes")
    assert group.pages == ("2026-03-03-invite.md", "2026-04-20-login.md")
    assert group.changes == ("AGENTS.md", "preview.sh", "runbook.md")


def test_pages_of_the_very_same_group_are_told_once() -> None:
    """By the place whose area is known."""
    finding = replace(FINDING, layer="code review")
    run = seen(Audit(replace(record("a", "done", "2026-03-03"), findings=(NOWHERE, finding))))
    assert run is not None
    page = read_page('+++\ntrigger = "redo"\nruns = ["a"]\nfailed = 2026-03-03\nwritten = 2026-03-06\n+++\n')
    written = [Written(name, page) for name in ("a.md", "b.md")]
    found = review([run], Pages(written), PERIOD, limits=Contract().incidents, landed=landed)
    (group,) = found.groups
    assert (group.layer, group.area) == ("code review", "ops/keys")
    assert "- code review in `ops/keys`: 2 post-mortems ([a.md](a.md), [b.md](b.md));\n  changed one by one: none" in (
        as_markdown(found, held=PERIOD.today)
    )


@pytest.mark.parametrize(
    ("change", "landed_on", "expected"),
    [
        ("due = 2026-06-01", None, "open"),
        ("due = 2026-05-28", None, "stale"),
        ('state = "landed"', None, "not seen in git"),
        ('state = "dropped"', date(2026, 3, 8), "dropped"),
        ("", date(2026, 3, 8), "landed"),
        ("", date(2026, 3, 20), "late"),
        ("due = 2026-06-01", date(2026, 5, 30), "open"),
        ('file = "TODO"', date(2026, 3, 8), "stale"),
    ],
)
def test_the_state_of_a_change(change: str, landed_on: date | None, expected: str) -> None:
    """By the history of its file, as it was on the day; what a page says beside it is said to be that."""
    file = "" if change.startswith("file") else 'file = "AGENTS.md"\n'
    found = of(front=f'trigger = "redo"\nruns = []\n[[changes]]\n{file}{change}\n', landed_on=landed_on)
    assert [row.state for row in found.postmortems[0].changes] == [expected]
    assert len(found.changes) == (expected in ("landed", "late"))


CHANGE = f'trigger = "redo"\nruns = []\nfingerprints = ["{E2E}"]\n[[changes]]\nfile = "a"\n'


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (lambda: [*many(2, "no e2e", "2026-03-01"), *many(9, "done", "2026-03-10")], ("not known yet", 10)),
        (lambda: [*many(2, "no e2e", "2026-03-01"), *many(10, "done", "2026-03-10")], ("not seen since", 10)),
        (
            lambda: [*many(2, "no e2e", "2026-03-01"), *many(6, "done", "2026-03-01"), *many(11, "done", "2026-03-10")],
            ("not known yet", 12),
        ),
        (
            lambda: [*many(2, "no e2e", "2026-03-01"), *many(6, "done", "2026-03-01"), *many(12, "done", "2026-03-10")],
            ("not seen since", 12),
        ),
        (
            lambda: [*many(2, "no e2e", "2026-03-01"), *many(50, "done", "2026-03-10", repository="other")],
            ("not known yet", 10),
        ),
        (lambda: many(50, "done", "2026-03-10"), ("not known yet", None)),
        (lambda: [*many(2, "no e2e", "2026-03-01"), *many(1, "no e2e", "2026-04-10")], ("came back", 10)),
        (lambda: [*many(2, "no e2e", "2026-03-01"), *many(1, "no e2e", "2026-03-09")], ("not known yet", 10)),
    ],
)
def test_whether_a_change_stopped_its_failure(runs: Callable[[], list[Seen]], expected: tuple[str, int | None]) -> None:
    """Too few runs since tell nothing: three of them would have had it, and they are ten; of the same repositories.

    The day on which it landed is not after it.
    """
    (change,) = of(*runs(), front=CHANGE, landed_on=date(2026, 3, 9)).changes
    assert (change.effect, change.needed) == expected


def test_a_change_may_be_about_some_of_the_failures_of_its_page() -> None:
    """Then those alone are looked for; with none at all there is nothing to look for."""
    runs = [*many(2, "no e2e", "2026-03-01"), *many(1, "rounding", "2026-04-10")]
    front = 'trigger = "redo"\nruns = ["no e2e-2026-03-01-0", "rounding-2026-04-10-0"]\n[[changes]]\nfile = "a"\n'
    (change,) = of(*runs, front=front, landed_on=date(2026, 3, 9)).changes
    assert change.effect == "came back"
    (change,) = of(*runs, front=f'{front}fingerprints = ["{E2E}"]\n', landed_on=date(2026, 3, 9)).changes
    assert change.effect == "not known yet"
    (change,) = of(front=front, landed_on=date(2026, 3, 9)).changes
    assert change.effect == "nothing to look for"


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("", []),
        ("- TODO: an idea, and why not.", []),
        ("- One: no.\n- Two\n  goes on.\n\n1. Three\n2) Four\n* 5", ["One: no.", "Two goes on.", "Three", "Four", "5"]),
        ("No linter:\nnobody reads it.", ["No linter: nobody reads it."]),
        ("One.\n\nTwo.", ["One.", "Two."]),
        ("- a \\*b\\* &lt;c&gt; &#64;&#8203;team", ["a *b* <c> @team"]),
    ],
)  # fmt: skip
def test_rejected_ideas_are_the_items_of_their_section(section: str, expected: list[str]) -> None:
    """Without the marks of Markdown; what is still to be written is none."""
    front = 'trigger = "redo"\nruns = []\n'
    page = read_page(f"+++\n{DAYS}{front}+++\n\n## What we are not doing\n\n{section}\n")
    assert list(rejected(page)) == expected


def test_rejected_ideas_whose_failure_came_back_are_told_with_the_evidence() -> None:
    """Runs after the day of the page; an idea that names one of its failures is about that one."""
    found = {idea.idea: idea for idea in TOLD.rejected_ideas}
    assert len(found) == 3
    (back,) = found["Run e2e in every pull request: too slow."].returned
    assert (back.fingerprint, back.runs.latest, back.runs.first) == (E2E, ("guests", "login"), "2026-04-20")
    assert "No lint rule for floats: nobody would read it." not in found
    runs = [*many(2, "no e2e", "2026-03-10"), *many(2, "rounding", "2026-03-10")]
    names = [name for run in runs for name in run.case.fingerprints]
    about = f'trigger = "redo"\nruns = []\nfingerprints = {msgspec.json.encode(sorted(set(names))).decode()}\n'
    both, one = of(*runs, front=about, rejects=f"- Any\n- This: `{E2E}`").rejected_ideas
    assert [[len(back.also) for back in each.returned] for each in (both, one)] == [[1, 0], [0]]


def test_runs_that_pages_are_about_are_known_beside_those_of_the_quarter() -> None:
    """They say what a page is about, and are not counted."""
    old = digest(record("old", "no e2e", "2026-02-27"))
    page = read_page('+++\ntrigger = "redo"\nruns = ["old"]\nfailed = 2026-02-27\nwritten = 2026-03-01\n+++\n')
    pages = Pages([Written("a.md", page)], other_runs=[old])
    found = review([], pages, PERIOD, limits=Contract().incidents, landed=landed)
    assert (found.runs, found.postmortems[0].fingerprints) == (0, (E2E,))
    assert found.postmortems[0].points == (Point(layer="runway", area="src/routes"),)


def test_the_history_is_not_asked_in_vain() -> None:
    """Of older pages only where their failures, or those of one of their changes, were seen in this quarter."""
    old = 'trigger = "redo"\nruns = []\nfailed = 2025-11-02\nwritten = 2025-11-03\n'
    for about, expected in (
        ("", []),
        ('fingerprints = ["other:-:.:-"]\n', []),
        (f'fingerprints = ["{E2E}"]\n', ["a"]),
        (f'[[changes]]\nfile = "b"\nfingerprints = ["{E2E}"]\n', ["b", "a"]),
    ):
        asked: list[str] = []
        page = read_page(f'+++\n{old}{about}[[changes]]\nfile = "a"\n+++\n')
        limits = Contract().incidents
        pages = Pages([Written("a.md", page)])
        review(DIGESTS, pages, PERIOD, limits=limits, landed=lambda path, _: asked.append(path))  # noqa: B023 - called at once
        assert asked == expected, about


def test_nothing_to_review_is_said() -> None:
    """Under every heading."""
    text = as_markdown(of(), held=PERIOD.today)
    assert text.count("\nNone.\n") == text.count("\n## ") - 1
    assert "0 runs; 0 kinds of failure; 0 post-mortems." in text
    assert "To decide" not in text


def test_what_there_is_to_decide_comes_first() -> None:
    """In one sentence, without what there is none of."""
    assert to_decide(TOLD) == (
        "3 known patterns; 1 place where one change may do for several post-mortems; 2 changes that did not stop what"
        " they were for; 3 rejected ideas to think over again"
    )
    runs = [*many(2, "no e2e", "2026-03-01"), *many(1, "no e2e", "2026-04-10")]
    one = of(*runs, front=CHANGE, landed_on=date(2026, 3, 9))
    assert to_decide(one) == "1 change that did not stop what it was for"


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_is_inert(attack: str) -> None:
    """Of runs and of pages, it makes no markup and moves no cursor."""
    finding = Finding(rule="off-limits", severity="error", message=attack, fingerprint="off-limits:-:.:-")
    run = replace(
        record("a", "done", "2026-03-20"), agent=replace(record("a", "done", "2026-03-20").agent, name=attack)
    )
    runs = [digest_of(run, f"{attack}{number}", finding) for number in range(2)]
    quoted = msgspec.json.encode(attack).decode().replace("\x7f", "\\u007f")
    front = f'{DAYS}trigger = {quoted}\nruns = [{quoted}]\nfingerprints = ["off-limits:-:.:-"]\n'
    front += f"area = {quoted}\nlayer = {quoted}\n[[changes]]\nfile = {quoted}\nwhat = {quoted}\n"
    page = read_page(f"+++\n{front}+++\n\n# {attack}\n\n## What we are not doing\n\n- {attack}\n")
    written = [Written(f"{attack}.md", page), Written("b.md", page)]
    found = review(
        runs, Pages(written, unread=[attack]), PERIOD, limits=Contract().incidents, landed=lambda *_: date(2026, 3, 9)
    )
    assert (len(found.groups), len(found.changes), len(found.rejected_ideas) > 0) == (1, 2, True)
    text = as_markdown(found, held=PERIOD.today)
    assert printable(text, keep_newlines=True) == text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    shown = cmarkgfm.github_flavored_markdown_to_html(text, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
    assert "<script" not in shown
    assert 'evil.example"' not in shown
    assert "<img" not in shown


def test_a_review_that_is_kept_says_when_it_was_held() -> None:
    """What is no review was never held."""
    day = date(2026, 5, 29)
    assert held_on(as_markdown(TOLD, held=day)) == day
    assert held_on("\n".join(front(day)) + "\n") == day
    for text in (
        "",
        "# A text\n",
        "+++\nheld = \n+++\n",
        '+++\nheld = "soon"\n+++\n',
        "words\n+++\nheld = 2026-05-29\n+++\n",
    ):
        assert held_on(text) is None
    assert all(held_on(page) is None for page in PAGES.values())


TODAY = date(2026, 5, 29)


@pytest.mark.parametrize(
    ("held", "pages", "first_run", "expected"),
    [
        ([], [], None, None),
        ([], [], date(2026, 3, 1), "a review is due since 2026-05-29, 89 days after the first run: agent-otel review"),
        (
            [],
            [date(2026, 4, 1), date(2026, 3, 12)],
            date(2020, 1, 1),
            "the next review is due on 2026-06-09, 89 days after the first post-mortem",
        ),
        (
            [date(2026, 2, 1), date(2026, 5, 28)],
            [date(2020, 1, 1)],
            date(2020, 1, 1),
            "the next review is due on 2026-08-25, 89 days after the last one",
        ),
    ],
)
def test_the_next_review_is_due(
    held: list[date], pages: list[date], first_run: date | None, expected: str | None
) -> None:
    """Some days after the last one, or after the first of what there is to review."""
    found = due(held, pages, first_run, today=TODAY, days=89)
    assert (found and reminder(found)) == expected


def test_it_is_overdue_from_the_day_on() -> None:
    """And not before."""
    days = [due([date(2026, 2, 28)], [], None, today=TODAY + timedelta(days=day), days=90) for day in (-1, 0)]
    assert [isinstance(each, Due) and each.overdue for each in days] == [False, True]


def test_words_of_a_page_are_read_without_markup() -> None:
    """Only what Markdown escapes is taken for an escape."""
    assert plain(r"C:\path \*a\* &amp; b") == r"C:\path *a* & b"


def test_the_period_is_what_pages_are_chosen_by() -> None:
    """By the day on which they were written; both ends are in it."""
    limits = Contract().incidents
    for since, until, expected in (("2026-03-06", "2026-03-12", 2), ("2026-03-07", "2026-03-11", 0)):
        period = Period(date.fromisoformat(since), date.fromisoformat(until), PERIOD.today)
        assert len(review([], pages(), period, limits=limits, landed=landed).postmortems) == expected
