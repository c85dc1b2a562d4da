"""How things are said in findings and renderings: a command with its result, a length of time, a number of things."""

from __future__ import annotations

from typing import Final

from agent_otel.model.record import Command, CommandResult

RESULTS: Final[dict[CommandResult, str]] = {
    "passed": "passed",
    "failed": "failed",
    "timed_out": "timed out",
    "denied": "denied, never ran",
    "not_started": "could not be started",
    "unknown": "result not recorded",
}

_MINUTE: Final = 60
_HOUR: Final = 3600


def duration(seconds: float) -> str:
    """A length of time in the unit that reads best, such as ``8.1 s`` or ``12 min 14 s``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{seconds:.1f} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"


def result(command: Command) -> str:
    """What came of a command, such as ``failed (exit 1, 8.1 s)``."""
    details = []
    if command.exit_code is not None:
        details.append(f"exit {command.exit_code}")
    if command.duration_s is not None:
        details.append(duration(command.duration_s))
    return RESULTS[command.result] + (f" ({', '.join(details)})" if details else "")


def line(command: Command) -> str:
    """A command and its result, such as ``pnpm test auth-guard: failed (exit 1, 8.1 s)``."""
    return f"{command.command}: {result(command)}"


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def shortened(text: str, most: int) -> str:
    """The beginning of a text in at most ``most`` characters, with an ellipsis where something was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
