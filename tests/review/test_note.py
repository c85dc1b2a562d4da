"""The review note: what it tells, in which order, within which size, and what cannot get through it."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.record import (
    Capture,
    ChangedFile,
    Check,
    Command,
    Finding,
    Handoff,
    Output,
    RunRecord,
    Task,
    Verification,
)
from agent_otel.model.versions import decode
from agent_otel.review.judge import judge
from agent_otel.review.links import Templates
from agent_otel.review.note import BUDGET, LEAST, note
from hostile_records import ATTACKS, records

DATA = Path(__file__).parents[1] / "data"
JAEGER = Templates(
    trace="http://localhost:16686/trace/{trace_id}?uiFind={span_id}", output="https://ci.example/{sha256}"
)
CODE = re.compile(
    r"<code>.*?</code>|(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)"
)  # a backtick behind a backslash opens nothing

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
HEADINGS = {
    "Required checks", "Other checks", "What speaks against it", "Near-misses, which only a reviewer caught",
    "Next action", "Remaining risks", "Assumptions", "Look twice", "Tests edited in the run", "Changed files",
    "Commands", "What telemetry could not show",
}  # fmt: skip


@pytest.fixture
def invite() -> RunRecord:
    """The run of the design, judged."""
    return judge(decode((DATA / "records" / "v1.json").read_bytes()))


def bare(**fields) -> RunRecord:
    """A record with next to nothing in it."""
    return RunRecord(**{"run_id": "r", "lifecycle": "settled", "outcome": "ended", **fields})


def test_what_decides_comes_first(invite: RunRecord) -> None:
    """The state, then the required checks, then what is next; what was done comes last."""
    text = note(invite)
    assert text.startswith("## agent-otel: missing required evidence\n")
    headings = re.findall(r"^### (.*)", text, re.MULTILINE)
    assert headings == ["Required checks", "Next action", "Remaining risks", "Look twice", "Changed files", "Commands"]
    assert "- required checks: 0 of 1 proved\n- 1 file changed (+12, -4); 2 commands, 1 of them not passed" in text
    assert text.index("pnpm test invite`: failed") < text.index("pnpm test invite`: passed")


def change(**fields) -> RunRecord:
    """A record with one changed file."""
    return bare(changed_files=(ChangedFile(**{"path": "a.py", "operation": "edit", **fields}),))


def suspect(**fields) -> RunRecord:
    """A record with a changed file that a rule names."""
    finding = Finding(rule="off-limits", message="m", refs=("a.py",), **fields)
    return bare(changed_files=(ChangedFile(path="a.py", operation="edit"),), findings=(finding,))


def check(**fields) -> RunRecord:
    """A judged record with one required check, and a verification of it."""
    verification = Verification(**{"id": "v1", "check": "unit", "outcome": "pass", **fields})
    return judge(bare(task=Task(required_checks=(Check(name="unit"),)), verifications=(verification,)))


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (bare(), "## agent-otel: not judged\n\nno objective recorded\n\n- run `r` by an unnamed agent\n"),
        (bare(), "- required checks: none were demanded\n- 0 files changed; 0 commands; no errors or warnings\n"),
        (bare(), "### Next action\n\n- the run left no handoff\n"),
        (bare(duration_s=8.1), "an unnamed agent, 8.1 s\n"),
        (bare(final_status="done, all green"), "- it says of itself: done, all green\n"),
        (bare(handoff=Handoff()), "- none was given\n"),
        (bare(handoff=Handoff(blockers=("no preview",))), "- blocked: no preview\n"),
        (bare(handoff=Handoff(assumptions=("one event",))), "### Assumptions\n\n- one event\n"),
        (bare(handoff=Handoff(risks=("r1",)), open_risks=("r1", "r2")), "### Remaining risks\n\n- r1\n- r2\n\n"),
        (bare(handoff=Handoff(look_twice=("b.py",))), "### Look twice\n\n- `b.py`: the handoff says so\n"),
        (bare(capture=Capture(limits=("content-off",))), "could not show\n\n- content\\-off\n"),
        (change(read_before=False), "- edit `a.py` (never read before)\n"),
        (change(lines_added=3), "- edit `a.py` (+3)\n"),
        (change(lines_added=3), "- 1 file changed (+3, -0); "),
        (change(operation="move", old_path="b.py"), "- move `a.py` from `b.py`\n"),
        (change(path="tests/test_a.py"), "### Tests edited in the run\n\n- edit `tests/test_a.py`\n"),
        (change(path="tests/test_a.py"), "### Changed files\n\n- edit `tests/test_a.py` · test\n"),
        (suspect(severity="warning"), "- edit `a.py` · **look twice**\n"),
        (suspect(severity="warning"), "### Look twice\n\n- `a.py`: `off-limits`\n"),
        (suspect(severity="info"), "- edit `a.py`\n"),
        (check(), "### Required checks\n\n- **claimed** unit: said to pass, without evidence"),
        (
            replace(check(kind="test"), changed_files=change(path="test_a.py").changed_files),
            "- **claimed** unit: said to pass, without evidence (1 test file edited in the run)",
        ),
        (check(outcome="fail", reason="2 failed"), "- **failed** unit: 2 failed → implementation\n"),
        (check(check="lint"), "- **not run** unit → judging\n\n### Other checks\n\n- **claimed** lint: "),
        (bare(findings=(Finding(rule="x", severity="error", message="m", layer="hooks"),)), "- error `x`: m → hooks\n"),
        (bare(findings=(Finding(rule="x", severity="warning", message="m"),)), "- warning `x`: m\n"),
        (bare(commands=(Command(id="c1", command="make", result="failed", output=Output(tail="a\n\nb\n")),)),
         "- `make`: failed\n  - `a`\n  - `b`\n"),
        (bare(commands=(Command(id="c1", command="make", result="failed", output=Output()),)), "`make`: failed\n\n"),
        (bare(commands=(Command(id="c1", command="make", result="passed", output=Output(tail="a")),)),
         "- `make`: passed\n\n"),
    ],
)  # fmt: skip
def test_what_is_recorded_is_told(record: RunRecord, words: str) -> None:
    """Each thing that decides has its line, and what is absent and matters has one too."""
    assert words in note(record)


def test_information_is_left_to_the_record() -> None:
    """Findings that ask for nothing are not in the note."""
    assert "### What speaks" not in note(bare(findings=(Finding(rule="x", severity="info", message="m"),)))


def test_the_worst_check_comes_first() -> None:
    """A reader who stops after a line has read the line that matters."""
    outcomes = {"a": "not_run", "b": "fail", "c": "unknown"}
    checks = tuple(Verification(id=f"v{name}", check=name, outcome=each) for name, each in outcomes.items())
    text = note(judge(bare(verifications=checks)))
    assert re.findall(r"^- \*\*(.*)\*\*", text, re.MULTILINE) == ["failed", "not run", "unverifiable"]


def test_links_lead_to_traces_spans_and_outputs(invite: RunRecord) -> None:
    """A reader is one click away from what a line rests on."""
    text = note(invite, templates=JAEGER)
    trace = "http://localhost:16686/trace/0af7651916cd43dd8448eb211c80319c?uiFind="
    assert f", [trace](<{trace}>)\n" in text
    assert f"- [`pnpm test invite`](<{trace}b7ad6b7169203331>): failed (exit 1, 8.1 s)" in text
    assert f"[output](<https://ci.example/{'5f' * 31}5f>)\n" in text
    assert "](" not in note(invite)


@given(record=records(), templates=st.sampled_from([Templates(), JAEGER]), budget=st.integers(LEAST, BUDGET))
@settings(max_examples=60, deadline=None)
def test_any_record_fits_and_gives_the_same_bytes(record: RunRecord, templates: Templates, budget: int) -> None:
    """Size and content follow from the record, the templates and the budget alone."""
    text = note(record, templates=templates, budget=budget)
    assert len(text) <= budget
    assert text == note(record, templates=templates, budget=budget)
    assert text.encode().decode() == text


def test_a_giant_run_is_counted_not_cut_off() -> None:
    """Past the budget each part says how much more there is, and no part takes the room of all others."""
    text = "x|" * 200
    giant = judge(
        bare(
            run_id=text, final_status=text, task=Task(objective=text, required_checks=(Check(name=text),) * 900),
            commands=tuple(Command(id=f"c{n}", command=text, result="failed") for n in range(900)),
            changed_files=tuple(ChangedFile(path=f"tests/{n}{text}", operation=text) for n in range(900)),
            handoff=Handoff(risks=(text,), assumptions=(text,), look_twice=(text,), blockers=(text,) * 90),
            capture=Capture(limits=(text,)),
        )
    )  # fmt: skip
    for budget in (LEAST, BUDGET):
        told = note(giant, budget=budget)
        assert len(told) <= budget
        assert re.search(r"### Commands\n\n(- .*\n)*- … and \d+ more, in the whole record\n", told)
    assert note(giant).count("- <code>") > 5


@given(record=records())
@settings(max_examples=60, deadline=None)
def test_nothing_of_a_record_has_a_say_in_the_markup(record: RunRecord) -> None:
    """Outside code there is no HTML, mention, address or link of the run's own; headings are ours."""
    text = note(record)
    outside = CODE.sub("", text)
    assert not re.search(r"[<>@|]|www\.|://|\]\(", outside)
    assert not {unicodedata.category(character) for character in text.replace("\n", "")} & UNSEEN
    assert not re.search(r"^<!--", text, re.MULTILINE)
    assert set(re.findall(r"^### (.*)", text, re.MULTILINE)) <= HEADINGS
    assert len(re.findall(r"^ *#{1,2} ", text, re.MULTILINE)) == 1


class Elements(HTMLParser):
    """Which elements a page has, with where links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert tag != "a" or (dict(attrs)["href"] or "").startswith(("http://localhost:16686/", "https://ci.example/"))

    def handle_comment(self, data: str) -> None:
        self.seen.add("comment")


@given(record=records())
@settings(max_examples=100, deadline=None)
def test_rendered_as_github_does_it_has_our_elements_only(record: RunRecord) -> None:
    """GitHub's own renderer makes of any record headings, lists, code and our links."""
    as_html = cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE  # as they come; forges allow tags such as <code>
    page = cmarkgfm.github_flavored_markdown_to_html(note(record, templates=JAEGER), as_html)
    assert Elements(page).seen <= {"h2", "h3", "p", "ul", "li", "code", "strong", "a"}
    words = re.sub(r"<code>.*?</code>|<[^>]*>", "", page)
    assert not re.search(r"@\w|#\d|://|www\.", words)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_record_cannot_call_itself_done(attack: str) -> None:
    """Whatever a run says of its state, the note's first line is computed."""
    record = judge(bare(run_id=attack, final_status=attack, task=Task(required_checks=(Check(name=attack),))))
    assert note(record).splitlines()[0] == "## agent-otel: missing required evidence"
