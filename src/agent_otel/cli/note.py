"""``agent-otel note``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import click

from agent_otel import settings
from agent_otel.cli.chosen import run_options
from agent_otel.cli.options import setting_options
from agent_otel.errors import SettingsError
from agent_otel.model.record import RunRecord
from agent_otel.review.links import Templates
from agent_otel.review.note import BUDGET, LEAST, note as note_of
from agent_otel.review.section import with_section


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSettings:
    """What a review note links to, and how long it may be."""

    trace_url: str = field(
        default="",
        metadata={
            "env": "AGENT_OTEL_TRACE_URL",
            "help": "where traces are looked at, with `{trace_id}` (and `{span_id}`) in it",
        },
    )
    output_url: str = field(
        default="",
        metadata={
            "env": "AGENT_OTEL_OUTPUT_URL",
            "help": "where outputs of commands are kept, with `{sha256}` in it",
        },
    )
    budget: int = field(
        default=BUDGET, metadata={"env": "AGENT_OTEL_NOTE_BUDGET", "help": "the most characters that a note may have"}
    )

    def __post_init__(self) -> None:
        if self.budget < LEAST:
            message = f"budget: expected at least {LEAST} characters, got {self.budget}"
            raise SettingsError(message)


@click.command
@run_options
@setting_options(NoteSettings)
@click.option(
    "--update-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Rewrite the marked section of the run in this file (or add it at the end), and print nothing.",
)
def note(*, record: RunRecord, update_file: Path | None, **given: object) -> None:
    """Print the review note of RUN as Markdown, for a pull request.

    RUN is a run id, the beginning of one, or "last". The note tells what decides: the verdicts on checks, what speaks
    against the run's own words, what is open, what was changed and where to look twice.
    """
    chosen = settings.read(NoteSettings, arguments=given, environ=os.environ)
    templates = Templates(trace=chosen.trace_url, output=chosen.output_url)
    text = note_of(record, templates=templates, budget=chosen.budget)
    if update_file is None:
        click.echo(text, nl=False)
        return
    before = update_file.read_bytes() if update_file.exists() else b""
    after = with_section(before, record.run_id, text)
    if after != before:
        update_file.write_bytes(after)
