"""``agent-otel rules``."""

from __future__ import annotations

import dataclasses

import click

from agent_otel.cli.console import print_json
from agent_otel.review.rules.guide import as_markdown
from agent_otel.review.rules.table import RULES


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print the rules as a JSON array.")
@click.option("--markdown", is_flag=True, help="Print the rules as a page of Markdown.")
def rules(*, as_json: bool, markdown: bool) -> None:
    """List the rules that records are held to."""
    if as_json and markdown:
        message = "choose one of --json and --markdown"
        raise click.UsageError(message)
    if markdown:
        click.echo(as_markdown(RULES), nl=False)
        return
    if as_json:
        fields = [field.name for field in dataclasses.fields(RULES[0]) if field.name != "check"]
        print_json([{name: getattr(rule, name) for name in fields} for rule in RULES])
        return
    for rule in RULES:
        click.echo(f"{rule.id}  ({rule.severity}, points to: {rule.layer})")
        click.echo(f"  {rule.summary}")
        click.echo(f"  example: {rule.example}")
        click.echo(f"  remedy: {rule.remedy}\n")
