"""``agent-otel show``."""

from __future__ import annotations

import click

from agent_otel.cli.chosen import run_options
from agent_otel.cli.console import print_json, print_records
from agent_otel.model.record import RunRecord, to_builtins
from agent_otel.review.text import as_markdown


@click.command
@run_options
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
@click.option("--markdown", is_flag=True, help="Print the record as Markdown.")
def show(*, record: RunRecord, as_json: bool, markdown: bool) -> None:
    """Show the record of RUN: a run id, the beginning of one, or "last" (also where none is named).

    Tells what the run knew, what it did, and why it believed it was complete; then the findings.
    """
    if as_json and markdown:
        message = "choose one of --json and --markdown"
        raise click.UsageError(message)
    if as_json:
        print_json(to_builtins(record))
    elif markdown:
        click.echo(as_markdown(record), nl=False)
    else:
        print_records([record])
