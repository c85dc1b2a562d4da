"""``agent-otel diagnose``: of a run. What ails the installation, ``agent-otel doctor`` tells."""

from __future__ import annotations

import click

from agent_otel.cli.chosen import recorded_options
from agent_otel.cli.console import print_json
from agent_otel.model.contract import Contract
from agent_otel.model.record import RunRecord
from agent_otel.review.diagnosis.diagnose import diagnose as diagnosis_of, diagnose_check
from agent_otel.review.diagnosis.shape import to_builtins
from agent_otel.review.diagnosis.text import as_text


@click.command
@recorded_options
@click.option("--check", metavar="NAME", help="Only this check; by default every one that failed or is missing.")
@click.option("--exact", is_flag=True, help="NAME is no slip, however much it looks like the name of another check.")
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
@click.pass_context
def diagnose(
    ctx: click.Context,
    *,
    record: RunRecord,
    demands: Contract,
    check: str | None,
    exact: bool,
    as_json: bool,
) -> None:
    """Tell which part of the harness a failing or missing check of RUN points to, by its record alone.

    RUN is a run id, the beginning of one, or "last". The answer quotes the entries it rests on. Exits with 0 where it
    decided, with 1 where the record does not decide (and says what is missing), with 2 where it was not asked right.
    """
    if exact and check is None:
        message = "--exact is about the name of a --check"
        raise click.UsageError(message)
    found = diagnosis_of(record, demands) if check is None else diagnose_check(record, check, demands, exact=exact)
    if as_json:
        print_json(to_builtins(found))
    else:
        click.echo(as_text(found), nl=False)
    ctx.exit(int(not found.decided))
