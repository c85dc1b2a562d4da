"""``agent-otel compact``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from agent_otel.cli.console import print_records, print_records_json, revision_option, warn
from agent_otel.cli.intake import Intake, intake_store
from agent_otel.cli.sources import files_in, requests_in
from agent_otel.errors import AgentOtelError, DecodeError, NotFound
from agent_otel.review.wording import count

LONG: Final = 4 << 20
"""Bytes of input from which progress is worth showing."""

_STANDARD_INPUT: Final = Path("-")


@click.command
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path)
)
@click.option(
    "--db",
    "database",
    metavar="URL",
    help="Store the telemetry in this database (a path, sqlite:///path) too, and print the records as they are there.",
)
@click.option("--strict", is_flag=True, help="Fail if any line or file could not be read.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as a JSON array.")
@revision_option
def compact(*, paths: tuple[Path, ...], database: str | None, strict: bool, as_json: bool, revision: bool) -> None:
    """Turn telemetry into run records and print them.

    PATH is a file of OTLP/JSON lines as the collector's file exporter writes them, an OTLP body in JSON or protobuf,
    any of these gzipped, a folder of such files, or - for standard input.
    """
    files = [file for path in paths for file in files_in(path)]
    with intake_store(database) as store:
        intake = Intake(store)
        _read(files, intake)
        if not intake.items:
            raise _nothing(files, intake)
        records = store.folded()
    if as_json:
        print_records_json(records, revision=revision)
    else:
        print_records(records)
    for problem in intake.problems:
        warn(problem)
    if intake.failures:
        message = f"could not use {count(intake.failures, 'part')} of the input"
        if strict:
            raise DecodeError(message)
        warn(message)


def _read(files: list[Path], intake: Intake) -> None:
    with _progress(files) as read:
        for file in files:
            name = "standard input" if file == _STANDARD_INPUT else str(file)
            with click.open_file(str(file), "rb") as opened:
                intake.take(requests_in(opened, name, read=read))


def _nothing(files: list[Path], intake: Intake) -> AgentOtelError:
    if intake.problems:
        more = f" (and {intake.failures - 1} more)" if intake.failures > 1 else ""
        return DecodeError(f"nothing could be read: {intake.problems[0]}{more}")
    return NotFound("no spans or log records in the input" if files else "no telemetry files in the folder")


@contextmanager
def _progress(files: list[Path]) -> Iterator[Callable[[int], object]]:
    """A progress bar on standard error, where that is a terminal and the input is long."""
    length = sum(file.stat().st_size for file in files if file != _STANDARD_INPUT)
    if length < LONG or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length, label="reading", file=sys.stderr) as bar:
        yield bar.update
