"""``agent-otel audit``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import click

from agent_otel import settings
from agent_otel.cli.chosen import READABLE, read_record
from agent_otel.cli.contracts import contract_option, demanded
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.gates import gated
from agent_otel.cli.moments import Moment
from agent_otel.cli.named import find_run
from agent_otel.cli.records import ALL
from agent_otel.errors import NotFound
from agent_otel.model.record import RunRecord, Severity
from agent_otel.review.audit import SEVERITIES, Audit, failed
from agent_otel.review.contracted import audit as audit_of
from agent_otel.review.formats.summary import BUDGET, as_summary
from agent_otel.review.formats.table import FORMATS
from agent_otel.store.base import RecordQuery

_ONE: Final = "choose one of RUN, --last, --since and --file"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What a CI server tells its jobs."""

    summary: Path | None = field(
        default=None,
        metadata={
            "env": "GITHUB_STEP_SUMMARY",
            "help": "where a job of GitHub writes its summary; `--format github` adds one",
        },
    )


@click.command
@click.argument("run", required=False)
@click.option("--last", is_flag=True, help="The latest run (the default).")
@click.option("--since", type=Moment(), help="Every run started since: 7d, 12h, or a date in UTC.")
@click.option("--file", type=READABLE, metavar="RECORD.json", help="Read the record from this file instead.")
@contract_option
@click.option("--fail-on", type=click.Choice(SEVERITIES), default="error", show_default=True, help="What fails.")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to tell it."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to a file.")
@source_options
@click.pass_context
def audit(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    run: str | None,
    last: bool,
    since: str | None,
    file: Path | None,
    contract: Path | None,
    fail_on: str,
    form: str,
    output: Path | None,
    source: Source,
) -> None:
    """Hold RUN to the contract of the repository and print what was found.

    RUN is a run id, the beginning of one, or "last". Exits with 0 where nothing was found at or above --fail-on, with 1
    where something was, with 2 where it was not asked right, or there is no such run.
    """
    if sum(map(bool, (run, last, since, file))) > 1 or (file is not None and (source.database or source.url)):
        raise click.UsageError(_ONE if not file else "--file is the record: leave out RUN, --db and --url")
    with gated():
        demands = demanded(contract)
        audits = [audit_of(record, demands) for record in _records(run, since, file, source)]
    severity = cast("Severity", fail_on)  # click has seen to it
    text = FORMATS[form](audits, severity)
    with gated():
        if form == "github":
            _summarise(audits)
        if output is not None:
            output.write_text(text, encoding="utf-8")
    if output is None:
        click.echo(text, nl=False)
    ctx.exit(int(failed(audits, severity)))


def _records(run: str | None, since: str | None, file: Path | None, source: Source) -> list[RunRecord]:
    if file is not None:
        return [read_record(file)]
    with existing_records(source) as records:
        if since is not None:
            found = list(records.records(RecordQuery(since=since, limit=ALL)))
            if not found:
                message = f"there are no runs since {since}"
                raise NotFound(message)
            return found
        return [find_run(records, run or "last")]


def _summarise(audits: list[Audit]) -> None:
    """Adds to the summary of the job what still fits: GitHub takes nothing of one that is too large."""
    summary = settings.read(JobSettings, environ=os.environ).summary
    if summary is None:
        return
    room = BUDGET - (summary.stat().st_size if summary.exists() else 0)
    with summary.open("a", encoding="utf-8") as opened:
        opened.write(as_summary(audits, budget=room))
