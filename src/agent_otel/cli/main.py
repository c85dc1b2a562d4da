"""``agent-otel``: the commands together, and the one place where errors become exit codes."""

from __future__ import annotations

import click

from agent_otel.cli.audit import audit
from agent_otel.cli.compact import compact
from agent_otel.cli.consume import consume
from agent_otel.cli.contract import contract
from agent_otel.cli.diagnose import diagnose
from agent_otel.cli.dialects import dialects
from agent_otel.cli.diff import diff
from agent_otel.cli.digest import digest
from agent_otel.cli.doctor import doctor
from agent_otel.cli.evidence import evidence
from agent_otel.cli.exec import exec_
from agent_otel.cli.export import export
from agent_otel.cli.incidents import incidents
from agent_otel.cli.near_miss import near_miss
from agent_otel.cli.note import note
from agent_otel.cli.postmortem import postmortem
from agent_otel.cli.recompact import recompact
from agent_otel.cli.record import record
from agent_otel.cli.redo import redo
from agent_otel.cli.report import report
from agent_otel.cli.review import review
from agent_otel.cli.rules import rules
from agent_otel.cli.run import run
from agent_otel.cli.runs import runs
from agent_otel.cli.serve import serve
from agent_otel.cli.show import show
from agent_otel.cli.verify import verify
from agent_otel.errors import AgentOtelError, SettingsError
from agent_otel.sdk.state import VERSION
from agent_otel.text.terminal import printable, uncommanding


class Failure(click.ClickException):
    """An error of ours on its way to standard error; messages may quote what a run said."""

    def format_message(self) -> str:
        """The message, made inert."""
        return uncommanding(printable(self.message, keep_newlines=True))


class Misuse(Failure):
    """An error that the user's settings or arguments cause."""

    exit_code = 2


class Commands(click.Group):
    """A group whose commands may raise ``AgentOtelError``, or meet a file they cannot read."""

    def invoke(self, ctx: click.Context) -> object:
        """Runs the chosen command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader has seen enough; click ends quietly
            raise
        except SettingsError as exc:
            raise Misuse(str(exc)) from exc
        except (AgentOtelError, OSError) as exc:
            raise Failure(str(exc)) from exc


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION or "unknown", prog_name="agent-otel")
def main() -> None:
    """Run records of coding agents: what the agent knew, what it did, why it believed it was done."""


READING = (
    runs, show, note, audit, verify, diagnose, incidents, postmortem, review, contract, digest, diff, export, report,
    record, rules, dialects, doctor,
)  # fmt: skip
MAKING = (run, exec_, evidence, near_miss, redo, compact, recompact, serve, consume)

for command in (*READING, *MAKING):
    main.add_command(command)
