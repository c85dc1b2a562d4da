"""``agent-otel diff``."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from agent_otel.cli.chosen import named_record
from agent_otel.cli.console import print_json
from agent_otel.cli.contracts import contract_option, demanded
from agent_otel.cli.database import Source, source_options
from agent_otel.review.contracted import audit
from agent_otel.review.diff import as_text, compare


@click.command
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="RUN")
@contract_option
@source_options
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def diff(*, before: str, after: str, contract: Path | None, source: Source, as_json: bool) -> None:
    """Tell what the second RUN did differently from the first.

    Compared are state, task, checks with their verdicts, findings, changed files, commands with their results, and
    usage. RUN is a run id, the beginning of one, "last", or a file with a record whose name ends in .json.
    """
    demands = demanded(contract)
    first, second = (audit(named_record(run, source), demands).record for run in (before, after))
    found = compare(first, second)
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        click.echo(as_text(found), nl=False)
