"""Pages about three incidents of runs that took place, to be read by engineers in ``tests/data/postmortems``."""

from __future__ import annotations

import pytest

from agent_otel.review.postmortems.check import WORDS, problems
from agent_otel.review.postmortems.page import SECTIONS
from agent_otel.review.postmortems.read import read_page
from blame import BLAME
from history.pages import GOLDEN, PAGES, written

TELLS = {
    "untouched-module": (
        "src/billing/words.py",
        "4 h 17 min went into work",
        "handed over as “done”",
        "src/cart/count.py",
    ),
    "hidden-e2e": ("e2e: failed in ci 4 h 20 min after the end", "the run ended without it", "handed over as “fixed”"),
    "near-miss": ("only ada caught", "src/exports/words.py", "no read of it recorded: `README.md`"),
}
"""What one did not know, and what the hour before writing goes into."""


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_are_the_golden_ones(name: str) -> None:
    """Whole, short, and blaming nobody; nothing is missing but what only a human can write."""
    text = written(PAGES[name])
    assert text == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    read = read_page(text)
    assert tuple(read.sections) == SECTIONS
    assert len(read.sections["What happened"].splitlines()) == 3
    assert read.words < WORDS * 0.6  # room for what humans add
    assert not BLAME.search(text)
    wrong = list(problems(read, today=read.written, landed=lambda *_: None))
    assert all(problem.endswith("not filled in") for problem in wrong), wrong


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_say_what_one_did_not_know(name: str) -> None:
    """What was changed and never read, which check had not run, when CI told, and who caught it."""
    text = (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    assert [words for words in TELLS[name] if words not in text] == []
