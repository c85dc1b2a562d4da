"""``agent-otel report``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import click
import msgspec

from agent_otel.cli.chosen import READABLE
from agent_otel.cli.console import json_of
from agent_otel.cli.contracts import contract_option
from agent_otel.cli.database import Source, existing_records, existing_store, source_options
from agent_otel.cli.days import today
from agent_otel.cli.exported import exported_records
from agent_otel.cli.moments import Moment
from agent_otel.cli.pages import all_pages
from agent_otel.cli.quarter import Lookup, contract_found, postmortems_option, quarter, reviewed
from agent_otel.cli.records import ALL, StoreRecords
from agent_otel.model.record import RunRecord
from agent_otel.review.incidents.waste import moment as moment_of
from agent_otel.review.quarter.build import Period
from agent_otel.review.quarter.seen import Seen
from agent_otel.review.report.build import MOST_RUNS, Figures
from agent_otel.review.report.page import page
from agent_otel.review.report.shape import Count, Stored
from agent_otel.store.base import RecordQuery, Store

EVERY: Final = RecordQuery(limit=ALL)


@click.command
@click.argument("files", metavar="[FILE]...", nargs=-1, type=READABLE)
@source_options
@click.option("--agent", default="", help="Only runs of this agent.")
@click.option("--repository", default="", help="Only runs on this repository.")
@click.option("--since", type=Moment(), help="Only runs started since: 90d, 12h, or a date in UTC.")
@click.option("--until", type=Moment(), help="Only runs started before: 7d, 12h, or a date in UTC.")
@click.option(
    "--runs",
    "most_runs",
    type=click.IntRange(min=1, max=1000),
    default=MOST_RUNS,
    show_default=True,
    help="List so many runs, those that need a reviewer first.",
)
@click.option("--review", "with_review", is_flag=True, help="Add the quarterly review, as agent-otel review has it.")
@postmortems_option
@contract_option
@click.option("--title", default="", help="What to write above the page.")
@click.option("--now", "made", type=Moment(), help="Write on the page when it was made: 0s, or a date in UTC.")
@click.option(
    "--out",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to a file; by default to standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, instead of the page.")
def report(  # noqa: PLR0913 - one for each option
    *,
    files: tuple[Path, ...],
    source: Source,
    most_runs: int,
    with_review: bool,
    postmortems: Path,
    contract: Path | None,
    title: str,
    made: str | None,
    out: Path | None,
    as_json: bool,
    **chosen: str | None,
) -> None:
    """Make one page of HTML that tells of many runs what dashboards tell: evidence, tools, budgets, the processor.

    FILE has run records, as "agent-otel export" prints them; without one, the page tells of those in the database, or
    of a processor. It needs no network, and nothing but a browser. The same records give the same page, byte for byte.
    Only the review holds runs to the contract of --contract, or the nearest one.
    """
    if files and (source.database or source.url):
        message = "the files are the records: leave out --db and --url"
        raise click.UsageError(message)
    query = msgspec.structs.replace(EVERY, **{name: value or "" for name, value in chosen.items()})
    figures = Figures(most_runs=most_runs)
    with _source(files, source, query) as (records, lookup, stored):
        if with_review:
            found = contract_found(contract)
            seen = list(reviewed(_counted(records, figures), found))
            period = _period(query, made, seen, postmortems)
            review = quarter(seen, period, lookup=lookup, folder=postmortems, found=found)
        else:
            review = None
            for record in records:
                figures.add(record)
    told = figures.report(stored=stored)
    if as_json:
        text = json_of(msgspec.to_builtins(told) | ({"review": msgspec.to_builtins(review)} if review else {}))
    else:
        text = page(told, review=review, title=title, made=made or "")
    if out is not None:
        out.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


def _counted(records: Iterable[RunRecord], figures: Figures) -> Iterator[RunRecord]:
    for record in records:
        figures.add(record)
        yield record


def _period(query: RecordQuery, made: str | None, seen: Sequence[Seen], folder: Path) -> Period:
    """What the report tells of, or else all that there is; the day it is that of the report, or else the last one."""
    since, until, now = (moment_of(text) for text in (query.since, query.until, made))
    days = [run.day for run in seen] + [each.page.written for each in all_pages(folder)[0]]
    days = days or [now.date() if now else today()]
    first = since.date() if since else min(days)
    last = (until - timedelta(microseconds=1)).date() if until else max(days)
    return Period(since=first, until=max(first, last), today=now.date() if now else max(first, last))


class _Source(NamedTuple):
    """The records that are asked for, how others are found, and what the store says of itself where they are in one."""

    records: Iterator[RunRecord]
    lookup: Lookup
    stored: Stored | None = None


@contextmanager
def _source(files: tuple[Path, ...], source: Source, query: RecordQuery) -> Iterator[_Source]:
    if files:
        asked = (record for record in exported_records(files) if _is_asked_for(record, query))
        yield _Source(asked, lambda _: None)
    elif source.url is not None:
        with existing_records(source) as remote:
            yield _Source(remote.records(query), remote.record)
    else:
        with existing_store(source.database) as store:
            yield _Source(StoreRecords(store).records(query), store.record, _stored(store))


def _is_asked_for(record: RunRecord, query: RecordQuery) -> bool:
    started = record.started or ""
    return (
        query.agent in ("", record.agent.name)
        and query.repository in ("", record.base.repository)
        and query.since <= started
        and (not query.until or started < query.until)
    )


def _stored(store: Store) -> Stored:
    stats = store.stats()
    return Stored(
        items=stats.items,
        duplicates=stats.duplicates,
        expired=stats.expired,
        groups=stats.groups,
        waiting=stats.due,
        records=tuple(Count(name=name, count=number) for name, number in sorted(stats.records.items())),
    )
