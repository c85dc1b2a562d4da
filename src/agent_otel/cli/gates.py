"""Commands whose exit code is an answer: 0 and 1 say what was found, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from agent_otel.errors import AgentOtelError
from agent_otel.text.terminal import printable, uncommanding


class NotJudged(click.ClickException):
    """There is nothing to tell of; a gate must take that neither for a failure nor for a pass."""

    exit_code = 2

    def format_message(self) -> str:
        """The message, made inert."""
        return uncommanding(printable(self.message, keep_newlines=True))


@contextmanager
def gated() -> Iterator[None]:
    """Ends the program with exit code 2 where what is inside cannot judge; decorates a command, too."""
    try:
        yield
    except (AgentOtelError, OSError) as exc:
        raise NotJudged(str(exc)) from exc
