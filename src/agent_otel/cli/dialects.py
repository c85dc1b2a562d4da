"""``agent-otel dialects``."""

from __future__ import annotations

import click

from agent_otel.cli.console import print_json, warn
from agent_otel.service.dialects import Known, listed


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print the dialects as a JSON array.")
@click.pass_context
def dialects(ctx: click.Context, *, as_json: bool) -> None:
    """List whose telemetry is understood, in the order in which items are offered.

    Exit code 1 says that an installed dialect could not be loaded.
    """
    found = listed()
    if as_json:
        print_json([_fields(each) for each in found.known])
    else:
        width = max(len(each.dialect.name) for each in found.known)
        for each in found.known:
            scopes = ", ".join(each.dialect.scopes) or "any, by its attributes"
            click.echo(f"{each.dialect.name:<{width}}  {each.dialect.about}")
            click.echo(f"{'':<{width}}  scopes: {scopes}")
            click.echo(f"{'':<{width}}  from: {each.origin}")
    for problem in found.problems:
        warn(problem)
    ctx.exit(1 if found.problems else 0)


def _fields(known: Known) -> dict[str, object]:
    dialect = known.dialect
    return {"name": dialect.name, "about": dialect.about, "scopes": list(dialect.scopes), "from": known.origin}
