"""Fixtures for the example's tests: its package, a workspace, a way to run an agent in it and see what was recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

# The package is found as `python examples/coding_agent` finds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from coding_agent.agent_run import AgentRun
from coding_agent.policy import Policy
from coding_agent.report import AgentRunReport
from coding_agent.workspace import EXPECTED, make_workspace

from agent_otel.sdk import state
from agent_otel.testing import Recorded, record_runs

Perform = Callable[[Policy], AgentRunReport]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A fresh copy of the repository that is to be repaired."""
    return make_workspace(tmp_path / "repo")


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """What is recorded during the test."""
    with record_runs() as found:
        # Commands take real time here, which a fixed clock does not see: their order would depend on who was quicker.
        state.install(replace(state.current(), clock=None))
        yield found


@pytest.fixture
def perform(workspace: Path, recorded: Recorded) -> Perform:  # noqa: ARG001 - nothing is recorded without it
    """Runs an agent with a policy, and gives its report."""
    return lambda policy: AgentRun(workspace, policy, expected=EXPECTED).execute()
