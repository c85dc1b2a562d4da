"""The quarterly review as a document: ``agent-otel review --json`` prints it, Markdown and the report are made of it.

Days are ISO 8601 in UTC, lengths of time seconds. Runs are counted with the runs that are parts of them as one.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from agent_otel.model.record import Layer
from agent_otel.review.patterns.shape import Sighting
from agent_otel.review.report.shape import OverTime

SCHEMA: Final = "agent-otel/review/1"

State = Literal["open", "stale", "landed", "late", "not seen in git", "dropped"]
"""Of a change: not due yet; due and not there; there in time, or after its day; there by word alone; given up."""

Effect = Literal["came back", "not seen since", "not known yet", "nothing to look for"]
"""Of a change on its failures. Too few runs are no effect, and neither is a page that names no failure."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a review; every field is always written."""


class Runs(_Part, frozen=True, kw_only=True):
    """Runs that show something: how many, on which days the first and the last of them started, and the latest."""

    count: int
    first: str
    last: str
    latest: tuple[str, ...]


class Point(_Part, frozen=True, kw_only=True, order=True):
    """Where a post-mortem points to: a layer of the harness, and an area of the repository."""

    layer: str
    area: str


class ChangeRow(_Part, frozen=True, kw_only=True):
    """A change of a page, what became of it, and the day on which its file was changed."""

    file: str
    what: str
    owner: str
    due: str
    state: State
    landed: str | None


class PageRow(_Part, frozen=True, kw_only=True):
    """A post-mortem; ``file`` is the name of its page."""

    file: str
    title: str
    trigger: str
    failed: str
    written: str
    runs: tuple[str, ...]
    fingerprints: tuple[str, ...]
    points: tuple[Point, ...]
    changes: tuple[ChangeRow, ...]


class FailureRow(_Part, frozen=True, kw_only=True):
    """A fingerprint, in whose runs it was, and what it cost; ``also`` are others of the very same runs.

    ``lost_s`` is the time of its runs that was lost: all of an attempt that failed and was made again, and of others
    what they rolled back or spent on one command failing over and over. ``tokens`` and ``cost_usd`` are those of the
    attempts that were made again, where anybody told them. A run with several fingerprints counts for each.
    """

    fingerprint: str
    also: tuple[str, ...]
    says: str
    layer: Layer | None
    runs: Runs
    agents: tuple[str, ...]
    repositories: tuple[str, ...]
    lost_s: float
    tokens: int | None
    cost_usd: float | None


class Group(_Part, frozen=True, kw_only=True):
    """Post-mortems that point to the same place, by their files, and the files that their changes are about."""

    layer: str
    area: str
    pages: tuple[str, ...]
    changes: tuple[str, ...]


class Return(_Part, frozen=True, kw_only=True):
    """A failure that came back, and in which runs; ``also`` are others of the very same runs."""

    fingerprint: str
    also: tuple[str, ...]
    says: str
    runs: Runs


class PatternRow(_Part, frozen=True, kw_only=True):
    """A known pattern, what it means, which change usually helps, in how many runs it shows, and where.

    It was not looked for (``looked_for``) where it shows in a repository, and there is none.
    """

    pattern: str
    means: str
    helps: str
    looked_for: bool
    runs: int
    sightings: tuple[Sighting, ...]


class ChangeEffect(_Part, frozen=True, kw_only=True):
    """A change that landed, and whether its failures came back in the runs that started after that day.

    ``runs_before`` and ``runs_since`` are runs on the repositories in which the failures were seen, ``seen_before``
    those that had one. Of ``needed`` runs, three would have had one by what was before; None where nobody knows.
    """

    page: str
    title: str
    file: str
    what: str
    landed: str
    effect: Effect
    runs_before: int
    seen_before: int
    runs_since: int
    needed: int | None
    returned: tuple[Return, ...]


class Idea(_Part, frozen=True, kw_only=True):
    """An idea that a page rejected, on its day, and the failures of that page that came back since."""

    page: str
    title: str
    idea: str
    rejected: str
    returned: tuple[Return, ...]


class Review(_Part, frozen=True, kw_only=True):
    """What a quarter of runs and post-mortems shows.

    ``since`` and ``until`` are the first and the last day; ``unread`` are files among the pages that are none, with
    what is wrong. ``by_frequency`` and ``by_cost`` are cut to their first rows, ``failures`` says of how many.
    """

    schema: str = SCHEMA
    since: str
    until: str
    runs: int
    failed_runs: int
    failures: int
    postmortems: tuple[PageRow, ...]
    unread: tuple[str, ...]
    by_frequency: tuple[FailureRow, ...]
    by_cost: tuple[FailureRow, ...]
    findings_by_layer: OverTime
    patterns: tuple[PatternRow, ...]
    groups: tuple[Group, ...]
    changes: tuple[ChangeEffect, ...]
    rejected_ideas: tuple[Idea, ...]
