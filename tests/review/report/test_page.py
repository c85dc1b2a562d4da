"""The page: what records say stands in it as text, and as nothing else."""

from __future__ import annotations

import builtins
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.errors import MissingExtra
from agent_otel.model.contract import Contract
from agent_otel.model.record import Agent, Base, Command, Gate, RunRecord, Task, ToolCalls
from agent_otel.model.versions import decode
from agent_otel.review.audit import Audit
from agent_otel.review.judge import judge
from agent_otel.review.quarter.build import Pages, review
from agent_otel.review.quarter.seen import seen
from agent_otel.review.quarter.shape import Review
from agent_otel.review.report.build import Figures
from agent_otel.review.report.page import _templates, page
from agent_otel.review.report.shape import Report
from hostile_records import ATTACKS, records
from quarter_story import PERIOD, record as run, told as quarter

OURS = frozenset({"schema", "unit", "starts", "first_started", "last_started", "state", "severity", "layer", "label"})
"""Fields that no record can fill with anything but what we know."""


class Elements(HTMLParser):
    """Each element of a page with the names of its attributes, in order; and all links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src", "action", "xlink:href")]
        self.ids += [value for name, value in attrs if name == "id"]


def report(found: list[RunRecord]) -> Report:
    """The figures of records."""
    figures = Figures()
    for record in found:
        figures.add(record)
    return figures.report()


def twin(told: Report) -> Report:
    """The same report, in which every text that may come from a record is a harmless word; equal ones stay equal."""
    words: dict[str, str] = {"": "", "wall_time": "wall_time"}

    def harmless(value, name=""):
        if isinstance(value, str) and name not in OURS:
            return words.setdefault(value, f"word{len(words)}")
        if isinstance(value, dict):
            return {key: harmless(inner, key) for key, inner in value.items()}
        return [harmless(inner, name) for inner in value] if isinstance(value, list) else value

    return msgspec.convert(harmless(json.loads(json.dumps(msgspec.to_builtins(told)))), Report)


@settings(max_examples=25, deadline=None)
@given(st.lists(records(), max_size=3, unique_by=lambda record: record.run_id))
def test_hostile_records_bring_no_element_of_their_own(found) -> None:
    """The page has the same elements, with the same attributes, as one of harmless words."""
    told = report(found)
    made = Elements(page(told))
    assert made.found == Elements(page(twin(told))).found
    assert all(link.startswith("#") and link[1:] in made.ids for link in made.links)
    assert len(made.ids) == len(set(made.ids))


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_are_shown_and_do_nothing(attack) -> None:
    """Not a control character, no mark of direction, no tag, wherever the text stands."""
    record = RunRecord(
        run_id=attack,
        lifecycle="settled",
        outcome="ended",
        agent=Agent(name=attack, models=(attack,), dialect=attack),
        base=Base(repository=attack),
        task=Task(objective=attack),
        commands=(Command(id="c", command=attack, result="failed", duration_s=1.0),),
        gates=(Gate(tool=attack, outcome="deny", policy=attack),),
    )
    text = page(report([judge(record)]), title=attack, made=attack)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", text)
    elements = Elements(text)
    names = {name for _, *attributes in elements.found for name in attributes}
    assert not {name for name in names if name.startswith("on") or name == "style"}
    assert "script" not in {tag for tag, *_ in elements.found}


DAYS = ("first", "last", "starts", "since", "until", "failed", "written", "due", "landed", "rejected", "unit")
REVIEW = frozenset({*DAYS, "schema", "state", "effect", "layer"})
"""Fields of a review that no run or page can fill with anything but what we know."""


def saying(attack: str, value: object, name: str = "") -> object:
    """The value with the attack for every other text."""
    if isinstance(value, dict):
        return {key: saying(attack, inner, key) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [saying(attack, inner, name) for inner in value]
    return attack if isinstance(value, str) and name not in REVIEW else value


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_attacks_in_a_review_are_shown_and_do_nothing(attack: str) -> None:
    """Whether runs, pages or the harness say it: the same elements as with harmless words, and nothing unseen."""
    told, plain = report([]), msgspec.to_builtins(quarter())
    hostile, harmless = (msgspec.convert(saying(words, plain), Review) for words in (attack, "word"))
    text = page(told, review=hostile)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", text)
    assert Elements(text).found == Elements(page(told, review=harmless)).found


def test_a_review_without_anything_has_its_place() -> None:
    """Each part says so; without a review there is no such view."""
    limits = Contract().incidents
    nothing = review([], Pages(), PERIOD, limits=limits, landed=lambda *_: None)
    text = page(report([]), review=nothing)
    assert text.count('<p class="none">') == page(report([])).count('<p class="none">') + 7
    assert "Not looked for, without a repository: stale-harness." in text
    assert 'id="review"' not in page(report([]))


def test_long_lists_of_a_review_are_cut_and_counted() -> None:
    """As in its Markdown; programs get all."""
    found = [seen(Audit(judge(run(f"r{place}", "blind", f"2026-03-{place + 1:02}")))) for place in range(7)]
    failing = [seen(Audit(judge(run(f"f{place}", "rounding", f"2026-04-{place + 1:02}")))) for place in range(7)]
    told = review(filter(None, found + failing), Pages(), PERIOD, limits=Contract().incidents, landed=lambda *_: None)
    text = page(report([]), review=replace(told, failures=40))
    assert '<li class="dim">and 2 more</li>' in text
    assert re.search(r"<code>f2</code> and 2 more", text)
    assert "And 39 more, seen less often." in text


def test_the_same_report_is_the_same_page() -> None:
    """When it was made stands on it only where that is said."""
    told = report([])
    assert page(told) == page(told)
    assert "Made <time>" not in page(told)
    assert "<time>2026-05-18 09:12</time>" in page(told, made="2026-05-18T09:12:03.120Z")


def test_each_run_links_to_why_it_is_where_it_is() -> None:
    """By what the table says first, and from wherever else the run is named."""
    base = decode((Path(__file__).parents[2] / "data" / "records" / "v1.json").read_bytes())
    text = page(report([judge(replace(base, run_id="r1")), judge(replace(base, run_id="r2", started=None))]))
    elements = Elements(text)
    assert elements.links.count("#run-1") >= 1
    assert {"run-1", "run-2"} <= set(elements.ids)
    article = text[text.index('id="run-1"') :]
    assert "<b>Next:</b>" in article
    assert "missing required evidence" in html.unescape(article)


def test_it_says_what_records_cannot_tell_of_tools() -> None:
    """Their calls have a mean and no percentiles, whereas commands have both."""
    calls = (ToolCalls(name="read", calls=4, duration_s=2.0),)
    commands = (Command(id="c", command="make", result="passed", duration_s=3.0),)
    record = RunRecord(run_id="r", lifecycle="settled", outcome="ended", tool_calls=calls, commands=commands)
    text = page(report([judge(record)]))
    assert "their mean is known, and how far they lie apart is not" in text
    assert '<td class="n">500 ms</td></tr>' in text
    assert text.count('<td class="n">3.0 s</td>') == 3


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch) -> None:
    """It is an extra."""
    real = builtins.__import__

    def none(name, *arguments, **options):
        if name == "jinja2":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", none)
    _templates.cache_clear()
    with pytest.raises(MissingExtra, match=r'pip install "agent-otel\[report\]"'):
        page(report([]))
