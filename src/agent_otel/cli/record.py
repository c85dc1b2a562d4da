"""``agent-otel record``."""

from __future__ import annotations

import click

from agent_otel.cli.console import print_json
from agent_otel.model.record import json_schema


@click.group
def record() -> None:
    """About run records as documents."""


@record.command
def schema() -> None:
    """Print the JSON Schema of run records."""
    print_json(json_schema())
