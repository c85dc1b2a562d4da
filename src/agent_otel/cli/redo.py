"""``agent-otel redo``."""

from __future__ import annotations

from functools import partial

import click

from agent_otel.cli.console import print_lines
from agent_otel.cli.telling import Event, Said, Where, tell, where_options
from agent_otel.cli.words import Words
from agent_otel.errors import SettingsError
from agent_otel.model import names
from agent_otel.model.record import RunRecord


@click.command
@click.argument("run")
@click.option("--of", required=True, type=Words(), metavar="RUN", help="The whole id of the run that it does again.")
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print what was said as JSON.")
def redo(*, run: str, of: str, where: Where, as_json: bool) -> None:
    """Say afterwards that RUN did another run again, which agent-otel run --redo-of says beforehand.

    RUN is a run id, the beginning of one, or "last"; with --endpoint the whole id. The other run need not be known yet.
    agent-otel incidents takes both for attempts at one task, of which the other failed.
    """
    event = Event(name=names.REDO, what="word", say=partial(_said, of), known=partial(_known, of))
    done = tell(run, event, where)
    if as_json:
        done.print_json("redo")
    else:
        print_lines([f"redo of {of}: {done.outcome(event.what)}"])


def _said(of: str, run_id: str, _record: RunRecord | None) -> Said:
    if of == run_id:
        message = f"no run is a redo of itself: {run_id}"
        raise SettingsError(message)
    return {names.RUN_ID: run_id, names.RUN_REDO_OF: of}


def _known(of: str, record: RunRecord, _said: Said) -> bool:
    return of in record.redo_of
