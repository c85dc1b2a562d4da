"""What became of a command, as a value, and as the attributes of ``command_run``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agent_otel.model import names
from agent_otel.model.record import CommandResult as ResultWord
from agent_otel.sdk.attributes import Tail
from agent_otel.text.sanitise import clean

REQUIRED: Final = (names.COMMAND_LINE, names.COMMAND_RESULT, names.COMMAND_DURATION)
"""Attributes without which ``command_run`` is incomplete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a command.

    ``result`` is ``passed`` (exit code 0), ``failed``, ``timed_out``, ``not_started`` (no such program), ``denied`` or
    ``unknown``. ``exit_code`` is negative for a signal and None where there was none. ``output`` is what it printed
    (standard output and error, in order; the middle is cut past a megabyte), ``output_sha256`` the digest of all of
    it. ``tree`` is the git tree it ran on, "" where not recorded. ``id`` is what evidence refers to.
    """

    id: str
    command: str
    result: ResultWord
    exit_code: int | None = None
    duration_s: float = 0.0
    output: str = ""
    output_bytes: int = 0
    output_sha256: str = ""
    tree: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ended with exit code 0."""
        return self.result == "passed"


def described(line: str, output: bytes, *, identity: str, **fields: Any) -> CommandResult:
    """A result, from what the command printed."""
    text = clean(output.decode("utf-8", "replace"))
    return CommandResult(id=identity, command=line, output=text, **{"output_bytes": len(output), **fields})


def values_of(described: CommandResult, *, observer: str = "harness") -> dict[str, Any]:
    """The attributes of ``command_run``."""
    return {
        names.COMMAND_ID: described.id,
        names.COMMAND_LINE: described.command,
        names.COMMAND_RESULT: described.result,
        names.PROCESS_EXIT_CODE: described.exit_code,
        names.COMMAND_DURATION: described.duration_s,
        names.COMMAND_OBSERVER: observer,
        names.COMMAND_TREE: described.tree,
        names.COMMAND_OUTPUT_BYTES: described.output_bytes if described.output_sha256 else None,
        names.COMMAND_OUTPUT_DIGEST: described.output_sha256,
        names.COMMAND_OUTPUT_TAIL: Tail(described.output),
    }


def result_of(exit_code: int | None) -> ResultWord:
    """The result an exit code means."""
    if exit_code is None:
        return "unknown"
    return "passed" if exit_code == 0 else "failed"
