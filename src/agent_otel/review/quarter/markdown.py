"""The review as Markdown, to be read in a meeting and kept beside the post-mortems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final
from urllib.parse import quote

from agent_otel.review.fingerprints.areas import ROOT
from agent_otel.review.patterns.shape import Sighting
from agent_otel.review.postmortems.said import quoted, said, told
from agent_otel.review.quarter.held import front
from agent_otel.review.quarter.shape import ChangeEffect, ChangeRow, FailureRow, PatternRow, Return, Review, Runs
from agent_otel.review.report.shape import OverTime
from agent_otel.review.wording import count, duration
from agent_otel.text.markdown import code

_NAMED: Final = 5


def as_markdown(review: Review, *, held: date, folder: str = "") -> str:
    """The review, ending in a line feed; the same review gives the same text.

    Args:
        review: what it says.
        held: the day on which it is held.
        folder: what leads from the text to the folder of the pages, such as ``../``.
    """

    def linked(file: str, title: str) -> str:
        return f"[{told(title)}]({quote(folder + file)})"

    lines = [*front(held), "", f"# Review of {review.since} to {review.until}", "", *_headline(review)]
    for heading, tell in _SECTIONS.items():
        lines += ["", f"## {heading}", "", *(list(tell(review, linked)) or ["None."])]
    return "\n".join(lines) + "\n"


_Linked = Callable[[str, str], str]


def _headline(review: Review) -> Iterator[str]:
    failed = f", {review.failed_runs} of them failed or unproved" if review.failed_runs else ""
    written = count(len(review.postmortems), "post-mortem")
    yield f"{count(review.runs, 'run')}{failed}; {count(review.failures, 'kind')} of failure; {written}."
    decisions = to_decide(review)
    if decisions:
        yield f"To decide: {decisions}."
    if review.unread:
        yield ""
        yield from (f"- not read: {said(problem)}" for problem in review.unread)


def to_decide(review: Review) -> str:
    """What there is to decide, in few words; empty where there is nothing."""
    failing = sum(change.effect == "came back" for change in review.changes)
    seen = sum(bool(row.sightings) for row in review.patterns)
    parts = (
        (seen, count(seen, "known pattern")),
        (len(review.groups), f"{count(len(review.groups), 'place')} where one change may do for several post-mortems"),
        (failing, f"{count(failing, 'change')} that did not stop what {'it was' if failing == 1 else 'they were'} for"),
        (len(review.rejected_ideas), f"{count(len(review.rejected_ideas), 'rejected idea')} to think over again"),
    )
    return "; ".join(words for number, words in parts if number)


def _postmortems(review: Review, linked: _Linked) -> Iterator[str]:
    if review.postmortems:
        yield "| failed | trigger | post-mortem | points to | changes |"
        yield "|---|---|---|---|---|"
    for page in review.postmortems:
        points = ", ".join(_place(point.layer, point.area) for point in page.points) or "nothing recorded"
        changes = "; ".join(_change(change) for change in page.changes) or "none"
        yield f"| {page.failed} | {said(page.trigger)} | {linked(page.file, page.title)} | {points} | {changes} |"


def _change(change: ChangeRow) -> str:
    when = change.landed if change.landed is not None and change.state != "dropped" else f"due {change.due}"
    return f"{code(change.file)}: {change.state}, {when}"


def _by_frequency(review: Review, _: _Linked) -> Iterator[str]:
    rows = often(review)
    if rows:
        yield "| runs | failure | layer | when | agents | latest runs |"
        yield "|---:|---|---|---|---|---|"
    for row in rows:
        agents = ", ".join(map(said, row.agents)) or "not recorded"
        cells = (
            str(row.runs.count),
            _failure(row) + _also(row),
            row.layer or "none",
            _when(row.runs),
            agents,
            _named(row.runs),
        )
        yield f"| {' | '.join(cells)} |"
    yield from _more(review, len(rows))


def _by_cost(review: Review, _: _Linked) -> Iterator[str]:
    if review.by_cost:
        yield "| lost | tokens | USD | runs | failure |"
        yield "|---:|---:|---:|---:|---|"
    for row in review.by_cost:
        tokens = "not recorded" if row.tokens is None else f"{row.tokens:,}"
        dollars = "not recorded" if row.cost_usd is None else f"{row.cost_usd:.2f}"
        yield f"| {duration(row.lost_s)} | {tokens} | {dollars} | {row.runs.count} | {_failure(row)} |"


def often(review: Review) -> Sequence[FailureRow]:
    """The most frequent failures, but for those that were seen once: a quarter is about what comes again."""
    return [row for row in review.by_frequency if row.runs.count > 1]


def _more(review: Review, shown: int) -> Iterator[str]:
    if review.failures > shown:
        yield from ("", f"And {review.failures - shown} more, seen less often.") if shown else ("None came twice.",)


def _also(row: FailureRow | Return) -> str:
    return f" (also {', '.join(map(code, row.also))})" if row.also else ""


def _layers(review: Review, _: _Linked) -> Iterator[str]:
    times: OverTime = review.findings_by_layer
    if not times.lines:
        return
    yield f"| {times.unit} from | {' | '.join(line.name for line in times.lines)} |"
    yield f"|---|{'---:|' * len(times.lines)}"
    for step, start in enumerate(times.starts):
        yield f"| {start} | {' | '.join(f'{line.values[step] or 0:.0f}' for line in times.lines)} |"


def _patterns(review: Review, _: _Linked) -> Iterator[str]:
    for row in review.patterns:
        if row.sightings:
            yield f"**{row.pattern}**: {row.means}. {_shown(row)}. What usually helps: {row.helps}."
            yield ""
            yield from map(_sighting, row.sightings[:_NAMED])
            more = len(row.sightings) - _NAMED
            yield from [f"- and {more} more"] * (more > 0)
            yield ""
    unseen = [row for row in review.patterns if not row.sightings]
    for says, looked_for in (("Not seen", True), ("Not looked for, without a repository", False)):
        names = [row.pattern for row in unseen if row.looked_for == looked_for]
        if names:
            yield f"{says}: {', '.join(names)}."


def _shown(row: PatternRow) -> str:
    return f"Shown by {count(row.runs, 'run')}" if row.runs else "Shown by the repository"


def _sighting(sighting: Sighting) -> str:
    runs = _listed(sighting.runs, len(sighting.runs))
    where = _listed(entries(sighting), len(sighting.refs))
    saw = told(sighting.said)
    return f"- {_place(sighting.layer, sighting.area)}: {'; '.join(filter(None, (saw, runs, where)))}"


def entries(sighting: Sighting) -> Sequence[str]:
    """What shows a pattern; entries of one run alone do not need its name again."""
    run = f"{sighting.runs[0]} " if len(sighting.runs) == 1 else ""
    return [ref.removeprefix(run) for ref in sighting.refs]


def _groups(review: Review, linked: _Linked) -> Iterator[str]:
    titles = {page.file: page.title for page in review.postmortems}
    for group in review.groups:
        pages = ", ".join(linked(file, titles[file]) for file in group.pages)
        changes = ", ".join(map(code, group.changes)) or "none"
        yield f"- {_place(group.layer, group.area)}: {count(len(group.pages), 'post-mortem')} ({pages});"
        yield f"  changed one by one: {changes}"


def _changes(review: Review, linked: _Linked) -> Iterator[str]:
    for change in review.changes:
        what = f" {quoted(change.what)}" if change.what else ""
        page = linked(change.page, change.title)
        yield f"- {code(change.file)}{what} ({page}), landed {change.landed}: **{change.effect}**"
        yield f"  {_why(change)}"
        yield from (f"  - {_came_back(each)}" for each in change.returned)


def _why(change: ChangeEffect) -> str:
    if change.effect == "nothing to look for":
        return "(the page names no failure, and the runs that it is about show none)"
    since = f"{count(change.runs_since, 'run')} since"
    if change.needed is None:
        return f"({since}; none before in this quarter)"
    before = f"{change.seen_before} of {count(change.runs_before, 'run')} before"
    if change.effect == "came back":
        return f"({before}; {since})"
    tells = f"; {change.needed} would tell" if change.effect == "not known yet" else ""
    return f"({before}, none of {since}{tells})"


def _ideas(review: Review, linked: _Linked) -> Iterator[str]:
    for idea in review.rejected_ideas:
        yield f"- {quoted(idea.idea)} ({linked(idea.page, idea.title)}), rejected {idea.rejected}"
        yield from (f"  - {_came_back(each)}" for each in idea.returned)


def _came_back(each: Return) -> str:
    runs = each.runs
    return f"{_failure(each)}{_also(each)} in {count(runs.count, 'run')} since, {_when(runs)}: {_named(runs)}"


def _when(runs: Runs) -> str:
    return runs.first if runs.first == runs.last else f"{runs.first} to {runs.last}"


def _failure(row: FailureRow | Return) -> str:
    return f"{code(row.fingerprint)} {told(row.says)}"


def _place(layer: str, area: str) -> str:
    return said(layer) if area == ROOT else f"{said(layer)} in {code(area)}"


def _named(runs: Runs) -> str:
    return _listed(runs.latest, runs.count)


def _listed(names: Iterable[str], total: int) -> str:
    shown = [code(name) for name in names][:_NAMED]
    more = total - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


_SECTIONS: Final[dict[str, Callable[[Review, _Linked], Iterator[str]]]] = {
    "Post-mortems": _postmortems,
    "Failures by frequency": _by_frequency,
    "Failures by cost": _by_cost,
    "Findings by layer": _layers,
    "Known patterns": _patterns,
    "One change for several": _groups,
    "Changes, and what came of them": _changes,
    "Rejected ideas whose failure came back": _ideas,
}
"""Heading to what stands under it."""
