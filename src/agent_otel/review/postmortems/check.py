"""What a page of a post-mortem still lacks, and whether its changes landed in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final, get_args

from agent_otel.model.record import Layer
from agent_otel.review.patterns.table import PATTERNS
from agent_otel.review.postmortems.page import SECTIONS, TODO, TRIGGERS, WEEK
from agent_otel.review.postmortems.read import Change, Page
from agent_otel.review.wording import count

WORDS: Final = 600
"""Words of one page: more is not read to its end."""

MOST_CHANGES: Final = 2
"""More than two changes are a project, and projects do not land in a week."""

_STATES: Final = ("open", "landed", "dropped")
_LAYERS: Final = ("", *get_args(Layer))

Landed = Callable[[str, date], "date | None"]
"""Given the path of a file and a day, when it was first changed since; None where it was not."""


def problems(page: Page, *, today: date, landed: Landed) -> Iterator[str]:
    """What is wrong with a page, a sentence each.

    Args:
        page: the page.
        today: what is overdue depends on it.
        landed: what the repository knows.
    """
    yield from _structure(page)
    if page.words > WORDS:
        yield f"longer than a page: {page.words} words, and {WORDS} are what somebody reads to the end"
    if page.written - page.failed > WEEK:
        yield f"written {count((page.written - page.failed).days, 'day')} after the failure; a week is the limit"
    if not 1 <= len(page.changes) <= MOST_CHANGES:
        yield f"{count(len(page.changes), 'change')}: one or two land within a week, more do not"
    for number, change in enumerate(page.changes, start=1):
        yield from (f"change {number}: {problem}" for problem in _change(change, page, today, landed))


def _structure(page: Page) -> Iterator[str]:
    headings = tuple(page.sections)
    if headings != SECTIONS:
        yield f"expected the sections {', '.join(SECTIONS)}, in this order"
    for heading in SECTIONS:
        body = page.sections.get(heading)
        if body is not None and (not body or TODO in body):
            yield f"{heading}: not filled in"
    if page.trigger not in TRIGGERS:
        yield f"trigger: expected one of {', '.join(TRIGGERS)}, got {page.trigger!r}"
    if page.layer not in _LAYERS:
        yield f"layer: expected one of {', '.join(_LAYERS[1:])}, got {page.layer!r}"
    for name in page.patterns:
        if name not in PATTERNS:
            yield f"patterns: expected some of {', '.join(PATTERNS)}, got {name!r}"
    if not page.runs:
        yield "runs: names none"
    if page.owner in ("", TODO):
        yield "owner: nobody"


def _change(change: Change, page: Page, today: date, landed: Landed) -> Iterator[str]:
    for name in ("file", "what", "owner"):
        if getattr(change, name) in ("", TODO):
            yield f"{name}: not filled in"
    if change.state not in _STATES:
        yield f"state: expected one of {', '.join(_STATES)}, got {change.state!r}"
    due = change.due or page.written + WEEK
    if due > page.written + WEEK:
        yield f"due {due.isoformat()}, which is more than a week after the page was written"
    if change.state == "dropped" or change.file in ("", TODO):
        return
    when = landed(change.file, page.written)
    if when is None and change.state == "landed":
        yield f"landed, it says, but {change.file} was not changed since {page.written.isoformat()}"
    elif when is None and today > due:
        yield f"stale: due {due.isoformat()}, and {change.file} was not changed since {page.written.isoformat()}"
    elif when is not None and when > due:
        yield f"late: due {due.isoformat()}, landed {when.isoformat()}"
