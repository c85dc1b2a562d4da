"""``agent-otel near-miss``."""

from __future__ import annotations

from functools import partial
from typing import Final

import click

from agent_otel.cli.console import print_lines
from agent_otel.cli.moments import Moment
from agent_otel.cli.telling import Event, Said, Where, from_outside, masker, tell, where_options
from agent_otel.cli.words import Words
from agent_otel.compaction.evidence.near_misses import identity
from agent_otel.model import names
from agent_otel.model.record import RunRecord
from agent_otel.review.postmortems.layers import LAYERS

_INSIDE: Final = "a near-miss is what others caught of a run: inside of it, record a failure"


@click.command("near-miss")
@click.argument("run")
@click.option("--caught-by", required=True, type=Words(), metavar="WHO", help="Who caught it.")
@click.option("--what", required=True, type=Words(), metavar="TEXT", help="What would have gone wrong, in a sentence.")
@click.option("--file", "files", multiple=True, type=Words(), metavar="PATH", help="A file that it was in; several.")
@click.option("--layer", type=click.Choice([*LAYERS]), help="The layer that should have caught it before, if known.")
@click.option("--at", type=Moment(), help="When it was caught: 5m, or a time in UTC; by default now.")
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print what was marked as JSON.")
def near_miss(  # noqa: PLR0913 - one for each option
    *,
    run: str,
    caught_by: str,
    what: str,
    files: tuple[str, ...],
    layer: str | None,
    at: str | None,
    where: Where,
    as_json: bool,
) -> None:
    """Mark that of RUN only a reviewer caught something that every check let pass.

    RUN is a run id, the beginning of one, or "last"; with --endpoint the whole id. The record then says who caught
    what, and agent-otel incidents lists the run until a post-mortem is about it. The same marked again changes nothing.
    """
    mask = masker().mask
    who, caught, found = mask(caught_by)[0], mask(what)[0], tuple(mask(file)[0] for file in files)
    said = {
        names.NEAR_MISS_CAUGHT_BY: who,
        names.NEAR_MISS_WHAT: caught,
        names.NEAR_MISS_FILES: found,
        names.NEAR_MISS_LAYER: layer,
    }
    known = partial(_known, identity(who, caught, found, layer or ""))
    event = Event(name=names.NEAR_MISS, what="near-miss", say=partial(_said, said), known=known, at=at)
    done = tell(run, event, where)
    if as_json:
        done.print_json("near_miss")
    else:
        print_lines([f"near-miss, caught by {who}: {done.outcome(event.what)}"])


def _said(said: Said, run_id: str, _record: RunRecord | None) -> Said:
    from_outside(run_id, _INSIDE)
    return {names.RUN_ID: run_id, **said}


def _known(near_miss_id: str, record: RunRecord, _said: Said) -> bool:
    return any(entry.id == near_miss_id for entry in record.near_misses)
