"""``agent-otel serve``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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


@click.command
@setting_options(ProcessorSettings)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file with the same settings in a table [processor].",
)
@click.option("--json", "as_json", is_flag=True, help="Print where it listens as one line of JSON.")
def serve(*, config: Path | None, as_json: bool, **given: Any) -> None:
    """Receive OTLP, keep it, and fold it into run records, until SIGTERM or Ctrl-C."""
    chosen = settings.read(
        ProcessorSettings,
        arguments=given,
        environ=os.environ,
        file_values=read_file(config) if config is not None else {},
    )
    if not chosen.db:
        chosen = replace(chosen, db=str(find_database(Path.cwd(), os.environ)))

    def announce(listening: Listening) -> None:
        if as_json:
            print_json_line(listening)
        else:
            where = [
                *(f"OTLP/HTTP on {each}" for each in listening.http),
                *(f"OTLP/gRPC on {each}" for each in listening.grpc),
            ]
            click.echo(f"agent-otel: {', '.join(where)}; records in {listening.db}")

    _service()(chosen, announce=announce)


def _service() -> Any:
    try:
        from agent_otel.service.serve import serve as run  # noqa: PLC0415 - needs what only this command needs
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] not in {*NEEDED, "opentelemetry"}:
            raise
        what = "The processor"
        raise MissingExtra(what, exc.name, extra="processor") from exc
    return run
