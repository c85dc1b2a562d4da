"""``agent-otel doctor``."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import click

from agent_otel.cli.console import print_json
from agent_otel.cli.database import database_option
from agent_otel.cli.symptoms import examine
from agent_otel.text.terminal import printable


@click.command
@database_option
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def doctor(context: click.Context, *, database: str | None, as_json: bool) -> None:
    """Look where telemetry goes and whether it arrives; fails if something is broken."""
    found = list(examine(environ=os.environ, folder=Path.cwd(), database=database))
    broken = any(symptom.status == "broken" for symptom in found)
    if as_json:
        print_json({"ok": not broken, "symptoms": [dataclasses.asdict(symptom) for symptom in found]})
    else:
        for symptom in found:
            click.echo(f"{symptom.status:<6}  {symptom.name}: {printable(symptom.value)}")
    context.exit(int(broken))
