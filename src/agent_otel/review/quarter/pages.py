"""The pages of post-mortems as the review takes them: their words without markup, and what they point to."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from agent_otel.review.postmortems.check import Landed
from agent_otel.review.postmortems.page import TODO, WEEK
from agent_otel.review.postmortems.read import Change, Page
from agent_otel.review.quarter.seen import Seen
from agent_otel.review.quarter.shape import ChangeRow, PageRow, Point, State

REJECTED: Final = "What we are not doing"

_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_ITEM: Final = re.compile(r"(?:[-*+]|[0-9]+[.)])\s+(.*)")


class Written(NamedTuple):
    """A page, and the name of its file."""

    file: str
    page: Page


def plain(text: str) -> str:
    """What a text of a page says, without the escapes of Markdown."""
    return html.unescape(_ESCAPED.sub(r"\1", text)).replace("\u200b", "").strip()


def row(written: Written, runs: Mapping[str, Seen], *, today: date, landed: Landed) -> PageRow:
    """The page as a row of the review.

    Args:
        written: the page.
        runs: what is known of its runs.
        today: what is overdue depends on it.
        landed: what the repository knows.
    """
    page = written.page
    return PageRow(
        file=written.file,
        title=title(written),
        trigger=page.trigger,
        failed=page.failed.isoformat(),
        written=page.written.isoformat(),
        runs=page.runs,
        fingerprints=failures(page, runs),
        points=_points(page, runs),
        changes=tuple(change_row(change, page, today=today, landed=landed) for change in page.changes),
    )


def title(written: Written) -> str:
    """What the page is called."""
    return plain(written.page.title) or written.file


def failures(page: Page, runs: Mapping[str, Seen]) -> tuple[str, ...]:
    """The fingerprints that a page is about: those that it names, or else those of its runs."""
    of_runs = (name for run in page.runs if run in runs for name in runs[run].case.fingerprints)
    return page.fingerprints or tuple(dict.fromkeys(of_runs))


def names(written: Written, runs: Mapping[str, Seen]) -> frozenset[str]:
    """All fingerprints of a page, with those that its changes alone are about."""
    of_changes = (name for change in written.page.changes for name in change.fingerprints)
    return frozenset((*failures(written.page, runs), *of_changes))


def change_row(change: Change, page: Page, *, today: date, landed: Landed) -> ChangeRow:
    """A change, and what became of it by that day."""
    due = change.due or page.written + WEEK
    when = landed(change.file, page.written) if change.file not in ("", TODO) else None
    there = when if when is not None and when <= today else None
    return ChangeRow(
        file=change.file,
        what=change.what,
        owner=change.owner,
        due=due.isoformat(),
        state=_state(change.state, due, today, there),
        landed=there.isoformat() if there is not None else None,
    )


def rejected(page: Page) -> Iterator[str]:
    """The ideas that a page rejects: the items of its section, or all of it where it has none."""
    items: list[str] = []
    for line in page.sections.get(REJECTED, "").splitlines():
        item = _ITEM.match(line)
        if item or not items or not line.strip():
            items.append(item[1] if item else line)
        else:
            items[-1] += f" {line.strip()}"
    yield from (plain(item) for item in items if item.strip() and TODO not in item)


def _state(said: str, due: date, today: date, landed: date | None) -> State:
    if said == "dropped":
        return "dropped"
    if landed is not None:
        return "late" if landed > due else "landed"
    if said == "landed":
        return "not seen in git"
    return "stale" if today > due else "open"


def _points(page: Page, runs: Mapping[str, Seen]) -> tuple[Point, ...]:
    """Where a page points to: what it says itself counts instead of what its runs show."""
    found = {point for run in page.runs if run in runs for point in runs[run].points}
    if page.layer and page.area:
        return (Point(layer=page.layer, area=page.area),)
    said = {Point(layer=page.layer or each.layer, area=page.area or each.area) for each in found}
    return tuple(sorted(said))
