"""``agent-otel show``."""

from __future__ import annotations

from typing import Final

import click

from agent_otel.cli.console import print_json, print_records
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.records import ALL, Records
from agent_otel.errors import NotFound
from agent_otel.model.record import RunRecord, to_builtins
from agent_otel.review.text import as_markdown
from agent_otel.store.base import RecordQuery

_EVERY: Final = RecordQuery(limit=ALL)
_NAMED: Final = 8
"""How many run ids an error lists."""


@click.command
@click.argument("run", default="last")
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.option("--markdown", is_flag=True, help="Print the record as Markdown.")
def show(*, run: str, source: Source, as_json: bool, markdown: bool) -> None:
    """Show the record of RUN: a run id, the beginning of one, or "last" (also where none is named).

    Tells what the run knew, what it did, and why it believed it was complete; then the findings.
    """
    if as_json and markdown:
        message = "choose one of --json and --markdown"
        raise click.UsageError(message)
    with existing_records(source) as records:
        record = find_run(records, run)
    if as_json:
        print_json(to_builtins(record))
    elif markdown:
        click.echo(as_markdown(record), nl=False)
    else:
        print_records([record])


def find_run(records: Records, run: str) -> RunRecord:
    """The record that ``run`` names: an id, the beginning of exactly one id, or ``last``.

    ``last`` is the latest run that is not part of another one.

    Raises:
        NotFound: none or several answer to it; the message lists what there is.
    """
    if run == "last":
        return _last(records)
    exact = records.record(run)
    if exact is not None:
        return exact
    found = [record for record in records.records(_EVERY) if record.run_id.startswith(run)] if run else []
    if len(found) == 1:
        return found[0]
    if found:
        message = f"several runs begin with {run!r}: {_listed([record.run_id for record in found])}"
        raise NotFound(message)
    latest = [record.run_id for record in records.records(RecordQuery(limit=_NAMED))]
    message = f"no run {run!r}; " + (f"the latest are: {_listed(latest)}" if latest else "there are no runs")
    raise NotFound(message)


def _last(records: Records) -> RunRecord:
    latest = next(iter(records.records(RecordQuery(limit=1))), None)
    if latest is None:
        message = "there are no runs"
        raise NotFound(message)
    return next((record for record in records.records(_EVERY) if record.parent_run is None), latest)


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
