"""``agent-otel serve``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from agent_otel import settings
from agent_otel.cli.console import print_json_line
from agent_otel.cli.options import setting_options
from agent_otel.errors import MissingExtra
from agent_otel.service.settings import ProcessorSettings, read_file
from agent_otel.store.locate import find_database

if TYPE_CHECKING:
    from agent_otel.service.serve import Listening

NEEDED: Final = ("httptools", "prometheus_client", "structlog", "uvicorn")
"""What ``agent-otel[processor]`` installs."""


SettingsT = TypeVar("SettingsT", bound=ProcessorSettings)

config_option: Final = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file with the same settings in a table [processor].",
)


@click.command
@setting_options(ProcessorSettings)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print where it listens as one line of JSON.")
def serve(*, config: Path | None, as_json: bool, **given: Any) -> None:
    """Receive OTLP, keep it, and fold it into run records, until SIGTERM or Ctrl-C."""
    chosen = chosen_settings(ProcessorSettings, config, given)

    def announce(listening: Listening) -> None:
        if as_json:
            print_json_line(listening)
        else:
            where = [
                *(f"OTLP/HTTP on {each}" for each in listening.http),
                *(f"OTLP/gRPC on {each}" for each in listening.grpc),
            ]
            click.echo(f"agent-otel: {', '.join(where)}; records in {listening.db}")

    service()(chosen, announce=announce)


def chosen_settings(cls: type[SettingsT], config: Path | None, given: Mapping[str, Any]) -> SettingsT:
    """The settings from flags, environment and file; the database is that of the working directory if none is named.

    Raises:
        SettingsError: they cannot be.
    """
    file_values = read_file(config) if config is not None else {}
    chosen = settings.read(cls, arguments=given, environ=os.environ, file_values=file_values)
    return chosen if chosen.db else replace(chosen, db=str(find_database(Path.cwd(), os.environ)))


def service() -> Any:
    """The function that runs a processor.

    Raises:
        MissingExtra: what it needs is not installed.
    """
    try:
        from agent_otel.service.serve import serve as run  # noqa: PLC0415 - needs what only this command needs
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] not in {*NEEDED, "opentelemetry"}:
            raise
        what = "The processor"
        raise MissingExtra(what, exc.name, extra="processor") from exc
    return run
