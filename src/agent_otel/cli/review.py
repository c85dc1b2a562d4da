"""``agent-otel review``."""

from __future__ import annotations

import os
import sys
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Final

import click
import msgspec

from agent_otel.cli.console import json_of
from agent_otel.cli.contracts import Found, contract_option
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.days import Day, today as this_day, today_option
from agent_otel.cli.gates import gated
from agent_otel.cli.moments import moment
from agent_otel.cli.progress import counted
from agent_otel.cli.quarter import contract_found, postmortems_option, quarter, reviewed
from agent_otel.cli.records import ALL
from agent_otel.errors import SettingsError
from agent_otel.review.incidents.shape import stamp
from agent_otel.review.quarter.build import Period
from agent_otel.review.quarter.markdown import as_markdown
from agent_otel.review.quarter.shape import Review
from agent_otel.store.base import RecordQuery

_DEFAULT: Final = "90d"


@click.command
@click.option("--since", default=_DEFAULT, show_default=True, help="The first day: 90d, 12w, or a date in UTC.")
@click.option("--until", type=Day(), metavar="DAY", help="The last day; by default the day it is.")
@click.option("--repository", default="", help="Only runs on this repository.")
@postmortems_option
@today_option
@contract_option
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the review as JSON, in place of Markdown.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to a file; in the folder reviews among the pages, the review counts as held.",
)
def review(  # noqa: PLR0913 - one for each option
    *,
    since: str,
    until: date | None,
    repository: str,
    postmortems: Path,
    today: date | None,
    contract: Path | None,
    source: Source,
    as_json: bool,
    output: Path | None,
) -> None:
    """Review a quarter of runs and post-mortems, so that one change can replace several.

    Post-mortems in order; failures by how often and at what cost; findings by layer over time; known patterns;
    post-mortems that point to the same place; changes that did or did not stop their failures; rejected ideas whose
    failures came back.
    Exits with 0, or with 2 where there is nothing to review, or it was not asked right.
    """
    with gated():
        day = today or this_day()
        period = period_of(since, until or day, today=day)
        found = _review(period, postmortems, contract_found(contract), source, repository)
    if as_json:
        text = json_of(msgspec.to_builtins(found))
    else:
        text = as_markdown(found, held=day, folder=_way(output, postmortems))
    if output is None:
        click.echo(text, nl=False)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")


def period_of(since: str, until: date, *, today: date) -> Period:
    """The days to review; a length of time ends with the last of them.

    Raises:
        SettingsError: ``since`` is neither a length of time nor a date, or comes after ``until``.
    """
    end = datetime.combine(until, time.min, timezone.utc) + timedelta(days=1)
    try:
        first = datetime.fromisoformat(moment(since, now=end).replace("Z", "+00:00")).date()
    except (ValueError, OverflowError) as exc:
        message = f"--since: expected a time such as 90d, 12w or 2026-05-18, got {since!r}"
        raise SettingsError(message) from exc
    if first > until:
        message = f"--since: expected a day not after {until.isoformat()}, got {first.isoformat()}"
        raise SettingsError(message)
    return Period(since=first, until=until, today=today)


def _review(period: Period, folder: Path, found: Found, source: Source, repository: str) -> Review:
    since, until = _midnight(period.since), _midnight(period.until + timedelta(days=1))
    asked = RecordQuery(since=since, until=until, repository=repository, limit=ALL)
    with existing_records(source) as records:
        every = counted(records.records(asked), "reading runs", terminal=sys.stderr)
        runs = list(reviewed(every, found))
        return quarter(runs, period, lookup=records.record, folder=folder, found=found)


def _midnight(day: date) -> str:
    return stamp(datetime.combine(day, time.min, timezone.utc))


def _way(output: Path | None, folder: Path) -> str:
    """What leads from the text to the pages: from its file, or else from where the command runs."""
    way = folder if output is None else Path(os.path.relpath(folder, output.parent))
    return f"{way.as_posix()}/"
