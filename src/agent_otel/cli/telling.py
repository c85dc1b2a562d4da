"""How commands tell something of a run that is over: into its database, or to a processor or collector by OTLP."""

from __future__ import annotations

import functools
import getpass
import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import click
import msgspec

from agent_otel import settings
from agent_otel.cli.console import print_json
from agent_otel.cli.database import chosen_policy, database_option, existing_store, located
from agent_otel.cli.named import find_run
from agent_otel.cli.records import StoreRecords
from agent_otel.cli.sending import send_logs
from agent_otel.errors import SettingsError
from agent_otel.model import names
from agent_otel.model.record import RunRecord
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.statement import Value, statement
from agent_otel.service.fold import fold_due
from agent_otel.service.settings import RedactionSettings
from agent_otel.store.open import file_of
from agent_otel.text.redaction import Masker

Said = Mapping[str, Value | None]
"""What an event says; what is None, "" or empty was not said."""

_STATES: Final = {
    "added": "added to run {run}",
    "stored": "stored for run {run}: its processors fold it",
    "sent": "sent for run {run}",
    "known": "run {run} has this {what} already",
}


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where to tell it: the database or the endpoint that was named, or else the database of the working directory."""

    database: str | None = None
    endpoint: str | None = None
    token: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event about a run.

    ``say`` gives what it says, for the id of the run, and for its record where that is at hand; ``known`` is true where
    a record has it already. ``what`` is what people call it, and ``at`` when it happened, where that is not now.
    """

    name: str
    what: str
    say: Callable[[str, RunRecord | None], Said]
    known: Callable[[RunRecord, Said], bool]
    at: str | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was told of which run, and what became of it."""

    run_id: str
    state: str
    said: Said

    def outcome(self, what: str) -> str:
        """What became of it, in words."""
        return _STATES[self.state].format(run=self.run_id, what=what)

    def print_json(self, name: str) -> None:
        """Prints all of it for programs."""
        given = {key: value for key, value in self.said.items() if value not in (None, "", ())}
        print_json({"run_id": self.run_id, "state": self.state, name: msgspec.to_builtins(given)})


def where_options(command: Callable[..., object]) -> Callable[..., object]:
    """Adds ``--db``, ``--endpoint`` and ``--token`` to a command, which gets them as ``where``."""

    @click.option("--endpoint", metavar="URL", help="Send it by OTLP/HTTP to this processor or collector instead.")
    @click.option(
        "--token", envvar="AGENT_OTEL_TOKEN", default="", help="Shown to the endpoint; better set AGENT_OTEL_TOKEN."
    )
    @functools.wraps(command)
    def with_where(*, database: str | None, endpoint: str | None, token: str, **rest: Any) -> object:
        if database is not None and endpoint is not None:
            message = "choose one of --db and --endpoint"
            raise click.UsageError(message)
        return command(where=Where(database=database, endpoint=endpoint, token=token), **rest)

    return database_option(with_where)


def tell(run: str, event: Event, where: Where) -> Done:
    """Tells an event about a run. Twice equals once.

    Args:
        run: the run as it was named; to an endpoint, its whole id.
        event: what to tell.
        where: where to.

    Raises:
        NotFound: there is no such run, or no database.
        SettingsError: this is no endpoint, or it does not let us in.
        StoreError: the database or the endpoint did not take it.
    """
    if where.endpoint is not None:
        said = event.say(run, None)
        send_logs(where.endpoint, _request(event, said), token=where.token)
        return Done(run_id=run, state="sent", said=said)
    with existing_store(where.database) as store:
        record = find_run(StoreRecords(store), run)
        said = event.say(record.run_id, record)
        if event.known(record, said):
            return Done(run_id=record.run_id, state="known", said=said)
        store.put(items_from_protobuf(_request(event, said), "log").items)
        if file_of(located(where.database)) is None:
            # A database of another kind has processors, whose work it is to fold.
            return Done(run_id=record.run_id, state="stored", said=said)
        fold_due(store, now_ns=time.time_ns(), policy=chosen_policy())
        return Done(run_id=record.run_id, state="added", said=said)


def from_outside(run_id: str, message: str) -> None:
    """Holds that a run does not tell of itself what others have to tell.

    Raises:
        SettingsError: this process is a part of the run; says so in these words.
    """
    if os.environ.get(names.ENV_RUN) == run_id:
        raise SettingsError(message)


def user() -> str:
    """The name of the user of this process; "" where there is none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def masker() -> Masker:
    """What masks secrets before they are told."""
    chosen = settings.read(RedactionSettings, environ=os.environ)
    return Masker(key=chosen.redaction_key.encode())


def _request(event: Event, said: Said) -> bytes:
    when = datetime.fromisoformat(event.at.replace("Z", "+00:00")) if event.at else None
    time_ns = round(when.timestamp() * 1000) * 1_000_000 if when else time.time_ns()
    return statement(event.name, said, time_ns=time_ns)
