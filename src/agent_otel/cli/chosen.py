"""The run that a command is about: one of a database or processor, or a record in a file, held to the contract."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from agent_otel.cli.contracts import contract_option, demanded
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.named import find_run
from agent_otel.errors import DecodeError
from agent_otel.model.contract import Contract
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import decode
from agent_otel.review.contracted import audit
from agent_otel.review.judge import judge

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


def run_options(command: Callable[..., object]) -> Callable[..., object]:
    """Adds RUN, ``--file``, ``--contract`` and where to read to a command, which gets the record as ``record``.

    The record is held to the contract: every command judges it as ``audit`` does.
    """

    @functools.wraps(command)
    def held(*, record: RunRecord, demands: Contract, **rest: Any) -> object:
        return command(record=audit(record, demands).record, **rest)

    return recorded_options(held)


def recorded_options(command: Callable[..., object]) -> Callable[..., object]:
    """As ``run_options``, for a command that asks what the run itself was told.

    It gets the record as it was recorded, and the contract as ``demands``.
    """

    @click.argument("run", required=False)
    @click.option("--file", type=READABLE, metavar="RECORD.json", help="Read the record from this file instead.")
    @contract_option
    @source_options
    @functools.wraps(command)
    def with_record(
        *, run: str | None, file: Path | None, contract: Path | None, source: Source, **rest: Any
    ) -> object:
        if file is not None and (run is not None or source.database or source.url):
            message = "--file is the record: leave out RUN, --db and --url"
            raise click.UsageError(message)
        record = read_record(file) if file else stored_record("last" if run is None else run, source)
        return command(record=record, demands=demanded(contract), **rest)

    return with_record


def stored_record(run: str, source: Source) -> RunRecord:
    """The record of a run at ``source``; see ``find_run``."""
    with existing_records(source) as records:
        return find_run(records, run)


def named_record(name: str, source: Source) -> RunRecord:
    """The record that a word stands for where a file is as good as a run: one that ends in ``.json`` is a file.

    What is a file does not depend on the files there are: a run must not turn into one that somebody left there.

    Raises:
        DecodeError: the file holds something else.
        NotFound: there is no such run, or more than one.
        OSError: there is no such file, or it cannot be read.
    """
    return read_record(Path(name)) if name.endswith(".json") else stored_record(name, source)


def read_record(file: Path) -> RunRecord:
    """The record in a file, judged anew: what a file says of its own verdicts is not taken for true.

    Raises:
        DecodeError: the file holds something else.
    """
    try:
        return judge(decode(file.read_bytes()))
    except DecodeError as exc:
        message = f"{file}: {exc}"
        raise DecodeError(message) from exc
