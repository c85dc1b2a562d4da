"""``agent-otel export``."""

from __future__ import annotations

import click
from msgspec.structs import replace

from agent_otel.cli.console import print_records_json, print_records_lines, revision_option
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.queries import query_options
from agent_otel.cli.records import ALL
from agent_otel.store.base import RecordQuery


@click.command
@source_options
@query_options
@revision_option
@click.option(
    "--json/--jsonl", "as_array", default=True, help="Print a JSON array (the default), or one record on each line."
)
def export(*, source: Source, query: RecordQuery, revision: bool, as_array: bool) -> None:
    """Print the record of every run, the earliest first.

    With --no-revision, the same telemetry gives the same output, byte for byte: whatever order and number of pieces
    it came in, and how often it came.
    """
    with existing_records(source) as records:
        found = records.records(replace(query, limit=ALL, earliest_first=True))
        (print_records_json if as_array else print_records_lines)(found, revision=revision)
