"""Decides what to do next: the seam where a model plugs in, and a policy that needs none.

The fixed policy works from observations alone, as a model would: it lists the repository, runs the tests, reads the
test that fails and the module it is about, repairs the bounds of a range, and runs the tests again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

import agent_otel


@dataclass(frozen=True, slots=True)
class Call:
    """A tool to be called. ``phase`` says what the policy is about, for people."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The policy's word that nothing is left to do, which the harness believes only as far as the checks show it."""

    status: str
    next_action: str
    look_twice: tuple[str, ...] = ()


Action = Call | Finish


@dataclass(frozen=True, slots=True)
class Observation:
    """What a policy sees: the text a tool gave (cut to the token budget), and the command where one was run."""

    text: str
    command: agent_otel.CommandResult | None = None


class Policy(Protocol):
    """The one seam for a model: put the observation into a conversation, and its answer into an action."""

    def next_action(self, observation: Observation) -> Action:
        """Gives the next action. The first observation is the task; each further one is what the last call gave."""


class State(Enum):
    """Where the fixed policy stands."""

    SURVEY = "SURVEY"
    RUN_TESTS = "RUN_TESTS"
    INSPECT = "INSPECT"
    FIX = "FIX"
    VERIFY = "VERIFY"


TEST: Final = ("python3", "-m", "unittest", "tests.test_fizz")


class CodingAgentPolicy:
    """Repairs a range that stops one short. Same observations, same actions."""

    def __init__(self) -> None:
        self.state = State.SURVEY
        self._source = ""
        self._steps: Mapping[State, Callable[[Observation], Action]] = {
            State.SURVEY: self._survey,
            State.RUN_TESTS: self._run_tests,
            State.INSPECT: self._inspect,
            State.FIX: self._fix,
            State.VERIFY: self._verify,
        }

    def next_action(self, observation: Observation) -> Action:
        """Gives the next action; see ``Policy``."""
        return self._steps[self.state](observation)

    def _survey(self, seen: Observation) -> Action:
        """Looks around, then reads what the code promises."""
        if "README.md" not in seen.text.splitlines():
            return self._call("list_files")
        action = self._call("read_file", path="README.md", why="what fizz promises")
        self.state = State.RUN_TESTS
        return action

    def _run_tests(self, _: Observation) -> Action:
        action = self._call("run_command", argv=TEST)
        self.state = State.INSPECT
        return action

    def _inspect(self, seen: Observation) -> Action:
        """Follows the failure to its test, and the test to the module it imports first."""
        if seen.command is not None:
            if seen.command.passed:
                return Finish("nothing to do", next_action="close the task: the tests pass as they are")
            agent_otel.failure(
                command=seen.command,
                error=_last_match(r"^AssertionError: (.+)$", seen.text),
                suspected_cause="the game ends one number early",
            )
            return self._call("read_file", path="tests/test_fizz.py", why="the test that fails")
        self._source = _first_match(r"^from (src\.\w+) import", seen.text).replace(".", "/") + ".py"
        action = self._call("read_file", path=self._source, why="the module that the failing test calls")
        self.state = State.FIX
        return action

    def _fix(self, seen: Observation) -> Action:
        """Makes the range include its limit."""
        bounds = _first_match(r"range\(1, (\w+)\)", seen.text)
        if not bounds:
            return Finish("gave up", next_action=f"look at {self._source}: no range that stops one short")
        old, new = f"range(1, {bounds})", f"range(1, {bounds} + 1)"
        agent_otel.decision(
            f"count to the limit itself: {new}",
            alternatives={
                "pass limit + 1 at every call": "README.md promises both ends to every caller",
                "expect 14 words in the test": "tests are out of scope, and README.md agrees with them",
            },
            based_on=["README.md"],
        )
        action = self._call("edit_file", path=self._source, old=old, new=new)
        self.state = State.VERIFY
        return action

    def _verify(self, seen: Observation) -> Action:
        """Runs the tests on what is there now, and stops: whether they passed is for the harness to say."""
        if seen.command is None:
            return self._call("run_command", argv=TEST)
        status = "fixed" if seen.command.passed else "not fixed"
        return Finish(status, next_action="review the patch", look_twice=(self._source,))

    def _call(self, tool: str, **arguments: Any) -> Call:
        return Call(tool, arguments, phase=self.state.value)


def _first_match(pattern: str, text: str) -> str:
    return next(iter(re.findall(pattern, text, re.MULTILINE)), "")


def _last_match(pattern: str, text: str) -> str:
    return next(iter(reversed(re.findall(pattern, text, re.MULTILINE))), "")
