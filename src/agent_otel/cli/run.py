"""``agent-otel run``."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agent_otel import settings
from agent_otel.cli.console import print_json, print_record, warn
from agent_otel.cli.contracts import demanded
from agent_otel.cli.database import database_option, located
from agent_otel.cli.remote import RemoteRecords, TlsSettings
from agent_otel.cli.serve import NEEDED
from agent_otel.cli.words import Words
from agent_otel.errors import AgentOtelError, MissingExtra, SettingsError
from agent_otel.launch.child import status_of
from agent_otel.launch.destination import Destination, Elsewhere, Here
from agent_otel.launch.environment import diverted
from agent_otel.launch.harness import Launch, NotStarted, Order
from agent_otel.launch.presets import PRESETS
from agent_otel.launch.waiting import final_record
from agent_otel.model.record import RunRecord, to_builtins
from agent_otel.review.contracted import audit

if TYPE_CHECKING:
    from agent_otel.service.local import LocalReceiver

REMOTE_S: Final = 8.0
"""How long a processor at ``--endpoint`` is given to fold the run."""


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--endpoint", metavar="URL", help="Send to this OTLP/HTTP endpoint; no receiver is started here.")
@click.option(
    "--agent",
    default="",
    metavar="NAME",
    help=f"What kind of agent it is, where its program does not tell: {', '.join(each.name for each in PRESETS)}, or "
    "any other name.",
)
@click.option("--content", is_flag=True, help="Ask the agent for prompts, arguments and results, too.")
@click.option(
    "--contract",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file with what the run is held to: scope, required checks, budgets.",
)
@click.option("--task", metavar="TEXT", help="What the agent is to do, in a sentence.")
@click.option("--redo-of", type=Words(), metavar="RUN", help="The id of the run that this one does again.")
@database_option
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON to standard output, at the end.")
@click.option("--show/--no-show", default=True, help="Print the record to standard error, at the end (the default).")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    *,
    endpoint: str | None,
    agent: str,
    content: bool,
    contract: Path | None,
    task: str | None,
    redo_of: str | None,
    database: str | None,
    as_json: bool,
    show: bool,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND, any agent, under instruments: agent-otel run -- claude -p "fix the test".

    Its telemetry, the state of the repository before and after, and its exit code make one record. It keeps its
    terminal, gets the signals, and its exit code is passed on.
    """
    if endpoint is not None and database is not None:
        message = "choose one of --endpoint and --db"
        raise click.UsageError(message)
    try:
        launch = Launch(
            Order(command=command, agent=agent, task=task, contract=contract, content=content, redo_of=redo_of or "")
        )
        destination: Destination = (
            Elsewhere(endpoint) if endpoint else Here(located(database), local_receiver(), launch.arrive)
        )
        if endpoint is None and diverted(os.environ):
            warn(
                "OTEL_* variables send telemetry elsewhere; for this run the agent sends here (--endpoint sends there)"
            )
        for remark in launch.remarks():
            warn(remark)
        with closing(destination):
            code = launch.run(destination)
            record = destination.record(launch.run_id)
        if endpoint is not None:
            record = _remote(endpoint, launch.run_id)
    except NotStarted as exc:
        warn(str(exc))
        ctx.exit(exc.status)
    for line in destination.trouble().splitlines():
        warn(line)
    if record is None:
        warn(f"the record of run {launch.run_id} is not here; it will be where the telemetry went")
    else:
        _tell(_held(record, contract), as_json=as_json, show=show)
    ctx.exit(status_of(code))


def local_receiver() -> type[LocalReceiver]:
    """The receiver of ``agent-otel run``.

    Raises:
        MissingExtra: what it needs is not installed.
    """
    try:
        from agent_otel.service.local import LocalReceiver  # noqa: PLC0415 - needs what a base installation has not
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] not in {*NEEDED, "opentelemetry"}:
            raise
        what = "agent-otel run without --endpoint"
        raise MissingExtra(what, exc.name, extra="processor") from exc
    return LocalReceiver


def _remote(endpoint: str, run_id: str) -> RunRecord | None:
    """The record, where a processor of ours listens at the endpoint."""
    try:
        tls = settings.read(TlsSettings, environ=os.environ)
        with closing(RemoteRecords(endpoint, token=os.environ.get("AGENT_OTEL_TOKEN", ""), tls=tls)) as remote:
            return final_record(lambda: remote.record(run_id), timeout_s=REMOTE_S)
    except AgentOtelError:  # a collector, most likely
        return None


def _held(record: RunRecord, contract: Path | None) -> RunRecord:
    """The record as the other commands will tell it; what the agent did to the contract does not lose it."""
    try:
        return audit(record, demanded(contract)).record
    except SettingsError as exc:
        warn(str(exc))
        return record


def _tell(record: RunRecord, *, as_json: bool, show: bool) -> None:
    if show and not as_json:
        print_record(record, file=sys.stderr)
    if as_json:
        print_json(to_builtins(record))
