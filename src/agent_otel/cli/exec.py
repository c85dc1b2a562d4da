"""``agent-otel exec``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final, NoReturn

import click
from opentelemetry import context as otel_context

from agent_otel.cli.console import warn
from agent_otel.configuration import configure
from agent_otel.errors import AgentOtelError
from agent_otel.launch.child import NOT_EXECUTABLE, Child, refusal, status_of
from agent_otel.launch.watched import run_watched
from agent_otel.sdk.context import leave, with_run
from agent_otel.sdk.joined import JoinedRun, is_inside
from agent_otel.sdk.process_context import rooted

SERVICE: Final = "agent-otel"


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.option("--name", metavar="NAME", help="The check that this command is; recorded as a verification, too.")
@click.option("--report", multiple=True, metavar="FILE", help="A report that COMMAND writes, to bind it by its digest.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def exec_(ctx: click.Context, *, name: str | None, report: tuple[str, ...], command: tuple[str, ...]) -> None:
    """Run COMMAND and record it on the run around it: agent-otel exec -- pytest -q.

    For scripts, hooks and Makefiles inside of a run, which AGENT_OTEL_RUN or TRACEPARENT names: exit code, duration,
    the end and the digest of the output, and the git tree it ran on. Outside of any run the command just runs.
    """
    if not is_inside(os.environ):
        warn("not inside of a run: the command is not recorded")
        _become(command)
    try:
        telemetry = configure(SERVICE)
    except AgentOtelError as exc:  # whoever calls this in a hook wants his command to run
        warn(f"the command is not recorded: {exc}")
        _become(command)
    child, run = Child(), JoinedRun()
    token = otel_context.attach(with_run(run, rooted(otel_context.get_current())))
    try:
        with child.signals():
            result = run.watch(command, partial(run_watched, child), reports=report)
            if name:
                run.verification(name, evidence=result)
    finally:
        leave(token)
        run.close_tree()
        telemetry.shutdown()
    if result.exit_code is None:
        _refuse(command)
    ctx.exit(status_of(result.exit_code))


def _become(command: Sequence[str]) -> NoReturn:
    """Puts the command in the place of this process: nothing stands between it and its terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - that is what was asked for
    except OSError:
        _refuse(command)


def _refuse(command: Sequence[str]) -> NoReturn:
    """Says as a shell does that the command cannot be started."""
    why, status = refusal(command[0]) or ("cannot be run", NOT_EXECUTABLE)
    warn(f"{command[0]}: {why}")
    raise click.exceptions.Exit(status)
