"""``agent-otel diagnose``: of a run. What ails the installation, ``agent-otel doctor`` tells."""

from __future__ import annotations

from pathlib import Path

import click

from agent_otel.cli.chosen import recorded_options
from agent_otel.cli.console import print_json
from agent_otel.cli.place import place_of
from agent_otel.model.contract import Contract
from agent_otel.model.record import RunRecord
from agent_otel.review.diagnosis.diagnose import diagnose as diagnosis_of, diagnose_check
from agent_otel.review.diagnosis.shape import to_builtins
from agent_otel.review.diagnosis.text import as_text


@click.command
@recorded_options
@click.option("--check", metavar="NAME", help="Only this check; by default every one that failed or is missing.")
@click.option("--exact", is_flag=True, help="NAME is no slip, however much it looks like the name of another check.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    metavar="DIR",
    help="Where the repository is, whose diff tells what RUN did to the tests.  [default: the working directory]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
@click.pass_context
def diagnose(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    record: RunRecord,
    demands: Contract,
    check: str | None,
    exact: bool,
    root: Path,
    as_json: bool,
) -> None:
    """Tell which part of the harness a failing or missing check of RUN points to, by its record alone.

    Where the repository here knows what RUN began with and what it left, the tests that it weakened count as well. RUN
    is a run id, the beginning of one, or "last". The answer quotes the entries it rests on. Exits with 0 where it
    decided, with 1 where the record does not decide (and says what is missing), with 2 where it was not asked right.
    """
    if exact and check is None:
        message = "--exact is about the name of a --check"
        raise click.UsageError(message)
    tests = place_of(record, root=root).tests
    if check is None:
        found = diagnosis_of(record, demands, tests=tests)
    else:
        found = diagnose_check(record, check, demands, exact=exact, tests=tests)
    if as_json:
        print_json(to_builtins(found))
    else:
        click.echo(as_text(found), nl=False)
    ctx.exit(int(not found.decided))
