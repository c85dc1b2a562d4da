"""How far long work is, on terminals."""

from __future__ import annotations

import io

import pytest

from agent_otel.cli.progress import EVERY, counted


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """See ``TextIO.isatty``."""
        return True


@pytest.mark.parametrize(
    ("stream", "said"),
    [(Terminal, f"\rruns: {EVERY}\rruns: {2 * EVERY}\r\x1b[K"), (io.StringIO, "")],
    ids=["terminal", "file"],
)
def test_things_are_counted_on_terminals_alone(stream: type[io.StringIO], said: str) -> None:
    """They come through as they are, and at the end the line is empty again."""
    things, file = list(range(2 * EVERY + 1)), stream()
    assert list(counted(things, "runs", terminal=file)) == things
    assert file.getvalue() == said
