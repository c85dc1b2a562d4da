"""The benchmark of the commands over many runs: it works, and measures something."""

from __future__ import annotations

import pytest
from quarter import COMMANDS, measured


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_measured(command: str, kept: str) -> None:
    """As programs of their own, over a database of each kind."""
    cost = measured(COMMANDS[command], kept)
    assert cost.keys() == {"wall clock, s", "CPU, s", "peak memory, MB"}
    assert min(cost.values()) > 0


def test_a_command_that_fails_is_no_measurement(kept: str) -> None:
    """Otherwise it would be the quickest."""
    with pytest.raises(SystemExit, match="exited with 2"):
        measured(("incidents", "--nothing"), kept)
