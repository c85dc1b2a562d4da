"""``agent-otel postmortem``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from agent_otel.cli.console import print_json, print_lines
from agent_otel.cli.contracts import contract_option, demanded
from agent_otel.cli.database import Source, existing_records, source_options
from agent_otel.cli.days import today as this_day, today_option
from agent_otel.cli.gates import gated
from agent_otel.cli.named import find_run
from agent_otel.cli.pages import FOLDER, landed_in, page_at, page_files
from agent_otel.errors import DecodeError, SettingsError
from agent_otel.review.contracted import audit
from agent_otel.review.incidents.find import trigger_of
from agent_otel.review.postmortems.check import problems
from agent_otel.review.postmortems.page import TRIGGERS, Frame, failed_on, page as page_of, title
from agent_otel.review.wording import count

_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 50


@click.group
def postmortem() -> None:
    """About the pages that are written when a run went wrong."""


@postmortem.command
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@click.option("--trigger", type=click.Choice(TRIGGERS), help="Why it is written; by default what the records show.")
@click.option("--owner", default="", metavar="WHO", help="Who sees to it that the changes land.")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, show_default=True,
    help="Where the pages are.",
)  # fmt: skip
@today_option
@contract_option
@source_options
def new(  # noqa: PLR0913 - one for each option
    *,
    runs: tuple[str, ...],
    trigger: str | None,
    owner: str,
    folder: Path,
    today: date | None,
    contract: Path | None,
    source: Source,
) -> None:
    """Write the page about RUN, or several, as far as their records know.

    RUN is a run id, the beginning of one, or "last". What only a human can write is marked TODO. A page that is there
    already is left as it is, and that is an error.
    """
    demands = demanded(contract)
    with existing_records(source) as records:
        audits = [audit(find_run(records, run), demands) for run in runs]
    known = {each.record.run_id: each for each in audits}
    found = [each.record for each in known.values()]
    written = today or this_day()
    why = trigger or trigger_of(known.values(), demands.incidents)
    text = page_of(found, Frame(trigger=why, written=written, owner=owner))
    name = _NOT_SLUG.sub("-", title(found).lower()).strip("-")[:_LONGEST].strip("-") or "run"
    file = folder / f"{failed_on(found, trigger=why) or written.isoformat()}-{name}.md"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as exc:
        message = f"{file}: is there already"
        raise SettingsError(message) from exc
    print_lines([str(file)])


@postmortem.command
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=FOLDER, required=False)
@today_option
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@click.pass_context
def check(ctx: click.Context, *, folder: Path, today: date | None, as_json: bool) -> None:
    """Check the pages in FOLDER: whole, short, written in time, and their changes landed.

    A change names a file: the history of the repository shows whether it was changed since the page was written. Exits
    with 0 where all is well, with 1 where something is not, with 2 where it was not asked right.
    """
    with gated():
        day = today or this_day()
        found = {file.name: list(_problems(file, day)) for file in page_files(folder)}
    if as_json:
        print_json({"pages": found})
    else:
        print_lines(_told(found))
    ctx.exit(int(any(found.values())))


def _problems(file: Path, today: date) -> Iterator[str]:
    try:
        page = page_at(file)
    except DecodeError as exc:
        yield str(exc)
        return
    yield from problems(page, today=today, landed=landed_in(file.parent))


def _told(found: dict[str, list[str]]) -> Iterator[str]:
    for name, wrong in found.items():
        yield f"{name}: {count(len(wrong), 'problem') if wrong else 'all is well'}"
        yield from (f"  {problem}" for problem in wrong)
    yield count(len(found), "page")
