"""What the commands print, and how: colour on terminals only, JSON that cannot move a cursor, warnings aside."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

import click
import msgspec

from agent_otel import settings
from agent_otel.model.record import RunRecord, to_builtins
from agent_otel.review.text import as_text
from agent_otel.text.terminal import printable, uncommanding

WIDEST: Final = 120
"""Wider lines are hard to read, however wide the terminal."""

revision_option: Final = click.option(
    "--revision/--no-revision",
    default=True,
    help="Leave out how often a record was folded, which depends on when its telemetry came.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """How the terminal wants to be written to (no-color.org, force-color.org)."""

    no_color: str = field(default="", metadata={"env": "NO_COLOR", "help": "set to anything: no colours"})
    force_color: str = field(default="", metadata={"env": "FORCE_COLOR", "help": "set to anything: always colours"})
    term: str = field(default="", metadata={"env": "TERM", "help": "kind of terminal; dumb ones get no colours"})


def wants_colour(*, is_terminal: bool, chosen: ConsoleSettings) -> bool:
    """Whether to colour what is written; ``NO_COLOR`` wins over ``FORCE_COLOR``, as in CPython."""
    if chosen.no_color:
        return False
    return bool(chosen.force_color) or (is_terminal and chosen.term != "dumb")


def print_records(records: Iterable[RunRecord]) -> None:
    """Prints records for people, a line between two."""
    for number, record in enumerate(records):
        if number:
            click.echo("\n" + "─" * _width() + "\n")
        print_record(record, file=sys.stdout)


def print_record(record: RunRecord, *, file: TextIO) -> None:
    """Prints one record for people to a stream."""
    colour = wants_colour(is_terminal=file.isatty(), chosen=settings.read(ConsoleSettings, environ=os.environ))
    click.echo(as_text(record, colour=colour, width=_width()), file=file, nl=False, color=colour)


def _width() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns, WIDEST)


def print_lines(lines: Iterable[str]) -> None:
    """Prints lines for people that may quote a run or a file: inert for terminals, and for runners of jobs."""
    for line in lines:
        click.echo(uncommanding(printable(line)))


def print_json(value: Any) -> None:
    """Prints JSON in ASCII: what a run said reaches no terminal as a control character, not even in JSON."""
    click.echo(json_of(value), nl=False)


def json_of(value: Any) -> str:
    """What ``print_json`` prints."""
    return _inert(value, indent=2) + "\n"


def print_json_line(value: Any) -> None:
    """Prints a value as one line, at once: whoever reads it may be waiting for it."""
    click.echo(_inert(msgspec.to_builtins(value)))
    sys.stdout.flush()


def print_records_json(records: Iterable[RunRecord], *, revision: bool = True) -> None:
    """Prints records as one JSON array, each as it comes; with their revisions or without."""
    opened = False
    for record in records:
        text = _inert(_plain(record, revision=revision), indent=2).replace("\n", "\n  ")
        click.echo(f"{',' if opened else '['}\n  {text}", nl=False)
        opened = True
    click.echo("\n]" if opened else "[]")


def print_records_lines(records: Iterable[RunRecord], *, revision: bool = True) -> None:
    """Prints records as JSON, one a line, each as it comes; with their revisions or without."""
    for record in records:
        click.echo(_inert(_plain(record, revision=revision)))


def _plain(record: RunRecord, *, revision: bool) -> dict[str, Any]:
    plain = to_builtins(record)
    if not revision:
        del plain["revision"]
    return plain


def _inert(value: Any, *, indent: int | None = None) -> str:
    # ASCII has one control character that JSON leaves as it is; it can only stand inside a string.
    return json.dumps(value, indent=indent, ensure_ascii=True).replace("\x7f", "\\u007f")


def warn(message: str) -> None:
    """Says on standard error what the reader should know beside the result."""
    click.echo(f"agent-otel: {printable(message)}", err=True)
