"""``agent-otel runs``."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import click
import tabulate

from agent_otel.cli.console import print_records_json
from agent_otel.cli.database import database_option, existing_store
from agent_otel.cli.moments import Moment
from agent_otel.model.record import Lifecycle, ReviewState
from agent_otel.review.rules.table import RULES
from agent_otel.review.text import SummaryRow, summary_rows
from agent_otel.store.base import RecordQuery

STATES: Final = (*get_args(ReviewState), *get_args(Lifecycle))


@click.command
@database_option
@click.option("--agent", default="", help="Only runs of this agent.")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only runs in this review state or lifecycle.")
@click.option("--repository", default="", help="Only runs on this repository.")
@click.option("--since", type=Moment(), default=None, help="Only runs started since: 7d, 12h, or a date in UTC.")
@click.option("--until", type=Moment(), default=None, help="Only runs started before: 7d, 12h, or a date in UTC.")
@click.option("--finding", type=click.Choice([rule.id for rule in RULES]), default=None, help="Only with this finding.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as a JSON array.")
def runs(  # noqa: PLR0913 - one parameter per option
    *,
    database: Path | None,
    agent: str,
    state: str | None,
    repository: str,
    since: str | None,
    until: str | None,
    finding: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List runs, the latest first."""
    query = RecordQuery(
        agent=agent,
        state=state or "",
        repository=repository,
        since=since or "",
        until=until or "",
        finding=finding or "",
        limit=limit,
    )
    with existing_store(database) as store:
        found = store.records(query)
    if as_json:
        print_records_json(found)
    elif found:
        # Ids and objectives that look like numbers stay as they are.
        click.echo(tabulate.tabulate(summary_rows(found), headers=SummaryRow._fields, disable_numparse=True))
    else:
        click.echo("no runs")
