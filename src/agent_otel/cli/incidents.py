"""``agent-otel incidents``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timezone
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from agent_otel.cli.console import print_json, print_lines
from agent_otel.cli.contracts import contract_option, demanded
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.days import today as this_day, today_option
from agent_otel.cli.gates import gated
from agent_otel.cli.moments import moment
from agent_otel.cli.pages import FOLDER, written_about
from agent_otel.cli.queries import query_options
from agent_otel.cli.records import ALL
from agent_otel.cli.reminder import next_review
from agent_otel.review.contracted import audit
from agent_otel.review.incidents.find import incidents as incidents_in
from agent_otel.review.incidents.shape import Incident
from agent_otel.review.quarter.held import reminder
from agent_otel.review.wording import count
from agent_otel.store.base import RecordQuery

_DEFAULT = "30d"


@click.command
@query_options
@today_option
@contract_option
@source_options
@click.option(
    "--postmortems",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    metavar="FOLDER",
    help="Where the pages are: an incident whose runs one of them is about is left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the incidents as JSON.")
@click.pass_context
def incidents(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    query: RecordQuery,
    today: date | None,
    contract: Path | None,
    postmortems: Path,
    source: Source,
    as_json: bool,
) -> None:
    """Tell what deserves a post-mortem now, and why.

    That is a redo of an hour or more, the same failure twice in two weeks, or what only a reviewer caught (agent-otel
    near-miss), among the runs of the last 30 days (or --since); the contract's table [incidents] has other thresholds.
    What has a page already is left out, until it comes back. Exits with 0 where there is none, with 1 where there is,
    with 2 where it was not asked right. It also says when the next review of all of them is due.
    """
    day = today or this_day()
    with gated():
        demands = demanded(contract)
        asked = replace(query, since=query.since or moment(_DEFAULT, now=_end_of(day)), earliest_first=True, limit=ALL)
        with existing_records(source) as records:
            audits = (audit(record, demands) for record in records.records(asked))
            every = incidents_in(audits, demands.incidents)
            review = next_review(records, postmortems, today=day, days=demands.incidents.review_days)
        written = list(written_about(postmortems))
    found = [incident for incident in every if not any(runs.issuperset(incident.runs) for runs in written)]
    if as_json:
        told = {"since": asked.since, "incidents": found, "review": review}
        print_json(msgspec.to_builtins(told))
    else:
        print_lines(_told(found))
        print_lines([reminder(review)] if review is not None else ())
    ctx.exit(int(bool(found)))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, timezone.utc)


def _told(found: Iterable[Incident]) -> Iterator[str]:
    number = 0
    for number, incident in enumerate(found, start=1):
        when = f"{incident.started[:10]} to {incident.ended[:10]}"
        yield f"{number}. {incident.trigger}, {when}: {incident.why}"
        yield f"   runs: {', '.join(incident.runs)}"
        if incident.fingerprints:
            yield f"   failures: {', '.join(incident.fingerprints)}"
    yield f"{count(number, 'incident')} to write a post-mortem about" if number else "no incidents"
