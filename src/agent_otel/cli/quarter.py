"""The quarterly review from where its parts are: pages in a folder, the history around it, and runs that pages name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from agent_otel.cli.contracts import Found, contract_at, nearest_contract
from agent_otel.cli.harness import harness_at
from agent_otel.cli.pages import FOLDER, all_pages, landed_in
from agent_otel.model.record import RunRecord
from agent_otel.review.contracted import audit
from agent_otel.review.quarter.build import Pages, Period, review
from agent_otel.review.quarter.seen import Seen, seen
from agent_otel.review.quarter.shape import Review

postmortems_option = click.option(
    "--postmortems",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    metavar="FOLDER",
    help="Where the pages are.",
)

Lookup = Callable[[str], RunRecord | None]
"""Gives the record of a run; None where there is none."""


def contract_found(file: Path | None) -> Found:
    """The contract in a file, or else the nearest one upwards, with the file that it stands in.

    Raises:
        SettingsError: a file cannot be read, or is no contract.
    """
    return Found(contract_at(file), file) if file else nearest_contract(Path.cwd())


def reviewed(runs: Iterable[RunRecord], found: Found) -> Iterator[Seen]:
    """What the review needs of the runs, each held to the contract."""
    for record in runs:
        digest = seen(audit(record, found.contract))
        if digest is not None:
            yield digest


def quarter(runs: list[Seen], period: Period, *, lookup: Lookup, folder: Path, found: Found) -> Review:
    """The review.

    Args:
        runs: those of the period.
        period: what is reviewed.
        lookup: finds runs that pages are about and the period does not have.
        folder: where the pages are.
        found: the contract, and where it stands.
    """
    written, unread = all_pages(folder)
    named = {run for each in written for run in each.page.runs} - {run.case.run_id for run in runs}
    others = filter(None, map(lookup, sorted(named)))
    pages = Pages(
        written=written,
        other_runs=list(reviewed(others, found)),
        unread=unread,
        harness=harness_at(folder if folder.is_dir() else Path.cwd(), found),
    )
    return review(runs, pages, period, limits=found.contract.incidents, landed=landed_in(folder))
