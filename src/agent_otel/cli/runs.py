"""``agent-otel runs``."""

from __future__ import annotations

import click
import tabulate
from msgspec.structs import replace

from agent_otel.cli.console import print_lines, print_records_json
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.queries import query_options
from agent_otel.review.text import SummaryRow, summary_rows
from agent_otel.store.base import RecordQuery


@click.command
@source_options
@query_options
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as a JSON array.")
def runs(*, source: Source, query: RecordQuery, limit: int, as_json: bool) -> None:
    """List runs, the latest first."""
    with existing_records(source) as records:
        found = list(records.records(replace(query, limit=limit)))
    if as_json:
        print_records_json(found)
    elif found:
        # Ids and objectives that look like numbers stay as they are.
        table = tabulate.tabulate(summary_rows(found), headers=SummaryRow._fields, disable_numparse=True)
        print_lines(table.splitlines())
    else:
        click.echo("no runs")
