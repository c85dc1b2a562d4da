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
    ("stream", "said"), [(Terminal, ("runs", str(EVERY), str(2 * EVERY))), (io.StringIO, ())], ids=["terminal", "file"]
)
def test_things_are_counted_on_terminals_alone(stream: type[io.StringIO], said: tuple[str, ...]) -> None:
    """They come through as they are, and only a terminal hears how many there were so far."""
    things, file = list(range(2 * EVERY + 1)), stream()
    assert list(counted(iter(things), "runs", terminal=file)) == things
    assert bool(file.getvalue()) == bool(said)
    for part in said:
        assert part in file.getvalue()
