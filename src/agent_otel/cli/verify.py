"""``agent-otel verify``."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from agent_otel.cli.chosen import run_options
from agent_otel.cli.console import print_json
from agent_otel.cli.evidence_files import look_for
from agent_otel.cli.gates import gated
from agent_otel.cli.place import place_of
from agent_otel.model.record import RunRecord
from agent_otel.review.verified.found import named_files
from agent_otel.review.verified.text import as_text
from agent_otel.review.verified.verify import verify as verified


@click.command
@gated()
@run_options
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    metavar="DIR",
    help="Where the files and the repository are; nothing outside of it is read.  [default: the working directory]",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def verify(ctx: click.Context, *, record: RunRecord, root: Path, as_json: bool) -> None:
    """Hold the evidence of RUN against the files and the repository.

    Digests are made anew, reports read, and held against exit codes, the run's own words and the git tree that it left.
    Exits with 0 where every check is proved and no claim is contradicted, with 1 where not, with 2 where it was not
    asked right. RUN is a run id, the beginning of one, or "last".
    """
    found = look_for(named_files(record), root=root)
    result = verified(record, found, place_of(record, root=root))
    if as_json:
        print_json(msgspec.to_builtins(result))
    else:
        click.echo(as_text(result), nl=False)
    ctx.exit(0 if result.proved else 1)
